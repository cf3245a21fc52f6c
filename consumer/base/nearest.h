/*
 * nearest.h
 *    The word that somebody may have meant who wrote another one.
 *
 *     Nearest nearest = {.word = "flolow"};
 *
 *     nearest_offer(&nearest, "follow");
 *     … nearest.found: "follow", or NULL if nothing is like it
 */
#ifndef PENSTOCK_BASE_NEAREST_H
#define PENSTOCK_BASE_NEAREST_H

typedef struct Nearest
{
	const char *word;  /* that was written; up to '=' or its end */
	const char *found; /* the most alike so far, or NULL; borrowed */
	int distance;      /* of that */
} Nearest;

/* One of the words that could be meant. */
void nearest_offer(Nearest *nearest, const char *candidate);

#endif /* PENSTOCK_BASE_NEAREST_H */
