/*
 * uncopied.h
 *    Changes to tables that the pipeline has not copied (see copied_table.h).
 *
 * They are not applied.  Whether that is as it should be is known when their
 * transaction commits: if it has dropped such a table again, as a scratch
 * table, nobody misses anything.  If not, the table may be wanted, and there
 * may be rows of it that never come by: then the pipeline stops before that
 * transaction.
 */
#ifndef PENSTOCK_SINK_POSTGRES_UNCOPIED_H
#define PENSTOCK_SINK_POSTGRES_UNCOPIED_H

#include "control/copied_table.h"
#include "control/table_state.h"

typedef struct UncopiedTables UncopiedTables;

/* The list, which may be NULL, becomes its own; the states are borrowed. */
UncopiedTables *uncopied_new(CopiedTables *copied, const TableStates *states);

/*
 * A schema change of the transaction that has begun, which the target will get
 * before the rows that come next.  From here on the table is known by its OID,
 * whatever it is called: it is followed if it was copied, or if it is new and
 * published.  Tables of a schema that gets another name are known so, too.
 *
 * A table that is not published any more leaves the pipeline: its rows do not
 * come.  If it is published again one day, it lacks those that did not, and is
 * one that was not copied.
 */
void uncopied_follow(UncopiedTables *self, const SchemaChange *change);

/* The target has a schema change now. */
void uncopied_settle(UncopiedTables *self, const SchemaChange *change);

/* Whether the target had a table's rows before the schema changes that are not
 * settled yet. */
bool uncopied_was_copied(const UncopiedTables *self, uint32_t oid);

/* Whether schema changes of a table that is defined like this are followed, by
 * what is settled. */
bool uncopied_is_followed(const UncopiedTables *self, uint32_t oid,
						  bool published);

/* Accepts NULL. */
void uncopied_free(UncopiedTables *self);

/*
 * What of a change is for tables that were copied: the change itself, NULL, or,
 * of a TRUNCATE, one of some of the tables, which lives as long as the frame.
 * `xid` is that of an open transaction, or 0, and end_lsn where it ends,
 * if that is known.
 */
const Change *uncopied_select(UncopiedTables *self, Frame *frame,
							  const Change *change, uint32_t xid, Lsn end_lsn);

/*
 * The transaction commits: returns a table that it has changed without being
 * copied, and has not dropped; or NULL.  Borrowed.
 */
const Relation *uncopied_commit(UncopiedTables *self, uint32_t xid);

/* The transaction, or a subtransaction (0: all), was rolled back. */
void uncopied_abort(UncopiedTables *self, uint32_t xid, uint32_t subxid);

/*
 * Says what is wrong with such a table, and what can be done; or ERR_CHANGED,
 * if the target has it by now and it may be followed.  Waits.
 */
MUST_CHECK Rc uncopied_refuse(UncopiedTables *self, PgConn *target,
							  const Relation *relation, const TxnInfo *txn,
							  Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_UNCOPIED_H */
