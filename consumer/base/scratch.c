/*
 * scratch.c
 *    Makes, locks and removes temporary directories.
 */
#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"

/*
 * Name of a directory; mkdtemp() replaces the X's.  No other program uses it.
 */
#define NAME_BEGINNING "penstock_scratch_"
#define NAME_END       "XXXXXX"
#define NAME_PATTERN   NAME_BEGINNING "??????"

/*
 * Minimal age in seconds of a directory that is removed.  A younger one may
 * have been made by a process that has not locked it yet.
 */
#define AGE_MIN_S 60

/*
 * Removes a directory and the files in it.  Returns false if something is left.
 */
static bool
remove_all(const char *path)
{
	char *pattern = xasprintf("%s/*", path);
	glob_t files = {0};

	if (glob(pattern, 0, NULL, &files) == 0)
		for (size_t i = 0; i < files.gl_pathc; i++)
			(void) unlink(files.gl_pathv[i]);
	globfree(&files);
	free(pattern);
	return rmdir(path) == 0;
}

static int
open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Whether the directory belongs to our user and no process that lives has
 * locked it.
 */
static bool
is_left_over(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 && info.st_uid == geteuid() &&
		   time(NULL) - info.st_mtime >= AGE_MIN_S &&
		   flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void
sweep_one(const char *path)
{
	int fd = open_directory(path);

	if (fd < 0)
		return;
	if (is_left_over(fd) && remove_all(path))
		log_info("copy",
				 "removed directory \"%s\", which a run that was killed had "
				 "left",
				 path);
	close(fd);
}

static void
sweep(const char *parent)
{
	char *pattern = xasprintf("%s/" NAME_PATTERN, parent);
	glob_t found = {0};

	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			sweep_one(found.gl_pathv[i]);
	globfree(&found);
	free(pattern);
}

Rc
scratch_open(Scratch *scratch, Arena *arena, Error *err)
{
	const char *parent = getenv("TMPDIR");
	char *path;

	*scratch = (Scratch){.lock_fd = -1};
	if (parent == NULL || parent[0] == '\0')
		parent = "/tmp";
	sweep(parent);
	path = arena_printf(arena, "%s/" NAME_BEGINNING NAME_END, parent);
	if (mkdtemp(path) == NULL)
		return error_set(err, ERR_IO,
						 "could not create a directory in \"%s\": %s", parent,
						 strerror(errno));
	scratch->path = path;
	scratch->lock_fd = open_directory(path);
	if (scratch->lock_fd < 0 || flock(scratch->lock_fd, LOCK_EX) < 0)
		return error_set(err, ERR_IO, "could not lock directory \"%s\": %s",
						 path, strerror(errno));
	return RC_OK;
}

void
scratch_close(Scratch *scratch)
{
	if (scratch->path == NULL)
		return;
	if (!remove_all(scratch->path))
		log_warning("copy.directory-left",
					"could not remove directory \"%s\": %s", scratch->path,
					strerror(errno));
	if (scratch->lock_fd >= 0)
		close(scratch->lock_fd);
	*scratch = (Scratch){.lock_fd = -1};
}
