/*
 * nearest.c
 *    Counts how many letters to add, remove, replace or swap with their
 *    neighbour.
 */
#include "base/nearest.h"

#include <string.h>

/* Longer words are similar to none. */
#define LENGTH_MAX 32

/* Number of letters for each of which one mistake is tolerated, rounded up. */
#define LETTERS_PER_SLIP 3

static int
min3(int a, int b, int c)
{
	int least = a < b ? a : b;

	return least < c ? least : c;
}

/* Computes the optimal string alignment distance of two words. */
static int
distance(const char *a, int a_length, const char *b, int b_length)
{
	int rows[LENGTH_MAX + 1][LENGTH_MAX + 1];

	for (int i = 0; i <= a_length; i++)
		rows[i][0] = i;
	for (int j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (int i = 1; i <= a_length; i++)
		for (int j = 1; j <= b_length; j++)
		{
			int change = a[i - 1] == b[j - 1] ? 0 : 1;

			rows[i][j] = min3(rows[i - 1][j] + 1, rows[i][j - 1] + 1,
							  rows[i - 1][j - 1] + change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1] && rows[i - 2][j - 2] + 1 < rows[i][j])
				rows[i][j] = rows[i - 2][j - 2] + 1;
		}
	return rows[a_length][b_length];
}

void
nearest_offer(Nearest *nearest, const char *candidate)
{
	size_t length = strcspn(nearest->word, "=");
	size_t other = strlen(candidate);
	int found;

	if (length > LENGTH_MAX || other > LENGTH_MAX)
		return;
	found = distance(nearest->word, (int) length, candidate, (int) other);
	if (found > (int) (length + LETTERS_PER_SLIP - 1) / LETTERS_PER_SLIP ||
		(nearest->found != NULL && found >= nearest->distance))
		return;
	nearest->found = candidate;
	nearest->distance = found;
}
