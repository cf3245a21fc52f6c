/*
 * commands.h
 *    The table of commands.
 */
#ifndef PENSTOCK_CMD_COMMANDS_H
#define PENSTOCK_CMD_COMMANDS_H

#include <stdio.h>

#include "cmd/command.h"
#include "config/config.h"

/* How a command is run if the configuration file has several sources. */
typedef enum SourcesMode
{
	SOURCES_ITSELF,  /* it knows what to do with them */
	SOURCES_ONE,     /* one has to be chosen */
	SOURCES_FIRST,   /* any will do */
	SOURCES_IN_TURN, /* for each, one after the other */
	SOURCES_AT_ONCE, /* for each, in a process of its own */
} SourcesMode;

typedef struct Command
{
	const char *name;
	ConfigCommand id;
	CommandFunction run;
	SourcesMode sources;
	const char *words; /* that it takes, for its help; or NULL */
	const char *help;
} Command;

/* All of them, in the order in which they are listed. */
int command_count(void);
const Command *command_at(int index);

/* The command of that name, or NULL. */
const Command *command_find(const char *name);

/* The name of the command that may be meant by this one, or NULL. */
const char *command_nearest(const char *name);

/* Prints a line for each. */
void command_print_all(FILE *out);

#endif /* PENSTOCK_CMD_COMMANDS_H */
