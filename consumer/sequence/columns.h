/*
 * columns.h
 *    The columns that sequences feed.
 *
 * A sequence feeds a column that owns it, one that is an identity with it, one
 * whose default draws from it, and one of a domain with such a default.
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
	int item;           /* in the list */
	const char *table;  /* as SQL wants it, like the next */
	const char *column; /* */
	bool is_number;     /* others have no order that a sequence follows */
} SequenceColumn;

/*
 * Finds those of all sequences of the list that are there.  A column that a
 * table inherits is left out, as it is read with the other table.  *columns is
 * allocated in the list's arena.
 */
MUST_CHECK Rc sequence_columns_find(const SequenceList *list, PgConn *conn,
									SequenceColumn **columns, int *count,
									Error *err);

/*
 * Reads the farthest value, in the direction of the sequence, that the column
 * has, and after which the sequence has at least so many values left: one that
 * is nearer to the end is taken to be written by hand.  *found is false if
 * there is none.
 */
MUST_CHECK Rc sequence_column_read(const SequenceItem *item,
								   const SequenceColumn *column, uint64_t left,
								   PgConn *conn, bool *found, int64_t *value,
								   Error *err);

#endif /* PENSTOCK_SEQUENCE_COLUMNS_H */
