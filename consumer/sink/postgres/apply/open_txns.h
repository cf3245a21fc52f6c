/*
 * open_txns.h
 *    Open transactions, which are still in progress on the source: each is
 *    applied into a transaction of the target, on a connection of its own, that
 *    stays open as long.
 *
 * Their changes come in pieces and wait in parts, each of which is applied as a
 * batch.  A part is started when everything that was delivered before its last
 * change is committed on the target: what it touches may come from there.  The
 * commit is a part as well, and stands in commit order like that of any other
 * transaction: everything before it is committed, and nothing that comes after
 * it is started, nor even taken (open_txns_is_committing()), until it has
 * taken place.
 *
 * Rollbacks of subtransactions are those of savepoints.  One is set at the
 * first change of each subtransaction, inside of those that are set; it is
 * released when a change of an outer one, or of the transaction itself, shows
 * that it is over.
 *
 *
 * What can go wrong
 * -----------------
 *
 * The open transaction holds locks, and the source has decided only for itself
 * that nobody has to wait for them: a unique index that only the target has,
 * for example, lets others wait for the end of a transaction whose end may
 * come after them in the stream.  So no transaction of ours waits for a lock
 * for long while one is open here (target_lock_timeout_sql).
 *
 * What the target refuses, whether by that or for any other reason, is not
 * explained or settled here: all fails with ERR_OPEN_TXN, and is done again
 * once the transaction has committed on the source, in the ordinary way.  So
 * does what is beyond one of the limits below.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_OPEN_TXNS_H
#define PENSTOCK_SINK_POSTGRES_APPLY_OPEN_TXNS_H

#include <stdbool.h>
#include <stddef.h>

#include "control/table_state.h"
#include "sink/postgres/apply/session.h"
#include "sink/postgres/apply/target.h"

/* Transactions, each with a connection to the target. */
#define OPEN_TXNS_MAX 8

/* Savepoints that one may have at a time.  (A server keeps 64 subtransactions
 * where others can see them cheaply; more make everybody slow there.) */
#define OPEN_TXNS_SAVEPOINTS_MAX 64

typedef struct OpenTxns OpenTxns;

typedef struct OpenTxnsOptions
{
	Target *target;                  /* borrowed */
	const SessionOptions *session;   /* copied; its strings are borrowed */
	const TableStates *table_states; /* borrowed */
	bool marked;                     /* sessions must mark what they write */
	size_t part_bytes_max;           /* of a part */
} OpenTxnsOptions;

/*
 * What there is to know of everything else when a turn's work begins.  While
 * the work waits, transactions may be handed over; what stands after them in
 * commit order knows so by itself (Part.after_lsn).
 */
typedef struct OpenTxnsTurn
{
	bool others_rest; /* nothing else commits, and none will begin to */
	bool source_idle;
} OpenTxnsTurn;

OpenTxns *open_txns_new(const OpenTxnsOptions *options);

/* Closes the connections; what is open on them is rolled back.  Accepts NULL.
 */
void open_txns_free(OpenTxns *self);

/* As the sink's, also while the work waits; `delivered_lsn`: the end of the
 * last transaction that was handed over. */
MUST_CHECK Rc open_txns_change(OpenTxns *self, Frame *frame,
							   const Change *change, Lsn delivered_lsn,
							   Error *err);
void open_txns_commit(OpenTxns *self, const TxnInfo *txn, Lsn delivered_lsn);
void open_txns_abort(OpenTxns *self, uint32_t xid, uint32_t subxid,
					 Lsn delivered_lsn);

/*
 * Does what can be done.  Waits to connect, for savepoints, and for what the
 * applier waits for.  In SINK_STOPPING nothing is begun, and a commit on its
 * way is seen through; in SINK_SETTLING what has not committed on the source
 * will not be heard of again.
 */
MUST_CHECK Rc open_txns_work(OpenTxns *self, const OpenTxnsTurn *turn,
							 Error *err);
void open_txns_interest(const OpenTxns *self, Interest *interest);

/* A commit was taken that has not taken place. */
bool open_txns_is_committing(const OpenTxns *self);

/*
 * A commit was started and has not taken place, so progress must not be written
 * elsewhere: that would be of a position before it, and if it came later, move
 * progress back.
 */
bool open_txns_is_at_commit(const OpenTxns *self);

/* Fails as for a transaction that cannot be applied while it is open: one that
 * changes the schema is not, because it would lock tables until its end. */
MUST_CHECK Rc open_txns_refuse_schema(OpenTxns *self, const Frame *frame,
									  Error *err);

/*
 * The same where a transaction has rows that are not on the target yet, and
 * labels of enums get other names: what is written as a name means something
 * else then.
 */
MUST_CHECK Rc open_txns_check_labels(OpenTxns *self, Error *err);

/* A part waits for what was delivered before it. */
bool open_txns_waits(const OpenTxns *self);

/* Whether no statement is under way on any of its connections. */
bool open_txns_is_idle(const OpenTxns *self);

/* As applier_forget_table(), for each connection.  Only when it is idle. */
void open_txns_forget_table(OpenTxns *self, const char *schema,
							const char *name);

/* Bytes of changes that are held. */
size_t open_txns_bytes(const OpenTxns *self);

/*
 * Makes an error of other connections ERR_OPEN_TXN if an open transaction may
 * be to blame.
 */
void open_txns_check_blame(OpenTxns *self, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_OPEN_TXNS_H */
