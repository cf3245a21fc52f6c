/*
 * option.h
 *    The table of options, and what a value of each may be.
 *
 * The parser of the command line, the environment, the configuration file, what
 * a pipeline remembers, and --help all come from the table.
 */
#ifndef PENSTOCK_CONFIG_OPTION_H
#define PENSTOCK_CONFIG_OPTION_H

#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

typedef enum OptionType
{
	OPTION_FLAG,
	OPTION_STRING,
	OPTION_TARGET, /* a string that may be given several times */
	OPTION_NAME,
	OPTION_LSN,
	OPTION_SIZE,
	OPTION_RATE,
	OPTION_COUNT,
	OPTION_SECONDS,
	OPTION_LANES,
	OPTION_APPLY,
	OPTION_ORIGIN,
	OPTION_SWITCH,
	OPTION_COMPRESSION,
	OPTION_CONFLICT, /* may be given several times */
	OPTION_PATTERN,  /* likewise */
} OptionType;

typedef struct OptionDef
{
	const char *name;
	char letter; /* short form, or 0 */
	OptionType type;
	unsigned commands;         /* who takes it */
	size_t offset;             /* of the field in Config */
	const char *placeholder;   /* of its value in --help */
	const char *environment;   /* variable that stands in, or NULL */
	const char *default_value; /* or NULL */
	const char *help;
} OptionDef;

/* Upper bound of option_count: a bit for each fits into Config's `given`. */
#define OPTIONS_MAX 64

extern const OptionDef option_table[];
extern const size_t option_count;

/* Whether it may be given several times; it is a list then. */
bool option_may_be_repeated(const OptionDef *option);

/* Where Config has its value. */
void *option_field(Config *config, const OptionDef *option);

/* Reads a value into the field.  RC_FAIL with ERR_CONFIG: it is not one. */
MUST_CHECK Rc option_read_value(Config *config, const OptionDef *option,
								const char *value, Error *err);

/* "invalid value for …"; RC_FAIL. */
MUST_CHECK Rc option_bad_value(Error *err, const OptionDef *option,
							   const char *value, const char *expected);

#endif /* PENSTOCK_CONFIG_OPTION_H */
