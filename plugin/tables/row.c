/*
 * row.c
 *		Writes rows; see row.h.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "utils/datum.h"

#include "tables/row.h"
#include "tables/value.h"
#include "wire/wire.h"

const PenstockRowFields penstock_row_in_change = {
	.integers = PENSTOCK_CHANGE_INTEGERS,
	.values = PENSTOCK_CHANGE_VALUES,
	.nulls = PENSTOCK_CHANGE_NULLS,
	.unchanged = PENSTOCK_CHANGE_UNCHANGED,
};

const PenstockRowFields penstock_row_in_row = {
	.integers = PENSTOCK_ROW_INTEGERS,
	.values = PENSTOCK_ROW_VALUES,
	.nulls = PENSTOCK_ROW_NULLS,
	.unchanged = PENSTOCK_ROW_UNCHANGED,
};

void
penstock_row_form(PenstockRow *row, HeapTuple tuple, TupleDesc desc)
{
	Assert(tuple != NULL && row->values != NULL && row->nulls != NULL);
	heap_deform_tuple(tuple, desc, row->values, row->nulls);
	row->maybe_null = HeapTupleHasNulls(tuple) ||
					  HeapTupleHeaderGetNatts(tuple->t_data) < desc->natts;
	row->maybe_external = HeapTupleHasExternal(tuple);
}

/* Whether a value is a large one that the update did not change. */
static inline bool
is_unchanged(const PenstockRow *row, const PenstockColumn *column)
{
	return row->maybe_external && column->typlen == -1 &&
		   !row->nulls[column->source] &&
		   VARATT_IS_EXTERNAL_ONDISK(
			   DatumGetPointer(row->values[column->source]));
}

static inline bool
is_null(const PenstockRow *row, const PenstockColumn *column)
{
	return row->nulls[column->source];
}

/*
 * Appends a bitmap of the columns for which `test` holds.  Bytes after the last
 * set bit are omitted, and so is a bitmap without set bits.
 */
static inline void
append_bitmap(StringInfo buf, int field, const PenstockShape *shape,
			  const PenstockRow *row,
			  bool (*test)(const PenstockRow *row,
						   const PenstockColumn *column))
{
	char bitmap[MaxTupleAttributeNumber / 8 + 1];
	int bytes = 0;

	Assert(shape->ncolumns <= MaxTupleAttributeNumber);
	for (int i = 0; i < shape->ncolumns; i++)
	{
		if (!test(row, shape->columns[i]))
			continue;
		while (bytes <= i / 8)
			bitmap[bytes++] = 0;
		bitmap[i / 8] |= (char) (1 << (i % 8));
	}
	if (bytes > 0)
		penstock_wire_bytes(buf, field, bitmap, (Size) bytes);
}

static void
append_integers(StringInfo buf, int field, const PenstockShape *shape,
				const PenstockRow *row)
{
	char *start;
	char *p;
	int bytes;

	Assert(shape->nintegers > 0);
	start = penstock_wire_reserve(buf, 1 + PENSTOCK_WIRE_LENGTH_ANY +
										   (Size) shape->nintegers *
											   PENSTOCK_WIRE_VARINT_BYTES_MAX);

	/*
	 * The numbers are written after the room for their length, which takes one
	 * byte for all but the widest tables.
	 */
	p = start + 1 + PENSTOCK_WIRE_LENGTH_SMALL;
	for (int i = 0; i < shape->nintegers; i++)
	{
		const PenstockColumn *column = shape->integers[i];

		if (!row->nulls[column->source])
			p = penstock_wire_varint(
				p, penstock_wire_zigzag(penstock_value_integer(
					   &column->writer, row->values[column->source])));
	}

	bytes = (int) (p - start) - 1 - PENSTOCK_WIRE_LENGTH_SMALL;
	Assert(bytes >= 0);
	if (bytes == 0)
		return;
	*start = PENSTOCK_WIRE_TAG_BYTES(field);
	penstock_wire_advance(buf, p);
	penstock_wire_end(buf, buf->len - bytes, PENSTOCK_WIRE_LENGTH_SMALL);
}

/*
 * Raises the error that the WAL does not have a value which the reader needs.
 */
static void
raise_unchanged(const PenstockColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("value of column \"%s\" of table %s is not in the WAL",
					column->writer.column, column->writer.table),
			 errdetail("An update that did not change this large value moved "
					   "the row into the row filter of the publication, "
					   "which makes it an insert."),
			 errhint("Set REPLICA IDENTITY FULL for tables whose rows can "
					 "enter a row filter, or leave the column out with a "
					 "column list.")));
}

/*
 * Appends the values of a row; returns whether the update has left any value
 * unchanged.
 */
static bool
append_values(PenstockSession *session, StringInfo buf, int field,
			  const PenstockShape *shape, const PenstockRow *row,
			  bool allow_unchanged)
{
	bool any_unchanged = false;

	for (int i = 0; i < shape->nvalues; i++)
	{
		const PenstockColumn *column = shape->values[i];
		Assert(column->writer.encoding != PENSTOCK_ENCODING_INTEGER);

		if (row->nulls[column->source])
			continue;
		if (unlikely(is_unchanged(row, column)))
		{
			if (!allow_unchanged)
				raise_unchanged(column);
			any_unchanged = true;
			continue;
		}
		penstock_value_append(session, &column->writer, buf, field,
							  row->values[column->source]);
	}
	return any_unchanged;
}

void
penstock_row_append(PenstockSession *session, StringInfo buf,
					const PenstockRowFields *fields, const PenstockShape *shape,
					const PenstockRow *row, bool allow_unchanged)
{
	bool any_unchanged = false;

	Assert(shape->nintegers + shape->nvalues == shape->ncolumns);
	if (shape->nintegers > 0)
		append_integers(buf, fields->integers, shape, row);
	if (shape->nvalues > 0)
		any_unchanged = append_values(session, buf, fields->values, shape, row,
									  allow_unchanged);
	Assert(allow_unchanged || !any_unchanged);
	if (row->maybe_null)
		append_bitmap(buf, fields->nulls, shape, row, is_null);
	if (unlikely(any_unchanged))
		append_bitmap(buf, fields->unchanged, shape, row, is_unchanged);
}

/* Whether a value is the same in both rows, as far as can be told cheaply. */
static bool
is_same_value(const PenstockColumn *column, const PenstockRow *a,
			  const PenstockRow *b)
{
	Datum value_a = a->values[column->source];
	Datum value_b = b->values[column->source];

	if (a->nulls[column->source] || b->nulls[column->source])
		return a->nulls[column->source] == b->nulls[column->source];
	if (column->typlen == -1 && (VARATT_IS_EXTERNAL(DatumGetPointer(value_a)) ||
								 VARATT_IS_EXTERNAL(DatumGetPointer(value_b))))
		return false;
	return datumIsEqual(value_a, value_b, column->byval, column->typlen);
}

bool
penstock_row_key_changed(const PenstockRelInfo *info)
{
	Assert(info->key.ncolumns <= info->full.ncolumns);
	for (int i = 0; i < info->key.ncolumns; i++)
	{
		if (!is_same_value(info->key.columns[i], &info->old_row,
						   &info->new_row))
			return true;
	}
	return false;
}

Size
penstock_row_external_bytes(const PenstockShape *shape, const PenstockRow *row)
{
	Size bytes = 0;

	if (!row->maybe_external)
		return 0;
	for (int i = 0; i < shape->nvalues; i++)
	{
		const PenstockColumn *column = shape->values[i];
		Datum value = row->values[column->source];

		if (row->nulls[column->source] || column->typlen != -1 ||
			!VARATT_IS_EXTERNAL_INDIRECT(DatumGetPointer(value)))
			continue;
		bytes += toast_raw_datum_size(value);
	}
	return bytes;
}
