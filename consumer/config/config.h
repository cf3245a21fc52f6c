/*
 * config.h
 *    What the user asked for: the options of all commands.
 *
 * The table in config/option.h says everything about an option, and
 * config/read.h reads them.
 */
#ifndef PENSTOCK_CONFIG_CONFIG_H
#define PENSTOCK_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "config/file.h"
#include "model/lsn.h"
#include "model/placement.h"
#include "model/policy.h"
#include "model/selection.h"
#include "model/sequence.h"

/* Longest pipeline name: it names a replication slot (NAMEDATALEN - 1). */
#define CONFIG_NAME_MAX 63

/* Longest name of the pipeline of a source that has a name: sessions are named
 * after it, with a beginning of ours, and a server cuts those names. */
#define CONFIG_SOURCE_PIPELINE_MAX 48

/* Bounds of --memory. */
#define CONFIG_MEMORY_MIN     (4 * MB)
#define CONFIG_MEMORY_MAX     (64 * 1024 * MB)
#define CONFIG_MEMORY_DEFAULT "32MB"

/* Lower bound of --max-rate; the upper one is that of --memory. */
#define CONFIG_RATE_MIN (1 * KB)

/* Room for what a target is called in messages. */
#define CONFIG_LABEL_SIZE (IDENTIFIER_SIZE + 16)

/* Bound of --jobs. */
#define CONFIG_JOBS_MAX 64

/* Bound of the level in --compression: the plugin's. */
#define CONFIG_COMPRESSION_LEVEL_MAX 19

/* Bound of --hold, in seconds: a week. */
#define CONFIG_HOLD_MAX_S (7 * 24 * 3600)

/* Bound of --max-snapshot, in seconds. */
#define CONFIG_SNAPSHOT_MAX_S (24 * 3600)

/* Bound of --sequence-interval, in seconds. */
#define CONFIG_SEQUENCE_INTERVAL_MAX_S 3600

/* Bound of --large-object-interval, in seconds. */
#define CONFIG_LARGE_OBJECT_INTERVAL_MAX_S (24 * 3600)

/* Bound of --lanes. */
#define CONFIG_LANES_MAX 16

/* Bound of the number of options that there are. */
#define CONFIG_OPTIONS_MAX 64

/* Who takes an option: a bit for each command. */
typedef enum ConfigCommand
{
	COMMAND_CHECK = 1 << 0,
	COMMAND_CLONE = 1 << 1,
	COMMAND_FOLLOW = 1 << 2,
	COMMAND_STATUS = 1 << 3,
	COMMAND_TAIL = 1 << 4,
	COMMAND_DROP = 1 << 5,
	COMMAND_TABLE = 1 << 6,
	COMMAND_CONFIG = 1 << 7,
	COMMAND_FEDERATE = 1 << 8,
	COMMAND_FENCE = 1 << 9,
	COMMAND_SEQUENCES = 1 << 10,
	COMMAND_SCHEMA = 1 << 11,
	COMMAND_PROMOTE = 1 << 12,
	COMMAND_VERIFY = 1 << 13,
} ConfigCommand;

/* Names of options; each is that of the table. */
typedef struct ConfigNames
{
	int count;
	const char *names[CONFIG_OPTIONS_MAX];
} ConfigNames;

typedef struct Config
{
	const char *source; /* connection string, or NULL */

	/*
	 * Sources with names.  Each has a pipeline of its own; a command that works
	 * with one pipeline gets a Config for that, from config_take_source().
	 */
	int source_count; /* 0: they have none; `source` is the only one */
	const char *sources[CONFIG_SOURCES_MAX];
	const char *source_names[CONFIG_SOURCES_MAX];
	const char *source_name; /* the one that this is about, or NULL: all */
	const char *from;        /* the only one to work with, or NULL: all */

	const char *targets[CONFIG_TARGETS_MAX];      /* connection strings */
	const char *target_names[CONFIG_TARGETS_MAX]; /* or NULL: it has none */
	int target_count;
	int node_count;             /* the first of them have the hashed tables */
	const Placement *placement; /* NULL: every table on every target */
	const char *file;           /* the configuration file, or NULL */
	const char *name;           /* of the pipeline, and of its slot */
	const char *name_asked;     /* what --name is to be, for hints */
	const char *name_of_clone;  /* of the first source's pipeline, which a clone
								   of all is noted under; NULL: as `name` */
	bool name_given;            /* on the command line */
	const char *publications;   /* comma-separated, as for the plugin */
	const char *apply_mode;     /* batch or transaction */
	const char *ddl;            /* off, stop or follow; NULL: off */
	SchemaRules schema_rules;   /* beside ddl */
	int lanes;                  /* connections to each target */
	const char *origin;         /* any or none */
	bool skip_missing;          /* publications, at points of the log */
	bool streaming;             /* of open transactions */
	bool bundle;                /* small transactions may come together */
	const char *compression;    /* as --compression has it, or NULL: none */
	ConflictRules conflict_rules;
	const char *sequences;          /* follow or off */
	int sequence_interval_s;        /* seconds between two looks at them */
	SequenceStride sequence_stride; /* of the first target; count 0: none */
	const char *large_objects;      /* follow or off; NULL: off */
	int large_object_interval_s;    /* seconds from one pass to the next */
	Lsn endpos;                     /* 0: none */
	size_t memory_bytes;
	int jobs;
	Selection selection;   /* of tables and schemas to clone */
	size_t max_rate;       /* bytes a second that a clone copies; 0: any */
	const char *copy_from; /* standby whose rows are copied, or NULL */
	const char *pg_bindir; /* where pg_dump is, or NULL */
	bool schema_only;
	bool data_only;
	bool verify;
	bool no_owner;
	bool no_privileges;
	bool no_tablespaces;
	bool no_unlogged_data;
	bool resume;
	bool restart;
	bool follow;
	bool json;
	bool messages;
	bool schema_changes;
	bool create_slot;
	bool force;
	bool dry_run;
	int hold_s;                /* seconds; 0: until told to stop */
	const char *coordinator;   /* connection string, or NULL */
	PatternList verify_tables; /* the only ones to compare; none: all */
	int sample_percent;        /* of the rows that are compared; 0: all */
	int max_snapshot_s;        /* how old snapshots may become */
	bool apply;                /* run what would be printed */
	bool allow_loss;           /* also what rows are lost with */
	bool keep;
	bool by_name;
	bool set; /* what is given is to be remembered from now on */
	bool verbose;
	bool quiet;
	bool help; /* --help was given: print it and do nothing else */

	/* What is not an option, in its order; few commands take any. */
	char *const *words;
	int word_count;

	/* Options that were given at all, and those on the command line, for
	 * config_is_given() and config_is_typed(). */
	ConfigNames given;
	ConfigNames typed;

	Arena *arena; /* of what was read from the file; or NULL */
} Config;

/* Accepts a zeroed Config. */
void config_release(Config *config);

/* What the target is called in messages: target, target 2, target "a". */
void config_label_target(const Config *config, int index,
						 char label[static CONFIG_LABEL_SIZE]);

/*
 * Sets *one to what is asked for of one of the sources with names: its
 * connection string, its pipeline, and its share of memory and of the
 * placement.  *one lives no longer than `config`, and is not to be released.
 */
void config_take_source(const Config *config, int index, Config *one);

/* The index of the source of that name, or -1. */
int config_find_source(const Config *config, const char *name);

/* What the source is called in messages: source, source "a". */
void config_label_source(const Config *config,
						 char label[static CONFIG_LABEL_SIZE]);

/*
 * Whether the option of that name was given, on the command line, in the
 * environment or in the file; and whether on the command line.
 */
bool config_is_given(const Config *config, const char *name);
bool config_is_typed(const Config *config, const char *name);

/* Notes that an option was given; the name is borrowed. */
void config_note_given(Config *config, const char *name, bool typed);

/* Checks that --lanes goes with --apply. */
MUST_CHECK Rc config_check_lanes(const Config *config, Error *err);

/* Whether --sequences=follow was given. */
bool config_follows_sequences(const Config *config);

/* Whether --large-objects=follow was given. */
bool config_follows_large_objects(const Config *config);

/* What a target's sequences give out, count 0: all values. */
SequenceStride config_stride(const Config *config, int target);

/* Checks that --sequence-stride has a number for each target. */
MUST_CHECK Rc config_check_stride(const Config *config, Error *err);

/* Whether --apply=transaction was given. */
bool config_applies_transactions(const Config *config);

/* What --ddl says. */
SchemaPolicy config_schema_policy(const Config *config);

/* Checks that what a command cannot do without is there. */
MUST_CHECK Rc config_require_source(const Config *config, Error *err);
MUST_CHECK Rc config_require_target(const Config *config, Error *err);

#endif /* PENSTOCK_CONFIG_CONFIG_H */
