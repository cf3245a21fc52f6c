/*
 * statement.h
 *    The statements that apply changes: their SQL, and their parameters in the
 *    same order.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_H
#define PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_H

#include <stdbool.h>

#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/target_table.h"

#define STATEMENT_NAME_SIZE 24

typedef enum StatementKind
{
	/* One row each, values as parameters. */
	STATEMENT_INSERT,
	STATEMENT_UPDATE,
	STATEMENT_DELETE,

	/*
	 * An update as a delete and an insert of the same row: an identity column
	 * that is GENERATED ALWAYS cannot be set otherwise.
	 */
	STATEMENT_REPLACE,

	/*
	 * Reads the columns of a row whose new values are VALUE_UNCHANGED; results
	 * in binary format, as the source sends these columns.  Parameters as for
	 * a delete.
	 */
	STATEMENT_FETCH,

	/* Many rows, one array parameter for each column. */
	STATEMENT_INSERT_MANY,
	STATEMENT_UPDATE_MANY,
	STATEMENT_DELETE_MANY,

	/* Many rows, one parameter: an array of records of the table's type. */
	STATEMENT_UPDATE_RECORDS,

	/* One row each, and what the table's policy says if there is a conflict;
	 * see settle.h. */
	STATEMENT_SETTLE_INSERT,
	STATEMENT_SETTLE_UPDATE,
	STATEMENT_SETTLE_DELETE,
} StatementKind;

/*
 * How it is made sure that a statement changed as many rows as it should.  A
 * session counts in the setting penstock.rows, from 0 in each transaction.
 */
typedef enum StatementCheck
{
	CHECK_RESULT,  /* by looking at its result before the commit is sent */
	CHECK_COUNTED, /* it adds to the count, which is looked at on the target */
	CHECK_NONE,    /* it cannot be another number */
} StatementCheck;

/* To be set at the start of a session whose statements count. */
#define STATEMENT_COUNT_SQL "SET penstock.rows = '0'"

typedef struct Statement
{
	char name[STATEMENT_NAME_SIZE];
	const char *sql; /* lives as long as the cache is not emptied */
	bool prepared;   /* set by whoever sends it */
	bool binary;     /* its results are in binary format */
	bool checked;    /* it fails if one of its tables has changed: current.h */
	StatementCheck check;
} Statement;

/* Whether a statement is for many rows. */
static inline bool
statement_kind_is_many(StatementKind kind)
{
	return kind == STATEMENT_INSERT_MANY || kind == STATEMENT_UPDATE_MANY ||
		   kind == STATEMENT_DELETE_MANY || kind == STATEMENT_UPDATE_RECORDS;
}

/* Adds the parameters of a statement for one row, in its order. */
void statement_add_params(Params *params, StatementKind kind,
						  const TargetTable *table, const Value *set,
						  const Value *find);

/*
 * Parts of statements for one row, for settle.c and composite.c: the statement
 * as such, whose first parameter is `n` + 1, the number of its parameters, and
 * the value that it is given for a column, which is false if it is given none.
 */
void statement_build(Buf *sql, StatementKind kind, const TargetTable *table,
					 const Value *set, const Value *find, int n);
int statement_count_params(StatementKind kind, const TargetTable *table,
						   const Value *set, const Value *find);
bool statement_append_given(Buf *sql, StatementKind kind,
							const TargetTable *table, const Value *set,
							const Value *find, bool of_find, int column);

/* Appends the condition that a column, of the table as t, is equal to a value
 * in SQL. */
void statement_append_equal(Buf *sql, const TargetColumn *column,
							const char *value);

/* Appends the conditions that find a row, whose first parameter is `n` + 1. */
void statement_append_conditions(Buf *sql, StatementKind kind,
								 const TargetTable *table, const Value *find,
								 int n);

/* The change that a settling statement makes, if it can; of others the kind. */
StatementKind statement_settled_kind(StatementKind kind);

/*
 * Whether an update with these new values has to set a column.  Those that
 * find the row in a set-wise update have not changed.
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
	return value->kind != VALUE_UNCHANGED && value->kind != VALUE_ABSENT &&
		   !column->identity_always;
}

/* Whether an update changes, or may change, a column that only an INSERT may
 * set. */
bool statement_needs_replace(const TargetTable *table, const Value *set,
							 const Value *find);

/* Whether a row is found by this column. */
static inline bool
statement_finds_by_column(const TargetTable *table, const TargetColumn *column,
						  const Value *value)
{
	if (table->key_count > 0)
		return column->key;
	return value->kind != VALUE_ABSENT && value->kind != VALUE_UNCHANGED;
}

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_H */
