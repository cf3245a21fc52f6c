/*
 * applier.h
 *    One session of a target that applies batches, one at a time, each in a
 *    transaction of the target.
 *
 * An Applier has everything that belongs to one connection: its statements, the
 * current batch and its plan, the open transaction.  What all connections to a
 * target share is in target.h.
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
 * Only applier_set_state() changes the state.
 *
 *   IDLE            no transaction is in progress, or one is open and waits for
 *                   the next part of a large source transaction
 *   SENDING         steps of the plan are sent as fast as the socket accepts
 *                   them; results are received and checked
 *   DRAINING        a sync was sent; when it is answered, all results have been
 *                   checked, and the next state is COPYING if the plan needs a
 *                   COPY, else COMMITTING
 *   COPYING         a COPY runs outside of pipeline mode, which it cannot use
 *   COMMITTING      progress, commit, and a query for the end of the WAL were
 *                   sent, after all earlier results were checked
 *   CHECKING_FLUSH  only a query for the flush position was sent
 *   FETCHING        values of rows that move to other nodes are read; an open
 *                   transaction stays open
 *
 * If a step fails, everything since the start of the batch is rolled back (to a
 * savepoint, if the batch is a part of a larger transaction), and the batch is
 * applied again with the ordered plan.  If that fails, too, the transactions
 * before the refused one are applied, and the applier fails with an error that
 * describes the change.  There are two exceptions.  If a table of the target
 * was altered meanwhile, that counts as the reason for any failure: the table
 * is looked up again, and the batch is applied again.  If the target has too
 * little memory or locks for so much in one transaction, half of the batch is
 * applied first, and then the rest.
 *
 * The state machine never waits.  Rare operations wait for one answer of the
 * target: looking up a table for the first time, a rollback, details for an
 * error.  The caller may be a task; then only this task waits.
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
#include "sink/postgres/apply/target.h"
#include "sink/postgres/plan/batch.h"
#include "sink/postgres/plan/current.h"
#include "sink/postgres/plan/plan.h"
#include "sink/postgres/tables/table_cache.h"

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
	COPY_STARTING, /* the server has not yet requested the data */
	COPY_SENDING,
	COPY_ENDING, /* the server has not yet confirmed the end of the data */
} CopyState;

/*
 * The kind of statement that a result belongs to, and what is expected of it.
 */
typedef enum ExpectationKind
{
	EXPECT_DONE,      /* only success is expected */
	EXPECT_ROWS,      /* success, and the right number of rows */
	EXPECT_SAVEPOINT, /* a savepoint: the batch can be rolled back alone from
					   * now on */
	EXPECT_SETTLED,   /* conflicts were settled and recorded */
	EXPECT_PROGRESS,  /* failure means that the lease is lost */
	EXPECT_COMMIT,    /* commit of a source transaction */
	EXPECT_COMMITTED, /* commit of the batch */
	EXPECT_POSITION,  /* a row with two positions of the target, after the
					   * commits */
	EXPECT_FETCHED,   /* a row with the values that were requested */
	EXPECT_KEPT,      /* rows of penstock.moved */
	EXPECT_CURRENT,   /* failure means that a table has changed */
} ExpectationKind;

/* Statements whose SQL is constant. */
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
 * Data of a round in which each source transaction is a transaction of the
 * target; shared by all appliers that take part.  lanes.h describes turns.
 */
typedef struct TxnRound
{
	Lsn start_lsn; /* progress before the first transaction */
	TableCache *tables;
	bool has_partitioned; /* whether the batch has partitioned tables */
	bool flushes;         /* whether the batch's last commit waits for the
						   * disk */
	bool asks;            /* whether a query for the end of the WAL follows the
						   * last commit */
	bool takes_turns;
	uint32_t turn_first;     /* turn of the batch's first transaction */
	uint32_t turn_stride;    /* distance from an applier's turn to its next */
	int32_t turn_class;      /* first part of the locks' keys */
	const uint32_t *depends; /* for each transaction: index plus one of the
							  * transaction that must be committed before it
							  * begins; 0: none */
} TxnRound;

/*
 * Whether the session has the function with which statements detect altered
 * tables; see plan/current.h.
 */
typedef enum ConditionsState
{
	CONDITIONS_UNKNOWN,
	CONDITIONS_REFUSED, /* our role may not create the function */
	CONDITIONS_MADE,
} ConditionsState;

/* State of the current plan. */
typedef enum StepState
{
	STEP_WANTED, /* the next step must be requested from the plan */
	STEP_TAKEN,  /* `step` is to be sent next */
	STEPS_ENDED, /* the plan has no more steps */
} StepState;

/* State of a batch that is applied as one transaction of the target. */
typedef struct BatchWork
{
	size_t txn_end;     /* index after the transactions that are applied; at
						 * first all of them */
	int refreshes;      /* how often tables were looked up again because they
						 * were altered */
	bool folded;        /* whether the plan is a folded one */
	bool savepoint_set; /* whether it is a part with a savepoint, so that it can
						 * be rolled back alone */
	Error stop;         /* error to fail with after the next commit; ERR_NONE:
						 * none */
} BatchWork;

/* State of a round in which each transaction is one of the target. */
typedef struct TxnsWork
{
	const TxnRound *round; /* borrowed; NULL: the batch is applied as one */
	bool stopping;         /* whether the round is to be left early */
	size_t first;          /* first of the transactions that are sent as one */
	size_t committed;      /* number of committed transactions of the batch, up
							* to the last own one */
	int64_t rows_counted;  /* rows that the open transaction must have changed
							* according to the counter */
	bool results_wanted;   /* whether results must be checked before it
							* commits */
	bool check_wanted;     /* whether it used statements that do not detect
							* altered tables */
} TxnsWork;

/* The first failure of a batch or round. */
typedef struct ApplierFailure
{
	bool is_there; /* whether there is a failure; further results are ignored */
	Error error;
	ConflictChange change; /* change that the failure is about */
	size_t index;          /* index of that change, or PLAN_NO_CHANGE */
	bool is_refusal;       /* whether a change was refused, so that the ordered
							* plan may succeed */
} ApplierFailure;

/* The current commit, or query for the end of the target's WAL. */
typedef struct ApplierCommit
{
	int64_t rows;
	int64_t txns;
	bool is_done; /* whether the commit succeeded; later failures are after
				   * it */
	Lsn lsn;      /* source position of the commit … */
	bool flushes; /* … and whether it waits for the disk */
} ApplierCommit;

/*
 * An applier, embedded in its owner, which may read but not write the fields.
 */
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
	int backend_pid; /* PID of the session; 0: not known yet */
	ConditionsState conditions;
	bool txn_open;     /* whether a transaction is open on the target */
	int64_t open_rows; /* rows applied in the parts of the open transaction */

	/* The current work: one of two kinds of batches, or fetches. */
	ApplierState state;
	CopyState copy_state;
	Batch own_batch;
	Batch *batch; /* batch that is being applied: `own_batch`, or one shared by
				   * several appliers */
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

/*
 * Initializes an applier.  Takes ownership of the connection; the target must
 * outlive the applier.
 */
void applier_init(Applier *self, Target *target, PgConn *conn);

/* Frees everything and closes the connection.  Accepts a zeroed applier. */
void applier_release(Applier *self);

/* ---- batches ------------------------------------------------------------ */

/*
 * Starts to apply a batch that is not empty, and takes its contents.
 * Afterwards `batch` is empty, or has the beginning of its last transaction, if
 * that is not complete.  Only in APPLIER_IDLE.
 */
MUST_CHECK Rc applier_start(Applier *self, Batch *batch, Error *err);

/*
 * Starts to apply transactions of a shared batch, each as a transaction of the
 * target.  When the applier is idle again, the owner of the batch checks
 * `failure` and `as_txns.committed`; an open transaction was rolled back then.
 * Only in APPLIER_IDLE.
 */
MUST_CHECK Rc applier_start_txns(Applier *self, Batch *batch,
								 const TxnRound *round,
								 const TxnSelection *selection, Error *err);

/*
 * Makes the applier leave such a round without the transactions that it has not
 * sent.
 */
void applier_stop_txns(Applier *self);

/*
 * Queries the end of the target's WAL after commits up to `lsn`; `flushed`: the
 * last of them may have waited for the disk.  Only in APPLIER_IDLE.
 */
MUST_CHECK Rc applier_ask_position(Applier *self, Lsn lsn, bool flushed,
								   Error *err);

/*
 * Commits progress up to a position before which there was nothing to apply.
 * Only in APPLIER_IDLE, without an open transaction.
 */
MUST_CHECK Rc applier_commit_position(Applier *self, Lsn lsn, Error *err);

/* Queries the target's flush position.  Only in APPLIER_IDLE. */
MUST_CHECK Rc applier_check_flush(Applier *self, Error *err);

/*
 * Reads values of rows that move to another node.  A row is read as the open
 * transaction sees it, or without one as it is committed.  If the target has
 * already applied the row's transaction, the row does not exist any more, and
 * its values are read from penstock.moved.  When the applier is idle again,
 * each fetch is done, and in no list.  A row that does not exist is a failure.
 * Only in APPLIER_IDLE.
 */
MUST_CHECK Rc applier_start_fetch(Applier *self, SinkFetch *fetches,
								  Error *err);

/*
 * Removes rows of penstock.moved of transactions after `after_lsn`, up to
 * `lsn`.  Only in APPLIER_IDLE, without an open transaction.
 */
MUST_CHECK Rc applier_forget_kept(Applier *self, Lsn after_lsn, Lsn lsn,
								  Error *err);

/* Rolls back an open transaction; waits.  Only in APPLIER_IDLE. */
MUST_CHECK Rc applier_roll_back(Applier *self, Error *err);

/*
 * Open a transaction, of which the next batches are parts, and manage
 * savepoints in it, by number.  Rolling back to a savepoint keeps it; open_rows
 * is the applier's value when it was set.  Only in APPLIER_IDLE.  They wait.
 */
MUST_CHECK Rc applier_begin(Applier *self, Error *err);
MUST_CHECK Rc applier_set_savepoint(Applier *self, uint32_t number, Error *err);
MUST_CHECK Rc applier_release_savepoint(Applier *self, uint32_t number,
										Error *err);
MUST_CHECK Rc applier_roll_back_to(Applier *self, uint32_t number,
								   int64_t open_rows, Error *err);

/*
 * Makes one step of the state machine.  RC_OK: more can be done.  RC_AGAIN: it
 * waits for the target, or is idle.
 */
MUST_CHECK Rc applier_work(Applier *self, Error *err);

/*
 * Forgets what is known about the target's table for a source table with that
 * name, so that the next batch or fetch looks it up again; with schema and name
 * NULL, forgets all tables.  Prepared statements of the session are deallocated
 * before the next ones are sent.  Only in APPLIER_IDLE; a transaction may be
 * open.  Does not wait.
 */
void applier_forget_table(Applier *self, const char *schema, const char *name);

/* Adds what the connection waits for. */
void applier_interest(const Applier *self, Interest *interest);

/* ---- between the applier's own files ------------------------------------ */

/* applier.c: changes to a state that may follow. */
void applier_set_state(Applier *self, ApplierState state);
MUST_CHECK Rc applier_send_plain(Applier *self, const char *sql,
								 ExpectationKind kind, Error *err);
MUST_CHECK Rc applier_forget_statements(Applier *self, Error *err);

/*
 * Sends a statement that fails if one of these tables has changed.  Uses
 * progress_params.
 */
MUST_CHECK Rc applier_send_check(Applier *self, const CurrentTables *tables,
								 Error *err);

/*
 * After a failure, when everything is rolled back: checks whether one of the
 * tables has changed, and looks them up again if so.  The plan must have been
 * freed.
 */
MUST_CHECK Rc applier_refresh_tables(Applier *self, TableCache *tables,
									 int *refreshes, bool *changed, Error *err);

/*
 * applier_result.c: receives all available results.  RC_END: the sync was
 * answered.
 */
MUST_CHECK Rc applier_receive_results(Applier *self, Error *err);

/* Checks one result, and clears it; records a failure. */
MUST_CHECK Rc applier_handle_result(Applier *self, PGresult *result,
									const Expectation *expectation, Error *err);

/* applier_copy.c */
MUST_CHECK Rc applier_start_copy(Applier *self, Error *err);
MUST_CHECK Rc applier_work_copy(Applier *self, Error *err);

/*
 * applier_txn.c: decides how the number of rows that a step changes is checked;
 * returns the number that its result must have, or -1.
 */
int64_t applier_note_rows(Applier *self);
MUST_CHECK Rc applier_begin_txn(Applier *self, Error *err);
MUST_CHECK Rc applier_commit_txn(Applier *self, Error *err);
MUST_CHECK Rc applier_end_txns(Applier *self, Error *err);

/* applier_fetch.c: the first takes one answer, the second ends the round. */
void applier_take_fetched(Applier *self, const PGresult *result,
						  const Expectation *expectation);
MUST_CHECK Rc applier_end_fetch(Applier *self, Error *err);

/*
 * applier_commit.c: adds the parameters of statements that move progress; `txn`
 * is NULL if only the position moves.
 */
void applier_add_progress(const Applier *self, Params *params,
						  const TxnInfo *txn, Lsn end_lsn, int64_t transactions,
						  int64_t rows);
MUST_CHECK Rc applier_commit_batch(Applier *self, Error *err);

/*
 * Sends the query for the end of the WAL after commits up to `lsn`; `flushed`:
 * the last of them may have waited for the disk.
 */
MUST_CHECK Rc applier_send_question(Applier *self, Lsn lsn, bool flushed,
									Error *err);

/* Takes the answer to that query. */
MUST_CHECK Rc applier_note_position(Applier *self, const PGresult *result,
									Error *err);

/* Ends the round of a commit or a query. */
void applier_note_round(Applier *self);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_APPLIER_H */
