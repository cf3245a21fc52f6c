/*
 * definition.h
 *		Writes what definitions of objects consist of: names, options, columns.
 */
#ifndef PENSTOCK_DEFINITION_H
#define PENSTOCK_DEFINITION_H

#include "lib/stringinfo.h"

#include "session/session.h"

/*
 * Appends a field that is a name or text, in the encoding of the stream.  An
 * empty one is left out, NULL is as empty.
 */
extern void penstock_put_text(PenstockSession *session, StringInfo buf,
							  int field, const char *text);

/* Appends the name of a schema, given its OID. */
extern void penstock_put_namespace(PenstockSession *session, StringInfo buf,
								   int field, Oid namespace);

/* Appends a letter as text. */
extern void penstock_put_letter(PenstockSession *session, StringInfo buf,
								int field, char letter);

/*
 * Appends a field for each element of an array of options (text[]), but for
 * notes that the server keeps there for itself.
 */
extern void penstock_put_options(PenstockSession *session, StringInfo buf,
								 int field, Datum array);

/* Appends attribute numbers as a packed list. */
extern void penstock_put_attnums(StringInfo buf, int field,
								 const int16 *attnums, int count);

/*
 * Appends the qualified name of a collation, unless it is the default one of
 * the type.
 */
extern void penstock_put_collation(PenstockSession *session, StringInfo buf,
								   int field, Oid collation, Oid type);

#endif /* PENSTOCK_DEFINITION_H */
