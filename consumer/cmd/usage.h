/*
 * usage.h
 *    Help, and what is said of a command line that makes no sense.
 */
#ifndef PENSTOCK_CMD_USAGE_H
#define PENSTOCK_CMD_USAGE_H

#include "base/error.h"
#include "cmd/commands.h"

/* penstock help [COMMAND]; `topic` may be NULL.  False: there is no such
 * command, which was said. */
bool usage_help(const char *topic);

/* penstock COMMAND --help */
void usage_print_command(const Command *command);

/* Says that there is no command of that name; NULL: that none is given. */
void usage_refuse_command(const char *name);

/* Says what is wrong with a command's words or options. */
void usage_refuse(const Command *command, const Error *err);

#endif /* PENSTOCK_CMD_USAGE_H */
