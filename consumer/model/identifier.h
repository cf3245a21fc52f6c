/*
 * identifier.h
 *    SQL identifiers: quoted, or folded to lower case.
 */
#ifndef PENSTOCK_MODEL_IDENTIFIER_H
#define PENSTOCK_MODEL_IDENTIFIER_H

/* Size of the longest name of a server's object, with its NUL (NAMEDATALEN). */
#define IDENTIFIER_SIZE 64

/*
 * Reads the identifier that `text` begins with into `name`, which has
 * IDENTIFIER_SIZE bytes.  Returns the text after it, or NULL if there is no
 * identifier or it is too long.
 */
const char *identifier_read(const char *text, char *name);

#endif /* PENSTOCK_MODEL_IDENTIFIER_H */
