/*
 * pairing.h
 *    Merges the rows of source and target, which both come in the same order,
 *    and finds the rows that differ.
 */
#ifndef PENSTOCK_VERIFY_PAIRING_H
#define PENSTOCK_VERIFY_PAIRING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "verify/verdict.h"

/* PairedRow.place of a row that belongs on every target. */
#define PLACE_ANY (-2)

/*
 * A row of the result of verify_append_rows(); borrowed until the next row is
 * read.
 */
typedef struct PairedRow
{
	int64_t hash;
	const char *key;
	const char *json;
	const char *first;
	const char *second;
	int place; /* index of the target on which the row belongs, or PLACE_ANY */
} PairedRow;

/*
 * Reads rows in the order of their hashes, then of the bytes of key and hashes.
 */
typedef struct RowReader
{
	/* Reads the next row; *row is NULL after the last.  May block. */
	Rc (*next)(void *context, const PairedRow **row, Error *err);
	void *context;
} RowReader;

/* Arguments of pairing_run(); everything is borrowed. */
typedef struct Pairing
{
	const RowReader *source; /* rows of the source, for all targets */
	const RowReader *target;
	int number; /* index of the target */
	Verdict *verdict;
	TableVerdict *table;
} Pairing;

/*
 * Reads both sides to the end, and adds rows that differ to the verdict.
 * Blocks as the readers do.
 */
MUST_CHECK Rc pairing_run(const Pairing *pairing, Error *err);

#endif /* PENSTOCK_VERIFY_PAIRING_H */
