/*
 * definition_table.h
 *    The table penstock.definition on the target: what the source's schema was,
 *    from position to position.
 *
 * A row says what an object of the source was from the end of the transaction
 * that made it so, `from_lsn`, to the end of the one that changed it next or
 * dropped it, `to_lsn`, which is null of what there is now.  The first rows of
 * a pipeline are from the consistent point of its slot, or, where it began
 * later to look at schema changes, from a later one.  A follower that applies a
 * schema change writes its rows in the same transaction; one that looks at none
 * removes all rows, since they are not true any more.
 *
 * The definitions are JSON, as ddl/json.h writes it; here they are text.
 */
#ifndef PENSTOCK_CONTROL_DEFINITION_TABLE_H
#define PENSTOCK_CONTROL_DEFINITION_TABLE_H

#include <stdbool.h>

#include "base/error.h"
#include "model/definition.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Whether a pipeline has rows at all.  Waits. */
MUST_CHECK Rc definition_table_has(PgConn *target, const char *pipeline,
								   bool *has, Error *err);

/*
 * The position as of which the first rows of a pipeline were noted: what the
 * source's schema was before it is not known.  0: it has no rows.  Waits.
 */
MUST_CHECK Rc definition_table_begin_lsn(PgConn *target, const char *pipeline,
										 Lsn *lsn, Error *err);

/*
 * Calls `take` for each definition that a pipeline has now, in the order of
 * catalog and OID.  `json` is borrowed for the call.  Waits.
 */
typedef MUST_CHECK Rc (*DefinitionTake)(void *context, const char *json,
										Lsn from_lsn, Error *err);
MUST_CHECK Rc definition_table_read(PgConn *target, const char *pipeline,
									DefinitionTake take, void *context,
									Error *err);

/*
 * From `lsn` on the object is what `json` says; NULL: it is not there any more.
 * In the current transaction.  Waits.
 */
MUST_CHECK Rc definition_table_write(PgConn *target, const char *pipeline,
									 DefinitionCatalog catalog, uint32_t oid,
									 Lsn lsn, const char *json, Error *err);

/*
 * From `lsn` on the objects of the catalog are what the JSON array says, which
 * has one definition for each; nothing was noted of them until then.  In the
 * current transaction.  Waits.
 */
MUST_CHECK Rc definition_table_add(PgConn *target, const char *pipeline,
								   DefinitionCatalog catalog, Lsn lsn,
								   const char *json, Error *err);

/*
 * A table is followed by a pipeline of its own for a while, named like its
 * slot.  definition_table_lend() gives that what `pipeline` knows of tables, by
 * their OIDs, and of the sequences that belong to them, in place of what it
 * knew.  definition_table_join() gives `pipeline`, unless it knows nothing at
 * all, what it does not know yet: of an object that it knows it has seen all
 * changes itself.  In the current transaction.  Wait.
 */
MUST_CHECK Rc definition_table_lend(PgConn *target, const char *pipeline,
									const char *slot, const OidList *tables,
									Error *err);
MUST_CHECK Rc definition_table_join(PgConn *target, const char *pipeline,
									const char *slot, Error *err);

/* Removes all rows of a pipeline, in the current transaction.  Waits. */
MUST_CHECK Rc definition_table_clear(PgConn *target, const char *pipeline,
									 Error *err);

#endif /* PENSTOCK_CONTROL_DEFINITION_TABLE_H */
