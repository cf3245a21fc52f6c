/*
 * conflict.h
 *    Error messages for a change that a target has refused: which change, of
 *    which row, where in the source's WAL.
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
	const TargetTable *table; /* NULL: not known */
	const Change *change;     /* NULL: not known, or several rows at once */
	const TxnInfo *txn;       /* NULL: not known */
} ConflictChange;

/*
 * Sets the error of a change that has not affected the expected number of rows.
 */
void conflict_set_wrong_rows(const ConflictChange *what, int64_t expected,
							 int64_t found, Error *err);

/*
 * Sets the error of a row that moves to another node and does not exist;
 * is_kept: it was removed by its transaction, but its values are not in
 * penstock.moved.
 */
void conflict_set_no_values(const ConflictChange *what, bool is_kept,
							Error *err);

/*
 * Sets the error of a conflict that its policy could not settle; `index` is the
 * index that an insert has violated, or NULL if it is not known.
 */
void conflict_set_unsettled(const ConflictChange *what, const char *index,
							Error *err);

/* Adds context, detail and hint to an error of the target for a change. */
void conflict_explain_refusal(const ConflictChange *what, Error *err);

/*
 * Adds the row's key to an error, or that it has none.  May ask the target to
 * print a value, and waits for it; if that fails, the key is left out.
 */
void conflict_add_key(PgConn *target, const ConflictChange *what, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_CONFLICT_H */
