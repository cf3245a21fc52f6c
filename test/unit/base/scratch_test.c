/*
 * scratch_test.c
 *    Temporary directories of running processes, and of processes that were
 *    killed.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/scratch.h"

#define PATH_SIZE 256

/* What a killed run leaves is as old as this, in seconds. */
#define OLD_S 3600

static char parent[] = "/tmp/scratch_test_XXXXXX";

static void
make_old(const char *path)
{
	const struct timespec times[2] = {{.tv_sec = time(NULL) - OLD_S},
									  {.tv_sec = time(NULL) - OLD_S}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool
is_there(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0;
}

static void
make_left_over(const char *name, char path[static PATH_SIZE])
{
	char file[PATH_SIZE + 8];
	FILE *handle;

	snprintf(path, PATH_SIZE, "%s/%s", parent, name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(file, sizeof(file), "%s/dump", path);
	handle = fopen(file, "w");
	assert_non_null(handle);
	assert_int_equal(fclose(handle), 0);
	make_old(path);
}

static void
what_killed_runs_left_is_removed(void **state UNUSED)
{
	Arena *arena = arena_new(KB);
	char left_over[PATH_SIZE];
	char other[PATH_SIZE];
	char file[PATH_SIZE + 8];
	Scratch first;
	Scratch second;
	Error err = {0};

	make_left_over("penstock_scratch_abcdef", left_over);
	make_left_over("penstock_scratch_of_somebody_else", other);
	assert_int_equal(scratch_open(&first, arena, &err), RC_OK);
	assert_false(is_there(left_over));
	assert_true(is_there(other));

	/* One that lives is left alone, however old. */
	make_old(first.path);
	assert_int_equal(scratch_open(&second, arena, &err), RC_OK);
	assert_true(is_there(first.path));
	scratch_close(&second);
	scratch_close(&first);
	assert_false(is_there(left_over));
	snprintf(file, sizeof(file), "%s/dump", other);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(other), 0);
	assert_int_equal(rmdir(parent), 0);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_killed_runs_left_is_removed),
	};

	if (mkdtemp(parent) == NULL || setenv("TMPDIR", parent, 1) != 0)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
