/*
 * spread_row.c
 *    Reading COPY's two formats as far as it takes.
 *
 * Both are described with the command COPY in PostgreSQL's documentation.  The
 * server sends each row in a message of its own, a binary header together with
 * the first one.
 */
#include "copy/rows/spread_row.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/hash.h"

/* PGCOPY\n\377\r\n\0, flags, and the length of an extension. */
static const char signature[] = "PGCOPY\n\377\r\n";
#define SIGNATURE_BYTES sizeof(signature)
#define HEADER_BYTES    (SIGNATURE_BYTES + 4 + 4)

/* What a hash column takes: its length, and a bigint. */
#define COUNT_BYTES  sizeof(uint16_t)
#define LENGTH_BYTES sizeof(uint32_t)
#define HASH_BYTES   sizeof(uint64_t)

/* At the end of the data, this stands in place of a row's number of fields. */
#define TRAILER_COUNT 0xffff

/* Of a field that is null, this stands in place of its length. */
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

/* Reads one hash in front of the rest. */
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

	/* The number of fields that are left takes the place of what was read. */
	count = htobe16((uint16_t) (count - format->hash_count));
	row->data = at - COUNT_BYTES;
	row->length = left + COUNT_BYTES;
	memcpy(row->data, &count, sizeof(count));
	return true;
}

/* Reads one hash, and the tab after it. */
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

/* The header, if the data begins with it; its extension is empty in all
 * versions so far. */
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
	*left -= (size_t) (row->data - *at) + row->length;
	*at = row->data + row->length;
	return true;
}
