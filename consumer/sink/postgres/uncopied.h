/*
 * uncopied.h
 *    Filters out changes to tables that the pipeline has not copied
 *    (copied_table.h).
 *
 * Whether ignoring them is right is decided when their transaction commits.  If
 * it has dropped the table again, it was a scratch table.  Otherwise the table
 * may be wanted, and the target may lack rows of it; then the pipeline stops
 * before that transaction.
 */
#ifndef PENSTOCK_SINK_POSTGRES_UNCOPIED_H
#define PENSTOCK_SINK_POSTGRES_UNCOPIED_H

#include "control/copy/copied_table.h"
#include "control/copy/table_state.h"

typedef struct UncopiedTables UncopiedTables;

/*
 * Makes a filter.  Takes ownership of the list, which may be NULL; the states
 * are borrowed.
 */
UncopiedTables *uncopied_new(CopiedTables *copied, const TableStates *states);

/*
 * Takes a schema change of the current transaction, which the target gets
 * before the next rows.  From then on, the table is identified by its OID,
 * whatever its name: it is followed if it was copied, or if it is new and
 * published.  The same holds for tables of a renamed schema.
 *
 * A table that is not published any more leaves the pipeline.  If it is
 * published again later, the target lacks the rows in between, so it counts as
 * not copied.
 */
void uncopied_follow(UncopiedTables *self, const SchemaChange *change);

/* Records that the target has applied a schema change. */
void uncopied_settle(UncopiedTables *self, const SchemaChange *change);

/*
 * Whether the target had a table's rows before the schema changes that it has
 * not applied yet.
 */
bool uncopied_was_copied(const UncopiedTables *self, uint32_t oid);

/*
 * Whether schema changes of a table with this definition are followed,
 * according to the changes that the target has applied.
 */
bool uncopied_is_followed(const UncopiedTables *self, uint32_t oid,
						  bool published);

/* Whether the pipeline has all tables, as far as they were not excluded. */
bool uncopied_is_whole(const UncopiedTables *self);

/* Frees a filter.  Accepts NULL. */
void uncopied_free(UncopiedTables *self);

/*
 * Returns the part of a change that is for copied tables: the change itself,
 * NULL, or for a TRUNCATE a change for some of the tables, which lives as long
 * as the frame.  `xid` is that of an open transaction, or 0; end_lsn is the end
 * of the transaction, UINT64_MAX if it is not known.
 */
const Change *uncopied_select(UncopiedTables *self, Frame *frame,
							  const Change *change, uint32_t xid, Lsn end_lsn);

/*
 * Takes the commit of a transaction; returns a table that was not copied, and
 * that the transaction has changed and not dropped, or NULL.  Borrowed.
 */
const Relation *uncopied_commit(UncopiedTables *self, uint32_t xid);

/* Takes the rollback of a transaction or a subtransaction (0: all). */
void uncopied_abort(UncopiedTables *self, uint32_t xid, uint32_t subxid);

/*
 * Sets the error for such a table, with a hint; or ERR_CHANGED if the target
 * has it by now and it can be followed.  `placed`: there is a placement.
 * Waits.
 */
MUST_CHECK Rc uncopied_refuse(UncopiedTables *self, PgConn *target,
							  const Relation *relation, const TxnInfo *txn,
							  bool placed, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_UNCOPIED_H */
