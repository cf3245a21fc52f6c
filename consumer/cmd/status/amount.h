/*
 * amount.h
 *    Formats numbers of bytes for people.
 */
#ifndef PENSTOCK_CMD_STATUS_AMOUNT_H
#define PENSTOCK_CMD_STATUS_AMOUNT_H

#include <stdint.h>

/* Bytes for the text of any size, time or position. */
#define AMOUNT_TEXT_SIZE 32

/*
 * Writes a number of bytes in the largest unit that leaves two digits or more,
 * like pg_size_pretty(); returns `text`.
 */
const char *amount_bytes(uint64_t bytes, char text[static AMOUNT_TEXT_SIZE]);

#endif /* PENSTOCK_CMD_STATUS_AMOUNT_H */
