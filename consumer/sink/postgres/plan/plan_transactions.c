/*
 * plan_transactions.c
 *    Sends the transactions of a batch one after the other, each as a
 *    transaction of the target, or all as one.
 *
 * Small transactions are sent in order, change by change, or as a composite.
 * Large ones are folded, each separately, if that is allowed.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "sink/postgres/plan/composite.h"
#include "sink/postgres/plan/plan.h"

#define TXNS_ARENA_BYTES ((size_t) 4096)

/*
 * Smallest number of changes of a transaction that is folded: an array in a
 * statement costs more than a few statements.
 */
#define TXN_FOLD_CHANGES_MIN (COMPOSITE_CHANGES_MAX + 1)

typedef enum TxnPhase
{
	TXN_BEGINS,
	TXN_CHANGES,
} TxnPhase;

typedef struct TxnsPlan
{
	Plan plan;
	PlanInput input; /* its range has the changes of the current transaction */
	TxnSelection selection;
	TxnPhase phase;
	size_t txn;
	size_t next;  /* next change, if the transaction is sent in order */
	Plan *folded; /* plan of the current transaction; NULL: it is sent in
				   * order */
	Arena *arena; /* has the last step */

	Composite composite;
	Statement *composed; /* composite of the current transaction; NULL: none */
} TxnsPlan;

/* Makes a composite of the transaction, if possible. */
static void
compose(TxnsPlan *plan)
{
	const PlanInput *input = &plan->input;
	Composite *composite = &plan->composite;

	plan->composed = NULL;
	if (!plan->selection.may_compose ||
		input->change_end - input->change_first > COMPOSITE_CHANGES_MAX)
		return;
	composite_reset(composite, plan->selection.moves_progress);
	for (size_t i = input->change_first; i < input->change_end; i++)
	{
		const Change *change = input->batch->changes[i];

		if (change->relation == NULL ||
			!composite_add(
				composite,
				input->lookup(input->lookup_context, change->relation), change))
			return;
	}
	if (composite->part_count > 0)
		plan->composed = statement_get_composite(input->statements, composite);
}

static void
begin_txn(TxnsPlan *plan, Step *step)
{
	const Batch *batch = plan->input.batch;
	PlanInput *input = &plan->input;

	ASSERT(plan->folded == NULL && plan->txn < plan->selection.end);
	step->kind = STEP_TXN;
	step->txn_index = plan->txn;
	input->change_first = batch->txns[plan->txn].change_first;
	if (plan->selection.joined)
		plan->txn = plan->selection.end - 1;
	input->change_end = batch_txn_end(batch, plan->txn);
	CHECK(batch->txns[plan->txn].complete);
	plan->next = input->change_first;
	if (plan->selection.may_fold &&
		input->change_end - input->change_first >= TXN_FOLD_CHANGES_MIN)
		plan->folded = plan_folded_new(input);
	compose(plan);
	plan->phase = TXN_CHANGES;
}

/* Makes the step for the next change; returns false if there is none. */
static bool
next_change(TxnsPlan *plan, Params *params, Step *step)
{
	ASSERT(plan->next <= plan->input.change_end);
	if (plan->folded != NULL)
	{
		plan_next(plan->folded, params, step);
		if (step->kind != STEP_END)
			return true;
		plan_free(plan->folded);
		plan->folded = NULL;
		return false;
	}
	if (plan->composed != NULL && plan->composite.moves_progress)
		return false; /* the composite is sent with the end of the
					   * transaction */
	if (plan->next == plan->input.change_end)
		return false;
	if (plan->composed != NULL)
	{
		step->kind = STEP_STATEMENT;
		step->statement = plan->composed;
		composite_add_params(params, plan->composed, &plan->composite);
		plan->next = plan->input.change_end;
		return true;
	}
	plan_change_step(&plan->input, plan->next++, plan->arena, params, step);
	return true;
}

static void
end_txn(TxnsPlan *plan, Params *params, Step *step)
{
	ASSERT(plan->folded == NULL);
	step->kind = STEP_COMMIT;
	if (plan->composed != NULL && plan->composite.moves_progress)
	{
		step->statement = plan->composed;
		composite_add_params(params, plan->composed, &plan->composite);
	}
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
				end_txn(plan, params, step);
			return;
	}
}

static bool
txns_copy_rows(Plan *base, Buf *buf)
{
	ASSERT(((TxnsPlan *) base)->folded != NULL);
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
	ASSERT(selection->first < selection->end);
	ASSERT(selection->end <= input->batch->txn_count);
	plan->plan.ops = &ops;
	plan->input = *input;
	plan->selection = *selection;
	plan->txn = selection->first;
	plan->arena = arena_new(TXNS_ARENA_BYTES);
	return &plan->plan;
}
