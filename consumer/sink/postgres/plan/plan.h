/*
 * plan.h
 *    Turns the changes of a batch into statements.
 *
 * A plan is made for one batch, and returns one step after the other; its
 * caller decides when to send each.  There are two ways.  The ordered plan
 * sends every change as it was made, one row at a time.  The folded plan sends
 * the net effect of the batch, table by table and many rows at a time.  It is
 * much faster, but the target may refuse it although it would accept the
 * ordered plan (plan_folded.c).  A plan of transactions treats each transaction
 * of the batch separately, in one of the two ways.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_PLAN_H
#define PENSTOCK_SINK_POSTGRES_PLAN_PLAN_H

#include <stdint.h>

#include "sink/postgres/plan/batch.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement_cache.h"

/*
 * Size in bytes at which a statement for many rows, or a piece of a large
 * value, is sent.
 */
#define PLAN_STATEMENT_BYTES (256 * KB)

/*
 * Size in bytes at which a piece of COPY data is sent.  A local socket reports
 * that it is writable when only a quarter of its buffer, some 50 kB, is left to
 * read: the target must not have consumed that before the next piece is there.
 */
#define PLAN_COPY_BYTES (32 * KB)

/* Largest number of rows of a statement. */
#define PLAN_STATEMENT_ROWS 1000

/* Step.change_index of a step that is not about a single change. */
#define PLAN_NO_CHANGE SIZE_MAX

typedef enum StepKind
{
	STEP_STATEMENT, /* run `statement` with the parameters, or `sql` without
					 * any */
	STEP_SETTLE,    /* run a statement of settle.h */
	STEP_COPY,      /* COPY into `table`; plan_copy_rows() returns the data */
	STEP_TXN,       /* plan of transactions: the next transaction begins, … */
	STEP_COMMIT,    /* … and ends; `statement`, if any, also moves progress */
	STEP_END,       /* there are no more steps */
} StepKind;

typedef struct Step
{
	StepKind kind;
	Statement *statement;  /* statement to prepare and run; or NULL */
	const char *sql;       /* SQL of a step without a statement; no
							* parameters */
	int64_t rows_expected; /* number of rows that it must affect; -1: any
							* number */
	const TargetTable *table;
	size_t change_index; /* index of the change in the batch, or
						  * PLAN_NO_CHANGE */
	size_t txn_index;    /* first transaction of STEP_TXN, last of
						  * STEP_COMMIT */
	bool last;           /* of STEP_COMMIT: whether no transaction follows */
} Step;

/* Returns the target table for changes of a relation; never NULL. */
typedef const TargetTable *(*TableLookup)(void *context,
										  const Relation *relation);

typedef struct PlanInput
{
	const Batch *batch;
	size_t change_first;  /* index of the first change that the plan is for */
	size_t change_end;    /* index after the last change */
	size_t copy_rows_min; /* number of inserts in a table from which COPY is
						   * used */
	StatementCache *statements;
	TableLookup lookup;
	void *lookup_context;
	bool independent_tables; /* whether foreign keys and triggers do not fire */
	const char *pipeline;    /* for penstock.conflict */
} PlanInput;

typedef struct Plan Plan;

typedef struct PlanOps
{
	/*
	 * Fills in the next step; adds its parameters to `params`, which is empty.
	 */
	void (*next)(Plan *plan, Params *params, Step *step);

	/*
	 * Appends a piece of the last step's COPY data, at most a few times
	 * PLAN_STATEMENT_BYTES, to an empty buffer; returns false after the last.
	 */
	bool (*copy_rows)(Plan *plan, Buf *buf);
	void (*free)(Plan *plan);
} PlanOps;

struct Plan
{
	const PlanOps *ops; /* first field, because implementations cast to it */
};

/* Make a plan, owned by the caller; the batch must outlive it. */
Plan *plan_ordered_new(const PlanInput *input);
Plan *plan_folded_new(const PlanInput *input);

/* The transactions of a batch that a plan is for, and how they are applied. */
typedef struct TxnSelection
{
	size_t first;
	size_t stride;       /* 1: each transaction, 2: every second, … */
	size_t end;          /* index after the last */
	bool may_fold;       /* whether large transactions may be folded */
	bool may_compose;    /* whether small transactions may be composites … */
	bool moves_progress; /* … that also move progress: see composite.h */
	bool joined;         /* whether they become one transaction of the target;
						  * the stride is 1 */
} TxnSelection;

/* Makes a plan of transactions; the range of changes in `input` is ignored. */
Plan *plan_transactions_new(const PlanInput *input,
							const TxnSelection *selection);

static inline void
plan_next(Plan *plan, Params *params, Step *step)
{
	*step = (Step){.change_index = PLAN_NO_CHANGE, .rows_expected = -1};
	plan->ops->next(plan, params, step);
}

static inline bool
plan_copy_rows(Plan *plan, Buf *buf)
{
	return plan->ops->copy_rows(plan, buf);
}

/* Frees a plan.  Accepts NULL. */
static inline void
plan_free(Plan *plan)
{
	if (plan != NULL)
		plan->ops->free(plan);
}

/*
 * Makes the step for one change as it was made; used by both plans.  Texts are
 * allocated in `arena`.
 */
void plan_change_step(const PlanInput *input, size_t change_index, Arena *arena,
					  Params *params, Step *step);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_PLAN_H */
