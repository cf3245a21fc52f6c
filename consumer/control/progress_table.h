/*
 * progress_table.h
 *    The table penstock.progress on a target: how far each pipeline was
 *    applied.
 *
 * The table has one row per pipeline.  Each transaction that applies rows also
 * updates this row, so rows and progress are committed together.  This alone
 * makes applying exactly-once.  Ordinary privileges are enough.
 *
 * end_lsn is the position just after the last source transaction that was
 * applied.  A transaction whose own end_lsn is not greater was applied, every
 * other transaction was not.
 *
 * The row is updated by each transaction, and a snapshot that is held on the
 * target, such as one of verify or of a dump, keeps all old versions of it.  A
 * lookup by the pipeline alone would go through one index entry for each page
 * that they fill, so each update would be slower than the one before.  So the
 * key has a second column, `place`, which grows after a number of updates
 * (`moves` counts them): the entries of the greatest place are few, and the
 * last of the index.  There is never more than one row of a pipeline.
 *
 * The lease ensures that only one follower applies.  A follower that starts
 * claims the row and gets a new token.  Every transaction that applies rows
 * updates the progress row under the condition that it has this token; if it
 * has another one, the follower was superseded and must stop.
 */
#ifndef PENSTOCK_CONTROL_PROGRESS_TABLE_H
#define PENSTOCK_CONTROL_PROGRESS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/history.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Bytes for a lease holder: a PID and an address. */
#define PROGRESS_HOLDER_SIZE 96

/*
 * Value of lease_holder on a target that was promoted, where no follower may
 * apply any more.
 */
#define PROGRESS_PROMOTED "promoted"

/*
 * Values of lease_holder where a switch has moved the writes: to this target,
 * from which nothing is followed any more, and of a way back that may not be
 * followed before the switch is complete.
 */
#define PROGRESS_SWITCHED  "switched"
#define PROGRESS_SWITCHING "switching"

typedef struct ProgressRow
{
	bool exists; /* if false, the other fields are not set */
	SourceIdentity source;
	Lsn commit_lsn;         /* of the last applied transaction; 0: none yet */
	Lsn end_lsn;            /* everything up to this source LSN is applied */
	bool has_commit_time;   /* whether commit_time_us is set: a transaction was
							 * applied */
	int64_t commit_time_us; /* commit time on the source, in microseconds since
							 * 2000 UTC */
	int64_t transactions;   /* applied since the clone */
	int64_t rows;           /* row changes applied since the clone */
	int64_t lease_token;
	char lease_holder[PROGRESS_HOLDER_SIZE]; /* process that claimed the lease;
											  * empty: none */
} ProgressRow;

/*
 * Writes the position of a new copy in place of an existing row, in the current
 * transaction or one of its own.  Waits.
 */
MUST_CHECK Rc progress_table_begin(PgConn *target, const char *pipeline,
								   const SourceIdentity *source, Lsn lsn,
								   Error *err);

/*
 * Reads a pipeline's row.  A missing table or row is no error:
 * ProgressRow.exists is false.  Waits.
 */
MUST_CHECK Rc progress_table_read(PgConn *target, const char *pipeline,
								  ProgressRow *row, Error *err);

/*
 * Claims the lease in the current transaction, sets the timeline to `timeline`,
 * in whose history the position must be, and reads the row.  Waits for a
 * transaction of an earlier holder to end.  RC_FAIL with ERR_CONFIG: there is
 * no row.
 */
MUST_CHECK Rc progress_table_claim(PgConn *target, const char *pipeline,
								   uint32_t timeline, ProgressRow *row,
								   Error *err);

/*
 * Locks the pipeline's row, so that nobody changes the progress before the end
 * of the current transaction.  RC_FAIL with ERR_CONFIG: there is no row.
 * Waits.
 */
MUST_CHECK Rc progress_table_lock(PgConn *target, const char *pipeline,
								  ProgressRow *row, Error *err);

/*
 * Changes the token, but not the holder of the lease, in the current
 * transaction: the holder cannot commit what it is applying, and notices that
 * something has changed.  RC_FAIL with ERR_CONFIG: there is no row.  Waits.
 */
MUST_CHECK Rc progress_table_disturb(PgConn *target, const char *pipeline,
									 ProgressRow *row, Error *err);

/*
 * Takes the lease permanently, because the target replaces the source: the
 * holder cannot commit any more, and no follower can claim the lease.  Waits
 * for a transaction of the holder to end.  May be repeated.  RC_FAIL with
 * ERR_CONFIG: there is no row.
 */
MUST_CHECK Rc progress_table_promote(PgConn *target, const char *pipeline,
									 ProgressRow *row, Error *err);

/* Whether the target was promoted with progress_table_promote(). */
bool progress_is_promoted(const ProgressRow *row);

/*
 * Takes the lease like progress_table_promote(), with the given holder:
 * PROGRESS_SWITCHED or PROGRESS_SWITCHING.  A row that does not exist is no
 * error.  progress_table_release() gives a lease with PROGRESS_SWITCHING back.
 * In the current transaction.  Wait.
 */
MUST_CHECK Rc progress_table_close(PgConn *target, const char *pipeline,
								   const char *holder, Error *err);

/* Checks that the role may do that, without a lock.  Waits. */
MUST_CHECK Rc progress_table_check_close(PgConn *target, Error *err);
MUST_CHECK Rc progress_table_release(PgConn *target, const char *pipeline,
									 Error *err);

/* Whether the writes were moved to the target with a switch. */
bool progress_is_switched(const ProgressRow *row);

/*
 * Fails with ERR_CONFIG, and says why, if no follower may claim the lease,
 * because of progress_table_promote() or progress_table_close().  Waits.
 */
MUST_CHECK Rc progress_table_check_open(PgConn *target, const char *pipeline,
										Error *err);

/* State of a lease from the view of the follower that claimed it. */
typedef enum LeaseState
{
	LEASE_HELD,
	LEASE_DISTURBED, /* see progress_table_disturb() */
	LEASE_LOST,
} LeaseState;

/* Compares the row with the token and holder of a claimed lease.  Waits. */
MUST_CHECK Rc progress_table_check_lease(PgConn *target, const char *pipeline,
										 int64_t token, const char *holder,
										 LeaseState *state, Error *err);

/*
 * Ends the session of the target that claimed the lease last, and the session
 * with PID `pid` unless that is empty; both must belong to our role.  *ended
 * says whether there was such a session.  Only for a process that uses the slot
 * of this source, so that no other follower can be running.  Waits.
 */
MUST_CHECK Rc progress_table_end_holder(PgConn *target, const char *pipeline,
										const SourceIdentity *source,
										const char *pid, bool *ended,
										Error *err);

/*
 * Removes a pipeline's rows from all tables (control_forget()), and drops
 * tables that are not needed any more (control_tidy()).  *removed says whether
 * there was a progress row.  Waits.
 */
MUST_CHECK Rc progress_table_remove(PgConn *target, const char *pipeline,
									bool *removed, Error *err);

/*
 * The statement at the end of each transaction that applies changes.  Its
 * parameters have the types of the columns: pipeline, lease token, commit LSN,
 * end LSN, commit time, and numbers of transactions and rows to add.  Commit
 * LSN and time are null if only the position moves, because nothing was for
 * this target.  If the lease is lost, the statement fails with
 * progress_table_lost_sqlstate, so a COMMIT sent together with it has no
 * effect.
 *
 * progress_table_advance_from_sql also fails if the progress is not at the
 * position in its eighth parameter, because transactions that several sessions
 * apply at once must be committed in order.  It fails, too, if the transaction
 * has not changed the number of rows in the ninth parameter (see
 * StatementCheck).
 */
extern const char progress_table_lost_sqlstate[];
extern const char progress_table_advance_sql[];
extern const char progress_table_advance_from_sql[];

/*
 * The same without the ninth parameter; instead of failing it updates no row.
 * Used by composite.c.
 */
extern const char progress_table_move_from_sql[];

#endif /* PENSTOCK_CONTROL_PROGRESS_TABLE_H */
