/*
 * plan.h
 *    How the changes of a batch become statements.
 *
 * A plan is made for one batch and asked for one step after the other; what
 * asks decides when to send it.  There are two.  The ordered plan sends every
 * change as it was made, one row at a time.  The folded plan sends the net
 * effect of the batch, table by table and many rows at a time; it is faster by
 * far, and may be refused by the target where the ordered plan is not (see
 * plan_folded.c).  A plan of transactions takes each transaction of the batch
 * on its own, in one of the two ways.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_PLAN_H
#define PENSTOCK_SINK_POSTGRES_PLAN_PLAN_H

#include <stdint.h>

#include "sink/postgres/plan/batch.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement_cache.h"

/* Bytes that one statement for many rows, or one piece of a large value, may
 * have before it is sent. */
#define PLAN_STATEMENT_BYTES (256 * KB)

/*
 * The same of a piece of a COPY.  A local socket says that it takes more when
 * a quarter of it is left to read, some 50 kB: the target must not be through
 * with that before the next piece is there.
 */
#define PLAN_COPY_BYTES (32 * KB)

/* Rows of one such statement. */
#define PLAN_STATEMENT_ROWS 1000

/* A step that is about no single change. */
#define PLAN_NO_CHANGE SIZE_MAX

typedef enum StepKind
{
	STEP_STATEMENT, /* `statement`, or `sql`, with the parameters */
	STEP_SETTLE,    /* a statement that settles conflicts; see settle.h */
	STEP_COPY,      /* COPY into `table`; rows by plan_copy_rows() */
	STEP_TXN,       /* of a plan of transactions: the next begins, … */
	STEP_COMMIT,    /* … and ends; `statement`, if any, moves progress, too */
	STEP_END,       /* there are no more */
} StepKind;

typedef struct Step
{
	StepKind kind;
	Statement *statement;  /* to be prepared; or NULL */
	const char *sql;       /* of a step without a statement; no parameters */
	int64_t rows_expected; /* that it must affect; -1: any number */
	const TargetTable *table;
	size_t change_index; /* in the batch, or PLAN_NO_CHANGE */
	size_t txn_index;    /* of STEP_TXN the first, of STEP_COMMIT the last */
	bool last;           /* of STEP_COMMIT: no other transaction follows */
} Step;

/* Finds the table that a relation's changes go to; never NULL. */
typedef const TargetTable *(*TableLookup)(void *context,
										  const Relation *relation);

typedef struct PlanInput
{
	const Batch *batch;
	size_t change_first;  /* the changes that the plan is for */
	size_t change_end;    /* index after the last of them */
	size_t copy_rows_min; /* inserts of a table from which COPY pays */
	StatementCache *statements;
	TableLookup lookup;
	void *lookup_context;
	bool independent_tables; /* foreign keys and triggers do not fire */
	const char *pipeline;    /* for penstock.conflict */
} PlanInput;

typedef struct Plan Plan;

typedef struct PlanOps
{
	/* Fills in the next step; its parameters go to `params`, which is empty. */
	void (*next)(Plan *plan, Params *params, Step *step);

	/* Appends a piece of the last step's COPY data, of at most a few times
	 * PLAN_STATEMENT_BYTES, to an empty buffer; false when there is no more. */
	bool (*copy_rows)(Plan *plan, Buf *buf);
	void (*free)(Plan *plan);
} PlanOps;

struct Plan
{
	const PlanOps *ops; /* first: see the casts of its implementations */
};

/* The batch must outlive the plan. */
Plan *plan_ordered_new(const PlanInput *input);
Plan *plan_folded_new(const PlanInput *input);

/* Which transactions of a batch a plan is for, and how. */
typedef struct TxnSelection
{
	size_t first;
	size_t stride;       /* 1: each, 2: every other, … */
	size_t end;          /* index after the last */
	bool may_fold;       /* large ones need not be applied in order */
	bool may_compose;    /* nor small ones change by change … */
	bool moves_progress; /* … and without their end: see composite.h */
	bool joined;         /* they become one of the target; the stride is 1 */
} TxnSelection;

/* The range of changes in `input` is not looked at. */
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

/* Accepts NULL. */
static inline void
plan_free(Plan *plan)
{
	if (plan != NULL)
		plan->ops->free(plan);
}

/*
 * The step for one change as it was made; for both plans.  Texts that it makes
 * are allocated in `arena`.
 */
void plan_change_step(const PlanInput *input, size_t change_index, Arena *arena,
					  Params *params, Step *step);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_PLAN_H */
