/*
 * pairing.h
 *    Finds for each row of one side that of the other, where both come in the
 *    same order.
 */
#ifndef PENSTOCK_VERIFY_PAIRING_H
#define PENSTOCK_VERIFY_PAIRING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "verify/verdict.h"

/* Any number that no target has. */
#define PLACE_ANY (-2)

/* As verify_append_rows() has it; borrowed until the next row. */
typedef struct PairedRow
{
	int64_t hash;
	const char *key;
	const char *json;
	const char *first;
	const char *second;
	int place; /* on which target it belongs; PLACE_ANY: on all */
} PairedRow;

/* Rows, by hash and then by the bytes of key and sums. */
typedef struct RowReader
{
	/* The next one; *row is NULL after the last.  May block. */
	Rc (*next)(void *context, const PairedRow **row, Error *err);
	void *context;
} RowReader;

/* Whom it is about. */
typedef struct Pairing
{
	const RowReader *source; /* rows for all targets */
	const RowReader *target;
	int number; /* of the target */
	Verdict *verdict;
	TableVerdict *table;
} Pairing;

/* Reads both to the end, and adds the rows that differ to the verdict.  Blocks
 * as the readers do. */
MUST_CHECK Rc pairing_run(const Pairing *pairing, Error *err);

#endif /* PENSTOCK_VERIFY_PAIRING_H */
