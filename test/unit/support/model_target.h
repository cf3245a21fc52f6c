/*
 * model_target.h
 *    A target in memory: what was committed there, and nothing else, can be
 *    asked for.
 *
 * It stands behind libpq_script.h, and knows of transactions, savepoints,
 * advisory locks, the lock of the pipeline's progress row, the lease, and of
 * what has reached the disk.  Of tables it knows one, and of a row only a
 * number.  A change has the number in the row's key; the model finds it in the
 * parameters of whatever statement makes the change: one row, many rows in
 * arrays, one statement for a whole transaction, COPY.
 *
 * Each number is that of one change of one source transaction.  At each commit
 * the model checks what makes a pipeline exactly-once, and fails the test
 * unless it is so:
 *
 *   - No change is made that was made before.
 *   - The changes that were made are those of all transactions up to the
 *     position in the progress row, and no others.
 *   - Progress only moves forward, under the lease that is held.
 *   - The table is as the session has looked it up, and the session has made
 *     sure of that.
 */
#ifndef PENSTOCK_TEST_SUPPORT_MODEL_TARGET_H
#define PENSTOCK_TEST_SUPPORT_MODEL_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "model/lsn.h"

/* Changes are numbered from 0. */
#define MODEL_CHANGES_MAX 512

/* The number as it is in the key of a row, which nothing else looks like. */
#define MODEL_KEY_FIRST 0x5EED0000

/* Begins a test, in place of libpq_script_begin(). */
void model_target_begin(Lsn progress_lsn);

/* Says where the transaction of a change ends; UINT64_MAX: it is rolled back.
 */
void model_target_expect(int change, Lsn end_lsn);

/* What was committed. */
Lsn model_target_progress(void);
int model_target_changes(void);
int64_t model_target_transactions(void);
int64_t model_target_lease(void);

/* How often a session has looked the table up. */
int model_target_lookups(void);

/* Progress that would still be there if the target crashed now. */
Lsn model_target_durable(void);

/* Somebody else claims the lease before the n-th statement from now. */
void model_target_take_lease_at(int n);

/* The table is altered before the n-th statement from now, or as soon as nobody
 * has written to it. */
void model_target_alter_at(int n);

/* The change fails whenever it is made, with this SQLSTATE; -1: none. */
void model_target_refuse(int change, const char *sqlstate);

#endif /* PENSTOCK_TEST_SUPPORT_MODEL_TARGET_H */
