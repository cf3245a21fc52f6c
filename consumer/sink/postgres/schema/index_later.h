/*
 * index_later.h
 *    Lets the target build the index of a large table after the transaction
 *    that applies the source's schema change.
 *
 * The source's CREATE INDEX is applied in a transaction together with rows of
 * other tables, and later transactions wait for it.  For a small table this
 * takes little time.  For a large table, the index is recorded in
 * penstock.index_build (control/copy/index_build.h), unless another statement
 * of the transaction needs it, and the follower builds it in parallel to later
 * transactions.
 *
 * Until the index exists, another schema change of the table must not depend on
 * it.  index_later_settle() removes an incomplete index, and its record; the
 * statements for the table's new definition then create it again, unless it was
 * dropped.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_INDEX_LATER_H
#define PENSTOCK_SINK_POSTGRES_APPLY_INDEX_LATER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "ddl/diff/plan.h"
#include "model/definition.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Smallest size of a large table, in bytes. */
#define INDEX_LATER_BYTES_MIN (8 * MB)

/*
 * For each recorded index whose table differs in `known` and `after`, or is
 * locked by what another table needs that does: cancels the build, drops an
 * invalid index, and removes the record; if the target does not have the index,
 * removes it from the definition in `before`.  Not for a table that is left
 * out, of which `before` has what `after` has, if its index is the same.  In
 * the current transaction.  Waits for the target.
 */
MUST_CHECK Rc index_later_settle(PgConn *conn, const char *pipeline,
								 const DefinitionSet *known,
								 const DefinitionSet *after,
								 DefinitionSet *before, Arena *arena,
								 Error *err);

/*
 * Records the index that a statement creates, if its table on the target is
 * large, and sets *noted; then the statement must not be run.  `lsn` is the end
 * of the source's transaction.  In the current transaction.  Waits for the
 * target.
 */
MUST_CHECK Rc index_later_note(PgConn *conn, const char *pipeline,
							   const DdlStatement *statement, Lsn lsn,
							   bool *noted, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_INDEX_LATER_H */
