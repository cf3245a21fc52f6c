/*
 * raw_row.c
 *    The format of rows is described in the section "Rows" of
 *    proto/penstock.proto.
 */
#include "wire/raw_row.h"

#include "model/value.h"
#include "wire/unpack.h"

static bool
add_integer(RawRow *row, uint64_t number)
{
	if (row->integer_count >= RELATION_COLUMNS_MAX)
		return false;
	row->integers[row->integer_count++] = zigzag_decode(number);
	return true;
}

static bool
add_packed_integers(RawRow *row, Span packed)
{
	Reader reader = reader_of(packed);

	while (!reader_at_end(&reader))
	{
		uint64_t number;

		if (!reader_varint(&reader, &number) || !add_integer(row, number))
			return false;
	}
	return true;
}

/*
 * A repeated scalar field may be packed or not; protobuf requires readers to
 * accept both.
 */
bool
raw_row_add_field(RawRow *row, uint32_t number, const Field *field)
{
	ASSERT(number >= ROW_INTEGERS && number <= ROW_HASH);
	if (number == ROW_INTEGERS && field->wire_type == WIRE_VARINT)
		return add_integer(row, field->varint);
	if (number == ROW_HASH)
	{
		row->hash = field->fixed64;
		return field->wire_type == WIRE_FIXED64;
	}
	if (field->wire_type != WIRE_BYTES)
		return false;
	switch (number)
	{
		case ROW_INTEGERS:
			return add_packed_integers(row, field->bytes);
		case ROW_VALUES:
			if (row->value_count >= RELATION_COLUMNS_MAX)
				return false;
			row->values[row->value_count++] = field->bytes;
			return true;
		case ROW_NULLS:
			row->nulls = field->bytes;
			return true;
		case ROW_UNCHANGED:
			row->unchanged = field->bytes;
			return true;
		default:
			return false;
	}
}

bool
raw_row_add_values(RawRow *row, Reader *reader, uint8_t tag)
{
	ASSERT((tag & 7) == WIRE_BYTES);
	while (!reader_at_end(reader) && *reader->at == tag)
	{
		reader->at++;
		if (row->value_count >= RELATION_COLUMNS_MAX ||
			!reader_bytes(reader, &row->values[row->value_count]))
			return false;
		row->value_count++;
	}
	return true;
}

void
raw_row_reset(RawRow *row)
{
	row->integer_count = 0;
	row->value_count = 0;
	row->nulls = (Span){0};
	row->unchanged = (Span){0};
	row->hash = 0;
}

bool
raw_row_read(RawRow *row, Span body)
{
	Reader reader = reader_of(body);

	while (!reader_at_end(&reader))
	{
		Field field;

		if (!reader_field(&reader, &field))
			return false;
		if (field.number >= ROW_INTEGERS && field.number <= ROW_HASH &&
			!raw_row_add_field(row, field.number, &field))
			return false;
	}
	return true;
}

static bool
bit_is_set(Span bitmap, int bit)
{
	size_t byte = (size_t) bit / 8;

	ASSERT(bit >= 0 && bit < RELATION_COLUMNS_MAX);
	return byte < bitmap.length && (bitmap.data[byte] >> (bit % 8)) & 1;
}

/* Reads the value of a column that is neither null nor unchanged. */
static bool
take_value(const RawRow *row, const RelationColumn *column, int *integer_next,
		   int *value_next, Value *value)
{
	const Span *bytes;

	ASSERT(*integer_next <= row->integer_count);
	ASSERT(*value_next <= row->value_count);
	if (column->encoding == COLUMN_INTEGER)
	{
		if (*integer_next >= row->integer_count)
			return false;
		value->kind = VALUE_INTEGER;
		value->integer = row->integers[(*integer_next)++];
		return true;
	}
	if (*value_next >= row->value_count)
		return false;
	bytes = &row->values[(*value_next)++];
	if (bytes->length > INT32_MAX)
		return false;
	value->kind = column->encoding == COLUMN_BINARY ? VALUE_BINARY : VALUE_TEXT;
	value->bytes = bytes->data;
	value->length = (uint32_t) bytes->length;
	return true;
}

/* Whether an integer is in the range of its column's type. */
static bool
is_in_range(const RelationColumn *column, const Value *value)
{
	int64_t number = value->integer;

	if (value->kind != VALUE_INTEGER)
		return true;
	switch (column->type_oid)
	{
		case TYPE_BOOL:
			return number == 0 || number == 1;
		case TYPE_INT2:
			return number >= INT16_MIN && number <= INT16_MAX;
		case TYPE_INT4:
		case TYPE_DATE:
			return number >= INT32_MIN && number <= INT32_MAX;
		case TYPE_OID:
			return number >= 0 && number <= UINT32_MAX;
		default:
			return true;
	}
}

Rc
raw_row_build(const RawRow *row, const Relation *relation, bool key_only,
			  bool may_be_unchanged, Arena *arena, const Value **built,
			  Error *err)
{
	Value *values = arena_alloc(arena, (size_t) relation->column_count *
										   sizeof(Value));
	int integer_next = 0;
	int value_next = 0;
	int bit = 0;

	CHECK(relation->column_count <= RELATION_COLUMNS_MAX);
	ASSERT(row->integer_count <= RELATION_COLUMNS_MAX);
	ASSERT(row->value_count <= RELATION_COLUMNS_MAX);
	for (int i = 0; i < relation->column_count; i++)
	{
		const RelationColumn *column = &relation->columns[i];
		Value *value = &values[i];

		*value = (Value){.kind = VALUE_MISSING};
		if (key_only && !column->key)
			continue;
		if (bit_is_set(row->nulls, bit))
			value->kind = VALUE_NULL;
		else if (bit_is_set(row->unchanged, bit))
		{
			if (!may_be_unchanged)
				return invalid(err, "unchanged value where there can be none");
			value->kind = VALUE_UNCHANGED;
		}
		else if (!take_value(row, column, &integer_next, &value_next, value))
			return invalid(err, "row has fewer values than its table columns");
		if (!is_in_range(column, value))
			return invalid(err, "number is out of the range of its type");
		bit++;
	}
	if (integer_next != row->integer_count || value_next != row->value_count)
		return invalid(err, "row has more values than its table columns");
	ASSERT(bit <= relation->column_count);
	*built = values;
	return RC_OK;
}
