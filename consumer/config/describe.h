/*
 * describe.h
 *    Texts about the options and the configuration file: --help, and a sample
 *    of a configuration file.
 *
 * All texts are written from the tables in option.h and file.h.
 */
#ifndef PENSTOCK_CONFIG_DESCRIBE_H
#define PENSTOCK_CONFIG_DESCRIBE_H

#include "base/buf.h"
#include "config/config.h"
#include "config/option.h"

/*
 * Appends the parts of a command's --help on options and environment variables.
 */
void describe_help(ConfigCommand command, Buf *buf);

/*
 * Returns the text for the default of an option, or NULL: the default value, or
 * a description of what happens without the option.
 */
const char *describe_default(const OptionDef *option);

/*
 * Appends a sample of a configuration file, which has every section, and every
 * option as a comment.
 */
void describe_sample(Buf *buf);

#endif /* PENSTOCK_CONFIG_DESCRIBE_H */
