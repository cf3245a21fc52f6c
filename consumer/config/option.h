/*
 * option.h
 *    The table of options.
 *
 * All that is said of an option stands in its row, once.  The command line, the
 * environment, the configuration file and what a pipeline remembers are read by
 * the table; --help, the manual page, the shell's completion and the sample of
 * a configuration file are written from it.
 */
#ifndef PENSTOCK_CONFIG_OPTION_H
#define PENSTOCK_CONFIG_OPTION_H

#include "config/option_type.h"

extern const OptionDef option_table[];
extern const size_t option_count; /* at most CONFIG_OPTIONS_MAX */

/* "Connection options", … */
const char *option_group_title(OptionGroup group);

/* The option of that name that a command takes, or NULL. */
const OptionDef *option_find(ConfigCommand command, const char *name);

/* The option that a setting of the configuration file stands for, or NULL. */
const OptionDef *option_find_setting(const char *key);

#endif /* PENSTOCK_CONFIG_OPTION_H */
