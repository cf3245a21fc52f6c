/*
 * describe.h
 *    The options and the configuration file, for people to read.
 *
 * All of it comes from the tables in option.h and file.h.
 */
#ifndef PENSTOCK_CONFIG_DESCRIBE_H
#define PENSTOCK_CONFIG_DESCRIBE_H

#include "base/buf.h"
#include "config/config.h"
#include "config/option.h"

/* Appends what a command's --help says of its options and variables. */
void describe_help(ConfigCommand command, Buf *buf);

/* What it means that an option is not given, or NULL. */
const char *describe_default(const OptionDef *option);

/* Appends a configuration file with all that there can be, as comments. */
void describe_sample(Buf *buf);

#endif /* PENSTOCK_CONFIG_DESCRIBE_H */
