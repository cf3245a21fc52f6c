/*
 * params.c
 *    Binary formats, as the server's receive functions read them.
 */
#include "sink/postgres/params.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define PARAMS_ARENA_BYTES (16 * KB)

/* Longest integer value in text: a timestamp far BC. */
#define INTEGER_TEXT_MAX 64

/* Longest integer value in binary. */
#define INTEGER_BYTES_MAX 8

Params *
params_new(void)
{
	Params *params = xcalloc(1, sizeof(Params));

	params->arena = arena_new(PARAMS_ARENA_BYTES);
	for (int i = 0; i < PARAMS_MAX; i++)
		params->formats[i] = 1;
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
			bytes[0] = number != 0;
			return 1;
		case TYPE_INT2:
			bytes[0] = (uint8_t) ((uint64_t) number >> 8);
			bytes[1] = (uint8_t) number;
			return 2;
		case TYPE_INT4:
		case TYPE_OID:
		case TYPE_DATE:
			number32 = htobe32((uint32_t) number);
			memcpy(bytes, &number32, sizeof(number32));
			return (int) sizeof(number32);
		default:
			number64 = htobe64((uint64_t) number);
			memcpy(bytes, &number64, sizeof(number64));
			return (int) sizeof(number64);
	}
}

/* An integer that goes into a column of another kind, as text. */
static void
append_integer_text(Buf *buf, const TargetColumn *column, const Value *value)
{
	value_append_integer(buf, column->source->type_oid, value->integer);
}

static void
add_integer(Params *params, const TargetColumn *column, const Value *value)
{
	int i = params->count;

	if (column->transfer == TRANSFER_SAME)
	{
		uint8_t *bytes = arena_alloc(params->arena, INTEGER_BYTES_MAX);

		params->lengths[i] = encode_integer(bytes, column->wire_type,
											value->integer);
		params->values[i] = (const char *) bytes;
	}
	else
	{
		Buf text;

		buf_init(&text, INTEGER_TEXT_MAX);
		append_integer_text(&text, column, value);
		params->lengths[i] = (int) text.length;
		params->values[i] = arena_dup(params->arena, text.data, text.length);
		buf_release(&text);
	}
}

void
params_add(Params *params, const TargetColumn *column, const Value *value)
{
	int i = params->count;

	ASSERT(i < PARAMS_MAX);
	params->types[i] = column->wire_type;
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
			params->values[i] = (const char *) value->bytes;
			params->lengths[i] = (int) value->length;
			break;
		case VALUE_ABSENT:
		case VALUE_UNCHANGED:
			check_failed("a value that is sent is there", __FILE__, __LINE__);
	}
	params->count++;
}

void
params_add_bytes(Params *params, Oid type, const void *bytes, int length)
{
	int i = params->count++;

	ASSERT(i < PARAMS_MAX);
	params->types[i] = type;
	params->values[i] = bytes;
	params->lengths[i] = length;
}

void
params_add_number(Params *params, Oid type, int64_t number)
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
	if (column->transfer == TRANSFER_SAME)
	{
		char *end = buf_reserve(buf, sizeof(uint32_t) + INTEGER_BYTES_MAX);
		int length;

		if (end == NULL)
			return;
		length = encode_integer((uint8_t *) end + sizeof(uint32_t),
								column->wire_type, value->integer);
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
		case VALUE_ABSENT:
		case VALUE_UNCHANGED:
			check_failed("a value that is sent is there", __FILE__, __LINE__);
	}
}
