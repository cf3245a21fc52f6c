/*
 * table.h
 *    Adds single tables to a pipeline, removes, pauses and resumes them, and
 *    copies them again, while the pipeline is running.
 *
 * The tables are handled one after the other, in the order given; the first
 * failure ends the command.  For the states of a table see
 * control/copy/table_state.h, and for its steps copy.h and join.h.
 *
 * The command can be killed at any point, and then be repeated.  The follower
 * continues with all other tables meanwhile.
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
	TABLE_VERB_ADD_PUBLISHED, /* not a verb of the command line: like ADD, but
							   * fails with ERR_CHANGED if the table is not
							   * published */
} TableVerb;

/*
 * Runs the verb for each of the tables, which are named as in SQL; blocks until
 * it is done.  `given` has the options that the user has given for this
 * command, without those that the pipeline remembers; tables that they name
 * have to exist.  Fails with ERR_INTERRUPTED if the user has asked us to stop;
 * then the command has to be repeated.
 */
MUST_CHECK Rc table_run(const Config *config, const Config *given,
						TableVerb verb, char *const *names, int count,
						Error *err);

#endif /* PENSTOCK_JOB_TABLE_TABLE_H */
