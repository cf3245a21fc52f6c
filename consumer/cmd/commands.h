/*
 * commands.h
 *    The table of commands.
 */
#ifndef PENSTOCK_CMD_COMMANDS_H
#define PENSTOCK_CMD_COMMANDS_H

#include <stdio.h>

#include "cmd/command.h"
#include "config/config.h"

/* How a command works if the configuration file has several sources. */
typedef enum SourcesMode
{
	SOURCES_ITSELF,  /* its function gets all of them */
	SOURCES_ONE,     /* the user must choose one with --from */
	SOURCES_FIRST,   /* runs for the first source */
	SOURCES_IN_TURN, /* runs for each source, one after the other */
	SOURCES_AT_ONCE, /* runs for each source at once, in processes */
} SourcesMode;

typedef struct Command
{
	const char *name;
	ConfigCommand id;
	CommandFunction run;
	SourcesMode sources;
	const char *words; /* arguments, for its help; NULL: it accepts none */
	const char *help;
} Command;

/* Number of commands, and access by index, in the order of --help. */
int command_count(void);
const Command *command_at(int index);

/* Returns the command with that name, or NULL. */
const Command *command_find(const char *name);

/* Returns the name of a command that is spelled similarly, or NULL. */
const char *command_nearest(const char *name);

/* Prints a line for each command. */
void command_print_all(FILE *out);

#endif /* PENSTOCK_CMD_COMMANDS_H */
