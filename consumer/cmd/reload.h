/*
 * reload.h
 *    Reads the configuration again when HUP asks for it.
 *
 * Only some options may change while the program runs (config/live.h).  What
 * else is different from what the program was started with is named, without
 * values: a connection string has secrets.
 */
#ifndef PENSTOCK_CMD_RELOAD_H
#define PENSTOCK_CMD_RELOAD_H

#include "cmd/commands.h"

/*
 * Has HUP read the options of the command again from now on, from the same
 * arguments, environment and file.  Borrows everything until the process ends.
 */
void reload_on_hangup(const Command *command, int argc, char **argv,
					  const Config *config);

#endif /* PENSTOCK_CMD_RELOAD_H */
