/*
 * context.h
 *    Data that the checks of one run share: the options, the findings, and
 *    what was read from the servers so far.
 */
#ifndef PENSTOCK_CHECK_CONTEXT_H
#define PENSTOCK_CHECK_CONTEXT_H

#include <stdbool.h>

#include "check/finding.h"
#include "config/config.h"
#include "control/progress_table.h"
#include "model/words.h"
#include "source/slot.h"

/* Value of Finding.server for the source. */
#define CHECK_SOURCE "source"

/* Major versions of the oldest server that is supported, and of the newest that
 * we have tested with. */
#define CHECK_MAJOR_MIN 13
#define CHECK_MAJOR_MAX 19

/* Identity of a server and its database.  Strings are in the arena of the
 * findings. */
typedef struct ServerFacts
{
	bool known; /* whether the server was queried: the rest is set */
	int version_num;
	const char *system_identifier; /* NULL: the role has no privilege to read
									* it */
	const char *start_time; /* time when the server was started: distinguishes
							 * a server from a copy of it */
	const char *database_oid;
	const char *encoding;
	bool in_recovery;
} ServerFacts;

typedef struct CheckContext
{
	const Config *config;
	const Words *remembered; /* options of the pipeline that are stored on a
							  * target */
	Findings *findings;

	/*
	 * The names in config->publications as a JSON array, and the tables that
	 * they publish (see published.h).  NULL: unknown, because the source could
	 * not be queried.
	 */
	const char *publications;
	const char *tables;

	/* Schemas and names of those `tables` that the placement assigns to no
	 * target, as a JSON array.  NULL: there are none. */
	const char *nowhere;

	ServerFacts source;
	int newest_major; /* newest major version of all servers so far */
	bool slot_known;  /* whether `slot` was read */
	SlotInfo slot;

	/* Progress of the pipeline on config->targets[i], and whether it could be
	 * read. */
	bool progress_known[CONFIG_TARGETS_MAX];
	ProgressRow progress[CONFIG_TARGETS_MAX];
} CheckContext;

#endif /* PENSTOCK_CHECK_CONTEXT_H */
