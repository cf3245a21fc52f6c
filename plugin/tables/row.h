/*
 * row.h
 *		Takes a stored row apart and writes it as the fields of a row.
 *
 * How a row is laid out (null and unchanged bitmaps, integers, values) is said
 * in penstock.proto.  The same four fields appear in a Change and in a Row,
 * under other numbers.
 */
#ifndef PENSTOCK_ROW_H
#define PENSTOCK_ROW_H

#include "access/htup.h"
#include "access/tupdesc.h"

#include "session/session.h"
#include "tables/table.h"

typedef struct PenstockRowFields
{
	int integers;
	int values;
	int nulls;
	int unchanged;
} PenstockRowFields;

extern const PenstockRowFields penstock_row_in_change;
extern const PenstockRowFields penstock_row_in_row;

/*
 * Takes a tuple apart.  The row's arrays are as long as `desc` is wide; the
 * values point into the tuple.
 */
extern void penstock_row_form(PenstockRow *row, HeapTuple tuple,
							  TupleDesc desc);

/*
 * Appends the columns that `shape` names.  Large values that an update did not
 * touch are marked as unchanged if that is allowed, and an error if not.
 */
extern void penstock_row_append(PenstockSession *session, StringInfo buf,
								const PenstockRowFields *fields,
								const PenstockShape *shape,
								const PenstockRow *row, bool allow_unchanged);

/*
 * Whether the keys of old and new row differ; true if that cannot be told.  The
 * server logs the old key not only if it changed, but also if part of it is
 * stored out of line, and a partition may log its whole old row although the
 * ancestor has a key.
 */
extern bool penstock_row_key_changed(const PenstockRelInfo *info);

/* Bytes of those values that are in the WAL, but not within the row. */
extern Size penstock_row_external_bytes(const PenstockShape *shape,
										const PenstockRow *row);

#endif /* PENSTOCK_ROW_H */
