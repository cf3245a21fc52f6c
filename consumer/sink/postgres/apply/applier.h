/*
 * applier.h
 *    One session of a target that applies batches, one at a time, each in a
 *    transaction of the target.
 *
 * Everything that belongs to one connection is here: its statements, the batch
 * that is under way and its plan, the transaction that is open.  What belongs
 * to the target as a whole is in target.h.
 *
 *            ┌────────────────────────────────────────────┐
 *            ▼                                            │
 *   IDLE ─► SENDING ──sync──► DRAINING ──► COMMITTING ──► IDLE
 *    │       ▲                  │ ▲
 *    │       └── COPY is done ──┤ │
 *    │                          ▼ │
 *    │                        COPYING
 *    └──► CHECKING_FLUSH or FETCHING ──► IDLE
 *
 * The state changes in applier_set_state() alone.
 *
 *   IDLE            no transaction is under way, or one is open that waits for
 *                   the next part of a large source transaction
 *   SENDING         the plan's steps go out as fast as the socket takes them;
 *                   results come in and are checked
 *   DRAINING        a sync is out; when it comes back, all results have been
 *                   checked, and it goes on: to a COPY that the plan wants, or
 *                   to the commit
 *   COPYING         outside of pipeline mode: COPY cannot be pipelined
 *   COMMITTING      progress, commit, and the question where the WAL ends, are
 *                   out; only sent when everything before was checked
 *   CHECKING_FLUSH  only the question how far the WAL is flushed
 *   FETCHING        values of rows that move to other nodes are read; a
 *                   transaction may be open, and stays so
 *
 * A step that fails puts the batch back: everything since its start is rolled
 * back (to a savepoint, where it is a part of a larger transaction), and it is
 * applied again by the ordered plan.  If that one fails, the transactions
 * before the refused one are applied, and the applier fails and says which
 * change it was.  Where a table of the target was altered meanwhile, that is
 * the reason, whatever failed: what is known of it is read again, and all
 * starts anew.  And where the target is out of room for so much in one
 * transaction, half of the batch is applied, and then the rest.
 *
 * Waiting: the state machine never waits.  What is rare does, for one answer of
 * the target: looking up a table for the first time, a rollback, words for an
 * error.  Whoever drives the applier may be a task, and then only that waits.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_APPLIER_H
#define PENSTOCK_SINK_POSTGRES_APPLY_APPLIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "sink/postgres/apply/conflict.h"
#include "sink/postgres/apply/lane.h"
#include "sink/postgres/apply/table_cache.h"
#include "sink/postgres/apply/target.h"
#include "sink/postgres/plan/batch.h"
#include "sink/postgres/plan/current.h"
#include "sink/postgres/plan/plan.h"

typedef enum ApplierState
{
	APPLIER_IDLE,
	APPLIER_SENDING,
	APPLIER_DRAINING,
	APPLIER_COPYING,
	APPLIER_COMMITTING,
	APPLIER_CHECKING_FLUSH,
	APPLIER_FETCHING,
} ApplierState;

typedef enum CopyState
{
	COPY_STARTING, /* the server has not said yet that it wants data */
	COPY_SENDING,
	COPY_ENDING, /* the server has not said yet that it has all */
} CopyState;

/* What a result is of. */
typedef enum ExpectationKind
{
	EXPECT_DONE,      /* success is all */
	EXPECT_ROWS,      /* and the right number of rows */
	EXPECT_SAVEPOINT, /* the batch can be rolled back alone from now on */
	EXPECT_SETTLED,   /* conflicts, if any, are settled and noted */
	EXPECT_PROGRESS,  /* its failure means that the lease is lost */
	EXPECT_COMMIT,    /* a source transaction is there */
	EXPECT_COMMITTED, /* the batch is */
	EXPECT_POSITION,  /* a row with two positions, after the commits so far */
	EXPECT_FETCHED,   /* a row with the values that were asked for */
	EXPECT_KEPT,      /* rows of penstock.moved */
	EXPECT_CURRENT,   /* its failure means that a table has changed */
} ExpectationKind;

/* Statements that are always the same. */
typedef enum FixedStatement
{
	FIXED_PROGRESS,
	FIXED_PROGRESS_FROM,
	FIXED_POSITION,
	FIXED_BEGIN,
	FIXED_COMMIT,
	FIXED_COMMIT_AND_CHAIN,
	FIXED_WAIT,
	FIXED_TAKE_TURN,
	FIXED_END_TURN,
	FIXED_READ_KEPT,
	FIXED_FORGET_KEPT,
	FIXED_CURRENT,
	FIXED_COUNT,
} FixedStatement;

/*
 * A round in which each source transaction is one of the target: what the
 * appliers that are at work in it share.  See lanes.h for turns.
 */
typedef struct TxnRound
{
	Lsn start_lsn; /* progress before the first transaction */
	TableCache *tables;
	bool has_partitioned; /* some of the batch's tables are */
	bool flushes;         /* the batch's last commit waits for the disk */
	bool asks; /* … and is followed by the question where the WAL ends */
	bool takes_turns;
	uint32_t turn_first;     /* of the batch's first transaction */
	uint32_t turn_stride;    /* from an applier's turn to its next */
	int32_t turn_class;      /* first part of the locks' key */
	const uint32_t *depends; /* per transaction: index plus one of the one that
								has to be committed before it begins; 0: none */
} TxnRound;

/* Whether the session has what statements need to notice by themselves that a
 * table was altered; see plan/current.h. */
typedef enum ConditionsState
{
	CONDITIONS_UNKNOWN,
	CONDITIONS_REFUSED, /* the role may not make the function */
	CONDITIONS_MADE,
} ConditionsState;

/* Where the plan is. */
typedef enum StepState
{
	STEP_WANTED, /* the last step was sent */
	STEP_TAKEN,  /* `step` is to be sent next */
	STEPS_ENDED, /* the plan has no more */
} StepState;

/* What is known of a batch that is applied as one transaction of the target. */
typedef struct BatchWork
{
	size_t txn_end; /* index after the transactions that are applied; at first
					   of all */
	int refreshes;  /* of its tables, because they were altered */
	bool folded;    /* the plan is a folded one */
	bool savepoint_set; /* it is a part, and can be rolled back alone */
	Error stop; /* to fail with after the next commit; ERR_NONE: not to */
} BatchWork;

/* What is known of a round in which each transaction is one of the target. */
typedef struct TxnsWork
{
	const TxnRound *round; /* NULL: the batch is applied as one */
	bool stopping;         /* the round is to be left */
	size_t first;          /* of the transactions that are being sent as one */
	size_t committed;      /* transactions of the batch, up to its last one */
	int64_t rows_counted;  /* that the open transaction must have changed */
	bool results_wanted;   /* some have to be looked at before it commits */
	bool check_wanted;     /* it did what does not notice that a table is
							  altered */
} TxnsWork;

/* What has gone wrong first. */
typedef struct ApplierFailure
{
	bool is_there; /* `error` says why; results are ignored */
	Error error;
	ConflictChange change; /* that it is about */
	size_t index;          /* of that, or PLAN_NO_CHANGE */
	bool is_refusal;       /* of a row: worth trying in order */
} ApplierFailure;

/* The commit, or the question where the target's WAL ends, that is under way.
 */
typedef struct ApplierCommit
{
	int64_t rows;
	int64_t txns;
	bool is_done; /* what fails from now on fails after it */
	Lsn lsn;      /* source position of what was asked about … */
	bool flushes; /* … which waits for the disk */
} ApplierCommit;

/* Embedded; to be read, not written, by whoever has it. */
typedef struct Applier
{
	/* The session. */
	Target *target;
	Lane *lane;
	StatementCache *statements;
	TableCache *tables;
	Statement fixed[FIXED_COUNT];
	Params *params;
	Params *progress_params;
	Buf copy_buffer;
	int backend_pid; /* 0: not known yet */
	ConditionsState conditions;
	bool txn_open;     /* a transaction is open on the target */
	int64_t open_rows; /* applied in the parts that are in it */

	/* The work: of one of two kinds, or values that are fetched. */
	ApplierState state;
	CopyState copy_state;
	Batch own_batch;
	Batch *batch; /* that is being applied: its own, or one of several's */
	Plan *plan;
	StepState step_state;
	Step step;
	BatchWork as_batch;
	TxnsWork as_txns;
	ApplierCommit commit;
	SinkFetch *fetches; /* of APPLIER_FETCHING; borrowed */
	ApplierFailure failure;
} Applier;

/* ---- life cycle --------------------------------------------------------- */

/* Takes ownership of the connection; the target must outlive the applier. */
void applier_init(Applier *self, Target *target, PgConn *conn);

/* Closes the connection as well.  Accepts a zeroed one. */
void applier_release(Applier *self);

/* ---- batches ------------------------------------------------------------ */

/*
 * Starts to apply a batch that is not empty.  Its contents change hands:
 * afterwards `batch` is empty, or holds the beginning of its last transaction,
 * if that is not complete.  Only in APPLIER_IDLE.
 */
MUST_CHECK Rc applier_start(Applier *self, Batch *batch, Error *err);

/*
 * Starts to apply transactions of a batch that is not its own, each as a
 * transaction of the target.  Whoever has the batch looks at `failure` and
 * `as_txns.committed` when it is idle again; what was open is then rolled back.
 * Only in APPLIER_IDLE.
 */
MUST_CHECK Rc applier_start_txns(Applier *self, Batch *batch,
								 const TxnRound *round,
								 const TxnSelection *selection, Error *err);

/* Has it leave such a round, without the transactions that it has not sent. */
void applier_stop_txns(Applier *self);

/* Asks where the target's WAL ends after commits up to `lsn`, the last of which
 * may have waited for the disk.  Only in APPLIER_IDLE. */
MUST_CHECK Rc applier_ask_position(Applier *self, Lsn lsn, bool flushed,
								   Error *err);

/* Notes a position up to which there was nothing to apply.  Only in
 * APPLIER_IDLE, without an open transaction. */
MUST_CHECK Rc applier_commit_position(Applier *self, Lsn lsn, Error *err);

/* Asks how far the target's WAL is flushed.  Only in APPLIER_IDLE. */
MUST_CHECK Rc applier_check_flush(Applier *self, Error *err);

/*
 * Reads values of rows that move to another node.  A row is read as the open
 * transaction sees it, or without one as it is committed.  If the target has
 * applied the row's transaction, the row is gone, and its values are read from
 * penstock.moved.  Each fetch is done, and in no list, when the applier is idle
 * again.  A row that does not exist is a failure.  Only in APPLIER_IDLE.
 */
MUST_CHECK Rc applier_start_fetch(Applier *self, SinkFetch *fetches,
								  Error *err);

/* Removes what penstock.moved has of transactions up to `lsn`.  Only in
 * APPLIER_IDLE, without an open transaction. */
MUST_CHECK Rc applier_forget_kept(Applier *self, Lsn lsn, Error *err);

/* Gives up an open transaction.  Only in APPLIER_IDLE.  Waits. */
MUST_CHECK Rc applier_roll_back(Applier *self, Error *err);

/*
 * Opens a transaction, of which the batches that are started next are parts;
 * and savepoints in it, by number.  Rolling back to one keeps it; open_rows is
 * what the applier had when it was set.  Only in APPLIER_IDLE.  They wait.
 */
MUST_CHECK Rc applier_begin(Applier *self, Error *err);
MUST_CHECK Rc applier_set_savepoint(Applier *self, uint32_t number, Error *err);
MUST_CHECK Rc applier_release_savepoint(Applier *self, uint32_t number,
										Error *err);
MUST_CHECK Rc applier_roll_back_to(Applier *self, uint32_t number,
								   int64_t open_rows, Error *err);

/*
 * One move of the state machine.  RC_OK: there may be more.  RC_AGAIN: it waits
 * for the target, or is idle.
 */
MUST_CHECK Rc applier_work(Applier *self, Error *err);

/*
 * Has it forget what it knows of a table of the source, by its name there, so
 * that the target's table is looked up again by the next batch or fetch that
 * needs it; without a schema and a name (both NULL), of all tables.  Statements
 * that are prepared in its session are deallocated before the next ones are
 * sent.  Only in APPLIER_IDLE; a transaction may be open.  Does not wait.
 */
void applier_forget_table(Applier *self, const char *schema, const char *name);

/* Adds what its connection waits for. */
void applier_interest(const Applier *self, Interest *interest);

/* ---- between the applier's own files ------------------------------------ */

/* applier.c: goes on to a state that may follow. */
void applier_set_state(Applier *self, ApplierState state);
MUST_CHECK Rc applier_send_plain(Applier *self, const char *sql,
								 ExpectationKind kind, Error *err);
MUST_CHECK Rc applier_forget_statements(Applier *self, Error *err);

/* Has the target fail unless what is known of these tables is so.  Uses
 * progress_params. */
MUST_CHECK Rc applier_send_check(Applier *self, const CurrentTables *tables,
								 Error *err);

/*
 * After a failure, when all is rolled back: looks whether one of the tables has
 * changed, and then reads them again.  Nothing of the plan is left.
 */
MUST_CHECK Rc applier_refresh_tables(Applier *self, TableCache *tables,
									 int *refreshes, bool *changed, Error *err);

/* applier_result.c: takes all results that are here.  RC_END: the sync came
 * back. */
MUST_CHECK Rc applier_receive_results(Applier *self, Error *err);

/* Checks one result, and clears it.  What the target refused is noted. */
MUST_CHECK Rc applier_handle_result(Applier *self, PGresult *result,
									const Expectation *expectation, Error *err);

/* applier_copy.c */
MUST_CHECK Rc applier_start_copy(Applier *self, Error *err);
MUST_CHECK Rc applier_work_copy(Applier *self, Error *err);

/* applier_txn.c: notes how it is made sure that the step changes as many rows
 * as it should; returns how many its result must have, or -1. */
int64_t applier_note_rows(Applier *self);
MUST_CHECK Rc applier_begin_txn(Applier *self, Error *err);
MUST_CHECK Rc applier_commit_txn(Applier *self, Error *err);
MUST_CHECK Rc applier_end_txns(Applier *self, Error *err);

/* applier_fetch.c: takes an answer; ends the round of them. */
void applier_take_fetched(Applier *self, const PGresult *result,
						  const Expectation *expectation);
MUST_CHECK Rc applier_end_fetch(Applier *self, Error *err);

/* applier_commit.c: adds parameters of the statements that move progress; `txn`
 * is NULL if only the position moves. */
void applier_add_progress(const Applier *self, Params *params,
						  const TxnInfo *txn, Lsn end_lsn, int64_t transactions,
						  int64_t rows);
MUST_CHECK Rc applier_commit_batch(Applier *self, Error *err);

/* Sends the question where the WAL ends after commits up to `lsn`, the last of
 * which may have waited for the disk. */
MUST_CHECK Rc applier_send_question(Applier *self, Lsn lsn, bool flushed,
									Error *err);

/* The answer to it. */
MUST_CHECK Rc applier_note_position(Applier *self, const PGresult *result,
									Error *err);

/* The round of a commit, or of a question, is over. */
void applier_note_round(Applier *self);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_APPLIER_H */
