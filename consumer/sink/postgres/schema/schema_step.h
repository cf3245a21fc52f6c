/*
 * schema_step.h
 *    Applies the source's schema changes to a target.
 *
 * A step applies one set of schema changes: what a transaction of the source
 * has changed in some objects between two of its rows.  The target is assumed
 * to be as the pipeline's stored definitions say (control/definition_table.h).
 * The step makes the statements that lead to the new definitions, runs them,
 * and stores the new definitions, all in the open transaction.  So rows, schema
 * and progress are committed together.
 *
 * A target may already have the change, because a user has applied it by
 * hand.  Then nothing is run, and the definitions are stored all the same.
 * With the policy SCHEMA_STOP, this is the only way to continue; otherwise the
 * step fails, and lists the statements to run.  With SCHEMA_FOLLOW, the step
 * checks it when a statement is refused.
 *
 * Rules may override the policy for a statement.  One that is off is left out
 * with a warning, and its result is stored as if it had been run; one that
 * stops makes the step fail.
 *
 * A statement may also be refused because of rows that the source will send
 * again (schema_rows.h).  Then the tables are emptied, and it is run again.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_STEP_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_STEP_H

#include "base/error.h"
#include "control/copy/table_state.h"
#include "model/policy.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/stages.h"
#include "sink/postgres/schema/followed_objects.h"

/*
 * Milliseconds that a statement waits for a lock; then the transaction is
 * rolled back, to be tried again.  Sessions of the target that wait for the
 * statement wait as long.
 */
#define SCHEMA_LOCK_TIMEOUT_MS 5000

typedef struct SchemaStep SchemaStep;

/*
 * Makes a SchemaStep.  Everything is borrowed: the pipeline's name, the
 * target's label, the rules, which may be NULL, and the states of the target's
 * tables. `stride` is as for ddl_undo_stride().  schema_step_free() frees it,
 * and accepts NULL.
 */
SchemaStep *schema_step_new(const char *pipeline, const char *label,
							SchemaPolicy policy, const SchemaRules *rules,
							int stride, const TableStates *states);
void schema_step_free(SchemaStep *self);

/*
 * Finds out whether the target has definitions of the source's schema, and from
 * which position.  Waits for the target.
 */
MUST_CHECK Rc schema_step_begin(SchemaStep *self, PgConn *conn, bool *known,
								Error *err);

/*
 * Reads the definitions as of that time: from the first position, or the
 * target's progress.  *known is borrowed like the result of
 * schema_step_known().  Waits.
 */
MUST_CHECK Rc schema_step_read(SchemaStep *self, PgConn *conn,
							   const DefinitionSet **known, Error *err);

/*
 * Whether tables with a state were renamed; then the states must be read again
 * after the commit.
 */
bool schema_step_renamed_states(const SchemaStep *self);

/*
 * Whether the definitions that were read first include a transaction with this
 * end_lsn, so that its schema changes have no effect.
 */
bool schema_step_covers(const SchemaStep *self, Lsn end_lsn);

/*
 * Applies a set in the open transaction of the connection; waits for the
 * target.  Of objects that are not followed (followed_objects.h), or left out,
 * only the definitions are stored.  After a failure, or a rollback, the
 * SchemaStep must not be used again.  The caller must set lock_timeout for the
 * rest of the transaction.
 *
 * RC_FAIL with ERR_CONFIG: a person has to act, and the hint says how.  A lock
 * that was not available is ERR_SQL, and may be available at the next attempt.
 */
MUST_CHECK Rc schema_step_apply(SchemaStep *self, PgConn *conn,
								const SchemaSet *set,
								const SchemaFollowed *followed, Error *err);

/*
 * Returns all definitions after the sets that were applied; borrowed until the
 * next one is applied.  NULL: none was.
 */
const DefinitionSet *schema_step_known(const SchemaStep *self);

/*
 * Returns the OIDs of tables whose rows the last set has deleted; they must be
 * sent again in the same transaction.  Borrowed until the next set is applied.
 */
OidList schema_step_emptied(const SchemaStep *self);

/*
 * Returns the end of the last transaction with an index that is built later
 * (index_later.h); 0: there was none.
 */
Lsn schema_step_index_build_lsn(const SchemaStep *self);

/* Returns the statement that failed last; borrowed; NULL: none has. */
const char *schema_step_failed_sql(const SchemaStep *self);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SCHEMA_STEP_H */
