/*
 * sums.h
 *    What both sides have added up, and where it differs.
 */
#ifndef PENSTOCK_VERIFY_SUMS_H
#define PENSTOCK_VERIFY_SUMS_H

#include <stdbool.h>

/* Of one range; all zero is that of no rows. */
typedef struct RangeSum
{
	int range;
	long long rows;
	const char *first; /* the sums, as the servers write them; borrowed */
	const char *second;
} RangeSum;

/*
 * Compares two lists, each by range, where a range without rows may be left
 * out.  Writes the ranges that differ to `ranges`, which has room for all there
 * are, and returns how many.
 */
int sums_compare(const RangeSum *source, int source_count,
				 const RangeSum *target, int target_count, int *ranges);

#endif /* PENSTOCK_VERIFY_SUMS_H */
