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
	AttrNumber attnums[2]; /* the second may be 0 */
	Oid values[2];
} PenstockCatalogKey;

/* Copies of the rows, in the order of the index; *desc is their catalog's. */
extern List *penstock_read_rows(PenstockCatalogKey key, TupleDesc *desc);

/*
 * Appends a field that is a name or text, in the encoding of the stream.  An
 * empty one is left out, NULL is as empty.
 */
extern void penstock_put_text(PenstockSession *session, StringInfo buf,
							  int field, const char *text);

/* The name of a schema. */
extern void penstock_put_namespace(PenstockSession *session, StringInfo buf,
								   int field, Oid namespace);

/* Text of one letter. */
extern void penstock_put_letter(PenstockSession *session, StringInfo buf,
								int field, char letter);

/* Each element of an array of options, but for what the server notes there. */
extern void penstock_put_options(PenstockSession *session, StringInfo buf,
								 int field, Datum array);

/* A packed list. */
extern void penstock_put_attnums(StringInfo buf, int field,
								 const int16 *attnums, int count);

/* A collation, unless it is the type's. */
extern void penstock_put_collation(PenstockSession *session, StringInfo buf,
								   int field, Oid collation, Oid type);

#endif /* PENSTOCK_DEFINITION_H */
