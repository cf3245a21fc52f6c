/*
 * statement_kind.h
 *    The kinds of statements that apply changes, and the columns that each of
 *    them uses.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_KIND_H
#define PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_KIND_H

#include <stdbool.h>

#include "model/value.h"
#include "sink/postgres/plan/target_table.h"

typedef enum StatementKind
{
	/* One row, with values as parameters. */
	STATEMENT_INSERT,
	STATEMENT_UPDATE,
	STATEMENT_DELETE,

	/*
	 * An update as a delete and an insert of the same row, because an UPDATE
	 * cannot set an identity column that is GENERATED ALWAYS.
	 */
	STATEMENT_REPLACE,

	/*
	 * Reads the columns of a row whose new values are VALUE_UNCHANGED, in
	 * binary format, as the source sends these columns.  Parameters are as for
	 * a delete.
	 */
	STATEMENT_FETCH,

	/* Many rows, with an array parameter for each column. */
	STATEMENT_INSERT_MANY,
	STATEMENT_UPDATE_MANY,
	STATEMENT_DELETE_MANY,

	/*
	 * Many rows, with one parameter: an array of records of the table's type.
	 */
	STATEMENT_UPDATE_RECORDS,

	/* One row, with the settling of a conflict: see settle.h. */
	STATEMENT_SETTLE_INSERT,
	STATEMENT_SETTLE_UPDATE,
	STATEMENT_SETTLE_DELETE,
	STATEMENT_SETTLE_REPLACE,
} StatementKind;

/* Whether the kind is for many rows. */
static inline bool
statement_kind_is_many(StatementKind kind)
{
	return kind == STATEMENT_INSERT_MANY || kind == STATEMENT_UPDATE_MANY ||
		   kind == STATEMENT_DELETE_MANY || kind == STATEMENT_UPDATE_RECORDS;
}

/*
 * Returns the kind of the change of a STATEMENT_SETTLE_*; other kinds are
 * returned as they are.
 */
StatementKind statement_settled_kind(StatementKind kind);

/*
 * Whether an update with these new values has to set a column.  In an update of
 * many rows, columns that find the row have not changed.
 */
bool statement_sets(StatementKind kind, const TargetColumn *column,
					const Value *set);

/* Whether STATEMENT_FETCH reads this column. */
static inline bool
statement_fetches_column(const TargetColumn *column, const Value *row)
{
	return row[column->source_index].kind == VALUE_UNCHANGED;
}

/* Whether an update sets this column of its new row. */
static inline bool
statement_sets_column(const TargetColumn *column, const Value *value)
{
	return value->kind != VALUE_UNCHANGED && value->kind != VALUE_MISSING &&
		   !column->identity_always;
}

/*
 * Whether an update changes, or may change, a column that only an INSERT can
 * set.
 */
bool statement_needs_replace(const TargetTable *table, const Value *set,
							 const Value *find);

/* Whether this column is used to find a row. */
static inline bool
statement_finds_by_column(const TargetTable *table, const TargetColumn *column,
						  const Value *value)
{
	if (table->key_count > 0)
		return column->key;
	return value->kind != VALUE_MISSING && value->kind != VALUE_UNCHANGED;
}

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_KIND_H */
