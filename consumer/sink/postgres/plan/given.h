/*
 * given.h
 *    Lists the parameters of a statement that applies changes: which columns of
 *    which row, in which order.
 *
 * A change has up to two rows: one with new values, and one that identifies the
 * row of the target.  given_init() decides which columns of both become
 * parameters, and in which order; the builder of the SQL and the sender of the
 * values both use its list.  If a row must be found before anything is done to
 * it (in a table without a key, or when an update is a delete and an insert),
 * the columns that identify it come first; otherwise they follow the new
 * values.
 *
 * A statement for many rows has an array for each of the columns.
 * STATEMENT_UPDATE_RECORDS has no columns in the list; its only parameter is an
 * array of whole rows.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_GIVEN_H
#define PENSTOCK_SINK_POSTGRES_PLAN_GIVEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sink/postgres/plan/params.h"
#include "sink/postgres/plan/statement_kind.h"

typedef enum GivenRole
{
	GIVEN_SET,  /* new value of the column */
	GIVEN_FIND, /* identifies the row */
	GIVEN_ROLE_COUNT,
} GivenRole;

/* The column that a parameter gets its value from. */
typedef struct GivenParam
{
	uint16_t column; /* index in TargetTable.columns */
	uint8_t role;    /* a GivenRole */
	uint8_t part;    /* index of the change in a composite; otherwise 0 */
} GivenParam;

/*
 * The list for one statement.  The struct is large; everything it points to is
 * borrowed.
 */
typedef struct Given
{
	StatementKind kind; /* never a kind of settle.h, but that of the change */
	const TargetTable *table;
	const Value *set;  /* row of new values; NULL if the kind has none */
	const Value *find; /* row to find; NULL if the kind has none */
	int before;        /* number of parameters of the statement before these */
	int count;
	GivenParam params[PARAMS_MAX];

	/* Position of a column in `params`, from 1; 0: it is not there. */
	uint16_t places[GIVEN_ROLE_COUNT][RELATION_COLUMNS_MAX];
} Given;

/* Fills in the list for a statement on rows like these. */
void given_init(Given *given, StatementKind kind, const TargetTable *table,
				const Value *set, const Value *find, int before);

/* Whether the column is a parameter of the statement. */
bool given_has(const Given *given, GivenRole role, int column);

/*
 * Appends the SQL of a parameter, as a value of the column's type, or of its
 * base type if that is a domain.
 */
void given_append(Buf *sql, const Given *given, GivenRole role, int column);

/*
 * Adds the values of `count` parameters from one row each.  `set` and `find`
 * are as for given_init(), but may be other rows for which the statement is the
 * same.
 */
void given_add_params(Params *params, const GivenParam *list, int count,
					  const TargetTable *table, const Value *set,
					  const Value *find);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_GIVEN_H */
