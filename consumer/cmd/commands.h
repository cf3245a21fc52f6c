/*
 * commands.h
 *    The table of commands.
 */
#ifndef PENSTOCK_CMD_COMMANDS_H
#define PENSTOCK_CMD_COMMANDS_H

#include <stdio.h>

#include "cmd/command.h"
#include "config/config.h"

typedef struct Command
{
	const char *name;
	ConfigCommand id;
	CommandFunction run;
	const char *words; /* that it takes, for its help; or NULL */
	const char *help;
} Command;

/* The command of that name, or NULL. */
const Command *command_find(const char *name);

/* Prints a line for each. */
void command_print_all(FILE *out);

#endif /* PENSTOCK_CMD_COMMANDS_H */
