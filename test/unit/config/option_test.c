/*
 * option_test.c
 *    The table of options agrees with everything that is written from it.
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

#include "base/buf.h"
#include "cmd/commands.h"
#include "cmd/completion.h"
#include "cmd/manual.h"
#include "config/describe.h"
#include "config/file.h"
#include "config/option.h"
#include "config/read.h"

static Buf text;

static int
set_up(void **state UNUSED)
{
	buf_init(&text, BUF_TEXT_MAX);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	buf_release(&text);
	return 0;
}

static void
expect(const char *wanted)
{
	if (strstr(text.data, wanted) == NULL)
		fail_msg("\"%s\" is missing", wanted);
}

/* The bits of ConfigCommand are those of the commands that there are. */
static void
every_option_belongs_to_a_command(void **state UNUSED)
{
	unsigned all = 0;

	for (int i = 0; i < command_count(); i++)
		all |= (unsigned) command_at(i)->id;
	for (size_t i = 0; i < option_count; i++)
		assert_true((option_table[i].commands & all) != 0);
}

/* No command has two options of one name or one letter. */
static void
names_and_letters_are_unique(void **state UNUSED)
{
	for (size_t i = 0; i < option_count; i++)
		for (size_t k = 0; k < i; k++)
		{
			const OptionDef *a = &option_table[i];
			const OptionDef *b = &option_table[k];

			if ((a->commands & b->commands) == 0)
				continue;
			assert_string_not_equal(a->name, b->name);
			assert_true(a->letter == 0 || a->letter != b->letter);
		}
}

static void
an_option_says_all_that_its_type_needs(void **state UNUSED)
{
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];

		assert_non_null(option->help);
		assert_true(option->type->is_flag == (option->placeholder == NULL));
		assert_true((option->type->completion == COMPLETE_WORDS) ==
					(option->type->words != NULL));
		assert_true(option->default_value == NULL || option->unset == NULL);
		buf_reset(&text);
		option_describe_value(option, &text);
		assert_true(text.length > 0);
	}
}

/* Where the text has an option, not just the beginning of a longer one. */
static const char *
find_option(const char *wanted, bool is_flag)
{
	const char *found = text.data;

	for (found = strstr(found, wanted); found != NULL;
		 found = strstr(found + 1, wanted))
	{
		char next = found[strlen(wanted)];

		if (is_flag ? next == ' ' || next == '\n' : next == '=')
			return found;
	}
	return NULL;
}

static void
help_has_the_options_of_a_command(void **state UNUSED)
{
	for (int c = 0; c < command_count(); c++)
	{
		buf_reset(&text);
		describe_help(command_at(c)->id, &text);
		for (size_t i = 0; i < option_count; i++)
		{
			const OptionDef *option = &option_table[i];
			bool taken = (option->commands & command_at(c)->id) != 0;
			char wanted[64];
			const char *found;

			snprintf(wanted, sizeof(wanted), "  --%s", option->name);
			if (option->letter != 0)
				snprintf(wanted, sizeof(wanted), "  -%c, --%s", option->letter,
						 option->name);
			found = find_option(wanted, option->type->is_flag);
			assert_true((found != NULL) == taken);
			if (taken && option->environment != NULL)
				expect(option->environment);
		}
	}
}

/* Hyphens are escaped there. */
static void
the_manual_page_has_every_option(void **state UNUSED)
{
	manual_page(&text);
	for (size_t i = 0; i < option_count; i++)
	{
		Buf wanted;

		buf_init(&wanted, BUF_TEXT_MAX);
		buf_append_string(&wanted, "\\-\\-");
		for (const char *at = option_table[i].name; *at != '\0'; at++)
			buf_printf(&wanted, "%s%c", *at == '-' ? "\\" : "", *at);
		buf_append_string(&wanted, "\\fR");
		expect(wanted.data);
		buf_release(&wanted);
	}
	for (int i = 0; i < command_count(); i++)
		expect(command_at(i)->name);
	expect("[target \\fINAME\\fB]");
	expect(".SH EXIT STATUS");
}

static void
completion_has_the_options_of_a_command(void **state UNUSED)
{
	completion_bash(&text);
	for (int c = 0; c < command_count(); c++)
	{
		char label[32];
		const char *options;
		const char *end;

		snprintf(label, sizeof(label), "\t%s)\n\t\t\toptions='",
				 command_at(c)->name);
		options = strstr(text.data, label);
		assert_non_null(options);
		options += strlen(label);
		end = strchr(options, '\'');
		for (size_t i = 0; i < option_count; i++)
		{
			const OptionDef *option = &option_table[i];
			char wanted[64];
			const char *found;

			snprintf(wanted, sizeof(wanted), "--%s%s", option->name,
					 option->type->is_flag ? " " : "=");
			found = strstr(options, wanted);
			if (strcmp(option->name, "help") == 0)
				found = strstr(options, "--help'");
			assert_true((found != NULL && found < end) ==
						((option->commands & command_at(c)->id) != 0));
		}
	}
}

/* In zsh's a flag is '--help[', an option with a value '--jobs=[', and one that
 * may be repeated '*--table=['. */
static void
zsh_has_the_options_of_a_command(void **state UNUSED)
{
	completion_zsh(&text);
	for (int c = 0; c < command_count(); c++)
	{
		char label[32];
		const char *options;
		const char *end;

		snprintf(label, sizeof(label), "\t\t%s)\n", command_at(c)->name);
		options = strstr(text.data, label);
		assert_non_null(options);
		end = strstr(options, ";;");
		for (size_t i = 0; i < option_count; i++)
		{
			const OptionDef *option = &option_table[i];
			char wanted[64];
			const char *found;

			snprintf(wanted, sizeof(wanted), "'%s--%s%s[",
					 option->type->is_list ? "*" : "", option->name,
					 option->type->is_flag ? "" : "=");
			found = strstr(options, wanted);
			assert_true((found != NULL && found < end) ==
						((option->commands & command_at(c)->id) != 0));
		}
	}
	expect("'1:what to do:(add remove resync pause resume)'");
	expect("(text json)");
}

static void
the_sample_has_every_setting(void **state UNUSED)
{
	describe_sample(&text);
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "\n;%s = ", option->name);
		if (option_find_setting(option->name) != NULL)
			expect(wanted);
		else
			assert_null(strstr(text.data, wanted));
	}
	for (int i = 0; i < config_section_count; i++)
		expect(config_sections[i].word);
}

/* Reads a file with option --config of "penstock config". */
static Rc
read_text(const char *contents, Config *config, Error *err)
{
	char path[] = "/tmp/penstock_option_test.XXXXXX";
	char command[] = "config";
	char option[] = "--config";
	char *argv[] = {command, option, path, NULL};
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	Rc rc;

	assert_non_null(file);
	fputs(contents, file);
	assert_int_equal(fclose(file), 0);
	rc = config_read(config, COMMAND_CONFIG, 3, argv, err);
	unlink(path);
	return rc;
}

static void
the_sample_can_be_read(void **state UNUSED)
{
	Config config;
	Error err = {0};

	describe_sample(&text);
	if (read_text(text.data, &config, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
	assert_int_equal(config.target_count, 1);
	config_release(&config);
}

/* Defaults that it shows are what they are without it. */
static void
defaults_of_the_sample_are_values(void **state UNUSED)
{
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];
		Config config;
		Error err = {0};

		if (option->only_typed ||
			(option->default_value == NULL && !option->type->is_flag))
			continue;
		buf_reset(&text);
		buf_printf(&text, "[penstock]\n%s = %s\n", option->name,
				   option->default_value != NULL ? option->default_value
												 : "false");
		if (read_text(text.data, &config, &err) != RC_OK)
			fail_msg("refused: %s", err.message);
		config_release(&config);
	}
}

static Rc
read_option(ConfigCommand command, const OptionDef *option, Config *config,
			Error *err)
{
	char word[128];
	char name[] = "command";
	char *argv[] = {name, word, NULL};

	snprintf(word, sizeof(word), "--%s%s", option->name,
			 option->type->is_flag ? "" : "=");
	return config_read(config, command, 2, argv, err);
}

/* Whether it is short for another one that the command takes. */
static bool
is_beginning(ConfigCommand command, const OptionDef *option)
{
	size_t length = strlen(option->name);

	for (size_t i = 0; i < option_count; i++)
		if ((option_table[i].commands & (unsigned) command) != 0 &&
			strncmp(option_table[i].name, option->name, length) == 0 &&
			option_table[i].name[length] != '\0')
			return true;
	return false;
}

/* An option that a command takes is refused, if at all, for its value. */
static void
commands_refuse_the_options_of_others(void **state UNUSED)
{
	for (int c = 0; c < command_count(); c++)
		for (size_t i = 0; i < option_count; i++)
		{
			const OptionDef *option = &option_table[i];
			ConfigCommand id = command_at(c)->id;
			const OptionDef *found = option_find(id, option->name);
			Config config;
			Error err = {0};
			Rc rc = read_option(id, option, &config, &err);
			bool refused = rc == RC_FAIL &&
						   strstr(err.message, "unrecognized option") != NULL;

			/* --apply has a value for one command, and none for another. */
			if ((found == NULL && !is_beginning(id, option)) || found == option)
				assert_true(refused == (found == NULL));
			error_reset(&err);
			config_release(&config);
		}
}

/* What is printed is read again to the same. */
static void
values_are_printed_as_they_are_read(void **state UNUSED)
{
	static const struct
	{
		const char *name;
		const char *value;
		const char *printed;
	} cases[] = {
		{"memory", "1048576kB", "1GB"},
		{"memory", "5000kB", "5000kB"},
		{"endpos", "16/b374d848", "16/B374D848"},
		{"jobs", "3", "3"},
		{"streaming", "off", "off"},
		{"apply", "transaction", "transaction"},
		{"max-rate", "20MB/s", "20MB"},
		{"on-conflict", "a.b:skip", "\"a\".\"b\":skip"},
		{"table", "public.t*", "public.t*"},
		{"target", "dbname=x", "dbname=x"},
		{"compression", "zstd:3", "zstd:3"},
		{"name", "shop", "shop"},
	};
	Arena *arena = arena_new(4 * KB);

	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		const OptionDef *option = option_find(COMMAND_CLONE, cases[i].name);
		Config config = {0};
		Config again = {0};
		Words printed = {0};
		Error err = {0};

		assert_non_null(option);
		assert_int_equal(
			option->type->parse(&config, option, cases[i].value, &err), RC_OK);
		option->type->print(&config, option, arena, &printed);
		assert_int_equal(printed.count, 1);
		assert_string_equal(printed.words[0], cases[i].printed);
		assert_int_equal(
			option->type->parse(&again, option, printed.words[0], &err), RC_OK);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_belongs_to_a_command),
		cmocka_unit_test(names_and_letters_are_unique),
		cmocka_unit_test_setup_teardown(an_option_says_all_that_its_type_needs,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(help_has_the_options_of_a_command,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_manual_page_has_every_option,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(zsh_has_the_options_of_a_command,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(completion_has_the_options_of_a_command,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_sample_has_every_setting, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(the_sample_can_be_read, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(defaults_of_the_sample_are_values,
										set_up, tear_down),
		cmocka_unit_test(commands_refuse_the_options_of_others),
		cmocka_unit_test(values_are_printed_as_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
