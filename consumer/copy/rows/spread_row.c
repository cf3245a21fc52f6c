/*
 * spread_row.c
 *    Parses the text and the binary format of COPY, as far as the columns that
 *    we have added.
 *
 * PostgreSQL's documentation of the command COPY describes both formats.  The
 * server sends each row in a CopyData message of its own, and the binary header
 * in the message of the first row.
 */
#include "copy/rows/spread_row.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/hash.h"

/* The binary header is the signature PGCOPY\n\377\r\n\0, flags of 4 bytes, and
 * the length of an extension in 4 bytes. */
static const char signature[] = "PGCOPY\n\377\r\n";
#define SIGNATURE_BYTES sizeof(signature)
#define HEADER_BYTES    (SIGNATURE_BYTES + 4 + 4)

/* Sizes in the binary format: of a row's number of fields, of a field's length,
 * and of a hash, which is a bigint. */
#define COUNT_BYTES  sizeof(uint16_t)
#define LENGTH_BYTES sizeof(uint32_t)
#define HASH_BYTES   sizeof(uint64_t)

/* The trailer of binary data: -1 in place of a row's number of fields. */
#define TRAILER_COUNT 0xffff

/* Length of a field that is null, in the binary format: -1. */
#define NULL_LENGTH 0xffffffff

static uint16_t
read_count(const char *data)
{
	uint16_t number;

	memcpy(&number, data, sizeof(number));
	return be16toh(number);
}

static uint32_t
read_length(const char *data)
{
	uint32_t number;

	memcpy(&number, data, sizeof(number));
	return be32toh(number);
}

static void
add_number(const SpreadFormat *format, uint64_t number, uint64_t *hash)
{
	*hash = format->is_number ? number : hash_combine(*hash, number);
}

/* Reads one hash in binary format at *at, and adds it to *hash. */
static bool
take_binary_hash(const SpreadFormat *format, char **at, size_t *left,
				 uint64_t *hash)
{
	uint64_t number;
	uint32_t length;

	if (*left < LENGTH_BYTES)
		return false;
	length = read_length(*at);
	*at += LENGTH_BYTES;
	*left -= LENGTH_BYTES;
	if (length == NULL_LENGTH)
		return true;
	if (length != HASH_BYTES || *left < HASH_BYTES)
		return false;
	memcpy(&number, *at, sizeof(number));
	add_number(format, be64toh(number), hash);
	*at += HASH_BYTES;
	*left -= HASH_BYTES;
	return true;
}

static bool
take_binary(const SpreadFormat *format, char *at, size_t left, SpreadRow *row)
{
	uint16_t count;

	if (left < COUNT_BYTES)
		return false;
	count = read_count(at);
	if (count == TRAILER_COUNT)
		return true;
	if (count < format->hash_count)
		return false;
	row->is_row = true;
	at += COUNT_BYTES;
	left -= COUNT_BYTES;
	for (int i = 0; i < format->hash_count; i++)
		if (!take_binary_hash(format, &at, &left, &row->hash))
			return false;

	/* Writes the number of the remaining fields before the first of them. */
	ASSERT(count >= format->hash_count);
	count = htobe16((uint16_t) (count - format->hash_count));
	row->data = at - COUNT_BYTES;
	row->length = left + COUNT_BYTES;
	memcpy(row->data, &count, sizeof(count));
	return true;
}

/* Reads one hash in text format at *at, and the tab after it, and adds it to
 * *hash. */
static bool
take_text_hash(const SpreadFormat *format, char **at, uint64_t *hash)
{
	char *end;
	long long number;

	if (strncmp(*at, "\\N\t", 3) == 0)
	{
		*at += 3;
		return true;
	}
	errno = 0;
	number = strtoll(*at, &end, 10);
	if (errno != 0 || end == *at || *end != '\t')
		return false;
	add_number(format, (uint64_t) number, hash);
	*at = end + 1;
	return true;
}

static bool
take_text(const SpreadFormat *format, char *at, size_t left, SpreadRow *row)
{
	char *start = at;

	row->is_row = true;
	for (int i = 0; i < format->hash_count; i++)
		if (!take_text_hash(format, &at, &row->hash))
			return false;
	row->data = at;
	row->length = left - (size_t) (at - start);
	return true;
}

/* Whether the data begins with the binary header.  The header's extension is
 * empty in all versions so far. */
static bool
is_header(const char *at, size_t left)
{
	return left >= HEADER_BYTES &&
		   memcmp(at, signature, SIGNATURE_BYTES) == 0 &&
		   read_length(at + HEADER_BYTES - LENGTH_BYTES) == 0;
}

bool
spread_row_take(const SpreadFormat *format, char **at, size_t *left,
				SpreadRow *row)
{
	*row = (SpreadRow){.data = *at,
					   .length = *left,
					   .hash = format->is_number ? UINT64_MAX : 0};
	if (format->binary && is_header(*at, *left))
		row->length = HEADER_BYTES;
	else if (!(format->binary ? take_binary(format, *at, *left, row)
							  : take_text(format, *at, *left, row)))
		return false;
	CHECK((size_t) (row->data - *at) + row->length <= *left);
	*left -= (size_t) (row->data - *at) + row->length;
	*at = row->data + row->length;
	return true;
}
