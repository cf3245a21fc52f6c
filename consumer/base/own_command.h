/*
 * own_command.h
 *    Commands of this program that messages tell people to run.
 *
 * A printed command has to work as it is when a user pastes it into a shell, so
 * it needs the options that say which configuration file and pipeline are
 * meant.  The parser of the command line registers a function that appends
 * these options.  Any message can then build its command:
 *
 *     error_hint(err, "Remove it with \"%s\".", OWN_COMMAND("drop"));
 *
 * The registered function is global, because the code that composes a message
 * does not have the options.
 */
#ifndef PENSTOCK_BASE_OWN_COMMAND_H
#define PENSTOCK_BASE_OWN_COMMAND_H

#include "base/buf.h"

/*
 * Bytes for one command.  Of a longer command only the words are written, and a
 * mark that it was cut.
 */
#define OWN_COMMAND_SIZE 4096

typedef struct OwnCommandRoom
{
	char text[OWN_COMMAND_SIZE];
} OwnCommandRoom;

/*
 * Appends options, each after a blank and quoted for a shell, to a command
 * line that begins with `words`, such as "clone --resume".
 */
typedef void (*OwnCommandOptions)(const void *context, const char *words,
								  Buf *buf);

/*
 * Registers the function that appends options; NULL: there are none.  `context`
 * is borrowed until the next call.
 */
void own_command_use(OwnCommandOptions options, const void *context);

/* Writes "penstock WORDS" and the options into `room`; returns the text. */
const char *own_command_write(OwnCommandRoom *room, const char *words);

/*
 * Returns the text of own_command_write(), valid until the end of the enclosing
 * block.
 */
#define OWN_COMMAND(words) own_command_write(&(OwnCommandRoom){{0}}, (words))

/*
 * Appends a blank and the name of a table to the words of a command, quoted for
 * SQL and for the shell where it needs quotes.
 */
void own_command_append_table(Buf *words, const char *schema,
							  const char *table);

/*
 * Writes "penstock table VERB TABLE" and the options into `room`; returns the
 * text.  The table's name is quoted for SQL and for the shell where it needs
 * quotes.
 */
const char *own_command_write_table(OwnCommandRoom *room, const char *verb,
									const char *schema, const char *table);

#define OWN_COMMAND_TABLE(verb, schema, table)                                 \
	own_command_write_table(&(OwnCommandRoom){{0}}, (verb), (schema), (table))

#endif /* PENSTOCK_BASE_OWN_COMMAND_H */
