/*
 * composite.h
 *    Makes one statement of a few changes of a transaction.
 *
 * In a small transaction, a target spends more time on beginning and ending
 * statements than on rows.  A composite makes all changes in one statement,
 * which fails unless each change affects exactly one row; it may also move
 * progress.
 *
 * All parts of such a statement see the target as it was before, and their
 * order is undefined.  So a composite is only for changes that do not interact:
 * each change is to another row, and in its tables only the key is unique, and
 * no triggers or rules fire.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_COMPOSITE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_COMPOSITE_H

#include <stdbool.h>

#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement.h"

/* Largest number of changes in a composite. */
#define COMPOSITE_CHANGES_MAX 15

/*
 * Largest number of parameters.  With wide rows the gain is small, and the
 * target keeps the plan in memory.
 */
#define COMPOSITE_PARAMS_MAX 256

typedef struct CompositePart
{
	StatementKind kind; /* a kind for one row */
	const TargetTable *table;
	const Value *set; /* new values and row to find, as for statement_get() */
	const Value *find;
} CompositePart;

typedef struct Composite
{
	CompositePart parts[COMPOSITE_CHANGES_MAX];
	int part_count;
	uint64_t keys[COMPOSITE_CHANGES_MAX]; /* hashes of the keys of rows that
										   * have one */
	int key_count;
	int param_count; /* upper bound */
	bool moves_progress;
} Composite;

/* Makes a composite without changes.  A zeroed one is without changes, too. */
void composite_reset(Composite *composite, bool moves_progress);

/*
 * Adds a change; everything is borrowed.  Returns false if the change cannot be
 * in the same statement as those before it.
 */
bool composite_add(Composite *composite, const TargetTable *table,
				   const Change *change);

/*
 * Appends the SQL, writes the parameters of the changes to `params`, which has
 * room for COMPOSITE_PARAMS_MAX, and returns their number.  The parameters of
 * progress follow them (progress_table_move_from_sql).  `checked`: the
 * statement fails if one of its tables has changed (current.h).
 */
int composite_build(Buf *sql, const Composite *composite, bool checked,
					GivenParam *params);

/*
 * Adds the parameters of the changes to a statement that
 * statement_get_composite() has returned for them.
 */
void composite_add_params(Params *params, const Statement *statement,
						  const Composite *composite);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_COMPOSITE_H */
