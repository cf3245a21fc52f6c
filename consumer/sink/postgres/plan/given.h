/*
 * given.h
 *    The values that a statement is given: which columns of which row are its
 *    parameters, in which order.
 *
 * A change has up to two rows: one of new values, and one by which the row of
 * the target is found.  given_init() lists what a statement takes of them, and
 * is the only place that decides the order.  The text of the statement takes
 * its numbers from there, and whoever sends it the values.
 *
 * Where a row has to be found before anything is done to it (in a table without
 * a key, or when an update is a delete and an insert), what finds it comes
 * first; otherwise it comes after the new values.  A statement for many rows
 * has an array for each of the columns.  STATEMENT_UPDATE_RECORDS lists none:
 * it has one parameter, which is made of whole rows.
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
	GIVEN_SET,  /* a new value */
	GIVEN_FIND, /* finds the row */
	GIVEN_ROLE_COUNT,
} GivenRole;

/* Where a parameter comes from. */
typedef struct GivenParam
{
	uint16_t column; /* index in TargetTable.columns */
	uint8_t role;    /* a GivenRole */
	uint8_t part;    /* of a composite: which of its changes; otherwise 0 */
} GivenParam;

/* Large; everything that it points to is borrowed. */
typedef struct Given
{
	StatementKind kind; /* never a settling one: that of the change */
	const TargetTable *table;
	const Value *set;  /* NULL if the kind has no new values */
	const Value *find; /* NULL if the kind finds no row */
	int before;        /* parameters of the statement that come before these */
	int count;
	GivenParam params[PARAMS_MAX];

	/* Place of a column in `params`, from 1; 0: it is not there. */
	uint16_t places[GIVEN_ROLE_COUNT][RELATION_COLUMNS_MAX];
} Given;

/* Lists the parameters of a statement for rows like these. */
void given_init(Given *given, StatementKind kind, const TargetTable *table,
				const Value *set, const Value *find, int before);

/* Whether the statement is given this column. */
bool given_has(const Given *given, GivenRole role, int column);

/* Appends the SQL of a column that it is given: of the column's type, or of
 * that without domains. */
void given_append(Buf *sql, const Given *given, GivenRole role, int column);

/*
 * Adds the values of `count` parameters, of one row each.  `set` and `find` are
 * as for given_init(), though of other rows than those perhaps: of any for
 * which the statement is the same.
 */
void given_add_params(Params *params, const GivenParam *list, int count,
					  const TargetTable *table, const Value *set,
					  const Value *find);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_GIVEN_H */
