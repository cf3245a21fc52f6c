/*
 * reader.c
 *    Reads varints and fields.
 */
#include "wire/reader.h"

#include "base/macros.h"

#define VARINT_BYTES_MAX 10

/* Largest number of bytes of a 32-bit number. */
#define SHORT_VARINT_BYTES_MAX 5

bool
reader_varint_slow(Reader *reader, uint64_t *number)
{
	uint64_t value = 0;

	ASSERT(reader->at <= reader->end);
	for (unsigned i = 0; i < VARINT_BYTES_MAX; i++)
	{
		uint8_t byte;

		if (reader->at == reader->end)
			return false;
		byte = *reader->at++;
		value |= (uint64_t) (byte & 0x7f) << (7 * i);
		if (byte < 0x80)
		{
			*number = value;
			return true;
		}
	}
	return false;
}

/*
 * A tag or a length has at most five bytes: writers need no more, and other
 * readers accept no more.
 */
bool
reader_short_varint_slow(Reader *reader, uint64_t *number)
{
	const uint8_t *start = reader->at;

	return reader_varint_slow(reader, number) &&
		   reader->at - start <= SHORT_VARINT_BYTES_MAX;
}

static bool
skip(Reader *reader, size_t length)
{
	ASSERT(reader->at <= reader->end);
	if ((size_t) (reader->end - reader->at) < length)
		return false;
	reader->at += length;
	return true;
}

/* Reads eight bytes, the least significant one first. */
static bool
read_fixed64(Reader *reader, uint64_t *number)
{
	const uint8_t *bytes = reader->at;

	if (!skip(reader, sizeof(*number)))
		return false;
	ASSERT(reader->at - bytes == sizeof(*number));
	*number = 0;
	for (size_t i = 0; i < sizeof(*number); i++)
		*number |= (uint64_t) bytes[i] << (8 * i);
	return true;
}

bool
reader_field(Reader *reader, Field *field)
{
	uint64_t tag;

	if (!reader_short_varint(reader, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	field->number = (uint32_t) tag >> 3;
	field->wire_type = (uint32_t) tag & 7;
	switch (field->wire_type)
	{
		case WIRE_VARINT:
			return reader_varint(reader, &field->varint);
		case WIRE_FIXED64:
			return read_fixed64(reader, &field->fixed64);
		case WIRE_FIXED32:
			return skip(reader, 4);
		case WIRE_BYTES:
			return reader_bytes(reader, &field->bytes);
		default: /* groups, which we do not support, and undefined wire types */
			return false;
	}
}
