/*
 * option_type.h
 *    What is said of an option, and what kinds of values options have.
 *
 * An OptionDef describes one option in full: config/option.h has the table of
 * them.  Its type is a small table of functions, which read a value, write it
 * as one would give it, and say in words what a value has to be.  A new kind of
 * value is a new OptionType, and no other file has to know about it.
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

/* What a shell offers to complete a value with. */
typedef enum OptionCompletion
{
	COMPLETE_NOTHING,
	COMPLETE_WORDS, /* the type's words */
	COMPLETE_FILE,
	COMPLETE_DIRECTORY,
} OptionCompletion;

typedef struct OptionType
{
	bool is_flag; /* on the command line it has no value */
	bool is_list; /* it may be given several times, and each adds a value */
	OptionCompletion completion;
	const char *const *words; /* the values that there are, then NULL; or NULL:
								 there are others */

	/*
	 * Reads a value into the option's field.  NULL is the value of a flag on
	 * the command line.  Strings are borrowed.  RC_FAIL with ERR_CONFIG: it is
	 * not a value of this type, or one too many.
	 */
	Rc (*parse)(Config *config, const OptionDef *option, const char *value,
				Error *err);

	/* Adds the values that the field has, as parse() reads them. */
	void (*print)(const Config *config, const OptionDef *option, Arena *arena,
				  Words *values);

	/* What a value has to be: "the name of a file".  Where that depends on the
	 * option, describe() appends it: "a number from 1 to 64". */
	const char *expected;
	void (*describe)(const OptionDef *option, Buf *buf);
} OptionType;

extern const OptionType type_flag;         /* of a bool */
extern const OptionType type_switch;       /* on or off, of a bool */
extern const OptionType type_section;      /* of a string */
extern const OptionType type_publications; /* likewise, as are the next */
extern const OptionType type_conninfo;
extern const OptionType type_file;
extern const OptionType type_directory;
extern const OptionType type_name;   /* of a pipeline */
extern const OptionType type_apply;  /* batch or transaction */
extern const OptionType type_ddl;    /* off, stop or follow */
extern const OptionType type_origin; /* any or none */
extern const OptionType type_compression;
extern const OptionType type_sequences;    /* follow or off */
extern const OptionType type_stride;       /* of a SequenceStride */
extern const OptionType type_lsn;          /* of an Lsn */
extern const OptionType type_size;         /* of a size_t: min to max */
extern const OptionType type_rate;         /* likewise, in a second */
extern const OptionType type_count;        /* of an int: 1 to max */
extern const OptionType type_targets;      /* the targets */
extern const OptionType type_conflicts;    /* of ConflictRules */
extern const OptionType type_schema_rules; /* of SchemaRules */
extern const OptionType type_patterns;     /* of a PatternList */

/* Where an option stands among those of a command, in --help and the manual. */
typedef enum OptionGroup
{
	GROUP_CONNECTION,
	GROUP_SELECTION,
	GROUP_COPY,
	GROUP_REPLICATION,
	GROUP_COMMAND, /* what only some commands have */
	GROUP_GENERAL,
} OptionGroup;

#define OPTION_GROUP_COUNT (GROUP_GENERAL + 1)

/* Whether a pipeline remembers an option, and when it is decided. */
typedef enum OptionMemory
{
	REMEMBERED_NEVER,
	DECIDED_BY_COPY,
	DECIDED_BY_FOLLOWER, /* unless it is given before */
	DECIDED_AS_DEFAULT,  /* by the clone, and never refused */
} OptionMemory;

struct OptionDef
{
	const char *name;
	char letter; /* short form, or 0 */
	const OptionType *type;
	size_t offset;     /* of the field in Config */
	size_t min;        /* of a number */
	size_t max;        /* likewise */
	unsigned commands; /* who takes it: bits of ConfigCommand */
	OptionGroup group;
	bool only_typed; /* the configuration file cannot have it */
	OptionMemory memory;
	const char *placeholder;   /* of its value; NULL: it has none */
	const char *environment;   /* variable that stands in, or NULL */
	const char *default_value; /* or NULL */
	const char *unset;         /* what it means that it is not given, or NULL */
	const char *help;          /* what it does, in a line or two */
};

/* Upper bound of a description by OptionType.describe(). */
#define OPTION_TEXT_MAX ((size_t) 4 * KB)

/* Where Config has its value. */
void *option_field(Config *config, const OptionDef *option);

/* Appends what a value of the option has to be, as in OptionType. */
void option_describe_value(const OptionDef *option, Buf *buf);

/* "invalid value for …", with what is expected; RC_FAIL. */
MUST_CHECK Rc option_bad_value(Error *err, const OptionDef *option,
							   const char *value);

#endif /* PENSTOCK_CONFIG_OPTION_TYPE_H */
