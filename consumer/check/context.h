/*
 * context.h
 *    What the checks of one run share: what is asked for, and what is known of
 *    the source by the time that the targets are looked at.
 */
#ifndef PENSTOCK_CHECK_CONTEXT_H
#define PENSTOCK_CHECK_CONTEXT_H

#include <stdbool.h>

#include "check/finding.h"
#include "config/config.h"
#include "control/progress_table.h"
#include "model/words.h"
#include "source/slot.h"

/* The value of Finding.server for the source. */
#define CHECK_SOURCE "source"

/* Oldest server that is supported, and the newest that was tested with, as
 * PG_VERSION_NUM / 10000. */
#define CHECK_MAJOR_MIN 13
#define CHECK_MAJOR_MAX 19

/* Who a server is; strings are the findings' arena's. */
typedef struct ServerFacts
{
	bool known; /* it was reached, and the rest is set */
	int version_num;
	const char *system_identifier; /* or NULL: the role may not see it */
	const char *start_time;        /* tells a server from its copies */
	const char *database_oid;
	const char *encoding;
	bool in_recovery;
} ServerFacts;

typedef struct CheckContext
{
	const Config *config;
	const Words
		*remembered; /* options of the pipeline that a target remembers */
	Findings *findings;

	/*
	 * The names in config->publications as a JSON array, and the tables that
	 * they publish (see published.h).  NULL: not known, because the source
	 * could not be asked.
	 */
	const char *publications;
	const char *tables;

	/* Of those, the ones that are placed nowhere: schema and name.  NULL: none.
	 */
	const char *nowhere;

	ServerFacts source;
	int newest_major; /* the newest version of all servers reached */
	bool slot_known;
	SlotInfo slot;

	/* Of config->targets[i]; only meaningful where progress_known[i]. */
	bool progress_known[CONFIG_TARGETS_MAX];
	ProgressRow progress[CONFIG_TARGETS_MAX];
} CheckContext;

#endif /* PENSTOCK_CHECK_CONTEXT_H */
