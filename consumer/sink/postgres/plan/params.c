/*
 * params.c
 *    Writes binary formats that the server's receive functions read.
 */
#include "sink/postgres/plan/params.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define PARAMS_ARENA_BYTES (16 * KB)

/* Largest length of an integer value as text: a timestamp far BC. */
#define INTEGER_TEXT_MAX 64

/* Largest length of an integer value in binary format. */
#define INTEGER_BYTES_MAX 8

Params *
params_new(void)
{
	Params *params = xcalloc(1, sizeof(Params));

	params->arena = arena_new(PARAMS_ARENA_BYTES);
	return params;
}

void
params_free(Params *params)
{
	if (params == NULL)
		return;
	arena_free(params->arena);
	free(params);
}

void
params_reset(Params *params)
{
	params->count = 0;
	arena_reset(params->arena);
}

/* Writes an integer in the binary format of its type; returns its length. */
static int
encode_integer(uint8_t *bytes, uint32_t type, int64_t number)
{
	uint64_t number64;
	uint32_t number32;

	switch (type)
	{
		case TYPE_BOOL:
			/* A number that does not fit its type would be written as another
			 * one. */
			CHECK(number == 0 || number == 1);
			bytes[0] = number != 0;
			return 1;
		case TYPE_INT2:
			CHECK(number >= INT16_MIN && number <= INT16_MAX);
			bytes[0] = (uint8_t) ((uint64_t) number >> 8);
			bytes[1] = (uint8_t) number;
			return 2;
		case TYPE_INT4:
		case TYPE_OID:
		case TYPE_DATE:
			CHECK(number >= INT32_MIN && number <= UINT32_MAX);
			number32 = htobe32((uint32_t) number);
			memcpy(bytes, &number32, sizeof(number32));
			return (int) sizeof(number32);
		default:
			number64 = htobe64((uint64_t) number);
			memcpy(bytes, &number64, sizeof(number64));
			return (int) sizeof(number64);
	}
}

/* Appends an integer as text, for a column of a type other than an integer. */
static void
append_integer_text(Buf *buf, const TargetColumn *column, const Value *value)
{
	ASSERT(value->kind == VALUE_INTEGER);
	value_append_integer(buf, column->source->type_oid, value->integer);
}

static void
add_integer(Params *params, const TargetColumn *column, const Value *value)
{
	int i = params->count;

	ASSERT(value->kind == VALUE_INTEGER);
	if (column->transfer == TRANSFER_SAME)
	{
		uint8_t *bytes = arena_alloc(params->arena, INTEGER_BYTES_MAX);

		params->lengths[i] = encode_integer(bytes, column->base_type,
											value->integer);
		params->values[i] = (const char *) bytes;
	}
	else
	{
		Buf text;

		buf_init(&text, INTEGER_TEXT_MAX);
		append_integer_text(&text, column, value);
		params->lengths[i] = (int) text.length;
		params->values[i] = arena_strdup(params->arena, text.data);
		buf_release(&text);
	}
}

/*
 * Adds bytes; text is copied, because libpq needs a terminating zero, which a
 * frame does not have.
 */
static void
add_bytes(Params *params, const TargetColumn *column, const Value *value)
{
	int i = params->count;

	ASSERT(value->length <= INT32_MAX);
	params->values[i] = (const char *) value->bytes;
	params->lengths[i] = (int) value->length;
	if (column->transfer == TRANSFER_TEXT)
	{
		char *text = arena_alloc(params->arena, (size_t) value->length + 1);

		memcpy(text, value->bytes, value->length);
		text[value->length] = '\0';
		params->values[i] = text;
	}
}

void
params_add(Params *params, const TargetColumn *column, const Value *value)
{
	int i = params->count;

	ASSERT(i < PARAMS_MAX);
	params->types[i] = column->wire_type;
	params->formats[i] = column->transfer == TRANSFER_TEXT ? 0 : 1;
	params->values[i] = NULL;
	params->lengths[i] = 0;
	switch ((ValueKind) value->kind)
	{
		case VALUE_NULL:
			break;
		case VALUE_INTEGER:
			add_integer(params, column, value);
			break;
		case VALUE_BINARY:
		case VALUE_TEXT:
			add_bytes(params, column, value);
			break;
		case VALUE_MISSING:
		case VALUE_UNCHANGED:
			check_failed("a value that is sent is there", __FILE__, __LINE__);
	}
	params->count++;
}

void
params_add_bytes(Params *params, uint32_t type, const void *bytes, int length)
{
	int i = params->count++;

	ASSERT(i < PARAMS_MAX);
	ASSERT(length >= 0 && (bytes != NULL || length == 0));
	params->types[i] = type;
	params->formats[i] = 1;
	params->values[i] = bytes;
	params->lengths[i] = length;
}

void
params_add_number(Params *params, uint32_t type, int64_t number)
{
	uint8_t *bytes = arena_alloc(params->arena, INTEGER_BYTES_MAX);

	params_add_bytes(params, type, bytes,
					 encode_integer(bytes, TYPE_INT8, number));
}

void
params_add_int8(Params *params, int64_t number)
{
	params_add_number(params, TYPE_INT8, number);
}

static void
write_length(char *end, uint32_t length)
{
	length = htobe32(length);
	memcpy(end, &length, sizeof(length));
}

static void
append_bytes_field(Buf *buf, const Value *value)
{
	char *end = buf_reserve(buf, sizeof(uint32_t) + value->length);

	if (end == NULL)
		return;
	write_length(end, value->length);
	if (value->length > 0)
		memcpy(end + sizeof(uint32_t), value->bytes, value->length);
	buf_advance(buf, sizeof(uint32_t) + value->length);
}

static void
append_integer_field(Buf *buf, const TargetColumn *column, const Value *value)
{
	ASSERT(value->kind == VALUE_INTEGER);
	if (column->transfer == TRANSFER_SAME)
	{
		char *end = buf_reserve(buf, sizeof(uint32_t) + INTEGER_BYTES_MAX);
		int length;

		if (end == NULL)
			return;
		length = encode_integer((uint8_t *) end + sizeof(uint32_t),
								column->base_type, value->integer);
		write_length(end, (uint32_t) length);
		buf_advance(buf, sizeof(uint32_t) + (size_t) length);
	}
	else
	{
		Buf text;

		buf_init(&text, INTEGER_TEXT_MAX);
		append_integer_text(&text, column, value);
		buf_append_uint32(buf, (uint32_t) text.length);
		buf_append(buf, text.data, text.length);
		buf_release(&text);
	}
}

void
params_append_field(Buf *buf, const TargetColumn *column, const Value *value)
{
	switch ((ValueKind) value->kind)
	{
		case VALUE_NULL:
			buf_append_uint32(buf, UINT32_MAX);
			break;
		case VALUE_INTEGER:
			append_integer_field(buf, column, value);
			break;
		case VALUE_BINARY:
		case VALUE_TEXT:
			append_bytes_field(buf, value);
			break;
		case VALUE_MISSING:
		case VALUE_UNCHANGED:
			check_failed("a value that is sent is there", __FILE__, __LINE__);
	}
}

/*
 * Format of array_recv() in the server: number of dimensions, whether there are
 * nulls, type of the elements, then length and lower bound of the dimension.
 */
void
params_begin_binary_array(Buf *array, uint32_t element_type, size_t count)
{
	ASSERT(count > 0 && count <= INT32_MAX);
	buf_append_uint32(array, 1);
	buf_append_uint32(array, 1);
	buf_append_uint32(array, element_type);
	buf_append_uint32(array, (uint32_t) count);
	buf_append_uint32(array, 1);
}

void
params_begin_array(Buf *array, const TargetColumn *column, size_t count)
{
	ASSERT(array->length == 0 && count > 0);
	if (column->array_is_text)
		buf_append_char(array, '{');
	else
		params_begin_binary_array(array, column->element_type, count);
}

/*
 * Appends an element in text format; the opening brace comes before the first.
 */
static void
append_text_element(Buf *array, const TargetColumn *column, const Value *value)
{
	Buf number;

	ASSERT(array->length > 0);
	if (array->length > 1)
		buf_append_char(array, column->delimiter);
	switch ((ValueKind) value->kind)
	{
		case VALUE_NULL:
			buf_append_string(array, "NULL");
			break;
		case VALUE_INTEGER:
			buf_init(&number, INTEGER_TEXT_MAX);
			append_integer_text(&number, column, value);
			buf_append_element(array, number.data, number.length);
			buf_release(&number);
			break;
		case VALUE_BINARY:
		case VALUE_TEXT:
			buf_append_element(array, (const char *) value->bytes,
							   value->length);
			break;
		case VALUE_MISSING:
		case VALUE_UNCHANGED:
			check_failed("a value that is sent is there", __FILE__, __LINE__);
	}
}

void
params_append_element(Buf *array, const TargetColumn *column,
					  const Value *value)
{
	if (column->array_is_text)
		append_text_element(array, column, value);
	else
		params_append_field(array, column, value);
}

void
params_add_array(Params *params, const TargetColumn *column, Buf *array)
{
	ASSERT(array->length > 0 && array->length <= INT32_MAX);
	if (column->array_is_text)
		buf_append_char(array, '}');
	CHECK(!array->overflowed);
	params_add_bytes(params, column->array_type, array->data,
					 (int) array->length);
	params->formats[params->count - 1] = column->array_is_text ? 0 : 1;
}
