/*
 * memory_test.c
 *    Options that a pipeline stores, and given options that differ from them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "config/memory.h"
#include "config/read.h"

#define ARGUMENTS_MAX  16
#define LINE_MAX_BYTES 512

static Arena *arena;

static int
set_up(void **state UNUSED)
{
	arena = arena_new(4 * KB);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

/* Splits a line at its blanks. */
static Words
split(const char *line)
{
	char *rest = arena_strdup(arena, line);
	Words words = {0};

	while (rest != NULL && *rest != '\0')
		words_add(&words, arena, strsep(&rest, " "));
	return words;
}

static Config
read_line(ConfigCommand command, const char *line)
{
	Words words = split(line);
	char *argv[ARGUMENTS_MAX + 2] = {arena_strdup(arena, "command")};
	Config config;
	Error err = {0};

	assert_true(words.count <= ARGUMENTS_MAX);
	for (int i = 0; i < words.count; i++)
		argv[i + 1] = arena_strdup(arena, words.words[i]);
	if (config_read(&config, command, words.count + 1, argv, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
	return config;
}

static void
expect_words(const Config *config, MemoryStage stage, const char *expected)
{
	Words words;
	Buf text;

	memory_write(config, stage, arena, &words);
	buf_init(&text, BUF_TEXT_MAX);
	for (int i = 0; i < words.count; i++)
		buf_printf(&text, "%s%s", i > 0 ? " " : "", words.words[i]);
	assert_string_equal(text.data, expected);
	buf_release(&text);
}

/* What a follower that is given `line` makes of what is remembered. */
static void
expect_recalled(const char *remembered, const char *line, const char *expected)
{
	Config config = read_line(COMMAND_FOLLOW, line);
	Words words = split(remembered);
	Error err = {0};

	if (memory_recall(&config, &words, MEMORY_REFUSE, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
	expect_words(&config, MEMORY_FOLLOWED, expected);
}

static void
expect_refused(const char *remembered, const char *line, const char *detail)
{
	Config config = read_line(COMMAND_FOLLOW, line);
	Words words = split(remembered);
	Error err = {0};

	assert_int_equal(memory_recall(&config, &words, MEMORY_REFUSE, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.detail, detail);
	error_reset(&err);
}

static void
a_clone_decides_what_is_copied(void **state UNUSED)
{
	Config config = read_line(COMMAND_CLONE,
							  "-n x --exclude-table=a --exclude-table=b.* "
							  "--no-owner");

	expect_words(&config, MEMORY_COPIED,
				 "publications=x exclude-table=a exclude-table=b.* no-owner");
	config = read_line(COMMAND_CLONE, "-p x,y --origin=none");
	expect_words(&config, MEMORY_COPIED, "publications=x,y origin=none");
}

static void
a_follower_decides_how_it_is_followed(void **state UNUSED)
{
	expect_recalled("", "-n x",
					"publications=x origin=any apply=batch on-conflict=stop "
					"sequences=follow large-objects=off");
	expect_recalled("publications=a,b table=t", "--on-conflict=s.t:skip",
					"publications=a,b table=t origin=any apply=batch "
					"on-conflict=\"s\".\"t\":skip sequences=follow "
					"large-objects=off");
	expect_recalled("sequences=off", "--sequence-stride=3 -n x",
					"publications=x origin=any apply=batch on-conflict=stop "
					"sequences=off sequence-stride=3:0 large-objects=off");
}

static void
what_is_remembered_stands_in(void **state UNUSED)
{
	static const char all[] =
		"publications=a schema=s no-owner origin=none apply=transaction "
		"on-conflict=skip on-conflict=\"a\".\"b\":stop sequences=off "
		"sequence-stride=4:1 large-objects=follow";

	expect_recalled(all, "", all);
	expect_recalled(all, "-p a --origin=none --lanes=4", all);
	expect_recalled(all, "--on-conflict=skip --on-conflict=a.b:stop", all);
}

static void
something_else_is_refused_with_both_values(void **state UNUSED)
{
	static const char all[] =
		"publications=a origin=none apply=batch on-conflict=stop";

	expect_refused(all, "-p b",
				   "It has --publications=a; given is --publications=b.");
	expect_refused(all, "--origin=any",
				   "It has --origin=none; given is --origin=any.");
	expect_refused(all, "--apply=transaction",
				   "It has --apply=batch; given is --apply=transaction.");
	expect_refused(all, "--on-conflict=s.t:skip",
				   "It has --on-conflict=stop; given is "
				   "--on-conflict=\"s\".\"t\":skip.");
}

static void
what_is_given_replaces_it_if_that_is_wanted(void **state UNUSED)
{
	Config config = read_line(COMMAND_FOLLOW,
							  "--set -p b --on-conflict=overwrite");
	Words words = split("publications=a origin=none apply=transaction "
						"on-conflict=skip");
	Error err = {0};

	assert_int_equal(memory_recall(&config, &words, MEMORY_REPLACE, &err),
					 RC_OK);
	expect_words(&config, MEMORY_FOLLOWED,
				 "publications=b origin=none apply=transaction "
				 "on-conflict=overwrite sequences=follow large-objects=off");
}

/* Lanes need what may only be remembered. */
static void
lanes_are_checked_with_what_is_remembered(void **state UNUSED)
{
	Config config = read_line(COMMAND_FOLLOW, "--lanes=4");
	Words words = split("publications=a apply=batch");
	Error err = {0};

	assert_int_equal(memory_recall(&config, &words, MEMORY_REFUSE, &err),
					 RC_FAIL);
	assert_string_equal(err.message,
						"--lanes can only be used with --apply=transaction");
	error_reset(&err);
}

static void
what_is_not_known_is_refused(void **state UNUSED)
{
	Config config = read_line(COMMAND_FOLLOW, "");
	Words words = split("publications=a colour=green");
	Error err = {0};

	assert_int_equal(memory_recall(&config, &words, MEMORY_REFUSE, &err),
					 RC_FAIL);
	assert_non_null(strstr(err.message, "--colour=green"));
	error_reset(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clone_decides_what_is_copied),
		cmocka_unit_test(a_follower_decides_how_it_is_followed),
		cmocka_unit_test(what_is_remembered_stands_in),
		cmocka_unit_test(something_else_is_refused_with_both_values),
		cmocka_unit_test(what_is_given_replaces_it_if_that_is_wanted),
		cmocka_unit_test(lanes_are_checked_with_what_is_remembered),
		cmocka_unit_test(what_is_not_known_is_refused),
	};

	unsetenv("PENSTOCK_APPLY");
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
