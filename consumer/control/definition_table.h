/*
 * definition_table.h
 *    The table penstock.definition on a target: the history of the source's
 *    schema.
 *
 * A row is the definition of an object of the source, valid from `from_lsn`,
 * the end of the transaction that made it so, to `to_lsn`, the end of the
 * transaction that changed or dropped the object; null: still valid.  The first
 * rows of a pipeline are valid from the consistent point of its slot, or from a
 * later LSN if it began later to process schema changes.  A follower that
 * applies a schema change writes its rows in the same transaction.  A follower
 * that ignores schema changes removes all rows, because they would become
 * wrong.
 *
 * The definitions are JSON text in the format of ddl/json.h.
 */
#ifndef PENSTOCK_CONTROL_DEFINITION_TABLE_H
#define PENSTOCK_CONTROL_DEFINITION_TABLE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/definition.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Whether a pipeline has any rows.  Waits. */
MUST_CHECK Rc definition_table_has(PgConn *target, const char *pipeline,
								   bool *has, Error *err);

/*
 * Reads the LSN from which the first rows of a pipeline are valid; 0: it has no
 * rows.  The schema before that LSN is not known.  Waits.
 */
MUST_CHECK Rc definition_table_begin_lsn(PgConn *target, const char *pipeline,
										 Lsn *lsn, Error *err);

/*
 * Calls `take` for each definition of a pipeline that is still valid, in the
 * order of catalog and OID.  `json` is borrowed for the call.  Waits.
 */
typedef MUST_CHECK Rc (*DefinitionTake)(void *context, const char *json,
										Lsn from_lsn, Error *err);
MUST_CHECK Rc definition_table_read(PgConn *target, const char *pipeline,
									DefinitionTake take, void *context,
									Error *err);

/*
 * Records that an object has the definition `json` from `lsn` on; NULL: the
 * object was dropped.  In the current transaction.  Waits.
 */
MUST_CHECK Rc definition_table_write(PgConn *target, const char *pipeline,
									 DefinitionCatalog catalog, uint32_t oid,
									 Lsn lsn, const char *json, Error *err);

/*
 * Records the first definitions of objects of one catalog, valid from `lsn` on.
 * `json` is an array with one definition per object.  In the current
 * transaction.  Waits.
 */
MUST_CHECK Rc definition_table_add(PgConn *target, const char *pipeline,
								   DefinitionCatalog catalog, Lsn lsn,
								   const char *json, Error *err);

/*
 * A table that is added catches up in a pipeline of its own, which has the name
 * of the table's slot.  definition_table_lend() copies the definitions of
 * tables, given by their OIDs, and of their sequences from `pipeline` to that
 * pipeline, replacing its rows; definition_table_lend_types() adds the types as
 * they were at `lsn`, or are now if `pipeline` is not that far.
 * definition_table_join() copies definitions of
 * objects that `pipeline` does not have back to it, unless it has no
 * definitions at all; objects that it has are up to date, but they are no
 * longer apart (Definition.apart).  In the current
 * transaction.  Wait.
 */
MUST_CHECK Rc definition_table_lend(PgConn *target, const char *pipeline,
									const char *slot, const OidList *tables,
									Error *err);
MUST_CHECK Rc definition_table_lend_types(PgConn *target, const char *pipeline,
										  const char *slot, Lsn lsn,
										  Error *err);
MUST_CHECK Rc definition_table_join(PgConn *target, const char *pipeline,
									const char *slot, Error *err);

/* Removes all rows of a pipeline, in the current transaction.  Waits. */
MUST_CHECK Rc definition_table_clear(PgConn *target, const char *pipeline,
									 Error *err);

#endif /* PENSTOCK_CONTROL_DEFINITION_TABLE_H */
