/*
 * reader.h
 *    Reads serialized protobuf in place, without copying it.
 *
 * The encoding is specified at
 * https://protobuf.dev/programming-guides/encoding/: a message is a sequence of
 * fields, each of which has a tag (field number and wire type) and a payload.
 * We use this reader for the messages that come by the million; protobuf-c
 * reads all others.  A Reader borrows its bytes and never reads outside of
 * them.  After a failure its position is undefined.
 */
#ifndef PENSTOCK_WIRE_READER_H
#define PENSTOCK_WIRE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum WireType
{
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_FIXED32 = 5,
} WireType;

typedef struct Span
{
	const uint8_t *data;
	size_t length;
} Span;

typedef struct Reader
{
	const uint8_t *at;
	const uint8_t *end;
} Reader;

typedef struct Field
{
	uint32_t number;
	uint32_t wire_type;
	uint64_t varint;  /* payload if wire_type is WIRE_VARINT */
	uint64_t fixed64; /* payload if wire_type is WIRE_FIXED64 */
	Span bytes;       /* payload if wire_type is WIRE_BYTES */
} Field;

static inline Reader
reader_of(Span span)
{
	return (Reader){span.data, span.data + span.length};
}

static inline bool
reader_at_end(const Reader *reader)
{
	return reader->at == reader->end;
}

/* Does the work of reader_varint() for a varint of more than one byte. */
bool reader_varint_slow(Reader *reader, uint64_t *number);

/*
 * Reads a varint.  Returns false if it is cut short or longer than ten bytes.
 */
static inline bool
reader_varint(Reader *reader, uint64_t *number)
{
	if (reader->at < reader->end && *reader->at < 0x80)
	{
		*number = *reader->at++;
		return true;
	}
	return reader_varint_slow(reader, number);
}

/* Does the work of reader_short_varint() for a varint of more than one byte. */
bool reader_short_varint_slow(Reader *reader, uint64_t *number);

static inline bool
reader_short_varint(Reader *reader, uint64_t *number)
{
	if (reader->at < reader->end && *reader->at < 0x80)
	{
		*number = *reader->at++;
		return true;
	}
	return reader_short_varint_slow(reader, number);
}

/* Reads the payload of a field of WIRE_BYTES. */
static inline bool
reader_bytes(Reader *reader, Span *bytes)
{
	uint64_t length;

	if (!reader_short_varint(reader, &length) ||
		length > (size_t) (reader->end - reader->at))
		return false;
	*bytes = (Span){reader->at, length};
	reader->at += length;
	return true;
}

/*
 * Reads the next field of any wire type.  Returns false if it is not well
 * formed.
 */
bool reader_field(Reader *reader, Field *field);

/* Decodes the zigzag encoding of sint32 and sint64. */
static inline int64_t
zigzag_decode(uint64_t number)
{
	return (int64_t) (number >> 1) ^ -(int64_t) (number & 1);
}

#endif /* PENSTOCK_WIRE_READER_H */
