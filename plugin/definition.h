/*
 * definition.h
 *		What it takes to read a definition from catalogs and to write it.
 */
#ifndef PENSTOCK_DEFINITION_H
#define PENSTOCK_DEFINITION_H

#include "access/tupdesc.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "session.h"

/* What identifies rows of a catalog: leading columns of an index of it. */
typedef struct PenstockCatalogKey
{
	Oid catalog;
	Oid index;
	AttrNumber attnums[2]; /* the second is 0 if one column is enough */
	Oid values[2];
} PenstockCatalogKey;

/*
 * Reads the rows of a catalog that a key identifies: a list of HeapTuple,
 * copies in the current memory context, in the order of the index.  *desc is
 * set to a copy of the catalog's descriptor.
 */
extern List *penstock_read_rows(PenstockCatalogKey key, TupleDesc *desc);

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
