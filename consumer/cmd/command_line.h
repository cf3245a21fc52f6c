/*
 * command_line.h
 *    How a command of ours is to be called to mean the same pipeline.
 *
 * Options of this process's own command line are said again where the other
 * command takes them and does not know better: the pipeline's name, the
 * configuration file and its source, connection strings without their
 * passwords.  What comes from the environment or from the file is found there.
 * Options that a pipeline remembers are said only to who may have to make it.
 */
#ifndef PENSTOCK_CMD_COMMAND_LINE_H
#define PENSTOCK_CMD_COMMAND_LINE_H

#include "config/config.h"

/* From here on OWN_COMMAND() is about this pipeline; borrowed until the next
 * call. */
void command_line_use(const Config *config);

#endif /* PENSTOCK_CMD_COMMAND_LINE_H */
