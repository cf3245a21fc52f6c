/*
 * sums.c
 *    A merge of two sorted lists.
 */
#include "verify/sums.h"

#include <string.h>

static bool
is_equal(const RangeSum *one, const RangeSum *other)
{
	return one->rows == other->rows && strcmp(one->first, other->first) == 0 &&
		   strcmp(one->second, other->second) == 0;
}

int
sums_compare(const RangeSum *source, int source_count, const RangeSum *target,
			 int target_count, int *ranges)
{
	int found = 0;
	int s = 0;
	int t = 0;

	while (s < source_count || t < target_count)
	{
		bool of_source = t == target_count ||
						 (s < source_count &&
						  source[s].range <= target[t].range);
		bool of_target = s == source_count ||
						 (t < target_count &&
						  target[t].range <= source[s].range);

		if (!of_source || !of_target || !is_equal(&source[s], &target[t]))
			ranges[found++] = of_source ? source[s].range : target[t].range;
		s += of_source ? 1 : 0;
		t += of_target ? 1 : 0;
	}
	return found;
}
