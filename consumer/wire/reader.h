/*
 * reader.h
 *    Walking over serialized protobuf without copying it.
 *
 * This is the encoding as https://protobuf.dev/programming-guides/encoding/
 * specifies it: fields of a tag (number and wire type) and a payload.  It is
 * used for the messages that come by the million; everything else goes through
 * protobuf-c.  A reader borrows its bytes and never reads outside them; after
 * a failure its position means nothing.
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
	uint64_t varint;  /* of WIRE_VARINT */
	uint64_t fixed64; /* of WIRE_FIXED64 */
	Span bytes;       /* of WIRE_BYTES */
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

/* Reads a varint of more than one byte, or the last one of a message. */
bool reader_varint_slow(Reader *reader, uint64_t *number);

/* Reads a varint; false if it is cut short or longer than ten bytes. */
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

/* Reads a tag or a length: what is longer than five bytes is none. */
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

/* Reads what a field of WIRE_BYTES has after its tag. */
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

/* Reads the next field, whatever it is; false if it is not well formed. */
bool reader_field(Reader *reader, Field *field);

/* Undoes the zigzag of sint32 and sint64. */
static inline int64_t
zigzag_decode(uint64_t number)
{
	return (int64_t) (number >> 1) ^ -(int64_t) (number & 1);
}

#endif /* PENSTOCK_WIRE_READER_H */
