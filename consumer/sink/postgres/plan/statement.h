/*
 * statement.h
 *    The statements that apply changes: their SQL.  Their parameters are listed
 *    in given.h.
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

	/* Parameters that are values of rows.  Others may follow them. */
	const GivenParam *params; /* lives as long as `sql` */
	int param_count;
} Statement;

/*
 * Adds the parameters of a statement for one row, in its order.  The statement
 * is one that statement_get() returned for these rows.
 */
void statement_add_params(Params *params, const Statement *statement,
						  const TargetTable *table, const Value *set,
						  const Value *find);

/* Appends the SQL of the change as such, for whoever makes it a part of a
 * larger statement. */
void statement_build(Buf *sql, const Given *given);

/*
 * The two parts of STATEMENT_REPLACE, for settle.c: "gone AS (…)", the row that
 * goes, and an INSERT of that row with the new values, which reads gone.
 */
void statement_append_gone(Buf *sql, const Given *given);
void statement_append_insert_of_gone(Buf *sql, const Given *given);

/* Appends the condition that a column, of the table as t, is equal to a value
 * in SQL. */
void statement_append_equal(Buf *sql, const TargetColumn *column,
							const char *value);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_STATEMENT_H */
