/*
 * columns.h
 *    Finds the columns that get their values from sequences.
 *
 * A sequence feeds a column if the column owns it, is an identity column with
 * it, has a default that calls nextval() on it, or is of a domain with such a
 * default.
 */
#ifndef PENSTOCK_SEQUENCE_COLUMNS_H
#define PENSTOCK_SEQUENCE_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/pgconn.h"
#include "sequence/list.h"

typedef struct SequenceColumn
{
	int item;           /* index of the sequence in the list */
	const char *table;  /* schema and table, quoted for SQL */
	const char *column; /* quoted for SQL */
	bool is_number;     /* whether the type is numeric; other types have no
						 * order that a sequence follows */
} SequenceColumn;

/*
 * Finds the columns of all sequences in the list that exist; waits for the
 * server.  A column that is inherited from a table with the same sequence is
 * left out, because reading the parent includes its rows.  *columns is
 * allocated in the list's arena.
 */
MUST_CHECK Rc sequence_columns_find(const SequenceList *list, PgConn *conn,
									SequenceColumn **columns, int *count,
									Error *err);

/*
 * Reads the last value of a column in the direction of the sequence; waits for
 * the server.  Only values after which the sequence has at least `left` values
 * left are considered, because a value nearer to the end was probably not drawn
 * from the sequence.  *found is false if there is none.
 */
MUST_CHECK Rc sequence_column_read(const SequenceItem *item,
								   const SequenceColumn *column, uint64_t left,
								   PgConn *conn, bool *found, int64_t *value,
								   Error *err);

#endif /* PENSTOCK_SEQUENCE_COLUMNS_H */
