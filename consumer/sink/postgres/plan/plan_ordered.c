/*
 * plan_ordered.c
 *    Sends every change as it was made.
 *
 * If the target can apply the changes at all, it can apply them in the order of
 * the source; and a refusal shows which change was refused.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "sink/postgres/plan/plan.h"
#include "sink/postgres/plan/settle.h"
#include "sink/postgres/plan/truncate.h"

#define ORDERED_ARENA_BYTES ((size_t) 4096)

typedef struct OrderedPlan
{
	Plan plan;
	PlanInput input;
	size_t next;
	Arena *arena; /* has the last step */
} OrderedPlan;

/*
 * Returns the kind of statement for a change; with a policy other than
 * CONFLICT_STOP, each statement must be able to settle a conflict.
 */
static StatementKind
kind_of_change(const Change *change, const TargetTable *table, bool settle)
{
	ASSERT(change_has_row(change));
	if (change->kind == CHANGE_INSERT)
		return settle ? STATEMENT_SETTLE_INSERT : STATEMENT_INSERT;
	if (change->kind == CHANGE_DELETE)
		return settle ? STATEMENT_SETTLE_DELETE : STATEMENT_DELETE;
	if (statement_needs_replace(table, change->new_row,
								change_identity_row(change)))
		return settle ? STATEMENT_SETTLE_REPLACE : STATEMENT_REPLACE;
	return settle ? STATEMENT_SETTLE_UPDATE : STATEMENT_UPDATE;
}

void
plan_change_step(const PlanInput *input, size_t change_index, Arena *arena,
				 Params *params, Step *step)
{
	const Change *change = input->batch->changes[change_index];
	const Value *find = change_identity_row(change);
	StatementKind kind;
	bool settle;

	ASSERT(change_index < input->change_end);
	step->kind = STEP_STATEMENT;
	step->change_index = change_index;
	if (change->kind == CHANGE_TRUNCATE)
	{
		step->sql = truncate_sql(input, change->truncate, arena);
		return;
	}
	ASSERT(change_has_row(change));
	step->table = input->lookup(input->lookup_context, change->relation);
	ASSERT(step->table != NULL);
	settle = step->table->policy != CONFLICT_STOP;
	kind = kind_of_change(change, step->table, settle);
	step->statement = statement_get(input->statements, kind, step->table,
									change->new_row, find);
	step->rows_expected = 1;
	statement_add_params(params, step->statement, step->table, change->new_row,
						 find);
	if (!settle)
		return;
	step->kind = STEP_SETTLE;
	settle_add_params(params, input->pipeline,
					  batch_change_txn(input->batch, change_index));
}

static void
ordered_next(Plan *plan, Params *params, Step *step)
{
	OrderedPlan *ordered = (OrderedPlan *) plan;

	arena_reset(ordered->arena);
	if (ordered->next >= ordered->input.change_end)
	{
		step->kind = STEP_END;
		return;
	}
	plan_change_step(&ordered->input, ordered->next++, ordered->arena, params,
					 step);
}

static bool
ordered_copy_rows(Plan *plan UNUSED, Buf *buf UNUSED)
{
	check_failed("an ordered plan has no COPY", __FILE__, __LINE__);
}

static void
ordered_free(Plan *plan)
{
	OrderedPlan *ordered = (OrderedPlan *) plan;

	arena_free(ordered->arena);
	free(ordered);
}

Plan *
plan_ordered_new(const PlanInput *input)
{
	static const PlanOps ops = {ordered_next, ordered_copy_rows, ordered_free};
	OrderedPlan *ordered = xcalloc(1, sizeof(OrderedPlan));

	ASSERT(input->change_first <= input->change_end);
	ASSERT(input->change_end <= input->batch->change_count);
	ordered->plan.ops = &ops;
	ordered->input = *input;
	ordered->next = input->change_first;
	ordered->arena = arena_new(ORDERED_ARENA_BYTES);
	return &ordered->plan;
}
