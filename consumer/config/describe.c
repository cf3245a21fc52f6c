/*
 * describe.c
 *    Writes --help and the sample of a configuration file.
 */
#include "config/describe.h"

#include <stdio.h>
#include <string.h>

#include "base/wrap.h"
#include "config/file.h"

/* Column of --help in which the explanations of options begin. */
#define HELP_COLUMN 28

/* Largest length of lines of --help, and of lines of the sample. */
#define LINE_WIDTH 94
#define FILE_WIDTH 78

const char *
describe_default(const OptionDef *option)
{
	return option->default_value != NULL ? option->default_value
										 : option->unset;
}

/* ---- --help ------------------------------------------------------------- */

static size_t
length_of_last_line(const Buf *buf)
{
	size_t start = buf->length;

	while (start > 0 && buf->data[start - 1] != '\n')
		start--;
	return buf->length - start;
}

/*
 * Appends blanks up to HELP_COLUMN; begins a new line if the last one is
 * longer.
 */
static void
append_indent(Buf *buf)
{
	size_t used = length_of_last_line(buf);

	if (used > HELP_COLUMN - 2)
	{
		buf_append_char(buf, '\n');
		used = 0;
	}
	buf_printf(buf, "%*s", (int) (HELP_COLUMN - used), "");
}

/*
 * Appends the default of an option, such as " (default: 2)", without breaking
 * it into two lines.
 */
static void
append_default(Buf *buf, const char *value)
{
	size_t length = strlen(value) + sizeof(" (default: )") - 1;

	if (length_of_last_line(buf) + length > LINE_WIDTH)
		append_indent(buf);
	else
		buf_append_char(buf, ' ');
	buf_printf(buf, "(default: %s)", value);
}

static void
append_option(Buf *buf, const OptionDef *option)
{
	char indent[HELP_COLUMN + 1];
	const char *otherwise = describe_default(option);

	snprintf(indent, sizeof(indent), "%*s", HELP_COLUMN, "");
	buf_printf(buf, option->letter != 0 ? "  -%c, " : "      ", option->letter);
	buf_printf(buf, "--%s", option->name);
	if (option->placeholder != NULL)
		buf_printf(buf, "=%s", option->placeholder);
	append_indent(buf);
	wrap_append(
		buf, option->help,
		&(Wrap){.prefix = indent, .column = HELP_COLUMN, .width = LINE_WIDTH});
	if (otherwise != NULL)
		append_default(buf, otherwise);
	buf_append_char(buf, '\n');
}

static bool
has_group(ConfigCommand command, OptionGroup group)
{
	for (size_t i = 0; i < option_count; i++)
		if ((option_table[i].commands & (unsigned) command) != 0 &&
			option_table[i].group == group)
			return true;
	return false;
}

static const char *
title_for(OptionGroup group)
{
	return group == GROUP_COMMAND ? "Options of this command"
								  : option_group_title(group);
}

static void
append_variables(Buf *buf, ConfigCommand command)
{
	buf_append_string(buf, "\nEnvironment:\n");
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];

		if ((option->commands & (unsigned) command) != 0 &&
			option->environment != NULL)
			buf_printf(buf, "  %-*sstands in for --%s\n", HELP_COLUMN - 2,
					   option->environment, option->name);
	}
}

void
describe_help(ConfigCommand command, Buf *buf)
{
	for (OptionGroup group = 0; group < OPTION_GROUP_COUNT; group++)
	{
		if (!has_group(command, group))
			continue;
		buf_printf(buf, "\n%s:\n", title_for(group));
		for (size_t i = 0; i < option_count; i++)
			if ((option_table[i].commands & (unsigned) command) != 0 &&
				option_table[i].group == group)
				append_option(buf, &option_table[i]);
	}
	append_variables(buf, command);
}

/* ---- the sample ---------------------------------------------------------- */

static void
append_comment(Buf *buf, const char *text)
{
	buf_append_string(buf, "; ");
	wrap_append(buf, text,
				&(Wrap){.prefix = "; ", .column = 2, .width = FILE_WIDTH});
	buf_append_char(buf, '\n');
}

/*
 * Appends an option to the sample: a comment that describes it, and a line that
 * becomes a setting when its semicolon is removed.
 */
static void
append_option_line(Buf *buf, const OptionDef *option)
{
	const char *value = option->default_value != NULL ? option->default_value
						: option->placeholder != NULL ? option->placeholder
													  : "false";
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	buf_append_string(&text, option->help);
	if (!option->type->is_flag)
	{
		buf_append_string(&text, ": ");
		option_describe_value(option, &text);
	}
	if (option->unset != NULL)
		buf_printf(&text, " (default: %s)", option->unset);
	append_comment(buf, text.data);
	buf_release(&text);
	buf_printf(buf, ";%s = %s\n", option->name, value);
}

static void
append_options(Buf *buf)
{
	for (OptionGroup group = 0; group < OPTION_GROUP_COUNT; group++)
	{
		buf_printf(buf, "\n; ---- %s ----\n", option_group_title(group));
		for (size_t i = 0; i < option_count; i++)
			if (option_table[i].group == group && !option_table[i].only_typed)
				append_option_line(buf, &option_table[i]);
	}
}

static void
append_section(Buf *buf, const ConfigSection *section)
{
	const char *mark = section->is_example ? "" : ";";

	buf_append_char(buf, '\n');
	append_comment(buf, section->help);
	if (section->has_name)
		buf_printf(buf, "%s[%s %s]\n", mark, section->word,
				   section->is_example ? "a" : "old");
	else
		buf_printf(buf, "%s[%s]\n", mark, section->word);
	for (int i = 0; i < section->setting_count; i++)
	{
		const ConfigSetting *setting = &section->settings[i];

		append_comment(buf, setting->help);
		buf_printf(buf, "%s%s = %s\n", setting->is_optional ? ";" : mark,
				   setting->key, setting->example);
	}
}

void
describe_sample(Buf *buf)
{
	append_comment(buf,
				   "A configuration file of Penstock.  Lines that begin with ; "
				   "or # are comments; those without a blank after the ; show "
				   "settings with their defaults, or with what they may be.  "
				   "A value is the rest of the line, without quotes.  "
				   "\"penstock config check --config=FILE\" says what is wrong "
				   "in a file.");
	for (int i = 0; i < config_section_count; i++)
	{
		append_section(buf, &config_sections[i]);
		if (i == 0)
			append_options(buf);
	}
}
