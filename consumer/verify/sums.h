/*
 * sums.h
 *    Compares the sums of both sides range by range.
 */
#ifndef PENSTOCK_VERIFY_SUMS_H
#define PENSTOCK_VERIFY_SUMS_H

#include <stdbool.h>

/* Sums of one range. */
typedef struct RangeSum
{
	int range;
	long long rows;
	const char *first; /* sums in the servers' text form; borrowed */
	const char *second;
} RangeSum;

/*
 * Compares two lists, each sorted by range; a range without rows may be
 * missing.  Writes the ranges that differ to `ranges`, which must have room for
 * all ranges, and returns their number.
 */
int sums_compare(const RangeSum *source, int source_count,
				 const RangeSum *target, int target_count, int *ranges);

#endif /* PENSTOCK_VERIFY_SUMS_H */
