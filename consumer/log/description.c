/*
 * description.c
 *    Reads and writes lines.
 */
#include "log/description.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "log/directory.h"

#define LOCK_NAME       "lock"
#define DESCRIPTION_MAX (64 * KB)
#define VERSION_LINE    "format"
#define FORMAT_VERSION  "1"

/*
 * The lock of the whole file.  It belongs to the open file, so it ends with the
 * process; and, other than that of flock(), one can ask for it without having
 * it for a moment.
 */
static struct flock
whole_file(short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

Rc
log_description_lock(int directory_fd, const char *path, int *lock_fd,
					 Error *err)
{
	struct flock lock = whole_file(F_WRLCK);
	Rc rc;

	*lock_fd = openat(directory_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC,
					  0600);
	if (*lock_fd < 0)
		return error_set(err, log_error_code(errno),
						 "could not open file \"%s/%s\": %s", path, LOCK_NAME,
						 strerror(errno));
	if (fcntl(*lock_fd, F_OFD_SETLK, &lock) == 0)
		return RC_OK;
	if (errno == EAGAIN || errno == EACCES)
		rc = error_set(err, ERR_CONFIG,
					   "log \"%s\" is written by another process", path);
	else
		rc = error_set(err, ERR_IO, "could not lock log \"%s\": %s", path,
					   strerror(errno));
	close(*lock_fd);
	*lock_fd = -1;
	return rc;
}

bool
log_description_is_locked(int directory_fd)
{
	int fd = openat(directory_fd, LOCK_NAME, O_RDONLY | O_CLOEXEC);
	struct flock lock = whole_file(F_RDLCK);
	bool locked = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
				  lock.l_type != F_UNLCK;

	if (fd >= 0)
		close(fd);
	return locked;
}

/* Reads the file into `text`.  RC_END: there is none. */
static MUST_CHECK Rc
read_text(int directory_fd, const char *path, Buf *text, Error *err)
{
	int fd = openat(directory_fd, LOG_DESCRIPTION_NAME, O_RDONLY | O_CLOEXEC);
	char *into = buf_reserve(text, DESCRIPTION_MAX - 1);
	ssize_t got;
	Rc rc = RC_OK;

	if (fd < 0 && errno == ENOENT)
		return RC_END;
	got = fd >= 0 ? read(fd, into, DESCRIPTION_MAX - 1) : -1;
	if (got < 0)
		rc = error_set(err, ERR_IO, "could not read file \"%s/%s\": %s", path,
					   LOG_DESCRIPTION_NAME, strerror(errno));
	else
		buf_advance(text, (size_t) got);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Stores the value of a line.  Returns false if it is not valid. */
static bool
take_line(LogDescription *description, const char *name, const char *value)
{
	if (strcmp(name, VERSION_LINE) == 0)
		return strcmp(value, FORMAT_VERSION) == 0;
	if (strcmp(name, "slot") == 0)
		description->slot = value;
	else if (strcmp(name, "publications") == 0)
		description->publications = value;
	else if (strcmp(name, "origin") == 0)
		description->origin = value;
	else if (strcmp(name, "system_identifier") == 0)
		description->system_identifier = value;
	else if (strcmp(name, "database") == 0)
		description->database = value;
	else if (strcmp(name, "start_lsn") == 0)
		return lsn_parse(value, &description->start_lsn);
	return true; /* a name of a later version */
}

static bool
take_text(LogDescription *description, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
		 line = strtok_r(NULL, "\n", &save))
	{
		char *equals = strstr(line, " = ");

		if (line[0] == '#')
			continue;
		if (equals == NULL)
			return false;
		*equals = '\0';
		if (!take_line(description, line, equals + 3))
			return false;
	}
	return description->slot != NULL && description->publications != NULL &&
		   description->origin != NULL &&
		   description->system_identifier != NULL;
}

Rc
log_description_read(LogDescription *description, int directory_fd,
					 const char *path, Arena *arena, Error *err)
{
	Buf text;
	Rc rc;

	*description = (LogDescription){0};
	buf_init(&text, DESCRIPTION_MAX);
	rc = read_text(directory_fd, path, &text, err);
	if (rc == RC_OK &&
		!take_text(description, arena_dup(arena, text.data, text.length + 1)))
		rc = error_set(err, ERR_CONFIG,
					   "file \"%s/%s\" is damaged, or of a later version", path,
					   LOG_DESCRIPTION_NAME);
	buf_release(&text);
	return rc;
}

Rc
log_description_find(LogDescription *description, const char *path,
					 Arena *arena, Error *err)
{
	int directory_fd = -1;
	Rc rc = log_directory_open(path, false, &directory_fd, err);

	if (rc == RC_END)
		return error_set(err, ERR_CONFIG, "there is no log \"%s\"", path);
	if (rc == RC_OK)
		rc = log_description_read(description, directory_fd, path, arena, err);
	if (rc == RC_END)
		rc = error_set(err, ERR_CONFIG, "log \"%s\" has no file \"%s\"", path,
					   LOG_DESCRIPTION_NAME);
	if (directory_fd >= 0)
		close(directory_fd);
	return rc;
}

Rc
log_description_write(const LogDescription *description, int directory_fd,
					  Error *err)
{
	Buf text;
	Rc rc;

	buf_init(&text, DESCRIPTION_MAX);
	buf_printf(&text,
			   "# What this log is of.  Written by penstock record.\n"
			   "%s = %s\n"
			   "slot = %s\n"
			   "publications = %s\n"
			   "origin = %s\n"
			   "system_identifier = %s\n"
			   "start_lsn = " LSN_FORMAT "\n"
			   "database = %s\n",
			   VERSION_LINE, FORMAT_VERSION, description->slot,
			   description->publications, description->origin,
			   description->system_identifier, LSN_ARGS(description->start_lsn),
			   description->database);
	rc = log_directory_replace(directory_fd, LOG_DESCRIPTION_NAME, text.data,
							   text.length, err);
	buf_release(&text);
	return rc;
}
