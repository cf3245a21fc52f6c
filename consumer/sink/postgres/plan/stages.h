/*
 * stages.h
 *    What a target is still to get, cut where the schema changes.
 *
 * Changes are collected in a batch (batch.h) for as long as the schema of the
 * source stays as it is.  Where a transaction changes the schema, what comes
 * next can only be applied when that is done.  So the source's changes are a
 * list of stages; each is a set of schema changes, or none, and the batch that
 * comes after it.  The first stage is applied first, and changes are added to
 * the last.
 *
 *     stage 1   batch: transactions 10, 11, and rows of 12
 *     stage 2   schema changes of 12; batch: more rows of 12, and its commit
 *     stage 3   batch: transactions 13, 14, …
 *
 * A transaction that changes the schema is alone in its stages from there on:
 * neither it nor those around it share a transaction of the target.  All schema
 * changes between two rows are one set, as the source sends them.
 *
 * Where there are no schema changes there is one stage, for ever.
 *
 * Tables whose rows come anew
 * ---------------------------
 *
 * A schema change may need tables without rows, because the source writes them
 * anew and how it computes the values is not known.  The source says so of each
 * table when the first of its rows is due.  Of a partitioned table that is long
 * after the change, with the rows of the partitions before it in between.  So
 * whoever applies a set may empty a table for which nothing was said yet, and
 * says that here.  Before the transaction is committed it is asked whether the
 * rows of all of them have come anew (stages_missing_rewrite()).
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_STAGES_H
#define PENSTOCK_SINK_POSTGRES_PLAN_STAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/change.h"
#include "sink/postgres/plan/batch.h"

/* Schema changes that belong together, of one transaction. */
typedef struct SchemaSet
{
	size_t count; /* 0: there are none */
	const Change **changes;
	Frame **frames;     /* references, one for each change */
	TxnInfo txn;        /* that made them; without its origin */
	uint32_t rewritten; /* OID of a table all of whose rows come anew, right
						   after them; 0: none does */
	bool is_hurried;    /* what comes right after them was not waited for */

	/* Tables whose rows have come anew in the transaction before this set, and
	 * that no set in between has changed; owned. */
	OidList rewritten_before;
} SchemaSet;

typedef struct Stages Stages;

/* One stage, which is empty.  Free with stages_free(), which accepts NULL. */
Stages *stages_new(void);
void stages_free(Stages *self);

/* Drops everything: one stage, which is empty. */
void stages_reset(Stages *self);

/* ---- Adding, to the last stage ---- */

void stages_begin(Stages *self, const TxnInfo *txn);

/* A row's change or a TRUNCATE, or a schema change; of the transaction that has
 * begun. */
void stages_add(Stages *self, Frame *frame, const Change *change);

/* The next change empties a table of the source, by its OID: its rows come anew
 * because its schema has changed. */
void stages_note_rewritten(Stages *self, uint32_t oid);

void stages_commit(Stages *self);

/* Bytes of the schema changes that more may be added to; 0: there are none. */
size_t stages_open_set_bytes(const Stages *self);

/* ---- Taking, from the first stage ---- */

/*
 * Schema changes that come before everything else, and are to be applied now;
 * NULL: there are none.  A set is taken when something has come after it, or
 * with `hurry`, which may split it.  Nothing is added to it from here on; valid
 * until stages_schema_done().
 */
const SchemaSet *stages_schema(Stages *self, bool hurry);

/* They are applied, in a transaction of the target that is open.  The batch is
 * the rest of it. */
void stages_schema_done(Stages *self);

/*
 * Somebody has removed the rows of a table, by its OID on the source, for the
 * set that is being applied: they have to come anew after it, in the same
 * transaction.  To be called before stages_schema_done().
 */
void stages_expect_rewrite(Stages *self, uint32_t oid);

/*
 * The OID of a table whose rows were expected to come anew, in the transaction
 * that is first, and have not; 0: there is none.  That is final when the
 * transaction is complete.
 */
uint32_t stages_missing_rewrite(const Stages *self);

/*
 * The batch of the first stage, or of the second if the first has nothing left
 * to apply.  Whoever starts to apply it takes its contents.
 */
Batch *stages_batch(Stages *self);

/* Nothing more is added to that batch: it need not wait for more. */
bool stages_is_cut(const Stages *self);

/* ---- Asking ---- */

/* The batch that changes are being added to. */
const Batch *stages_filling(const Stages *self);

/* Whether there is nothing at all, not even a transaction that has begun. */
bool stages_is_empty(const Stages *self);

/* Bytes of all that is kept, for limits. */
size_t stages_bytes(const Stages *self);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_STAGES_H */
