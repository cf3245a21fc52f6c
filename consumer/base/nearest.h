/*
 * nearest.h
 *    Finds the word that a user may have meant who mistyped a word.
 *
 *     Nearest nearest = {.word = "flolow"};
 *
 *     nearest_offer(&nearest, "follow");
 *     … nearest.found: "follow", or NULL if no word is similar
 */
#ifndef PENSTOCK_BASE_NEAREST_H
#define PENSTOCK_BASE_NEAREST_H

typedef struct Nearest
{
	const char *word;  /* word that the user typed; only the part before '=' is
						* compared */
	const char *found; /* most similar candidate so far, or NULL; borrowed */
	int distance;      /* number of typing mistakes between `word` and
						* `found` */
} Nearest;

/*
 * Compares a word that the user may have meant.  `candidate` is borrowed as
 * `found`.
 */
void nearest_offer(Nearest *nearest, const char *candidate);

#endif /* PENSTOCK_BASE_NEAREST_H */
