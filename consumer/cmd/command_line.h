/*
 * command_line.h
 *    Adds the options of this process to commands that messages tell people to
 *    run.
 *
 * OWN_COMMAND() (base/own_command.h) writes a command such as "penstock drop".
 * For the command to mean the same pipeline, it gets these options of this
 * process's own command line, as far as the other command accepts them: the
 * pipeline's name, the configuration file, the source of that file, and
 * connection strings without passwords.  A setting of the environment or the
 * file is not repeated.  An option that a pipeline stores is only repeated for
 * a command that may create the pipeline.
 */
#ifndef PENSTOCK_CMD_COMMAND_LINE_H
#define PENSTOCK_CMD_COMMAND_LINE_H

#include "config/config.h"

/*
 * Makes OWN_COMMAND() write commands for the pipeline of this Config, which is
 * borrowed until the next call.
 */
void command_line_use(const Config *config);

#endif /* PENSTOCK_CMD_COMMAND_LINE_H */
