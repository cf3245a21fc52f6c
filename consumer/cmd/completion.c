/*
 * completion.c
 *    Writes the completion as scripts: for bash, and for zsh.
 */
#include "cmd/completion.h"

#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "config/option.h"

/*
 * Appends the verbs of a command's arguments: of "add|remove NAME..." "add
 * remove".
 */
static void
append_verbs(Buf *buf, const char *words)
{
	size_t length = strcspn(words, " ");

	for (size_t i = 0; i < length; i++)
		buf_append_char(buf, words[i] == '|' ? ' ' : words[i]);
}

/* ---- bash --------------------------------------------------------------- */

static void
append_command_names(Buf *buf)
{
	for (int i = 0; i < command_count(); i++)
		buf_printf(buf, "%s ", command_at(i)->name);
	buf_append_string(buf, "help version");
}

static void
append_command_case(Buf *buf, const Command *command)
{
	buf_printf(buf, "\t\t%s)\n\t\t\toptions='", command->name);
	for (size_t i = 0; i < option_count; i++)
		if ((option_table[i].commands & command->id) != 0)
			buf_printf(buf, "%s--%s%s", i > 0 ? " " : "", option_table[i].name,
					   option_table[i].type->is_flag ? "" : "=");
	buf_append_string(buf, "'\n\t\t\tverbs='");
	if (command->words != NULL)
		append_verbs(buf, command->words);
	buf_append_string(buf, "' ;;\n");
}

static void
append_words_of(Buf *buf, const OptionType *type)
{
	buf_append_string(buf, "COMPREPLY=($(compgen -W '");
	for (int i = 0; type->words[i] != NULL; i++)
		buf_printf(buf, "%s%s", i > 0 ? " " : "", type->words[i]);
	buf_append_string(buf, "' -- \"$word\"))");
}

static void
append_value_case(Buf *buf, const OptionDef *option)
{
	const OptionType *type = option->type;

	if (type->is_flag)
		return;
	buf_printf(buf, "\t\t--%s", option->name);
	if (option->letter != 0)
		buf_printf(buf, "|-%c", option->letter);
	buf_append_string(buf, ") ");
	switch (type->completion)
	{
		case COMPLETE_NOTHING:
			buf_append_char(buf, ':');
			break;
		case COMPLETE_WORDS:
			append_words_of(buf, type);
			break;
		case COMPLETE_FILE:
			buf_append_string(buf, "COMPREPLY=($(compgen -f -- \"$word\"))");
			break;
		case COMPLETE_DIRECTORY:
			buf_append_string(buf, "COMPREPLY=($(compgen -d -- \"$word\"))");
			break;
	}
	buf_append_string(buf, "; return ;;\n");
}

/*
 * The script skips a word =, because bash passes = between option and value as
 * a word of its own.
 */
void
completion_bash(Buf *buf)
{
	buf_append_string(buf,
					  "# Completion of penstock's command line, for bash.\n\n"
					  "_penstock()\n{\n"
					  "\tlocal word=${COMP_WORDS[COMP_CWORD]}\n"
					  "\tlocal before=${COMP_WORDS[COMP_CWORD-1]}\n"
					  "\tlocal options verbs\n\n"
					  "\tCOMPREPLY=()\n"
					  "\tif [ \"$word\" = = ]; then\n\t\tword=\n"
					  "\telif [ \"$before\" = = ]; then\n"
					  "\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n"
					  "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
					  "\t\tCOMPREPLY=($(compgen -W '");
	append_command_names(buf);
	buf_append_string(buf, "' -- \"$word\"))\n\t\treturn\n\tfi\n"
						   "\tcase $before in\n");
	for (size_t i = 0; i < option_count; i++)
		append_value_case(buf, &option_table[i]);
	buf_append_string(buf, "\tesac\n\tcase ${COMP_WORDS[1]} in\n"
						   "\t\thelp)\n\t\t\tverbs='");
	append_command_names(buf);
	buf_append_string(buf, "' ;;\n");
	for (int i = 0; i < command_count(); i++)
		append_command_case(buf, command_at(i));
	buf_append_string(
		buf, "\tesac\n"
			 "\tif [ \"$COMP_CWORD\" -eq 2 ] && [ \"${word:0:1}\" != - ]; "
			 "then\n\t\toptions=\"$verbs $options\"\n\tfi\n"
			 "\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
			 "\tif [[ ${COMPREPLY[0]} == *= ]]; then\n"
			 "\t\tcompopt -o nospace 2>/dev/null\n\tfi\n}\n\n"
			 "complete -F _penstock penstock\n");
}

/* ---- zsh ---------------------------------------------------------------- */

/*
 * Appends a text that stands within single quotes, where zsh's _arguments and
 * _describe have a use of their own for colons and brackets.
 */
static void
append_quoted(Buf *buf, const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '\'')
			buf_append_string(buf, "'\\''");
		else if (strchr(":[]\\", *text) != NULL)
			buf_printf(buf, "\\%c", *text);
		else
			buf_append_char(buf, *text);
	}
}

/* Appends what stands for an option's value: a name of it, and what to offer.
 */
static void
append_value(Buf *buf, const OptionDef *option)
{
	const OptionType *type = option->type;

	buf_append_char(buf, ':');
	append_quoted(buf, option->placeholder);
	buf_append_char(buf, ':');
	switch (type->completion)
	{
		case COMPLETE_NOTHING:
			buf_append_char(buf, ' ');
			break;
		case COMPLETE_WORDS:
			for (int i = 0; type->words[i] != NULL; i++)
				buf_printf(buf, "%s%s", i == 0 ? "(" : " ", type->words[i]);
			buf_append_char(buf, ')');
			break;
		case COMPLETE_FILE:
			buf_append_string(buf, "_files");
			break;
		case COMPLETE_DIRECTORY:
			buf_append_string(buf, "_files -/");
			break;
	}
}

/* Appends one form of an option, such as --jobs= or -j+. */
static void
append_form(Buf *buf, const OptionDef *option, const char *form)
{
	buf_printf(buf, " \\\n\t\t\t'%s%s[", option->type->is_list ? "*" : "",
			   form);
	append_quoted(buf, option->help);
	buf_append_char(buf, ']');
	if (!option->type->is_flag)
		append_value(buf, option);
	buf_append_char(buf, '\'');
}

static void
append_forms(Buf *buf, const OptionDef *option)
{
	const char *mark = option->type->is_flag ? "" : "=";
	char form[64];

	snprintf(form, sizeof(form), "--%s%s", option->name, mark);
	append_form(buf, option, form);
	if (option->letter == 0)
		return;
	snprintf(form, sizeof(form), "-%c%s", option->letter,
			 option->type->is_flag ? "" : "+");
	append_form(buf, option, form);
}

static void
append_zsh_command(Buf *buf, const Command *command)
{
	buf_printf(buf, "\t\t%s)\n\t\t\t_arguments -s -S", command->name);
	for (size_t i = 0; i < option_count; i++)
		if ((option_table[i].commands & command->id) != 0)
			append_forms(buf, &option_table[i]);
	if (command->words != NULL)
	{
		buf_append_string(buf, " \\\n\t\t\t'1:what to do:(");
		append_verbs(buf, command->words);
		buf_append_string(buf, ")' '*:name:_files'");
	}
	buf_append_string(buf, " ;;\n");
}

void
completion_zsh(Buf *buf)
{
	buf_append_string(buf,
					  "#compdef penstock\n"
					  "# Completion of penstock's command line, for zsh.\n\n"
					  "local -a commands\n\ncommands=(\n");
	for (int i = 0; i < command_count(); i++)
	{
		buf_printf(buf, "\t'%s:", command_at(i)->name);
		append_quoted(buf, command_at(i)->help);
		buf_append_string(buf, "'\n");
	}
	buf_append_string(buf, "\t'help:say what a command does'\n"
						   "\t'version:print the version'\n)\n"
						   "if (( CURRENT == 2 )) || { (( CURRENT == 3 )) && "
						   "[[ $words[2] == help ]] }; then\n"
						   "\t_describe command commands\nelse\n"
						   "\tshift words\n\t(( CURRENT-- ))\n"
						   "\tcase $words[1] in\n");
	for (int i = 0; i < command_count(); i++)
		append_zsh_command(buf, command_at(i));
	buf_append_string(buf, "\tesac\nfi\n");
}
