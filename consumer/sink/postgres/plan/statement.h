/*
 * statement.h
 *    Builds the SQL of the statements that apply changes.
 *
 * given.h lists their parameters.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_H
#define PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_H

#include <stdbool.h>

#include "sink/postgres/plan/given.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement_kind.h"
#include "sink/postgres/plan/target_table.h"

#define STATEMENT_NAME_SIZE 24

/*
 * How we check that a statement has changed the right number of rows.  A
 * session has a counter in the setting penstock.rows, which starts at 0 in each
 * transaction.
 */
typedef enum StatementCheck
{
	CHECK_RESULT,  /* its result is checked before the commit is sent */
	CHECK_COUNTED, /* it adds to the counter, which the target checks at the
					* commit */
	CHECK_NONE,    /* no other number is possible */
} StatementCheck;

/* Sets the counter at the start of a session. */
#define STATEMENT_COUNT_SQL "SET penstock.rows = '0'"

typedef struct Statement
{
	char name[STATEMENT_NAME_SIZE];
	const char *sql; /* valid until the cache is emptied */
	bool prepared;   /* whether the session has prepared it; set by the
					  * sender */
	bool binary;     /* whether its result is in binary format */
	bool checked;    /* whether it fails if one of its tables has changed: see
					  * current.h */
	StatementCheck check;

	/* Parameters that are values of rows; others may follow them. */
	const GivenParam *params; /* valid as long as `sql` */
	int param_count;
} Statement;

/*
 * Adds the parameters for one row.  The statement is one that statement_get()
 * has returned for rows like these.
 */
void statement_add_params(Params *params, const Statement *statement,
						  const TargetTable *table, const Value *set,
						  const Value *find);

/* Appends the SQL of a change, which may be a part of a larger statement. */
void statement_build(Buf *sql, const Given *given);

/*
 * Append the two parts of STATEMENT_REPLACE, which settle.c uses, too: "gone AS
 * (…)", a DELETE that returns the row, and an INSERT of that row with the new
 * values.
 */
void statement_append_gone(Buf *sql, const Given *given);
void statement_append_insert_of_gone(Buf *sql, const Given *given);

/*
 * Returns the word before the table's name in a statement that finds rows:
 * "ONLY " unless the table is partitioned.  Rows of tables that inherit from a
 * table are not the table's own.
 */
const char *statement_only(const TargetTable *table);

/*
 * Appends the condition that a column of table t is equal to an SQL expression.
 */
void statement_append_equal(Buf *sql, const TargetColumn *column,
							const char *value);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_H */
