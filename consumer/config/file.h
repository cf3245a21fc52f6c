/*
 * file.h
 *    Reads a configuration file.
 *
 * A file consists of sections, and a section of settings.  The table
 * config_sections describes all of them; the sample of a file ("penstock config
 * sample") is written from the same table.  The settings of section [penstock]
 * are the options of the command line.
 *
 * Hashed tables are distributed over all targets, in their order in the file.
 * If any target has a remainder, they are distributed over the targets that
 * have one, in the order of the remainders.
 */
#ifndef PENSTOCK_CONFIG_FILE_H
#define PENSTOCK_CONFIG_FILE_H

#include <stdbool.h>

#include "config/ini.h"
#include "model/placement.h"
#include "model/policy.h"

/* Largest number of targets of a pipeline. */
#define CONFIG_TARGETS_MAX 64

/* Largest number of sources with names in a file. */
#define CONFIG_SOURCES_MAX 64

/*
 * Contents of a file.  Everything is in the arena that was given to
 * config_file_read().
 */
typedef struct ConfigFile
{
	Ini ini;
	const char *source; /* connection string of section [source]; NULL: there is
						 * none */
	int source_count;   /* number of sections [source NAME] */
	const char *sources[CONFIG_SOURCES_MAX];
	const char *source_names[CONFIG_SOURCES_MAX];
	int target_count;
	const char *targets[CONFIG_TARGETS_MAX]; /* connection strings: nodes first,
											  * in the order of their
											  * remainders */
	const char *target_names[CONFIG_TARGETS_MAX];
	int node_count;       /* number of nodes: the first targets, which hashed
						   * tables are distributed over */
	Placement *placement; /* NULL: no section [placement] or [directory]; has no
						   * targets before config_file_resolve() */
	SchemaRules schema_rules;
	const char *log_name; /* of section [log NAME]; NULL: there is none */
	const char *log;      /* directory of that log */
} ConfigFile;

/* State while a file is read; private to file.c. */
typedef struct ConfigParse ConfigParse;

typedef struct ConfigSetting
{
	const char *key;
	const char *example; /* example of a value */
	const char *help;
	bool is_optional;

	/* Reads the value; NULL: the section's function does. */
	Rc (*read)(ConfigParse *parse, Error *err);
} ConfigSetting;

/* A kind of section.  [source] and [source NAME] are two kinds. */
typedef struct ConfigSection
{
	const char *word;
	bool has_name;   /* whether a name follows the word, as in [target NAME] */
	bool is_example; /* whether the sample has the section as an example, not as
					  * a comment */
	const char *help;

	/* Called for the section's own line; may be NULL. */
	Rc (*begin)(ConfigParse *parse, const char *name, Error *err);

	/* Reads a setting with any key; NULL: only `settings` are known. */
	Rc (*read)(ConfigParse *parse, Error *err);

	const ConfigSetting *settings; /* the known settings; if `read` is set, only
									* examples */
	int setting_count;
} ConfigSection;

extern const ConfigSection config_sections[];
extern const int config_section_count;

/*
 * Name of the section with options.  config_file_read() leaves its settings to
 * config/read.c, which knows the options of the command.
 */
#define CONFIG_FILE_OPTIONS "penstock"

/*
 * Reads a file; blocks on disk.  Everything in *file is allocated in the arena.
 * RC_FAIL with ERR_CONFIG: the file cannot be read, or is wrong; the message
 * names the line.
 */
MUST_CHECK Rc config_file_read(ConfigFile *file, const char *path, Arena *arena,
							   Error *err);

/*
 * Prefixes the message of an Error that is set with file and line; returns
 * RC_FAIL.
 */
MUST_CHECK Rc config_file_error_at(const ConfigFile *file, int line,
								   Error *err);

/*
 * Looks up the targets that the placement names in an array of target names, in
 * which NULL is a target without a name.  The array must live as long as the
 * placement.  RC_FAIL with ERR_CONFIG: a target does not exist, or section
 * [directory] is incomplete.
 */
MUST_CHECK Rc config_file_resolve(const ConfigFile *file,
								  const char *const *target_names,
								  int target_count, Error *err);

#endif /* PENSTOCK_CONFIG_FILE_H */
