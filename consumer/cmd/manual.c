/*
 * manual.c
 *    Writes the manual page as troff.
 */
#include "cmd/manual.h"

#include <string.h>

#include "cmd/commands.h"
#include "config/describe.h"
#include "config/file.h"

/* Appends plain text; characters that are special to troff are escaped. */
static void
append_text(Buf *buf, const char *text)
{
	bool starts_line = buf->length == 0 || buf->data[buf->length - 1] == '\n';

	for (; *text != '\0'; text++)
	{
		if (starts_line && (*text == '.' || *text == '\''))
			buf_append_string(buf, "\\&");
		starts_line = *text == '\n';
		if (*text == '\\')
			buf_append_string(buf, "\\e");
		else if (*text == '-')
			buf_append_string(buf, "\\-");
		else
			buf_append_char(buf, *text);
	}
}

static void
append_bold(Buf *buf, const char *text)
{
	buf_append_string(buf, "\\fB");
	append_text(buf, text);
	buf_append_string(buf, "\\fR");
}

static void
append_sentence(Buf *buf, const char *text)
{
	append_text(buf, text);
	buf_append_string(buf, ".\n");
}

static void
append_commands(Buf *buf)
{
	buf_append_string(buf, ".SH COMMANDS\n");
	for (int i = 0; i < command_count(); i++)
	{
		const Command *command = command_at(i);

		buf_append_string(buf, ".TP\n");
		append_bold(buf, command->name);
		if (command->words != NULL)
		{
			buf_append_char(buf, ' ');
			append_text(buf, command->words);
		}
		buf_append_char(buf, '\n');
		append_sentence(buf, command->help);
	}
}

/*
 * Appends the names of the commands that accept an option; nothing if all do.
 */
static void
append_takers(Buf *buf, const OptionDef *option)
{
	int count = 0;
	int listed = 0;

	for (int i = 0; i < command_count(); i++)
		count += (option->commands & command_at(i)->id) != 0 ? 1 : 0;
	if (count == command_count())
		return;
	buf_append_string(buf, "Of");
	for (int i = 0; i < command_count(); i++)
	{
		if ((option->commands & command_at(i)->id) == 0)
			continue;
		buf_append_string(buf, listed == 0           ? " "
							   : listed == count - 1 ? " and "
													 : ", ");
		append_bold(buf, command_at(i)->name);
		listed++;
	}
	buf_append_string(buf, ".\n");
}

static void
append_option(Buf *buf, const OptionDef *option)
{
	const char *otherwise = describe_default(option);
	const char letter[] = {'-', option->letter, '\0'};

	buf_append_string(buf, ".TP\n");
	if (option->letter != 0)
	{
		append_bold(buf, letter);
		buf_append_string(buf, ", ");
	}
	buf_append_string(buf, "\\fB\\-\\-");
	append_text(buf, option->name);
	buf_append_string(buf, "\\fR");
	if (option->placeholder != NULL)
	{
		buf_append_string(buf, "=\\fI");
		append_text(buf, option->placeholder);
		buf_append_string(buf, "\\fR");
	}
	buf_append_char(buf, '\n');
	append_sentence(buf, option->help);
	if (!option->type->is_flag)
	{
		Buf value;

		buf_init(&value, OPTION_TEXT_MAX);
		option_describe_value(option, &value);
		buf_append_string(buf, "The value is ");
		append_sentence(buf, value.data);
		buf_release(&value);
	}
	if (otherwise != NULL)
	{
		buf_append_string(buf, "The default: ");
		append_sentence(buf, otherwise);
	}
	append_takers(buf, option);
}

static void
append_options(Buf *buf)
{
	buf_append_string(buf, ".SH OPTIONS\n");
	for (OptionGroup group = 0; group < OPTION_GROUP_COUNT; group++)
	{
		buf_printf(buf, ".SS %s\n", option_group_title(group));
		for (size_t i = 0; i < option_count; i++)
			if (option_table[i].group == group)
				append_option(buf, &option_table[i]);
	}
}

static void
append_section(Buf *buf, const ConfigSection *section)
{
	buf_append_string(buf, ".TP\n\\fB[");
	append_text(buf, section->word);
	buf_append_string(buf,
					  section->has_name ? " \\fINAME\\fB]\\fR\n" : "]\\fR\n");
	append_text(buf, section->help);
	buf_append_char(buf, '\n');
	if (section->setting_count > 0)
		buf_append_string(buf, ".RS\n");
	for (int i = 0; i < section->setting_count; i++)
	{
		const ConfigSetting *setting = &section->settings[i];

		buf_append_string(buf, ".TP\n");
		append_bold(buf, setting->key);
		buf_append_string(buf, " = ");
		append_text(buf, setting->example);
		buf_append_char(buf, '\n');
		append_text(buf, setting->help);
		buf_append_char(buf, '\n');
	}
	if (section->setting_count > 0)
		buf_append_string(buf, ".RE\n");
}

static void
append_file(Buf *buf)
{
	buf_append_string(buf, ".SH CONFIGURATION FILE\n"
						   "A file of sections and settings, as "
						   "\\fBpgbouncer.ini\\fR is one.\n"
						   "\\fBpenstock config sample\\fR prints one with all "
						   "settings.\n");
	for (int i = 0; i < config_section_count; i++)
		append_section(buf, &config_sections[i]);
}

static void
append_variables(Buf *buf)
{
	buf_append_string(buf, ".SH ENVIRONMENT\n"
						   "Beside those of libpq, such as \\fBPGPASSFILE\\fR, "
						   "these stand in for options:\n");
	for (size_t i = 0; i < option_count; i++)
	{
		const OptionDef *option = &option_table[i];

		if (option->environment == NULL)
			continue;
		buf_append_string(buf, ".TP\n");
		append_bold(buf, option->environment);
		buf_append_string(buf, "\n\\-\\-");
		append_text(buf, option->name);
		buf_append_char(buf, '\n');
	}
}

void
manual_page(Buf *buf)
{
	buf_append_string(buf,
					  ".TH PENSTOCK 1 \"\" \"Penstock " PENSTOCK_VERSION "\"\n"
					  ".SH NAME\n"
					  "penstock \\- move changes between PostgreSQL servers\n"
					  ".SH SYNOPSIS\n"
					  "\\fBpenstock\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n");
	append_commands(buf);
	append_options(buf);
	append_file(buf);
	append_variables(buf);
	buf_append_string(
		buf,
		".SH EXIT STATUS\n"
		"0 if it is done, 1 if it failed or if the answer is no (a "
		"\\fBcheck\\fR with\nerrors, a \\fBstatus\\fR that a person has to "
		"look at), 2 if it was misused.\n");
}
