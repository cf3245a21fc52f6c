/*
 * progress_table.h
 *    The table on a target that says how far each pipeline is there.
 *
 * penstock.progress has one row per pipeline.  It is written in the very
 * transaction that writes the rows, so that rows and progress are there
 * together or not at all; that alone makes applying exactly-once.  Ordinary
 * privileges are enough for it.
 *
 * end_lsn is the position just after the last source transaction that the
 * target has: a transaction whose own end_lsn is not greater was applied, one
 * whose end_lsn is greater was not.
 *
 * The lease: whoever follows claims the row, which gives it a new token.  Every
 * apply transaction updates the row under its own token; one that finds
 * another token there has been superseded and must stop.
 */
#ifndef PENSTOCK_CONTROL_PROGRESS_TABLE_H
#define PENSTOCK_CONTROL_PROGRESS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/history.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* A process and an address. */
#define PROGRESS_HOLDER_SIZE 96

/* Value of lease_holder on a target that was promoted: nobody may follow there
 * any more. */
#define PROGRESS_PROMOTED "promoted"

typedef struct ProgressRow
{
	bool exists; /* the rest is set only if this is */
	SourceIdentity source;
	Lsn commit_lsn;         /* of the last applied transaction; 0: none yet */
	Lsn end_lsn;            /* everything up to here is applied */
	bool has_commit_time;   /* a transaction was applied */
	int64_t commit_time_us; /* when the source committed it, since 2000 UTC */
	int64_t transactions;   /* applied since the clone */
	int64_t rows;           /* row changes applied since the clone */
	int64_t lease_token;
	char lease_holder[PROGRESS_HOLDER_SIZE]; /* who claimed it; empty: nobody */
} ProgressRow;

/*
 * Writes where a fresh copy stands, in the connection's current transaction or
 * one of its own.  Replaces a row that is there.
 */
MUST_CHECK Rc progress_table_begin(PgConn *target, const char *pipeline,
								   const SourceIdentity *source, Lsn lsn,
								   Error *err);

/* Reads a pipeline's row.  No table or no row is not an error: see exists. */
MUST_CHECK Rc progress_table_read(PgConn *target, const char *pipeline,
								  ProgressRow *row, Error *err);

/*
 * Claims the lease, in the transaction that is open, and reads the row as it
 * then stands: on that timeline of the source, in whose history the position
 * was found to be.  Waits for a transaction of a former holder to end.  No row
 * is ERR_CONFIG.
 */
MUST_CHECK Rc progress_table_claim(PgConn *target, const char *pipeline,
								   uint32_t timeline, ProgressRow *row,
								   Error *err);

/*
 * Takes a lock of the pipeline's row, in the transaction that is open: until
 * its end nobody moves the progress.  No row is ERR_CONFIG.
 */
MUST_CHECK Rc progress_table_lock(PgConn *target, const char *pipeline,
								  ProgressRow *row, Error *err);

/*
 * Changes the token, but not who holds the lease: what the holder has under way
 * cannot be committed, and it finds out that something has changed.  No row is
 * ERR_CONFIG.
 */
MUST_CHECK Rc progress_table_disturb(PgConn *target, const char *pipeline,
									 ProgressRow *row, Error *err);

/*
 * Takes the lease for good, because the target takes the source's place: who
 * holds it can commit nothing any more, and nobody else can claim it.  Waits
 * for a transaction of the holder to end.  Again does no harm.  No row is
 * ERR_CONFIG.
 */
MUST_CHECK Rc progress_table_promote(PgConn *target, const char *pipeline,
									 ProgressRow *row, Error *err);

/* Whether that has been done. */
bool progress_is_promoted(const ProgressRow *row);

/* Whose the lease is, as seen by who claimed it. */
typedef enum LeaseState
{
	LEASE_HELD,
	LEASE_DISTURBED, /* see progress_table_disturb() */
	LEASE_LOST,
} LeaseState;

/* Compares the row with what it was when it was claimed.  Waits. */
MUST_CHECK Rc progress_table_check_lease(PgConn *target, const char *pipeline,
										 int64_t token, const char *holder,
										 LeaseState *state, Error *err);

/*
 * Ends the session of the target that claimed the lease last, if it is still
 * there, and the one of that PID, if it is not empty; either has to be of the
 * same role.  *ended says whether there was one.  Only for whoever has the slot
 * of that source, so that nobody else can be at work.
 */
MUST_CHECK Rc progress_table_end_holder(PgConn *target, const char *pipeline,
										const SourceIdentity *source,
										const char *pid, bool *ended,
										Error *err);

/*
 * Removes a pipeline's row and those of its tables; then as below.
 * *removed says whether there was one.
 */
MUST_CHECK Rc progress_table_remove(PgConn *target, const char *pipeline,
									bool *removed, Error *err);

/*
 * The statement that an apply transaction ends in: parameters are pipeline,
 * lease token, commit LSN, end LSN, commit time, transactions and rows to add,
 * of the types that the columns have.  Commit LSN and time are null when only
 * the position moves, because there was nothing for this target.  If the lease
 * is lost it fails with progress_table_lost_sqlstate, so that a commit that was
 * sent together with it does not take place.
 *
 * The second one also fails if progress does not stand at the position that is
 * its eighth parameter: transactions that are applied by several sessions at
 * once can only be committed in order.  And it fails if the transaction has not
 * changed as many rows as the ninth says (see StatementCheck).
 */
extern const char progress_table_lost_sqlstate[];
extern const char progress_table_advance_sql[];
extern const char progress_table_advance_from_sql[];

/* The same without failing and without the ninth: it moves progress, or finds
 * no row.  For composite.c. */
extern const char progress_table_move_from_sql[];

#endif /* PENSTOCK_CONTROL_PROGRESS_TABLE_H */
