/*
 * amount.h
 *    Numbers as people read them.
 */
#ifndef PENSTOCK_CMD_STATUS_AMOUNT_H
#define PENSTOCK_CMD_STATUS_AMOUNT_H

#include <stdint.h>

/* Enough for any size or time that is printed. */
#define AMOUNT_TEXT_SIZE 32

/* As pg_size_pretty(): the largest unit that leaves two digits or more. */
const char *amount_bytes(uint64_t bytes, char text[static AMOUNT_TEXT_SIZE]);

#endif /* PENSTOCK_CMD_STATUS_AMOUNT_H */
