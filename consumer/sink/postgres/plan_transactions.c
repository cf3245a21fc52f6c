/*
 * plan_transactions.c
 *    One transaction of the batch after the other, or all as one.
 *
 * Small ones go in order, as they were made.  Large ones are folded, each by
 * itself, if they may be.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "sink/postgres/plan.h"

#define TXNS_ARENA_BYTES ((size_t) 4096)

/* Transactions with fewer changes go in order: a row in an array, and an array
 * in a statement, cost more than a few statements. */
#define TXN_FOLD_CHANGES_MIN 16

typedef enum TxnPhase
{
	TXN_BEGINS,
	TXN_CHANGES,
} TxnPhase;

typedef struct TxnsPlan
{
	Plan plan;
	PlanInput input; /* its range is that of the transaction's changes */
	TxnSelection selection;
	TxnPhase phase;
	size_t txn;
	size_t next;  /* change to be sent, if it goes in order */
	Plan *folded; /* the transaction's own plan, or NULL: in order */
	Arena *arena; /* of the last step */
} TxnsPlan;

static void
begin_txn(TxnsPlan *plan, Step *step)
{
	const Batch *batch = plan->input.batch;
	PlanInput *input = &plan->input;

	step->kind = STEP_TXN;
	step->txn_index = plan->txn;
	input->change_first = batch->txns[plan->txn].change_first;
	if (plan->selection.joined)
		plan->txn = plan->selection.end - 1;
	input->change_end = batch_txn_end(batch, plan->txn);
	plan->next = input->change_first;
	if (plan->selection.may_fold &&
		input->change_end - input->change_first >= TXN_FOLD_CHANGES_MIN)
		plan->folded = plan_folded_new(input);
	plan->phase = TXN_CHANGES;
}

/* False if the transaction has no more changes. */
static bool
next_change(TxnsPlan *plan, Params *params, Step *step)
{
	if (plan->folded != NULL)
	{
		plan_next(plan->folded, params, step);
		if (step->kind != STEP_END)
			return true;
		plan_free(plan->folded);
		plan->folded = NULL;
		return false;
	}
	if (plan->next == plan->input.change_end)
		return false;
	plan_change_step(&plan->input, plan->next++, plan->arena, params, step);
	return true;
}

static void
end_txn(TxnsPlan *plan, Step *step)
{
	step->kind = STEP_COMMIT;
	step->txn_index = plan->txn;
	plan->txn += plan->selection.stride;
	step->last = plan->txn >= plan->selection.end;
	plan->phase = TXN_BEGINS;
}

static void
txns_next(Plan *base, Params *params, Step *step)
{
	TxnsPlan *plan = (TxnsPlan *) base;

	arena_reset(plan->arena);
	switch (plan->phase)
	{
		case TXN_BEGINS:
			if (plan->txn >= plan->selection.end)
				step->kind = STEP_END;
			else
				begin_txn(plan, step);
			return;
		case TXN_CHANGES:
			if (!next_change(plan, params, step))
				end_txn(plan, step);
			return;
	}
}

static bool
txns_copy_rows(Plan *base, Buf *buf)
{
	return plan_copy_rows(((TxnsPlan *) base)->folded, buf);
}

static void
txns_free(Plan *base)
{
	TxnsPlan *plan = (TxnsPlan *) base;

	plan_free(plan->folded);
	arena_free(plan->arena);
	free(plan);
}

Plan *
plan_transactions_new(const PlanInput *input, const TxnSelection *selection)
{
	static const PlanOps ops = {txns_next, txns_copy_rows, txns_free};
	TxnsPlan *plan = xcalloc(1, sizeof(TxnsPlan));

	ASSERT(selection->stride > 0);
	ASSERT(!selection->joined || selection->stride == 1);
	plan->plan.ops = &ops;
	plan->input = *input;
	plan->selection = *selection;
	plan->txn = selection->first;
	plan->arena = arena_new(TXNS_ARENA_BYTES);
	return &plan->plan;
}
