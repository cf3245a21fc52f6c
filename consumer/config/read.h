/*
 * read.h
 *    Reads the options of a command.
 *
 * If an option is given in several places, the command line wins over the
 * environment, the environment over the configuration file (see file.h), and
 * the file over the default.
 */
#ifndef PENSTOCK_CONFIG_READ_H
#define PENSTOCK_CONFIG_READ_H

#include "config/config.h"

/*
 * Reads the options of one command from argv (argv[0] is the command's name),
 * from the environment and from the configuration file; blocks on disk.
 * Strings in *config are borrowed from argv and the environment, or live until
 * config_release(), which must be called after a failure, too.  RC_FAIL with
 * ERR_CONFIG: an option is wrong, or options contradict each other; the exit
 * status of the program is that of misuse.
 */
MUST_CHECK Rc config_read(Config *config, ConfigCommand command, int argc,
						  char **argv, Error *err);

#endif /* PENSTOCK_CONFIG_READ_H */
