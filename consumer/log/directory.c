/*
 * directory.c
 *    Lists, makes and replaces files of a log.
 */
#include "log/directory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/xalloc.h"

#define SEGMENT_DIGITS 24
#define NAMES_FIRST    64

bool
log_is_want_of_room(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

ErrorCode
log_error_code(int error)
{
	return log_is_want_of_room(error) ? ERR_NO_ROOM : ERR_IO;
}

static MUST_CHECK Rc
could_not(Error *err, const char *what, const char *path)
{
	return error_set(err, log_error_code(errno), "could not %s \"%s\": %s",
					 what, path, strerror(errno));
}

/* Makes the directory, and has its name on disk. */
static MUST_CHECK Rc
make_directory(const char *path, Error *err)
{
	char *above = xasprintf("%s/..", path);
	Rc rc = RC_OK;
	int fd;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		rc = could_not(err, "make directory", path);
	fd = rc == RC_OK ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (rc == RC_OK && (fd < 0 || fsync(fd) != 0))
		rc = could_not(err, "flush directory", above);
	if (fd >= 0)
		close(fd);
	free(above);
	return rc;
}

Rc
log_directory_open(const char *path, bool make, int *fd, Error *err)
{
	Rc rc;

	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0)
		return RC_OK;
	if (errno != ENOENT)
		return could_not(err, "open directory", path);
	if (!make)
		return RC_END;
	rc = make_directory(path, err);
	if (rc != RC_OK)
		return rc;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 ? RC_OK : could_not(err, "open directory", path);
}

void
log_segment_name(uint32_t timeline, Lsn lsn,
				 char name[static LOG_SEGMENT_NAME_SIZE])
{
	snprintf(name, LOG_SEGMENT_NAME_SIZE, "%08" PRIX32 "%016" PRIX64 ".log",
			 timeline, lsn);
}

bool
log_segment_name_parse(const char *name, uint32_t *timeline, Lsn *lsn)
{
	char digits[SEGMENT_DIGITS + 1];

	if (strlen(name) != LOG_SEGMENT_NAME_SIZE - 1 ||
		strcmp(name + SEGMENT_DIGITS, ".log") != 0)
		return false;
	for (int i = 0; i < SEGMENT_DIGITS; i++)
		if (!isxdigit((unsigned char) name[i]))
			return false;
	memcpy(digits, name, SEGMENT_DIGITS);
	digits[SEGMENT_DIGITS] = '\0';
	*lsn = strtoull(digits + 8, NULL, 16);
	digits[8] = '\0';
	*timeline = (uint32_t) strtoul(digits, NULL, 16);
	return true;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static DIR *
open_entries(int directory_fd)
{
	int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;

	if (entries == NULL && fd >= 0)
		close(fd);
	return entries;
}

static void
add_name(LogNames *names, size_t *capacity, const char *name)
{
	if (names->count == *capacity)
	{
		*capacity = *capacity > 0 ? *capacity * 2 : NAMES_FIRST;
		names->names = xrealloc_array(names->names, *capacity,
									  sizeof(names->names[0]));
	}
	memcpy(names->names[names->count++], name, LOG_SEGMENT_NAME_SIZE);
}

Rc
log_directory_list(int directory_fd, const char *path, LogNames *names,
				   Error *err)
{
	DIR *entries = open_entries(directory_fd);
	size_t capacity = 0;
	const struct dirent *entry;

	*names = (LogNames){0};
	if (entries == NULL)
		return could_not(err, "read directory", path);
	errno = 0;
	while ((entry = readdir(entries)) != NULL)
	{
		uint32_t timeline;
		Lsn lsn;

		if (log_segment_name_parse(entry->d_name, &timeline, &lsn) &&
			names->count < LOG_SEGMENTS_MAX)
			add_name(names, &capacity, entry->d_name);
		errno = 0;
	}
	if (errno != 0)
	{
		Rc rc = could_not(err, "read directory", path);

		closedir(entries);
		log_names_release(names);
		return rc;
	}
	closedir(entries);
	if (names->count > 0)
		qsort(names->names, names->count, sizeof(names->names[0]),
			  compare_names);
	return RC_OK;
}

void
log_names_release(LogNames *names)
{
	free(names->names);
	*names = (LogNames){0};
}

Rc
log_directory_remove_open(int directory_fd, const char *path, Error *err)
{
	DIR *entries = open_entries(directory_fd);
	const struct dirent *entry;
	Rc rc = RC_OK;

	if (entries == NULL)
		return could_not(err, "read directory", path);
	while (rc == RC_OK && (entry = readdir(entries)) != NULL)
		if (strncmp(entry->d_name, LOG_OPEN_PREFIX, strlen(LOG_OPEN_PREFIX)) ==
				0 &&
			unlinkat(directory_fd, entry->d_name, 0) != 0)
			rc = could_not(err, "remove file", entry->d_name);
	closedir(entries);
	return rc;
}

static bool
write_all(int fd, const void *data, size_t length)
{
	const char *at = data;

	while (length > 0)
	{
		ssize_t written = write(fd, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		at += written;
		length -= (size_t) written;
	}
	return true;
}

Rc
log_directory_replace(int directory_fd, const char *name, const void *data,
					  size_t length, Error *err)
{
	char *temporary = xasprintf("%s.new", name);
	int fd = openat(directory_fd, temporary,
					O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool done = fd >= 0 && write_all(fd, data, length) && fsync(fd) == 0;
	Rc rc = RC_OK;

	FAULT("log.before_rename");
	done = done && renameat(directory_fd, temporary, directory_fd, name) == 0;
	if (!done)
	{
		/* It is of no use to anybody, and may have taken the last room. */
		rc = could_not(err, "write file", name);
		unlinkat(directory_fd, temporary, 0);
	}
	else if (fsync(directory_fd) != 0)
		rc = error_set(err, ERR_IO,
					   "could not flush the directory of file \"%s\": %s", name,
					   strerror(errno));
	if (fd >= 0)
		close(fd);
	free(temporary);
	return rc;
}
