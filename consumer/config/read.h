/*
 * read.h
 *    Reading the options of a command, wherever they are given.
 *
 * The command line comes before the environment, the environment before the
 * configuration file (see file.h), and that before an option's default.
 */
#ifndef PENSTOCK_CONFIG_READ_H
#define PENSTOCK_CONFIG_READ_H

#include "config/config.h"

/*
 * Reads the options of one command from argv (argv[0] is the command's name)
 * from the environment and from the configuration file.  Strings in `config`
 * are borrowed from argv and the environment, or live until config_release(),
 * which is to be called also after a failure.  RC_FAIL with ERR_CONFIG:
 * misused.
 */
MUST_CHECK Rc config_read(Config *config, ConfigCommand command, int argc,
						  char **argv, Error *err);

#endif /* PENSTOCK_CONFIG_READ_H */
