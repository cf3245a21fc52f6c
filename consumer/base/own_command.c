/*
 * own_command.c
 *    Composes the commands.
 */
#include "base/own_command.h"

#include <stdio.h>
#include <string.h>

#define CUT_MARK " ..."

static OwnCommandOptions append_options;
static const void *append_context;

void
own_command_use(OwnCommandOptions options, const void *context)
{
	append_options = options;
	append_context = context;
}

const char *
own_command_write(OwnCommandRoom *room, const char *words)
{
	size_t fitting;
	Buf buf;

	buf_init(&buf, OWN_COMMAND_SIZE - sizeof(CUT_MARK));
	buf_printf(&buf, "penstock %s", words);
	fitting = buf.length;
	if (append_options != NULL)
		append_options(append_context, words, &buf);
	if (buf.overflowed)
		snprintf(room->text, sizeof(room->text), "%.*s" CUT_MARK, (int) fitting,
				 buf.data);
	else
		snprintf(room->text, sizeof(room->text), "%s", buf.data);
	buf_release(&buf);
	return room->text;
}

static void
append_name(Buf *buf, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz_0123456789";

	if (strspn(name, plain) == strlen(name) && !strchr("0123456789", name[0]))
		buf_append_string(buf, name);
	else
		buf_append_identifier(buf, name);
}

void
own_command_append_table(Buf *words, const char *schema, const char *table)
{
	Buf name;

	buf_init(&name, OWN_COMMAND_SIZE);
	append_name(&name, schema);
	buf_append_char(&name, '.');
	append_name(&name, table);
	buf_append_char(words, ' ');
	buf_append_shell_word(words, name.data);
	buf_release(&name);
}

const char *
own_command_write_table(OwnCommandRoom *room, const char *verb,
						const char *schema, const char *table)
{
	Buf words;

	buf_init(&words, OWN_COMMAND_SIZE);
	buf_printf(&words, "table %s", verb);
	own_command_append_table(&words, schema, table);
	own_command_write(room, words.data);
	buf_release(&words);
	return room->text;
}
