/*
 * conflict.h
 *    Words for what a target refused: which change, of which row, where in the
 *    source's WAL.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_CONFLICT_H
#define PENSTOCK_SINK_POSTGRES_APPLY_CONFLICT_H

#include <stdint.h>

#include "base/error.h"
#include "model/change.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/target_table.h"

/* The change that a failure is about, as far as it is known. */
typedef struct ConflictChange
{
	const TargetTable *table; /* or NULL */
	const Change *change;     /* or NULL: several rows at once */
	const TxnInfo *txn;       /* or NULL */
} ConflictChange;

/* Sets the error of a change that found another number of rows than one. */
void conflict_set_wrong_rows(const ConflictChange *what, int64_t expected,
							 int64_t found, Error *err);

/* Sets the error of a row that moves to another node and is not there; is_kept:
 * that was removed, and of which values should have been kept. */
void conflict_set_no_values(const ConflictChange *what, bool is_kept,
							Error *err);

/* Sets the error of a conflict that its policy could not settle; `index` is the
 * one that a row to insert has met, or NULL if that is not known. */
void conflict_set_unsettled(const ConflictChange *what, const char *index,
							Error *err);

/* Adds to an error that the target reported for a change. */
void conflict_explain_refusal(const ConflictChange *what, Error *err);

/*
 * Adds the row's key to an error, or that it has none.  May ask the target to
 * print a value, and waits for it; where that fails too, the key is left out.
 */
void conflict_add_key(PgConn *target, const ConflictChange *what, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_CONFLICT_H */
