/*
 * usage.h
 *    Prints help, and errors of the command line.
 */
#ifndef PENSTOCK_CMD_USAGE_H
#define PENSTOCK_CMD_USAGE_H

#include "base/error.h"
#include "cmd/commands.h"

/*
 * Prints the text of "penstock help [COMMAND]"; `topic` may be NULL.  Returns
 * false if there is no such command, after an error message.
 */
bool usage_help(const char *topic);

/* Prints the text of "penstock COMMAND --help". */
void usage_print_command(const Command *command);

/* Prints the error that a command does not exist; NULL: that none was given. */
void usage_refuse_command(const char *name);

/*
 * Prints an error of a command's arguments or options, with a hint on --help.
 */
void usage_refuse(const Command *command, const Error *err);

#endif /* PENSTOCK_CMD_USAGE_H */
