/*
 * config.h
 *    The options of a command: a Config has what the user asked for.
 *
 * The table in config/option.h describes every option, and config_read() in
 * config/read.h fills a Config.
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

/*
 * Largest length of a pipeline's name: a replication slot has the same name
 * (NAMEDATALEN - 1).
 */
#define CONFIG_NAME_MAX 63

/*
 * Largest length of the name of a pipeline whose source has a name.  Names of
 * connections (application_name) consist of a prefix and the pipeline's name,
 * and a server truncates them to NAMEDATALEN - 1 bytes.
 */
#define CONFIG_SOURCE_PIPELINE_MAX 48

/* Smallest and largest value of --memory, in bytes, and its default. */
#define CONFIG_MEMORY_MIN     (4 * MB)
#define CONFIG_MEMORY_MAX     (64 * 1024 * MB)
#define CONFIG_MEMORY_DEFAULT "32MB"

/*
 * Smallest value of --max-rate, in bytes per second; the largest is
 * CONFIG_MEMORY_MAX.
 */
#define CONFIG_RATE_MIN (1 * KB)

/*
 * Bytes for a label: the text that stands for a source or target in messages.
 */
#define CONFIG_LABEL_SIZE (IDENTIFIER_SIZE + 16)

/* Largest value of --jobs. */
#define CONFIG_JOBS_MAX 64

/* Smallest and largest value of --segment-size, in bytes. */
#define CONFIG_SEGMENT_MIN (64 * KB)
#define CONFIG_SEGMENT_MAX (16 * 1024 * MB)

/* Largest level in --compression=zstd:LEVEL, which the plugin defines. */
#define CONFIG_COMPRESSION_LEVEL_MAX 19

/* Largest value of --hold, in seconds: a week. */
#define CONFIG_HOLD_MAX_S (7 * 24 * 3600)

/* Largest values of --max-wait and --max-stall, in seconds. */
#define CONFIG_WAIT_MAX_S  (24 * 3600)
#define CONFIG_STALL_MAX_S 600

/* Largest value of --max-snapshot, in seconds. */
#define CONFIG_SNAPSHOT_MAX_S (24 * 3600)

/* Largest value of --sequence-interval, in seconds. */
#define CONFIG_SEQUENCE_INTERVAL_MAX_S 3600

/* Largest value of --large-object-interval, in seconds. */
#define CONFIG_LARGE_OBJECT_INTERVAL_MAX_S (24 * 3600)

/* Largest value of --heartbeat, in seconds. */
#define CONFIG_HEARTBEAT_MAX_S 3600

/* Largest value of --watchdog, in seconds. */
#define CONFIG_WATCHDOG_MAX_S (24 * 3600)

/* Largest value of --slot-wal-warning, in bytes. */
#define CONFIG_SLOT_WAL_MAX (1024 * 1024 * 1024 * MB)

/* Largest value of --lanes. */
#define CONFIG_LANES_MAX 16

/* Largest number of rows of the table of options. */
#define CONFIG_OPTIONS_MAX 96

/*
 * Commands, each a bit: an option has the bits of the commands that accept it.
 */
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
	COMMAND_SWITCH = 1 << 14,
	COMMAND_FINISH = 1 << 15,
	COMMAND_RECORD = 1 << 16,
	COMMAND_LOG = 1 << 17,
	COMMAND_REPORT = 1 << 18,
} ConfigCommand;

/* A set of options.  The names are borrowed from the table of options. */
typedef struct ConfigNames
{
	int count;
	const char *names[CONFIG_OPTIONS_MAX];
} ConfigNames;

typedef struct Config
{
	const char *source; /* connection string; NULL: not given */

	/*
	 * Sources that have names: sections [source NAME] of the configuration
	 * file.  Each of them has a pipeline of its own.  A command that works with
	 * one pipeline gets a Config for it from config_take_source().
	 */
	int source_count; /* 0: no source has a name, and `source` is the only
					   * one */
	const char *sources[CONFIG_SOURCES_MAX];
	const char *source_names[CONFIG_SOURCES_MAX];
	const char *source_name; /* source that this Config is about; NULL: all */
	const char *from;        /* --from: name of the only source to work with;
							  * NULL: all */

	const char *targets[CONFIG_TARGETS_MAX];      /* connection strings */
	const char *target_names[CONFIG_TARGETS_MAX]; /* NULL: a target without a
												   * name */
	int target_count;
	int node_count;             /* number of nodes: the first targets, which
								 * hashed tables are distributed over */
	const Placement *placement; /* NULL: every table is on every target */
	const char *file;           /* path of the configuration file; NULL: none */
	const char *name;           /* name of the pipeline and of its slot */
	const char *name_asked;     /* value for --name in hints; differs from
								 * `name` if the source has a name */
	const char *name_of_clone;  /* name of the pipeline of the first source,
								 * under which a clone of all sources records
								 * its state; NULL: `name` */
	bool name_given;            /* whether --name was given on the command line
								 * or in the file */
	const char *publications;   /* names of publications, separated by commas,
								 * in the plugin's syntax */
	const char *apply_mode;     /* "batch" or "transaction" */
	const char *ddl;            /* off, stop or follow; NULL, of a pipeline that
								 * has not decided it: off */
	SchemaRules schema_rules;   /* rules for single kinds of schema changes;
								 * `ddl` is for all others */
	int lanes;                  /* connections to each target */
	const char *origin;         /* "any" or "none" */
	bool skip_missing;          /* whether a publication may be missing at
								 * points in the WAL before it was created */
	bool streaming;             /* whether the plugin may send transactions that
								 * are still in progress */
	bool bundle;                /* whether the plugin may send small
								 * transactions together */
	const char *compression;    /* value of --compression; NULL: none */
	ConflictRules conflict_rules;
	const char *sequences;          /* "follow" or "off"; NULL: follow */
	int sequence_interval_s;        /* seconds between two reads of the source's
									 * sequences */
	SequenceStride sequence_stride; /* stride of the first target; count 0:
									 * none */
	const char *large_objects;      /* "follow" or "off"; NULL: off */
	int large_object_interval_s;    /* seconds from one pass to the next */
	const char *metrics_listen;     /* address (base/listen.h) at which metrics
									 * are served; NULL: nowhere */
	int heartbeat_s;                /* seconds from one heartbeat to the next */
	bool heartbeat_message;         /* whether a heartbeat writes WAL */
	int watchdog_s;                 /* seconds that a target may lag until that
									 * is reported */
	size_t slot_wal_warning;        /* bytes of WAL that the source may keep for
									 * the slot until that is reported; 0: any
									 */
	Lsn endpos;                     /* 0: none */
	bool sequences_may_lack;        /* whether following up to `endpos` succeeds
									 * although a sequence could not be set; no
									 * option sets it */
	size_t memory_bytes;
	int jobs;
	Selection selection;   /* tables and schemas to clone */
	size_t max_rate;       /* bytes per second that a clone copies; 0: no
							* limit */
	const char *copy_from; /* connection string of the standby that rows are
							* copied from; NULL: the source */
	const char *pg_bindir; /* directory of pg_dump and pg_restore; NULL: not
							* given */
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
	bool watch; /* of status: in a terminal, again and again */
	bool json;
	bool messages;
	bool schema_changes;
	bool create_slot;
	const char *log;      /* directory of the log; NULL: not given */
	size_t segment_bytes; /* bytes after which a segment of the log ends */
	bool force;
	bool dry_run;
	int hold_s;                /* seconds that a fence is held; 0: until a stop
								* is requested */
	const char *coordinator;   /* connection string; NULL: none */
	PatternList verify_tables; /* patterns of the tables to compare; empty: all
								* tables */
	int sample_percent;        /* percentage of the rows to compare; 0: all */
	bool repair;               /* whether rows that differ are repaired */
	int max_delete_percent;    /* largest percentage of a table's rows that a
								* repair may delete */
	int max_snapshot_s;        /* seconds after which a comparison takes a new
								* snapshot */
	bool apply;                /* whether to run statements instead of printing
								* them */
	bool allow_loss;           /* whether to run statements that delete rows,
								* too */
	bool back;                 /* whether this is the way back: see
								* config_turn_back() */
	bool no_way_back;          /* whether a switch makes no way back */
	int max_wait_s;     /* seconds that a switch may wait before it has its
						 * locks */
	int max_stall_s;    /* seconds that a switch may keep writers waiting */
	const char *before; /* commands of the shell that a switch runs before it */
	const char *after;  /* locks the tables, and when it is over; NULL: none */
	bool keep;
	bool by_name;
	bool set; /* whether the given options replace those that the pipeline
			   * stores */
	const char *log_format; /* "text" or "json" */
	bool verbose;
	bool quiet;
	bool help; /* whether --help was given: the command only prints its help */

	/*
	 * Arguments that are not options, in the order given; only some commands
	 * accept any.
	 */
	char *const *words;
	int word_count;

	/*
	 * Options that were given anywhere, and options that were given on the
	 * command line: config_is_given() and config_is_typed() look them up.
	 */
	ConfigNames given;
	ConfigNames typed;

	Arena *arena; /* owned; has what was read from the file, and names that were
				   * made; NULL: there are none */
} Config;

/* Frees what was read from the configuration file.  Accepts a zeroed Config. */
void config_release(Config *config);

/* Writes the label of a target for messages: target, target 2, target "a". */
void config_label_target(const Config *config, int index,
						 char label[static CONFIG_LABEL_SIZE]);

/*
 * Writes the name of a target for machines: the name in the configuration file,
 * or the number of the target, from 1.
 */
void config_name_target(const Config *config, int index,
						char name[static CONFIG_LABEL_SIZE]);

/*
 * Sets *one to the Config of the pipeline of one named source: its connection
 * string, the name of its pipeline, and its share of memory and of the
 * placement. `config` owns everything in *one, which must not be released and
 * must not be used after `config` was.
 */
void config_take_source(const Config *config, int index, Config *one);

/* What the name of a pipeline's way back has after the pipeline's. */
#define CONFIG_BACK_SUFFIX "_back"

/*
 * Turns *config round, for --back: to the pipeline from the target to the
 * source, whose name has CONFIG_BACK_SUFFIX after the pipeline's; and from that
 * one (Config.back) to the pipeline.  Options on what is sent that are not from
 * the command line are forgotten, because they are those of the other
 * direction.  The text of the name is allocated in the arena.  RC_FAIL with
 * ERR_CONFIG: the pipeline has not exactly one source and one target, or its
 * name is too long.
 */
MUST_CHECK Rc config_turn_back(Config *config, Arena *arena, Error *err);

/*
 * Sets *back to the name of the pipeline in the other direction, allocated in
 * the arena; of the way back that is the pipeline itself.  Fails as
 * config_turn_back() does.
 */
MUST_CHECK Rc config_name_back(const Config *config, Arena *arena,
							   const char **back, Error *err);

/* Returns the index of the source with that name, or -1. */
int config_find_source(const Config *config, const char *name);

/* Writes the label of the source for messages: source, source "a". */
void config_label_source(const Config *config,
						 char label[static CONFIG_LABEL_SIZE]);

/*
 * Whether an option was given: config_is_given() counts the command line, the
 * environment and the configuration file, config_is_typed() only the command
 * line.
 */
bool config_is_given(const Config *config, const char *name);
bool config_is_typed(const Config *config, const char *name);

/*
 * Records that an option was given; `typed`: on the command line.  The name is
 * borrowed as long as the Config is used.
 */
void config_note_given(Config *config, const char *name, bool typed);

/*
 * Checks that --lanes is used only with --apply=transaction; otherwise RC_FAIL
 * with ERR_CONFIG.
 */
MUST_CHECK Rc config_check_lanes(const Config *config, Error *err);

/* Whether lines of the log are JSON: not the default. */
bool config_logs_json(const Config *config);

/* Whether sequences are followed: the default. */
bool config_follows_sequences(const Config *config);

/* Whether large objects are followed: not the default. */
bool config_follows_large_objects(const Config *config);

/*
 * Returns which values the sequences of a target give out; count 0: all values.
 */
SequenceStride config_stride(const Config *config, int target);

/*
 * Checks that --sequence-stride has a number for each target; otherwise RC_FAIL
 * with ERR_CONFIG.
 */
MUST_CHECK Rc config_check_stride(const Config *config, Error *err);

/*
 * Whether each transaction of the source is one on the target
 * (--apply=transaction).
 */
bool config_applies_transactions(const Config *config);

/* Returns the policy that --ddl asks for; SCHEMA_OFF if it was not given. */
SchemaPolicy config_schema_policy(const Config *config);

/*
 * Returns the directory of the log that is the source (--source=log:DIR); NULL:
 * the source is a server.
 */
const char *config_source_log(const Config *config);

/*
 * Checks that a source, or a target, was given; otherwise RC_FAIL with
 * ERR_USAGE.
 */
MUST_CHECK Rc config_require_source(const Config *config, Error *err);
MUST_CHECK Rc config_require_target(const Config *config, Error *err);

#endif /* PENSTOCK_CONFIG_CONFIG_H */
