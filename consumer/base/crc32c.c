/*
 * crc32c.c
 *    Computes the checksum with tables, eight bytes at a time.
 */
#include "base/crc32c.h"

#include <endian.h>
#include <string.h>

#define POLYNOMIAL 0x82F63B78U
#define SLICES     8

/* tables[n][b]: CRC of byte b and n zero bytes after it; empty until used. */
static uint32_t tables[SLICES][256];

static void
make_tables(void)
{
	for (uint32_t byte = 0; byte < 256; byte++)
	{
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
		tables[0][byte] = crc;
	}
	for (int slice = 1; slice < SLICES; slice++)
		for (int byte = 0; byte < 256; byte++)
		{
			uint32_t before = tables[slice - 1][byte];

			tables[slice][byte] = before >> 8 ^ tables[0][before & 0xFF];
		}
}

uint32_t
crc32c(const void *data, size_t length)
{
	return crc32c_extend(0, data, length);
}

uint32_t
crc32c_extend(uint32_t crc, const void *data, size_t length)
{
	const uint8_t *at = data;

	if (tables[0][1] == 0)
		make_tables();
	crc = ~crc;
	for (; length >= SLICES; length -= SLICES, at += SLICES)
	{
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		word = le64toh(word) ^ crc;
		crc = 0;
		for (int i = 0; i < SLICES; i++)
			crc ^= tables[SLICES - 1 - i][word >> (8 * i) & 0xFF];
	}
	for (; length > 0; length--, at++)
		crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xFF];
	return ~crc;
}
