/*
 * file_test.c
 *    Reading configuration files, especially invalid ones.
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

static char path[] = "/tmp/penstock_file_test.XXXXXX";

static const char ends[] = "[source]\nconninfo = dbname=s\n"
						   "[target a]\nconninfo = dbname=a\n"
						   "[target b]\nconninfo=dbname=b options='-c x=1'\n";

static int
set_up(void **state UNUSED)
{
	int fd = mkstemp(path);

	unsetenv("PENSTOCK_SOURCE");
	unsetenv("PENSTOCK_TARGET");
	unsetenv("PENSTOCK_NAME");
	unsetenv("PENSTOCK_CONFIG");
	return fd < 0 ? -1 : close(fd);
}

static int
tear_down(void **state UNUSED)
{
	return unlink(path);
}

/* Reads the ends above and `more` with the option `option`, if it is given. */
static Rc
read_file(Config *config, ConfigCommand command, const char *more,
		  const char *option, Error *err)
{
	char word_command[] = "command";
	char word_config[] = "--config";
	static char word_option[64]; /* the Config borrows it */
	char *argv[] = {word_command, word_config, path,
					option != NULL ? word_option : NULL, NULL};
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "%s%s", ends, more);
	assert_int_equal(fclose(file), 0);
	snprintf(word_option, sizeof(word_option), "%s", option ? option : "");
	return config_read(config, command, option != NULL ? 4 : 3, argv, err);
}

static void
accept(Config *config, ConfigCommand command, const char *more,
	   const char *option)
{
	Error err = {0};

	if (read_file(config, command, more, option, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
}

/* `message` has its line's number in front; the ends take six lines. */
static void
refuse(const char *more, const char *message)
{
	char expected[256];
	Config config;
	Error err = {0};

	snprintf(expected, sizeof(expected), "%s:%s", path, message);
	assert_int_equal(read_file(&config, COMMAND_FOLLOW, more, NULL, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.message, expected);
	error_reset(&err);
	config_release(&config);
}

static void
a_file_says_what_the_command_line_can(void **state UNUSED)
{
	Config config;

	accept(&config, COMMAND_FOLLOW,
		   "  # a comment\n\r\n[penstock]\r\n name = shop \r\nmemory=64MB\n"
		   "on-conflict = skip\non-conflict = public.a:stop\nverbose = on\n"
		   "jobs = 3\nquiet = no\n",
		   NULL);
	assert_string_equal(config.source, "dbname=s");
	assert_int_equal(config.target_count, 2);
	assert_int_equal(config.node_count, 2);
	assert_string_equal(config.targets[1], "dbname=b options='-c x=1'");
	assert_string_equal(config.target_names[1], "b");
	assert_string_equal(config.name, "shop");
	assert_string_equal(config.publications, "shop");
	assert_int_equal(config.memory_bytes, 64 * MB);
	assert_int_equal(config.conflict_rules.count, 2);
	assert_true(config.verbose);
	assert_false(config.quiet);
	assert_null(config.placement);
	config_release(&config);
}

static void
a_file_has_one_log(void **state UNUSED)
{
	Config config;

	accept(&config, COMMAND_FOLLOW, "[log all]\ndirectory = /a\n", NULL);
	assert_string_equal(config.log, "/a");
	config_release(&config);
	accept(&config, COMMAND_FOLLOW, "[log all]\ndirectory = /a\n", "--log=/b");
	assert_string_equal(config.log, "/b");
	config_release(&config);
	accept(&config, COMMAND_DROP, "[log all]\ndirectory = /a\n", NULL);
	assert_null(config.log);
	config_release(&config);
	refuse("[log all]\ndirectory =\n", "8: directory is empty");
	refuse("[log a]\ndirectory = /a\n[log b]\n",
		   "9: too many logs: at most one, and there is \"a\"");
	refuse("[log a]\n", "7: log \"a\" has no directory");
}

static void
the_command_line_comes_first(void **state UNUSED)
{
	Config config;

	accept(&config, COMMAND_FOLLOW, "[penstock]\nname = shop\n",
		   "--name=other");
	assert_string_equal(config.name, "other");
	config_release(&config);
	accept(&config, COMMAND_FOLLOW, "", "--target=dbname=c");
	assert_int_equal(config.target_count, 1);
	assert_string_equal(config.targets[0], "dbname=c");
	assert_null(config.target_names[0]);
	assert_int_equal(config.node_count, 1);
	config_release(&config);
}

static void
nodes_stand_in_the_order_of_their_remainders(void **state UNUSED)
{
	Config config;

	accept(&config, COMMAND_FOLLOW,
		   "[target c]\nconninfo = dbname=c\nremainder = 1\n"
		   "[target d]\nconninfo = dbname=d\nremainder = 0\n"
		   "[placement]\npublic.a = only b\n",
		   NULL);
	assert_int_equal(config.target_count, 4);
	assert_int_equal(config.node_count, 2);
	assert_string_equal(config.target_names[0], "d");
	assert_string_equal(config.target_names[1], "c");
	assert_string_equal(
		config.target_names[placement_find(config.placement, "public", "a")
								->target],
		"b");
	config_release(&config);
}

static void
targets_have_labels(void **state UNUSED)
{
	char label[CONFIG_LABEL_SIZE];
	Config config;

	accept(&config, COMMAND_FOLLOW, "", NULL);
	config_label_target(&config, 1, label);
	assert_string_equal(label, "target \"b\"");
	config_release(&config);
	accept(&config, COMMAND_FOLLOW, "", "--target=dbname=c");
	config_label_target(&config, 0, label);
	assert_string_equal(label, "target");
	config_release(&config);
}

static void
what_is_wrong_is_named_with_its_line(void **state UNUSED)
{
	refuse("nonsense\n", "7: line is neither a section nor a setting");
	refuse("= x\n", "7: line is neither a section nor a setting");
	refuse("[]\n", "7: invalid section \"[]\"");
	refuse("[target\n", "7: invalid section \"[target\"");
	refuse("[sources]\n", "7: unrecognized section \"sources\"");
	refuse("[target]\n", "7: unrecognized section \"target\"");
	refuse("[target A]\n", "7: invalid name of a target \"A\": expected are "
						   "lower case letters, digits and underscores");
	refuse("\n[target a]\n",
		   "8: target \"a\" is defined twice: also in line 3");
	refuse("conninfo = x\n", "7: conninfo is set twice");
	refuse("port = 5432\n",
		   "7: unrecognized setting \"port\" in section [target b]");
	refuse("[source]\nconninfo = x\n", "8: conninfo is set twice");
	refuse("[target c]\nconninfo =\n", "8: conninfo is empty");
	refuse("[target c]\n", "7: target \"c\" has no conninfo");
	refuse("[target c]\nconninfo = dbname=a\n",
		   "7: targets \"a\" and \"c\" have the same address");
	refuse("[penstock]\nname = a\nname = b\n", "9: \"name\" is set twice");
	refuse("[penstock]\ntarget = x\n", "8: unrecognized setting \"target\"");
	refuse("[penstock]\nmemory = 1\n", "8: invalid value for --memory: \"1\"");
	refuse("[penstock]\njobs = 0\n", "8: invalid value for --jobs: \"0\"");
	refuse("[penstock]\nquiet = 2\n", "8: invalid value for --quiet: \"2\"");
	refuse("remainder = -1\n", "7: invalid remainder \"-1\": expected is a "
							   "number from 0 to 63");
	refuse("remainder = 0\n[target c]\nremainder = 0\n",
		   "9: target \"b\" already has remainder 0");
	refuse("[placement]\na = all\n", "8: invalid name of tables \"a\"");
	refuse("[placement]\na.b = al\n", "8: invalid placement \"al\"");
	refuse("[placement]\na.b = all\na.b = none\n",
		   "9: \"a.b\" is placed twice: line 8 does so too");
	refuse("[placement]\na.b = only c\n", "8: there is no target \"c\"");
}

/* Reads a file that has other ends than those above. */
static Rc
read_text(Config *config, const char *text, const char *option, Error *err)
{
	char word_command[] = "command";
	char word_config[] = "--config";
	static char word_option[64]; /* the Config borrows it */
	char *argv[] = {word_command, word_config, path,
					option != NULL ? word_option : NULL, NULL};
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	snprintf(word_option, sizeof(word_option), "%s", option ? option : "");
	return config_read(config, COMMAND_FOLLOW, option != NULL ? 4 : 3, argv,
					   err);
}

#define SOURCES                                                                \
	"[penstock]\nname = shop\nmemory = 64MB\n"                                 \
	"[source x]\nconninfo = dbname=x\n[source y]\nconninfo = dbname=y\n"       \
	"[target a]\nconninfo = dbname=a\n"
#define SPREAD SOURCES "[placement]\npublic.t = hash(id)\n* = all from x\n"

static void
each_source_has_a_pipeline_of_its_own(void **state UNUSED)
{
	const PlacementRule *rule;
	Error err = {0};
	Config config;
	Config one;

	assert_int_equal(read_text(&config, SPREAD, "--from=y", &err), RC_OK);
	assert_null(config.source);
	assert_int_equal(config.source_count, 2);
	assert_string_equal(config.from, "y");
	config_release(&config);

	/* So it is called in messages. */
	assert_int_equal(read_text(&config, SPREAD, "--name=shop_y", &err), RC_OK);
	assert_string_equal(config.from, "y");
	assert_string_equal(config.name, "shop");
	config_release(&config);
	assert_int_equal(read_text(&config, SPREAD, "--name=shop_z", &err), RC_OK);
	assert_null(config.from);
	assert_int_equal(config_find_source(&config, "y"), 1);
	assert_int_equal(config_find_source(&config, "z"), -1);
	config_release(&config);
	assert_int_equal(read_text(&config, SPREAD, NULL, &err), RC_OK);
	config_take_source(&config, 0, &one);
	assert_string_equal(one.source, "dbname=x");
	assert_string_equal(one.source_name, "x");
	assert_string_equal(one.name, "shop_x");
	assert_string_equal(one.publications, "shop");
	assert_int_equal(one.memory_bytes, 32 * MB);
	assert_int_equal(placement_find(one.placement, "public", "u")->kind,
					 PLACEMENT_ALL);

	/* What is the same everywhere comes from the first. */
	config_take_source(&config, 1, &one);
	assert_string_equal(one.name, "shop_y");
	rule = placement_find(one.placement, "public", "u");
	assert_int_equal(rule->kind, PLACEMENT_NONE);
	assert_false(rule->shared);
	rule = placement_find(one.placement, "public", "t");
	assert_int_equal(rule->kind, PLACEMENT_HASH);
	assert_true(rule->shared);
	config_release(&config);
}

static void
refuse_text(const char *text, const char *option, const char *message)
{
	Config config;
	Error err = {0};

	assert_int_equal(read_text(&config, text, option, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.message, message));
	error_reset(&err);
	config_release(&config);
}

static void
sources_that_cannot_be_are_refused(void **state UNUSED)
{
	refuse_text(SOURCES "[source x]\n", NULL,
				":10: source \"x\" is defined twice: also in line 4");
	refuse_text(SOURCES "[source z]\nconninfo = dbname=x\n", NULL,
				":10: sources \"x\" and \"z\" have the same address");
	refuse_text(SOURCES "[source z]\n", NULL,
				":10: source \"z\" has no conninfo");
	refuse_text(SOURCES "[source Z]\n", NULL,
				":10: invalid name of a source \"Z\"");
	refuse_text(SOURCES "[source]\n", NULL,
				":10: section [source] does not go with the source of line 4");
	refuse_text("[source]\nconninfo = x\n[source x]\n", NULL,
				":3: section [source x] does not go with the source of line 1");
	refuse_text(SOURCES, NULL, "several sources need a section [placement]");
	refuse_text(SOURCES "[placement]\n* = directory(id)\n"
						"[directory]\ntable = a.b\nkey = k\nnode = n\n",
				NULL, "directory(COLUMN) cannot be used with several sources");
	refuse_text(SPREAD, "--on-conflict=skip", "--on-conflict must be stop");
	refuse_text(SPREAD, "--ddl=follow", "--ddl must be off");
	refuse_text(SOURCES "[placement]\n* = all\n", NULL,
				":11: placement \"all\" must be \"all from x\"");
	refuse_text(SOURCES "[placement]\n* = all from y\n", NULL,
				":11: placement \"all\" must be \"all from x\"");
	refuse_text("[target a]\nconninfo = x\n[placement]\n* = all from x\n", NULL,
				":4: \"all from\" needs several sources with names");
	refuse_text(SPREAD, "--from=z", "there is no section [source z]");
	setenv("PENSTOCK_NAME", "shop_x", true);
	refuse_text(SPREAD, "--from=y",
				"pipeline \"shop_x\" is that of source \"x\", and --from "
				"names source \"y\"");
	unsetenv("PENSTOCK_NAME");
	refuse_text(SPREAD, "--source=dbname=z", "a source is given, and ");
	refuse_text(SPREAD,
				"--name=a_name_that_is_a_bit_too_long_for_what_it_is_in",
				"the name of the pipeline of source \"x\"");
}

/* What is exported leads to another database than the file: which is meant? */
static void
the_environment_does_not_beat_a_file_in_silence(void **state UNUSED)
{
	static const char text[] = "[source]\nconninfo = dbname=f\n";
	Config config;
	Error err = {0};

	assert_int_equal(setenv("PENSTOCK_SOURCE", "dbname=e", 1), 0);
	assert_int_equal(read_text(&config, text, NULL, &err), RC_FAIL);
	assert_non_null(strstr(err.message, "PENSTOCK_SOURCE is set, and "));
	error_reset(&err);
	config_release(&config);
	assert_int_equal(read_text(&config, text, "--source=dbname=g", &err),
					 RC_OK);
	assert_string_equal(config.source, "dbname=g");
	config_release(&config);
	assert_int_equal(setenv("PENSTOCK_SOURCE", "dbname=f", 1), 0);
	assert_int_equal(read_text(&config, text, NULL, &err), RC_OK);
	assert_string_equal(config.source, "dbname=f");
	config_release(&config);
	assert_int_equal(unsetenv("PENSTOCK_SOURCE"), 0);
}

static void
remainders_have_no_gap(void **state UNUSED)
{
	refuse("remainder = 1\n", " no target has remainder 0, and 1 have one");
}

static void
a_file_that_is_not_there_is_named(void **state UNUSED)
{
	char command[] = "command";
	char option[] = "--config=/nowhere/x.ini";
	char *argv[] = {command, option, NULL};
	Config config;
	Error err = {0};

	assert_int_equal(config_read(&config, COMMAND_FOLLOW, 2, argv, &err),
					 RC_FAIL);
	assert_string_equal(err.message,
						"could not open file \"/nowhere/x.ini\": No such file "
						"or directory");
	error_reset(&err);
	config_release(&config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_says_what_the_command_line_can),
		cmocka_unit_test(a_file_has_one_log),
		cmocka_unit_test(the_command_line_comes_first),
		cmocka_unit_test(the_environment_does_not_beat_a_file_in_silence),
		cmocka_unit_test(nodes_stand_in_the_order_of_their_remainders),
		cmocka_unit_test(targets_have_labels),
		cmocka_unit_test(what_is_wrong_is_named_with_its_line),
		cmocka_unit_test(each_source_has_a_pipeline_of_its_own),
		cmocka_unit_test(sources_that_cannot_be_are_refused),
		cmocka_unit_test(remainders_have_no_gap),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
