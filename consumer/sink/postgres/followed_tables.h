/*
 * followed_tables.h
 *    What schema changes mean for the tables that a sink applies rows of.
 *
 * A table that is published from some position on may have rows that the target
 * does not have; a table that is made, renamed or dropped is so in
 * penstock.copied, too.
 */
#ifndef PENSTOCK_SINK_POSTGRES_FOLLOWED_TABLES_H
#define PENSTOCK_SINK_POSTGRES_FOLLOWED_TABLES_H

#include <stdbool.h>

#include "base/error.h"
#include "control/copy/table_state.h"
#include "model/definition.h"
#include "model/words.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/stages.h"
#include "sink/postgres/uncopied.h"

/* All is borrowed. */
typedef struct FollowedTables
{
	UncopiedTables *uncopied;
	const TableStates *states;
	const Words *publications; /* of the pipeline; NULL: not known */
	const char *pipeline;
	const char *label; /* the target's name in messages */
	bool placed;       /* whether there is a placement */
} FollowedTables;

/*
 * Whether a change is of a table whose copy is newer than a transaction with
 * this end_lsn.  Such a copy is of the table in its later form, so it does not
 * matter whether it was published before.
 */
bool followed_tables_has_copied(const FollowedTables *self,
								const SchemaChange *change, Lsn end_lsn);

/*
 * Refuses a set with ERR_CONFIG if rows of a table are sent after it whose
 * earlier rows the target may not have.  `known` is what was known before it.
 */
MUST_CHECK Rc followed_tables_check(const FollowedTables *self,
									const DefinitionSet *known,
									const SchemaSet *schema, Error *err);

/* To be called when a set is applied: see uncopied_settle(). */
void followed_tables_settle(const FollowedTables *self,
							const SchemaSet *schema);

/*
 * Updates penstock.copied after that, in the current transaction; waits.
 * `known` is what is known after the set.
 */
MUST_CHECK Rc followed_tables_note(const FollowedTables *self, PgConn *conn,
								   const DefinitionSet *known,
								   const SchemaSet *schema, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_FOLLOWED_TABLES_H */
