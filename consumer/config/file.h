/*
 * file.h
 *    What a configuration file means.
 *
 * The file has sections, and each section has settings: config_sections is the
 * table of them, which the sample of a file ("penstock config sample") is
 * written from.  The section [penstock] has options of the command line.
 *
 * Hashed tables are spread over all targets in their order here; or, if any
 * has a remainder, over those that have one, in that order.
 */
#ifndef PENSTOCK_CONFIG_FILE_H
#define PENSTOCK_CONFIG_FILE_H

#include <stdbool.h>

#include "config/ini.h"
#include "model/placement.h"
#include "model/policy.h"

/* Most targets that a pipeline can have. */
#define CONFIG_TARGETS_MAX 64

/* Most sources with names that a file can have. */
#define CONFIG_SOURCES_MAX 64

/* What a file says besides options; everything lives in the arena. */
typedef struct ConfigFile
{
	Ini ini;
	const char *source; /* or NULL */
	int source_count;   /* that have names; 0: there is `source`, or none */
	const char *sources[CONFIG_SOURCES_MAX];
	const char *source_names[CONFIG_SOURCES_MAX];
	int target_count;
	const char *targets[CONFIG_TARGETS_MAX]; /* nodes first, by remainder */
	const char *target_names[CONFIG_TARGETS_MAX];
	int node_count;       /* targets that hashed tables are spread over */
	Placement *placement; /* NULL: no section; targets are not yet looked up */
	SchemaRules schema_rules;
} ConfigFile;

/* The reading of a file, inside file.c. */
typedef struct ConfigParse ConfigParse;

typedef struct ConfigSetting
{
	const char *key;
	const char *example; /* of a value */
	const char *help;
	bool is_optional;
	Rc (*read)(ConfigParse *parse, Error *err); /* NULL: the section's */
} ConfigSetting;

/* A kind of section.  One that takes a name is another kind than one of the
 * same word that does not. */
typedef struct ConfigSection
{
	const char *word;
	bool has_name;   /* [target NAME] */
	bool is_example; /* the sample has it uncommented */
	const char *help;
	Rc (*begin)(ConfigParse *parse, const char *name, Error *err); /* or NULL */
	Rc (*read)(ConfigParse *parse, Error *err); /* of any key; or NULL */
	const ConfigSetting *settings; /* with `read` these are examples */
	int setting_count;
} ConfigSection;

extern const ConfigSection config_sections[];
extern const int config_section_count;

/* Entries of this section are options; whoever knows them reads them. */
#define CONFIG_FILE_OPTIONS "penstock"

/*
 * Reads a file.  RC_FAIL with ERR_CONFIG names the line at which it is wrong.
 */
MUST_CHECK Rc config_file_read(ConfigFile *file, const char *path, Arena *arena,
							   Error *err);

/* Puts file and line before the message of an Error that is set. */
MUST_CHECK Rc config_file_error_at(const ConfigFile *file, int line,
								   Error *err);

/*
 * Looks up the targets that the placement names among these; a name may be
 * NULL.
 */
MUST_CHECK Rc config_file_resolve(const ConfigFile *file,
								  const char *const *target_names,
								  int target_count, Error *err);

#endif /* PENSTOCK_CONFIG_FILE_H */
