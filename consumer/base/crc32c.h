/*
 * crc32c.h
 *    CRC-32C, the checksum that PostgreSQL uses for WAL.
 *
 * It is the one of RFC 3720: reflected polynomial 0x82F63B78, first value and
 * final XOR 0xFFFFFFFF.  The CRC of the nine bytes "123456789" is 0xE3069283.
 */
#ifndef PENSTOCK_BASE_CRC32C_H
#define PENSTOCK_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Returns the CRC of `length` bytes. */
uint32_t crc32c(const void *data, size_t length);

/* Returns the CRC of bytes that follow others, whose CRC is `crc`. */
uint32_t crc32c_extend(uint32_t crc, const void *data, size_t length);

#endif /* PENSTOCK_BASE_CRC32C_H */
