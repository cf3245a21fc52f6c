/*
 * config_test.c
 *    Reading the command line and the environment, especially invalid ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/read.h"

#define ARGUMENTS_MAX  16
#define LINE_MAX_BYTES 512

/* Reads a line of arguments that are separated by blanks. */
static Rc
read_line(Config *config, ConfigCommand command, const char *line, Error *err)
{
	static char text[LINE_MAX_BYTES];
	char *argv[ARGUMENTS_MAX + 1];
	char *rest = text;
	int argc = 0;

	snprintf(text, sizeof(text), "command%s%s", line[0] ? " " : "", line);
	while (rest != NULL && argc < ARGUMENTS_MAX)
		argv[argc++] = strsep(&rest, " ");
	argv[argc] = NULL;
	return config_read(config, command, argc, argv, err);
}

static void
refuse(ConfigCommand command, const char *line, const char *message)
{
	Config config;
	Error err = {0};

	assert_int_equal(read_line(&config, command, line, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.message, message);
	error_reset(&err);
	config_release(&config);
}

static Config
accept(ConfigCommand command, const char *line)
{
	Config config;
	Error err = {0};

	if (read_line(&config, command, line, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
	return config;
}

static void
unknown_options_are_named(void **state UNUSED)
{
	refuse(COMMAND_FOLLOW, "--sauce", "unrecognized option \"--sauce\"");
	refuse(COMMAND_FOLLOW, "-q --sauce=x", "unrecognized option \"--sauce=x\"");
	refuse(COMMAND_FOLLOW, "-q -Z", "unrecognized option \"-Z\"");
	refuse(COMMAND_FOLLOW, "--quiet=1", "unrecognized option \"--quiet=1\"");
	refuse(COMMAND_FOLLOW, "extra", "unexpected argument \"extra\"");
	refuse(COMMAND_FOLLOW, "-q -- extra", "unexpected argument \"extra\"");
}

/* Also after a group of letters that was not read to its end. */
static void
a_letter_within_a_group_is_named(void **state UNUSED)
{
	refuse(COMMAND_FOLLOW, "-v -Zq", "unrecognized option \"-Z\"");
	refuse(COMMAND_FOLLOW, "-v -qZv", "unrecognized option \"-Z\"");
	assert_false(accept(COMMAND_FOLLOW, "").quiet);
}

static void
options_of_other_commands_are_refused(void **state UNUSED)
{
	refuse(COMMAND_FOLLOW, "--jobs=2", "unrecognized option \"--jobs=2\"");
	refuse(COMMAND_TAIL, "--target=x", "unrecognized option \"--target=x\"");
	refuse(COMMAND_TAIL, "-t x", "unrecognized option \"-t\"");
}

static void
values_that_are_missing_are_missed(void **state UNUSED)
{
	refuse(COMMAND_FOLLOW, "--source", "option --source needs a value");
	refuse(COMMAND_FOLLOW, "-v -s", "option -s needs a value");
	refuse(COMMAND_FOLLOW, "--source=", "invalid value for --source: \"\"");
}

static void
options_that_are_given_twice_are_refused(void **state UNUSED)
{
	refuse(COMMAND_FOLLOW, "-s a --source=b", "option --source is given twice");
	assert_true(accept(COMMAND_FOLLOW, "-q -q").quiet);
}

static void
names_are_those_of_slots(void **state UNUSED)
{
	static const char longest[] =
		"-n a23456789012345678901234567890123456789012345678901234567890123";
	Config config = accept(COMMAND_FOLLOW, longest);

	assert_int_equal(strlen(config.name), CONFIG_NAME_MAX);
	refuse(COMMAND_FOLLOW, "-n Upper", "invalid value for --name: \"Upper\"");
	refuse(COMMAND_FOLLOW, "-n a-b", "invalid value for --name: \"a-b\"");
	refuse(COMMAND_FOLLOW, "--name=", "invalid value for --name: \"\"");
	refuse(COMMAND_FOLLOW, "-n a\"b", "invalid value for --name: \"a\"b\"");
}

static void
a_name_is_known_to_be_given(void **state UNUSED)
{
	assert_true(accept(COMMAND_TAIL, "--name=penstock").name_given);
	assert_false(accept(COMMAND_TAIL, "").name_given);
}

static void
compression_has_levels(void **state UNUSED)
{
	static const char *const wrong[] = {"lz4",     "zstd:",   "zstd:0",
										"zstd:20", "zstd:3x", "zstd3",
										"ZSTD",    "zstd:+3"};

	for (size_t i = 0; i < LENGTH_OF(wrong); i++)
	{
		char line[64];
		char message[128];

		snprintf(line, sizeof(line), "--compression=%s", wrong[i]);
		snprintf(message, sizeof(message),
				 "invalid value for --compression: \"%s\"", wrong[i]);
		refuse(COMMAND_FOLLOW, line, message);
	}
	assert_null(accept(COMMAND_FOLLOW, "").compression);
	assert_string_equal(accept(COMMAND_TAIL, "--compression=zstd").compression,
						"zstd");
	assert_string_equal(
		accept(COMMAND_CLONE, "--compression=zstd:19").compression, "zstd:19");
	assert_string_equal(accept(COMMAND_CLONE, "--compression=none").compression,
						"none");
}

static void
sizes_have_units_and_bounds(void **state UNUSED)
{
	static const char *const wrong[] = {"3MB",
										"65GB",
										"-5MB",
										"MB",
										"5mb",
										"5MBx",
										"0",
										"4194303",
										"99999999999999999999",
										"18446744073709551615GB",
										"+-5MB"};

	for (size_t i = 0; i < LENGTH_OF(wrong); i++)
	{
		char line[64];
		char message[96];

		snprintf(line, sizeof(line), "-m %s", wrong[i]);
		snprintf(message, sizeof(message), "invalid value for --memory: \"%s\"",
				 wrong[i]);
		refuse(COMMAND_FOLLOW, line, message);
	}
	assert_int_equal(accept(COMMAND_FOLLOW, "-m 4MB").memory_bytes, 4 * MB);
	assert_int_equal(accept(COMMAND_FOLLOW, "-m 4194304").memory_bytes, 4 * MB);
	assert_int_equal(accept(COMMAND_FOLLOW, "-m 4096kB").memory_bytes, 4 * MB);
	assert_int_equal(accept(COMMAND_FOLLOW, "-m 64GB").memory_bytes,
					 CONFIG_MEMORY_MAX);
}

static void
rates_have_units_and_bounds(void **state UNUSED)
{
	static const char *const wrong[] = {"0", "1023", "1TB/s", "1MB/h", "/s"};

	for (size_t i = 0; i < LENGTH_OF(wrong); i++)
	{
		char line[32];
		char message[64];

		snprintf(line, sizeof(line), "--max-rate %s", wrong[i]);
		snprintf(message, sizeof(message),
				 "invalid value for --max-rate: \"%s\"", wrong[i]);
		refuse(COMMAND_CLONE, line, message);
	}
	assert_int_equal(accept(COMMAND_CLONE, "--max-rate 1kB/s").max_rate, KB);
	assert_int_equal(accept(COMMAND_CLONE, "--max-rate 20MB").max_rate,
					 20 * MB);
	assert_int_equal(accept(COMMAND_CLONE, "").max_rate, 0);
}

static void
counts_and_positions_have_bounds(void **state UNUSED)
{
	refuse(COMMAND_CLONE, "-j 0", "invalid value for --jobs: \"0\"");
	refuse(COMMAND_CLONE, "-j 65", "invalid value for --jobs: \"65\"");
	refuse(COMMAND_CLONE, "-j 2x", "invalid value for --jobs: \"2x\"");
	refuse(COMMAND_CLONE, "-j -1", "invalid value for --jobs: \"-1\"");
	assert_int_equal(accept(COMMAND_CLONE, "-j 64").jobs, 64);
	refuse(COMMAND_FOLLOW, "-E 0/0", "invalid value for --endpos: \"0/0\"");
	refuse(COMMAND_FOLLOW, "-E 12", "invalid value for --endpos: \"12\"");
	assert_int_equal(accept(COMMAND_FOLLOW, "-E 0/1F").endpos, 0x1f);
}

static void
streaming_is_on_unless_it_is_switched_off(void **state UNUSED)
{
	assert_true(accept(COMMAND_FOLLOW, "--quiet").streaming);
	assert_true(accept(COMMAND_FOLLOW, "--streaming=on").streaming);
	assert_false(accept(COMMAND_FOLLOW, "--streaming=off").streaming);
	refuse(COMMAND_FOLLOW, "--streaming=maybe",
		   "invalid value for --streaming: \"maybe\"");
}

static void
bundles_are_on_unless_they_are_switched_off(void **state UNUSED)
{
	assert_true(accept(COMMAND_FOLLOW, "--quiet").bundle);
	assert_false(accept(COMMAND_FOLLOW, "--bundle=off").bundle);
	assert_false(accept(COMMAND_TAIL, "--bundle=off").bundle);
	refuse(COMMAND_FOLLOW, "--bundle=maybe",
		   "invalid value for --bundle: \"maybe\"");
}

static void
an_origin_is_one_of_two_words(void **state UNUSED)
{
	refuse(COMMAND_TAIL, "--origin=", "invalid value for --origin: \"\"");
	refuse(COMMAND_TAIL, "--origin=nobody",
		   "invalid value for --origin: \"nobody\"");
	assert_string_equal(accept(COMMAND_TAIL, "--origin=none").origin, "none");
}

static void
targets_may_be_many_but_not_any_number(void **state UNUSED)
{
	char *argv[CONFIG_TARGETS_MAX + 3];
	char command[] = "command";
	char target[] = "-tx";
	Error err = {0};
	Config config;

	argv[0] = command;
	for (int i = 1; i <= CONFIG_TARGETS_MAX + 1; i++)
		argv[i] = target;
	argv[CONFIG_TARGETS_MAX + 2] = NULL;
	assert_int_equal(config_read(&config, COMMAND_FOLLOW,
								 CONFIG_TARGETS_MAX + 1, argv, &err),
					 RC_OK);
	assert_int_equal(config.target_count, CONFIG_TARGETS_MAX);
	assert_int_equal(config_read(&config, COMMAND_FOLLOW,
								 CONFIG_TARGETS_MAX + 2, argv, &err),
					 RC_FAIL);
	assert_string_equal(err.message, "too many targets: at most 64");
	error_reset(&err);
}

static void
options_that_contradict_each_other_are_refused(void **state UNUSED)
{
	refuse(COMMAND_CLONE, "--schema-only --data-only",
		   "--schema-only cannot be used with --data-only");
	refuse(COMMAND_CLONE, "--follow --schema-only",
		   "--schema-only cannot be used with --follow");
	refuse(COMMAND_CLONE, "--resume --restart",
		   "--resume cannot be used with --restart");
	refuse(COMMAND_CLONE, "--schema-only --resume",
		   "--schema-only cannot be used with --resume");
	refuse(COMMAND_CLONE, "--schema-only --copy-from=x",
		   "--schema-only cannot be used with --copy-from");
}

/* What is spread over nodes is copied in another way than what is not. */
static void
options_that_a_placement_rules_out_are_refused(void **state UNUSED)
{
	char path[] = "/tmp/penstock_config_XXXXXX";
	char line[sizeof(path) + 64];
	FILE *file;

	close(mkstemp(path));
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("[target a]\nconninfo = host=a\n[placement]\n* = all\n", file);
	assert_int_equal(fclose(file), 0);
	snprintf(line, sizeof(line), "--config=%s --verify", path);
	refuse(COMMAND_CLONE, line,
		   "--verify cannot be used with a placement of tables");
	unlink(path);
}

static void
what_is_not_given_has_its_default(void **state UNUSED)
{
	Config config = accept(COMMAND_FOLLOW, "");

	assert_null(config.source);
	assert_int_equal(config.target_count, 0);
	assert_string_equal(config.name, "penstock");
	assert_string_equal(config.publications, "penstock");
	assert_string_equal(config.origin, "any");
	assert_int_equal(config.memory_bytes, 32 * MB);
	assert_int_equal(config.endpos, 0);
	assert_string_equal(accept(COMMAND_FOLLOW, "-n app").publications, "app");
	assert_string_equal(accept(COMMAND_FOLLOW, "-n app -p a,b").publications,
						"a,b");
}

static void
the_environment_stands_in_for_options(void **state UNUSED)
{
	Config config;

	setenv("PENSTOCK_SOURCE", "from environment", 1);
	setenv("PENSTOCK_TARGET", "there", 1);
	setenv("PENSTOCK_NAME", "app", 1);
	config = accept(COMMAND_FOLLOW, "");
	assert_string_equal(config.source, "from environment");
	assert_int_equal(config.target_count, 1);
	assert_string_equal(config.targets[0], "there");
	assert_string_equal(config.name, "app");
	assert_false(config.name_given);
	config = accept(COMMAND_FOLLOW, "--source=x --target=y --name=z");
	assert_string_equal(config.source, "x");
	assert_int_equal(config.target_count, 1);
	assert_string_equal(config.targets[0], "y");
	assert_string_equal(config.name, "z");
	assert_int_equal(accept(COMMAND_TAIL, "").target_count, 0);
	setenv("PENSTOCK_NAME", "Wrong", 1);
	refuse(COMMAND_FOLLOW, "", "invalid value for --name: \"Wrong\"");
	setenv("PENSTOCK_NAME", "", 1);
	assert_string_equal(accept(COMMAND_FOLLOW, "").name, "penstock");
	unsetenv("PENSTOCK_SOURCE");
	unsetenv("PENSTOCK_TARGET");
	unsetenv("PENSTOCK_NAME");
}

static void
help_needs_nothing_else(void **state UNUSED)
{
	assert_true(accept(COMMAND_FOLLOW, "--help").help);
	assert_true(accept(COMMAND_FOLLOW, "-h").help);
}

static void
what_a_command_cannot_do_without_is_missed(void **state UNUSED)
{
	Config config = accept(COMMAND_FOLLOW, "");
	Error err = {0};

	assert_int_equal(config_require_source(&config, &err), RC_FAIL);
	assert_string_equal(err.message, "no source is given");
	assert_int_equal(config_require_target(&config, &err), RC_FAIL);
	assert_string_equal(err.message, "no target is given");
	error_reset(&err);
	config = accept(COMMAND_FOLLOW, "-s a -t b");
	assert_int_equal(config_require_source(&config, &err), RC_OK);
	assert_int_equal(config_require_target(&config, &err), RC_OK);
}

/* And turned once more, it is what it was. */
static void
the_way_back_goes_the_other_way(void **state UNUSED)
{
	Arena *arena = arena_new(1024);
	Error err = {0};
	Config config = accept(COMMAND_FOLLOW, "--back -s old -t new -n shop");

	assert_true(config.back);
	assert_string_equal(config.source, "new");
	assert_string_equal(config.targets[0], "old");
	assert_string_equal(config.name, "shop_back");
	assert_string_equal(config.name_asked, "shop_back");
	assert_string_equal(config.publications, "shop_back");
	assert_int_equal(config_turn_back(&config, arena, &err), RC_OK);
	assert_false(config.back);
	assert_string_equal(config.source, "old");
	assert_string_equal(config.targets[0], "new");
	assert_string_equal(config.name, "shop");
	config_release(&config);
	arena_free(arena);
	refuse(COMMAND_FOLLOW, "--back -s a -t b -t c",
		   "writes are moved only from one source without a name to one target "
		   "without a placement");
	refuse(COMMAND_FOLLOW,
		   "--back -s a -t b -n a2345678901234567890123456789012345678901234"
		   "567890a",
		   "the name of the pipeline, \"a23456789012345678901234567890123456789"
		   "01234567890a\", is longer than 50 characters, which leaves no room "
		   "for that of its way back");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_options_are_named),
		cmocka_unit_test(a_letter_within_a_group_is_named),
		cmocka_unit_test(options_of_other_commands_are_refused),
		cmocka_unit_test(values_that_are_missing_are_missed),
		cmocka_unit_test(options_that_are_given_twice_are_refused),
		cmocka_unit_test(names_are_those_of_slots),
		cmocka_unit_test(a_name_is_known_to_be_given),
		cmocka_unit_test(compression_has_levels),
		cmocka_unit_test(sizes_have_units_and_bounds),
		cmocka_unit_test(rates_have_units_and_bounds),
		cmocka_unit_test(counts_and_positions_have_bounds),
		cmocka_unit_test(streaming_is_on_unless_it_is_switched_off),
		cmocka_unit_test(bundles_are_on_unless_they_are_switched_off),
		cmocka_unit_test(an_origin_is_one_of_two_words),
		cmocka_unit_test(targets_may_be_many_but_not_any_number),
		cmocka_unit_test(options_that_contradict_each_other_are_refused),
		cmocka_unit_test(options_that_a_placement_rules_out_are_refused),
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(the_environment_stands_in_for_options),
		cmocka_unit_test(help_needs_nothing_else),
		cmocka_unit_test(what_a_command_cannot_do_without_is_missed),
		cmocka_unit_test(the_way_back_goes_the_other_way),
	};

	unsetenv("PENSTOCK_SOURCE");
	unsetenv("PENSTOCK_TARGET");
	unsetenv("PENSTOCK_NAME");
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
