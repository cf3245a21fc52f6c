/*
 * option.h
 *    The table of options.
 *
 * Everything about an option is in its row of this table.  The command line,
 * the environment, the configuration file and the options that a pipeline
 * stores are read with this table.  --help, the manual page, the shell
 * completion and the sample of a configuration file are written from it.
 */
#ifndef PENSTOCK_CONFIG_OPTION_H
#define PENSTOCK_CONFIG_OPTION_H

#include "config/option_type.h"

extern const OptionDef option_table[];
extern const size_t option_count; /* at most CONFIG_OPTIONS_MAX */

/* Returns the title of a group of options, such as "Connection options". */
const char *option_group_title(OptionGroup group);

/* Returns the option with that name if the command accepts it, or NULL. */
const OptionDef *option_find(ConfigCommand command, const char *name);

/*
 * Returns the option that a setting of the configuration file names, or NULL.
 */
const OptionDef *option_find_setting(const char *key);

#endif /* PENSTOCK_CONFIG_OPTION_H */
