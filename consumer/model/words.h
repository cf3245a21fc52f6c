/*
 * words.h
 *    A list of strings, such as the options that a pipeline has stored.
 */
#ifndef PENSTOCK_MODEL_WORDS_H
#define PENSTOCK_MODEL_WORDS_H

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

typedef struct Words
{
	int count;
	int capacity;
	const char **words; /* array in an arena; the strings are borrowed or in the
						 * arena */
} Words;

/* Appends a word, which is borrowed; `arena` is for the array. */
static inline void
words_add(Words *words, Arena *arena, const char *word)
{
	if (words->count == words->capacity)
	{
		int capacity = words->capacity > 0 ? 2 * words->capacity : 8;
		const char **larger = arena_calloc(arena, (size_t) capacity,
										   sizeof(char *));

		for (int i = 0; i < words->count; i++)
			larger[i] = words->words[i];
		words->words = larger;
		words->capacity = capacity;
	}
	words->words[words->count++] = word;
}

/* Whether two lists have the same words in the same order. */
static inline bool
words_equal(const Words *a, const Words *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (strcmp(a->words[i], b->words[i]) != 0)
			return false;
	return true;
}

#endif /* PENSTOCK_MODEL_WORDS_H */
