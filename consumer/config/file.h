/*
 * file.h
 *    What a configuration file means.
 *
 *     [penstock]
 *     name = shop                     ; any option of the command line
 *     memory = 64MB
 *
 *     [source]                        ; or several: [source NAME]
 *     conninfo = host=old.example dbname=shop
 *
 *     [target a]                      ; one for each target
 *     conninfo = host=a.example dbname=shop
 *     remainder = 0                   ; optional; see below
 *
 *     [placement]                     ; see model/placement.h
 *     public.orders = hash(customer)
 *     public.* = all
 *
 *     [directory]                     ; only for directory(column)
 *     table = public.tenant           ; on the source
 *     key = id                        ; its columns: the key,
 *     node = node                     ; and the name of a target
 *     default = a                     ; optional: for keys that it lacks
 *
 * Hashed tables are spread over all targets in their order here; or, if any
 * has a remainder, over those that have one, in that order.
 */
#ifndef PENSTOCK_CONFIG_FILE_H
#define PENSTOCK_CONFIG_FILE_H

#include "config/ini.h"
#include "model/placement.h"

/* Targets of one pipeline. */
#define CONFIG_TARGETS_MAX 64

/* Sources of one set of targets. */
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
} ConfigFile;

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
