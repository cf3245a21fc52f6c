/*
 * index_later.h
 *    Has the target build an index of a large table after the transaction that
 *    applies the source's schema change.
 *
 * The source's CREATE INDEX is applied in a transaction with rows of other
 * tables, and the next transactions wait for it.  For a small table that is a
 * moment.  For a large one, unless something else in the transaction needs the
 * index, it is noted in penstock.index_build (control/index_build.h), and the
 * follower builds it beside the transactions that come next.
 *
 * Until the index exists, a schema change of its table finds a target that has
 * no such index: index_later_settle() removes what there is of it, and its
 * note.  The statements that lead to the table's new definition then create it
 * again, unless it was dropped.
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

/* A table of at least this size is a large one. */
#define INDEX_LATER_BYTES_MIN (8 * MB)

/*
 * For each index that is to be built, and whose table is not the same in
 * `known` and `after`: stops its building, drops what is invalid, and removes
 * its note and, unless the target has the index by now, its definition from
 * `before`.  In the current transaction.  Waits for the target.
 */
MUST_CHECK Rc index_later_settle(PgConn *conn, const char *pipeline,
								 const DefinitionSet *known,
								 const DefinitionSet *after,
								 DefinitionSet *before, Arena *arena,
								 Error *err);

/*
 * Notes the index that a statement creates, if it is one of a large table of
 * the target, and sets *noted; then the statement is not to be run.  `lsn` is
 * the end of the source's transaction.  In the current transaction.  Waits for
 * the target.
 */
MUST_CHECK Rc index_later_note(PgConn *conn, const char *pipeline,
							   const DdlStatement *statement, Lsn lsn,
							   bool *noted, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_INDEX_LATER_H */
