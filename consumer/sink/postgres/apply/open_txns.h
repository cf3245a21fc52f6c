/*
 * open_txns.h
 *    Applies transactions that are still in progress on the source, each in a
 *    transaction of the target on a connection of its own, which stays open
 *    until the source's transaction ends.
 *
 * Changes arrive in pieces, and are collected in parts, each of which is
 * applied as a batch.  A part is started when everything that was delivered
 * before its last change is committed on the target, because the rows that it
 * changes may be from there.  The commit is a part, too, and is in the same
 * commit order as other transactions: everything before it must be committed
 * first.  Until it has succeeded, nothing after it is started, nor even
 * accepted (open_txns_is_committing()).
 *
 * A subtransaction that is rolled back is a rollback to a savepoint.  A
 * savepoint is set at the first change of each subtransaction, inside the
 * savepoints that are set.  It is released when a change of an outer
 * subtransaction, or of the transaction itself, shows that the subtransaction
 * has ended.
 *
 *
 * Failures --------
 *
 * An open transaction holds locks.  On the source no transaction had to wait
 * for them, but on the target one may have to: for example, with a unique index
 * that only the target has, a transaction can wait for another one that ends
 * after it in the stream, which would be a deadlock.  So none of our
 * transactions waits long for a lock while one is open here
 * (target_lock_timeout_sql).
 *
 * If the target refuses anything in an open transaction, the reason is neither
 * analyzed nor settled.  The sink fails with ERR_OPEN_TXN, and the transaction
 * is applied in the ordinary way after its commit on the source.  The same
 * happens if it exceeds one of the limits below.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_OPEN_TXNS_H
#define PENSTOCK_SINK_POSTGRES_APPLY_OPEN_TXNS_H

#include <stdbool.h>
#include <stddef.h>

#include "control/copy/table_state.h"
#include "sink/postgres/apply/session.h"
#include "sink/postgres/apply/target.h"

/* Largest number of open transactions; each has a connection to the target. */
#define OPEN_TXNS_MAX 8

/*
 * Largest number of savepoints in a transaction.  (Up to 64 subtransactions of
 * a transaction are in shared memory; more slow down all sessions of a server.)
 */
#define OPEN_TXNS_SAVEPOINTS_MAX 64

typedef struct OpenTxns OpenTxns;

typedef struct OpenTxnsOptions
{
	Target *target;                  /* borrowed */
	const SessionOptions *session;   /* copied; its strings are borrowed */
	const TableStates *table_states; /* borrowed */
	bool marked;                     /* whether sessions must have a replication
									  * origin */
	size_t part_bytes_max;           /* largest size of a part, in bytes */
} OpenTxnsOptions;

/*
 * State of the rest of the sink when open_txns_work() begins.  While it waits,
 * transactions may be delivered; parts that come after them in commit order
 * know that (Part.after_lsn).
 */
typedef struct OpenTxnsTurn
{
	bool rest_is_idle; /* nothing else is being committed, and nothing will be
						* before it returns */
	bool source_idle;
} OpenTxnsTurn;

OpenTxns *open_txns_new(const OpenTxnsOptions *options);

/*
 * Frees everything and closes the connections, which rolls back their
 * transactions.  Accepts NULL.
 */
void open_txns_free(OpenTxns *self);

/*
 * Do what the sink's functions with the same names do; may be called while
 * open_txns_work() waits.  `delivered_lsn` is the end of the last transaction
 * that was delivered.
 */
MUST_CHECK Rc open_txns_change(OpenTxns *self, Frame *frame,
							   const Change *change, Lsn delivered_lsn,
							   Error *err);
void open_txns_commit(OpenTxns *self, const TxnInfo *txn, Lsn delivered_lsn);
void open_txns_abort(OpenTxns *self, uint32_t xid, uint32_t subxid,
					 Lsn delivered_lsn);

/*
 * Does everything that can be done.  Waits for connecting, for savepoints, and
 * where the applier waits.  In SINK_STOPPING nothing is begun, and a commit
 * that was sent is completed; in SINK_SETTLING transactions that have not
 * committed on the source are given up.
 */
MUST_CHECK Rc open_txns_work(OpenTxns *self, const OpenTxnsTurn *turn,
							 Error *err);
void open_txns_interest(const OpenTxns *self, Interest *interest);

/* Whether a commit was accepted that has not succeeded yet. */
bool open_txns_is_committing(const OpenTxns *self);

/*
 * Whether a commit was started that has not succeeded yet.  Then progress must
 * not be written elsewhere: it would be a position before the commit, and could
 * move progress back.
 */
bool open_txns_is_at_commit(const OpenTxns *self);

/*
 * Fails with ERR_OPEN_TXN for a transaction that changes the schema: it is not
 * applied while it is open, because it would lock tables until its end.
 */
MUST_CHECK Rc open_txns_refuse_schema(OpenTxns *self, const Frame *frame,
									  Error *err);

/*
 * Fails in the same way if a transaction has rows that are not on the target
 * yet, and labels of enums are renamed: the rows contain labels by name.
 */
MUST_CHECK Rc open_txns_check_labels(OpenTxns *self, Error *err);

/* Whether a part waits for transactions that were delivered before it. */
bool open_txns_waits(const OpenTxns *self);

/* Whether no statement is running on any of the connections. */
bool open_txns_is_idle(const OpenTxns *self);

/*
 * Calls applier_forget_table() for each connection.  Only when they are idle.
 */
void open_txns_forget_table(OpenTxns *self, const char *schema,
							const char *name);

/* Returns the bytes of changes that are held. */
size_t open_txns_bytes(const OpenTxns *self);

/*
 * Changes an error of another connection to ERR_OPEN_TXN if an open transaction
 * may have caused it.
 */
void open_txns_check_blame(OpenTxns *self, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_OPEN_TXNS_H */
