/*
 * option_type.h
 *    The description of an option, and the types of its values.
 *
 * An OptionDef describes one option in full; config/option.h has the table of
 * all options.  The type of an option is a small table of functions, which
 * parse a value, print it in the syntax in which it is given, and describe
 * valid values in words.  A new type of value is a new OptionType; no other
 * file has to know about it.
 */
#ifndef PENSTOCK_CONFIG_OPTION_TYPE_H
#define PENSTOCK_CONFIG_OPTION_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "model/words.h"

typedef struct OptionDef OptionDef;

/* What a shell offers to complete the value of an option. */
typedef enum OptionCompletion
{
	COMPLETE_NOTHING,
	COMPLETE_WORDS, /* OptionType.words */
	COMPLETE_FILE,
	COMPLETE_DIRECTORY,
} OptionCompletion;

typedef struct OptionType
{
	bool is_flag; /* whether the option has no value on the command line */
	bool is_list; /* whether the option may be repeated; each use adds a
				   * value */
	OptionCompletion completion;
	const char *const *words; /* valid values, ended by NULL; or NULL: there are
							   * too many to list */

	/*
	 * Parses a value and stores it in the option's field of *config.  A flag on
	 * the command line has the value NULL.  A string is borrowed as long as the
	 * Config is used.  RC_FAIL with ERR_CONFIG: the value is invalid, or there
	 * are too many values.
	 */
	Rc (*parse)(Config *config, const OptionDef *option, const char *value,
				Error *err);

	/* Appends the values of the option's field, in the syntax of parse(). */
	void (*print)(const Config *config, const OptionDef *option, Arena *arena,
				  Words *values);

	/*
	 * What a valid value is, for messages: "the name of a file".  If that
	 * depends on the option, describe() appends the text instead: "a number
	 * from 1 to 64".
	 */
	const char *expected;
	void (*describe)(const OptionDef *option, Buf *buf);
} OptionType;

extern const OptionType type_flag;         /* field: bool */
extern const OptionType type_switch;       /* on or off; field: bool */
extern const OptionType type_section;      /* name of a source; field: string */
extern const OptionType type_publications; /* this one and the next ones up to
											* type_sequences: field: string */
extern const OptionType type_conninfo;
extern const OptionType type_file;
extern const OptionType type_command; /* command line of a shell */
extern const OptionType type_directory;
extern const OptionType type_listen; /* address of a socket: base/listen.h */
extern const OptionType type_name;   /* name of a pipeline */
extern const OptionType type_log_format; /* text or json */
extern const OptionType type_apply;      /* batch or transaction */
extern const OptionType type_ddl;        /* off, stop or follow */
extern const OptionType type_origin;     /* any or none */
extern const OptionType type_compression;
extern const OptionType type_sequences;    /* follow or off */
extern const OptionType type_stride;       /* field: SequenceStride */
extern const OptionType type_lsn;          /* field: Lsn */
extern const OptionType type_size;         /* bytes from min to max; field:
											* size_t */
extern const OptionType type_rate;         /* bytes per second; otherwise as
											* type_size */
extern const OptionType type_count;        /* number from min to max; field:
											* int */
extern const OptionType type_targets;      /* appends to Config.targets */
extern const OptionType type_conflicts;    /* field: ConflictRules */
extern const OptionType type_schema_rules; /* field: SchemaRules */
extern const OptionType type_patterns;     /* field: PatternList */

/* Group in which --help and the manual list an option. */
typedef enum OptionGroup
{
	GROUP_CONNECTION,
	GROUP_SELECTION,
	GROUP_COPY,
	GROUP_REPLICATION,
	GROUP_OPERATION,
	GROUP_COMMAND, /* options that few commands accept */
	GROUP_GENERAL,
} OptionGroup;

#define OPTION_GROUP_COUNT (GROUP_GENERAL + 1)

/*
 * Whether a pipeline stores an option (memory.h), and which command decides its
 * value.
 */
typedef enum OptionMemory
{
	REMEMBERED_NEVER,
	DECIDED_BY_COPY,
	DECIDED_BY_FOLLOWER, /* by the first follower, or earlier by a clone that
						  * gives it */
	DECIDED_AS_DEFAULT,  /* by the clone; another value is not refused */
} OptionMemory;

struct OptionDef
{
	const char *name;
	char letter; /* short form of the name; 0: none */
	const OptionType *type;
	size_t offset;     /* offset of the option's field in Config */
	size_t min;        /* smallest number or size */
	size_t max;        /* largest number or size */
	unsigned commands; /* commands that accept the option: bits of
						* ConfigCommand */
	OptionGroup group;
	bool only_typed; /* whether the option is not allowed in the configuration
					  * file */
	bool live;       /* whether it may change while the program runs: live.h */
	OptionMemory memory;
	const char *placeholder;   /* stands for the value in --help; NULL: the
								* option is a flag */
	const char *environment;   /* environment variable that gives the value;
								* NULL: none */
	const char *default_value; /* value of an option that is not given; NULL:
								* none */
	const char *unset;         /* describes what happens without the option;
								* NULL: nothing to say */
	const char *help;          /* describes the option in a line or two */
};

/* Largest length of a description by OptionType.describe(), in bytes. */
#define OPTION_TEXT_MAX ((size_t) 4 * KB)

/* Returns the option's field in *config. */
void *option_field(Config *config, const OptionDef *option);

/* Appends the description of valid values (OptionType.expected). */
void option_describe_value(const OptionDef *option, Buf *buf);

/*
 * Sets the error "invalid value for …", with ERR_CONFIG and a detail that says
 * what is valid; returns RC_FAIL.
 */
MUST_CHECK Rc option_bad_value(Error *err, const OptionDef *option,
							   const char *value);

#endif /* PENSTOCK_CONFIG_OPTION_TYPE_H */
