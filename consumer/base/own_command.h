/*
 * own_command.h
 *    Commands of ours that messages tell people to run.
 *
 * A command that is printed has to do what it says as it stands, pasted into a
 * shell.  So whoever knows how this process was called, and for which pipeline,
 * says so once, and messages anywhere build their commands here:
 *
 *     error_hint(err, "Remove it with \"%s\".", OWN_COMMAND("drop"));
 *
 * State is of the process, as the log's is: a message does not know more.
 */
#ifndef PENSTOCK_BASE_OWN_COMMAND_H
#define PENSTOCK_BASE_OWN_COMMAND_H

#include "base/buf.h"

/* Room for one command; of a longer one only the words are written, and that
 * there is more. */
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

/* Who knows the options; NULL: nobody, there are none.  `context` is borrowed
 * until the next call. */
void own_command_use(OwnCommandOptions options, const void *context);

/* Writes "penstock WORDS" and the options; returns the text. */
const char *own_command_write(OwnCommandRoom *room, const char *words);

/* The same, good until the end of the block that it is in. */
#define OWN_COMMAND(words) own_command_write(&(OwnCommandRoom){{0}}, (words))

/* "penstock table VERB TABLE" and the options, with the table's name quoted,
 * for SQL and for the shell, only where it has to be. */
const char *own_command_write_table(OwnCommandRoom *room, const char *verb,
									const char *schema, const char *table);

#define OWN_COMMAND_TABLE(verb, schema, table)                                 \
	own_command_write_table(&(OwnCommandRoom){{0}}, (verb), (schema), (table))

#endif /* PENSTOCK_BASE_OWN_COMMAND_H */
