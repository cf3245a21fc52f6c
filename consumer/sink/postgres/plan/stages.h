/*
 * stages.h
 *    The changes that a target still has to get, divided where the schema
 *    changes.
 *
 * Changes are collected in a batch (batch.h) as long as the source's schema
 * does not change.  What follows a schema change can only be applied after it.
 * So the changes are a list of stages.  A stage consists of a set of schema
 * changes, which may be empty, and the batch after it.  The first stage is
 * applied first; changes are added to the last.
 *
 *     stage 1   batch: transactions 10, 11, and rows of 12
 *     stage 2   schema changes of 12; batch: more rows of 12, and its commit
 *     stage 3   batch: transactions 13, 14, …
 *
 * From its first schema change on, a transaction does not share stages, and so
 * transactions of the target, with others.  All schema changes between two rows
 * are one set, as the source sends them.
 *
 * Without schema changes there is one stage all the time.
 *
 * Tables whose rows are sent again --------------------------------
 *
 * A schema change may be possible only if tables are empty.  The source has
 * rewritten such a table, and sends its rows again, because we do not know how
 * it computes the values.  It announces that for each table before the first
 * row.  For a partition, this may be long after the change, with the rows of
 * other partitions in between.  So the user of a stage may empty a table for
 * which nothing was announced yet, and must record this with
 * stages_expect_rewrite().  Before the transaction is committed,
 * stages_missing_rewrite() says whether the rows of all these tables were sent
 * again.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_STAGES_H
#define PENSTOCK_SINK_POSTGRES_PLAN_STAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/change.h"
#include "sink/postgres/plan/batch.h"

/* A set of schema changes of one transaction, which belong together. */
typedef struct SchemaSet
{
	size_t count; /* 0: there are none */
	const Change **changes;
	Frame **frames;     /* references, one for each change */
	TxnInfo txn;        /* transaction of the changes; its origin is NULL */
	uint32_t rewritten; /* OID of the table whose rows are sent again
						 * immediately after the set; 0: none */
	bool is_hurried;    /* whether the set was taken before it is known what
						 * follows it */

	/*
	 * Tables whose rows were sent again in the transaction before this set, and
	 * that no set in between has changed; owned.
	 */
	OidList rewritten_before;
} SchemaSet;

typedef struct Stages Stages;

/* Makes a list of one empty stage; stages_free() frees it, and accepts NULL. */
Stages *stages_new(void);
void stages_free(Stages *self);

/* Drops everything; one empty stage is left. */
void stages_reset(Stages *self);

/* ---- Adding, to the last stage ---- */

void stages_begin(Stages *self, const TxnInfo *txn);

/*
 * Adds a change of a row, a TRUNCATE or a schema change of the transaction that
 * has begun.
 */
void stages_add(Stages *self, Frame *frame, const Change *change);

/*
 * Records that the next change empties a table of the source, by its OID, whose
 * rows are sent again after a schema change.
 */
void stages_note_rewritten(Stages *self, uint32_t oid);

void stages_commit(Stages *self);

/*
 * Returns the bytes of the set to which schema changes can still be added; 0:
 * there is none.
 */
size_t stages_open_set_bytes(const Stages *self);

/* ---- Taking, from the first stage ---- */

/*
 * Returns the schema changes that must be applied next; NULL: there are none.
 * A set is returned when something has followed it, or with `hurry`, which may
 * split a set.  Nothing is added to it any more; valid until
 * stages_schema_done().
 */
const SchemaSet *stages_schema(Stages *self, bool hurry);

/*
 * Records that the set was applied, in an open transaction of the target; the
 * batch after it continues that transaction.
 */
void stages_schema_done(Stages *self);

/*
 * Records that the rows of a table, by its OID on the source, were deleted for
 * the current set, so that they must be sent again after it in the same
 * transaction.  Only before stages_schema_done().
 */
void stages_expect_rewrite(Stages *self, uint32_t oid);

/*
 * Returns the OID of a table whose rows should have been sent again in the
 * first transaction and were not; 0: there is none.  Final when the transaction
 * is complete.
 */
uint32_t stages_missing_rewrite(const Stages *self);

/*
 * Returns the batch of the first stage, or of the second if the first has
 * nothing left to apply.  Who starts to apply the batch takes its contents.
 */
Batch *stages_batch(Stages *self);

/* Whether nothing more is added to that batch, so that it need not wait. */
bool stages_is_cut(const Stages *self);

/* ---- Asking ---- */

/* Returns the batch to which changes are being added. */
const Batch *stages_filling(const Stages *self);

/* Whether there is nothing at all, not even a transaction that has begun. */
bool stages_is_empty(const Stages *self);

/* Returns the bytes of everything that is kept, for limits. */
size_t stages_bytes(const Stages *self);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_STAGES_H */
