/*
 * composite.h
 *    A few changes of one transaction as one statement.
 *
 * For a small transaction a target spends more on beginning and ending
 * statements than on rows.  A composite makes all its changes in one, and fails
 * unless each of them was of exactly one row; it may move progress as well.
 *
 * All its parts see the target as it was before, and in which order they take
 * place is not said.  So it is only for changes that cannot meet: each to a
 * row of its own, in tables in which nothing but the key is unique and nothing
 * fires.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_COMPOSITE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_COMPOSITE_H

#include <stdbool.h>

#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement.h"

/* Changes that one statement makes at most. */
#define COMPOSITE_CHANGES_MAX 15

/* Parameters of all of them: with wide rows there is little to gain, and the
 * target keeps the plan. */
#define COMPOSITE_PARAMS_MAX 256

typedef struct CompositePart
{
	StatementKind kind; /* of one row */
	const TargetTable *table;
	const Value *set; /* as in statement_get() */
	const Value *find;
} CompositePart;

typedef struct Composite
{
	CompositePart parts[COMPOSITE_CHANGES_MAX];
	int part_count;
	uint64_t keys[COMPOSITE_CHANGES_MAX]; /* hashes of rows that have one */
	int key_count;
	int param_count; /* at most */
	bool moves_progress;
} Composite;

/* Without any change.  A zeroed one is that as well. */
void composite_reset(Composite *composite, bool moves_progress);

/* Adds a change, of which everything is borrowed; false if it cannot be part of
 * the same statement as those before it. */
bool composite_add(Composite *composite, const TargetTable *table,
				   const Change *change);

/*
 * Appends the SQL, and lists the parameters of the changes in `params`, which
 * has room for COMPOSITE_PARAMS_MAX; returns their number.  Progress's
 * parameters come after them: see progress_table_move_from_sql.  `checked`: it
 * fails if one of its tables has changed, see current.h.
 */
int composite_build(Buf *sql, const Composite *composite, bool checked,
					GivenParam *params);

/* Adds the parameters of the changes, in the order of a statement that
 * statement_get_composite() returned for them. */
void composite_add_params(Params *params, const Statement *statement,
						  const Composite *composite);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_COMPOSITE_H */
