/*
 * table.h
 *    Takes single tables into a pipeline that runs, out of it, and aside.
 *
 * Each table is worked on by itself, in the order given; the first failure ends
 * the work.  See table_state.h for the states that a table goes through, copy.h
 * and join.h for how.
 *
 * The work can be killed at any point and be done again.  Meanwhile the
 * follower goes on with all other tables.
 */
#ifndef PENSTOCK_JOB_TABLE_TABLE_H
#define PENSTOCK_JOB_TABLE_TABLE_H

#include "base/error.h"
#include "config/config.h"

typedef enum TableVerb
{
	TABLE_VERB_ADD,
	TABLE_VERB_REMOVE,
	TABLE_VERB_RESYNC,
	TABLE_VERB_PAUSE,
	TABLE_VERB_RESUME,
} TableVerb;

/*
 * Does one thing with each of the tables, which are named as SQL names them.
 * `given` is the configuration without what the pipeline remembers: tables that
 * it names have to exist.  Waits until it is done.  Fails with ERR_INTERRUPTED
 * if a stop was asked for; the same is to be done again then.
 */
MUST_CHECK Rc table_run(const Config *config, const Config *given,
						TableVerb verb, char *const *names, int count,
						Error *err);

#endif /* PENSTOCK_JOB_TABLE_TABLE_H */
