/*
 * plain.c
 *    Copies the fields that the plain form has, byte for byte.
 *
 * The decoder has read the frame before, so its fields are well formed.
 */
#include "wire/plain.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "penstock.pb-c.h"
#include "wire/reader.h"

/* Field numbers of proto/penstock.proto. */
enum
{
	FRAME_SESSION = 1,
	FRAME_BEGIN = 2,
	FRAME_CHANGES = 3,
	FRAME_COMMIT = 4,

	CHANGE_RELATION = 4,
	CHANGE_SUBXID = 12,
};

static void
append_varint(Buf *buf, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		buf_append_char(buf, (char) (number | 0x80));
	buf_append_char(buf, (char) number);
}

/* Appends the tag and the length of a field that has bytes. */
static void
append_head(Buf *buf, uint32_t field, size_t length)
{
	append_varint(buf, (uint64_t) field << 3 | WIRE_BYTES);
	append_varint(buf, length);
}

static void
append_field(Buf *buf, uint32_t field, Span content)
{
	append_head(buf, field, content.length);
	buf_append(buf, content.data, content.length);
}

/* What is not copied of a serialized Change. */
typedef struct Omitted
{
	bool whole;   /* it is a Relation record */
	size_t bytes; /* number of bytes of the field subxid */
} Omitted;

static Omitted
find_omitted(Span change)
{
	Reader reader = reader_of(change);
	Omitted omitted = {0};

	while (!reader_at_end(&reader))
	{
		const uint8_t *start = reader.at;
		Field field;

		CHECK(reader_field(&reader, &field));
		if (field.number == CHANGE_RELATION)
			omitted.whole = true;
		else if (field.number == CHANGE_SUBXID)
			omitted.bytes += (size_t) (reader.at - start);
	}
	return omitted;
}

static void
append_change(Buf *buf, Span change, size_t omitted_bytes)
{
	Reader reader = reader_of(change);

	CHECK(omitted_bytes <= change.length);
	append_head(buf, FRAME_CHANGES, change.length - omitted_bytes);
	if (omitted_bytes == 0)
	{
		buf_append(buf, change.data, change.length);
		return;
	}
	while (!reader_at_end(&reader))
	{
		const uint8_t *start = reader.at;
		Field field;

		CHECK(reader_field(&reader, &field));
		if (field.number != CHANGE_SUBXID)
			buf_append(buf, start, (size_t) (reader.at - start));
	}
}

static void
append_commit(Buf *buf, Span content, uint64_t change_count)
{
	Penstock__Commit *commit = penstock__commit__unpack(NULL, content.length,
														content.data);
	size_t length;
	uint8_t *packed;

	CHECK(commit != NULL);
	commit->change_count = change_count;
	length = penstock__commit__get_packed_size(commit);
	packed = xmalloc(length + 1);
	penstock__commit__pack(commit, packed);
	append_field(buf, FRAME_COMMIT, (Span){packed, length});
	free(packed);
	penstock__commit__free_unpacked(commit, NULL);
}

static bool
is_whole(const Frame *frame, const PlainPart *part)
{
	return part->begin == frame->begins && part->commit == frame->commits &&
		   part->first == 0 && part->end == frame->change_count;
}

/* Appends the field of a frame, if the parts to be written have it. */
static void
append_part(Buf *buf, const PlainPart *part, const Field *field, size_t *index)
{
	Omitted omitted;

	ASSERT(part->first <= part->end);
	if (field->number == FRAME_BEGIN && part->begin)
		append_field(buf, FRAME_BEGIN, field->bytes);
	else if (field->number == FRAME_COMMIT && part->commit)
		append_commit(buf, field->bytes, part->change_count);
	if (field->number != FRAME_CHANGES)
		return;
	omitted = find_omitted(field->bytes);
	if (omitted.whole)
		return;
	if (*index >= part->first && *index < part->end)
		append_change(buf, field->bytes, omitted.bytes);
	++*index;
}

void
plain_append(const Frame *frame, const PlainPart *part, Buf *buf)
{
	Reader reader = reader_of((Span){frame->bytes, frame->byte_count});
	size_t index = 0;

	ASSERT(frame->bytes != NULL && part->end <= frame->change_count);
	CHECK(!part->begin || frame->begins);
	CHECK(!part->commit || frame->commits);
	if (!frame->is_mixed && is_whole(frame, part) &&
		(!part->commit || part->change_count == frame->change_count))
	{
		/* The frame is as the source would have made it in plain form. */
		buf_append(buf, frame->bytes, frame->byte_count);
		return;
	}
	while (!reader_at_end(&reader))
	{
		Field field;

		CHECK(reader_field(&reader, &field));
		append_part(buf, part, &field, &index);
	}

	/* Otherwise the log would have other changes than those asked for. */
	CHECK(index == frame->change_count);
}

void
plain_append_relation(const uint8_t *record, size_t length, Buf *buf)
{
	Buf change;

	ASSERT(record != NULL && length > 0);
	buf_init(&change, length + 16);
	append_field(&change, CHANGE_RELATION, (Span){record, length});
	append_field(buf, FRAME_CHANGES,
				 (Span){(const uint8_t *) change.data, change.length});
	buf_release(&change);
}

void
plain_append_session(const uint8_t *session, size_t length, Buf *buf)
{
	ASSERT(session != NULL);
	append_field(buf, FRAME_SESSION, (Span){session, length});
}
