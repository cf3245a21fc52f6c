/*
 * names.h
 *		Names in the values of options, written as in SQL.
 *
 * Each function reads at *at, and moves *at to just after what it took and any
 * spaces that follow.
 */
#ifndef PENSTOCK_NAMES_H
#define PENSTOCK_NAMES_H

extern void penstock_skip_spaces(const char **at);

/* Takes this character; false if another is there. */
extern bool penstock_take_character(const char **at, char character);

/* Takes this word, in any case and not quoted; false if another is there. */
extern bool penstock_take_word(const char **at, const char *word);

/*
 * Takes a name; NULL if there is none.  It is allocated in the current memory
 * context.
 */
extern char *penstock_take_name(const char **at);

#endif /* PENSTOCK_NAMES_H */
