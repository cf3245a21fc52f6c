/*
 * lsn.h
 *    LSNs: positions in a server's WAL, in the text form of PostgreSQL.
 */
#ifndef PENSTOCK_MODEL_LSN_H
#define PENSTOCK_MODEL_LSN_H

#include <stdbool.h>
#include <stdint.h>

/* A byte position in the WAL; 0 means none. */
typedef uint64_t Lsn;

/*
 * Format and arguments to print an LSN: printf("… " LSN_FORMAT, LSN_ARGS(lsn)).
 */
#define LSN_FORMAT    "%X/%X"
#define LSN_ARGS(lsn) (uint32_t)((lsn) >> 32), (uint32_t) (lsn)

/* Size of a buffer for any printed LSN with its NUL. */
#define LSN_TEXT_SIZE 20

/* Parses "X/X".  Returns false if the text is anything else. */
bool lsn_parse(const char *text, Lsn *lsn);

static inline Lsn
lsn_max(Lsn a, Lsn b)
{
	return a > b ? a : b;
}

static inline Lsn
lsn_min(Lsn a, Lsn b)
{
	return a < b ? a : b;
}

#endif /* PENSTOCK_MODEL_LSN_H */
