/*
 * amount.h
 *    Formats numbers of bytes, and positions, for people.
 */
#ifndef PENSTOCK_CMD_STATUS_AMOUNT_H
#define PENSTOCK_CMD_STATUS_AMOUNT_H

#include <stdint.h>

#include "model/lsn.h"

/* Bytes for the text of any size, time or position. */
#define AMOUNT_TEXT_SIZE 32

/*
 * Writes a number of bytes in the largest unit that leaves two digits or more,
 * like pg_size_pretty(); returns `text`.
 */
const char *amount_bytes(uint64_t bytes, char text[static AMOUNT_TEXT_SIZE]);

/* Writes a position, or "-" for 0, and returns the text, which may be another
 * than `text`. */
const char *amount_lsn(Lsn lsn, char *text);

#endif /* PENSTOCK_CMD_STATUS_AMOUNT_H */
