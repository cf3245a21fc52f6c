/*
 * schema_step.h
 *    Brings the source's schema changes to a target.
 *
 * A step is one set of schema changes: what a transaction of the source has
 * made of some objects, between two of its rows.  The target has what the
 * pipeline's definitions say (control/definition_table.h); the step works out
 * the statements that lead from there to what the objects are now, runs them,
 * and writes the new definitions, all in the transaction that is open.  So
 * rows, schema and progress are committed together, or not at all.
 *
 * A target may have the change already, because somebody has made it there.
 * Then nothing is run, and the definitions are written all the same.  With the
 * policy SCHEMA_STOP that is the only way: else the step fails, and says what
 * is to be run.  With SCHEMA_FOLLOW it is looked at when a statement is
 * refused.  Rules may say otherwise for a statement: one that is off is left
 * out with a warning, and noted as if it were made; if one stops, so does the
 * step.
 *
 * A statement may also be refused because of rows that the source is going to
 * send anew (schema_rows.h).  Then the tables are emptied and it is run again.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_STEP_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_STEP_H

#include "base/error.h"
#include "control/table_state.h"
#include "model/policy.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/stages.h"

/* How long a statement waits for a lock before the transaction is given up, to
 * be tried again: what waits for it on the target waits as long. */
#define SCHEMA_LOCK_TIMEOUT_MS 5000

typedef struct SchemaStep SchemaStep;

/* Whether the target gets the rows of a table. */
typedef struct SchemaFollowed
{
	bool (*is_followed)(const void *context, const Definition *table);
	const void *context;
} SchemaFollowed;

/* All is borrowed: the pipeline's name, what the target is called in messages,
 * the rules, or NULL, and the states of its tables.  `stride` is as for
 * ddl_undo_stride().  Free with schema_step_free(), which accepts NULL. */
SchemaStep *schema_step_new(const char *pipeline, const char *label,
							SchemaPolicy policy, const SchemaRules *rules,
							int stride, const TableStates *states);
void schema_step_free(SchemaStep *self);

/*
 * Finds out whether the target knows what the source's schema was, and as of
 * which position.  Waits for the target.
 */
MUST_CHECK Rc schema_step_begin(SchemaStep *self, PgConn *conn, bool *known,
								Error *err);

/* What was known when that was found out, of the begin or of where the target
 * is; *known is borrowed as that of schema_step_known().  Waits. */
MUST_CHECK Rc schema_step_read(SchemaStep *self, PgConn *conn,
							   const DefinitionSet **known, Error *err);

/* Whether tables that have a state have got other names: when that is
 * committed, the states are to be read again. */
bool schema_step_renamed_states(const SchemaStep *self);

/* Whether a transaction that ends there is in what was known first, so that the
 * schema changes in it are none. */
bool schema_step_covers(const SchemaStep *self, Lsn end_lsn);

/*
 * Applies a set in the transaction that is open on the connection.  Tables
 * whose rows the target does not get, and what belongs to them, are only noted,
 * but for unlogged and partitioned ones.  Waits for the target.  After a
 * failure, or when the transaction is rolled back, the SchemaStep is not to be
 * used again.  How long the transaction waits for a lock from here on is for
 * the caller to set.
 *
 * ERR_CONFIG: somebody has to do something, and the hint says what.  A lock
 * that could not be had is ERR_SQL, and may be had the next time.
 */
MUST_CHECK Rc schema_step_apply(SchemaStep *self, PgConn *conn,
								const SchemaSet *set,
								const SchemaFollowed *followed, Error *err);

/* What all objects are after the sets that were applied; borrowed, until the
 * next one is.  NULL: none was. */
const DefinitionSet *schema_step_known(const SchemaStep *self);

/* OIDs of tables of which the last set has removed rows: they have to come anew
 * in the same transaction.  Borrowed until the next set is applied. */
OidList schema_step_emptied(const SchemaStep *self);

/* End of the last transaction of which an index is to be built later (see
 * index_later.h); 0: there was none. */
Lsn schema_step_index_build_lsn(const SchemaStep *self);

/* The statement that failed last, borrowed; NULL: none has. */
const char *schema_step_failed_sql(const SchemaStep *self);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_STEP_H */
