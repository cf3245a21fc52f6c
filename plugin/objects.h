/*
 * objects.h
 *		The objects of the schema that a transaction has changed.
 *
 * They are collected from rows of catalogs (catalog_row.h), with what those say
 * of them; then each is told once.  All is allocated in the memory context that
 * is current at penstock_objects_init().
 */
#ifndef PENSTOCK_OBJECTS_H
#define PENSTOCK_OBJECTS_H

#include "access/xlogdefs.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"

/* How an object is to be told of; see SchemaChange in penstock.proto. */
typedef enum PenstockSchemaForm
{
	PENSTOCK_SCHEMA_DEFINED,
	PENSTOCK_SCHEMA_GONE,
	PENSTOCK_SCHEMA_UNTRANSLATED,
} PenstockSchemaForm;

typedef struct PenstockSchemaObject
{
	PenstockSchemaForm form;
	Oid catalog; /* what oid is a key of */
	Oid oid;
	int32 column;      /* if it is about one: its attnum */
	const char *part;  /* of what is untranslated: what of it; NULL: all */
	const char *name;  /* of what is untranslated and gone; may be NULL */
	bool gone;         /* of what is untranslated */
	XLogRecPtr lsn;    /* of the last change; or as of which it is read */
	TransactionId xid; /* the (sub)transaction that made it */
} PenstockSchemaObject;

/* What of an object has changed. */
typedef enum PenstockPart
{
	PENSTOCK_PART_ALL,
	PENSTOCK_PART_OWNER,
	PENSTOCK_PART_PRIVILEGES,
	PENSTOCK_PART_COMMENT,
	PENSTOCK_PART_SECURITY_LABEL,
} PenstockPart;

/* What happened to a row. */
typedef enum PenstockRowEvent
{
	PENSTOCK_ROW_INSERTED, /* or it is the new version of an old one */
	PENSTOCK_ROW_REPLACED, /* a new version follows */
	PENSTOCK_ROW_DELETED,
} PenstockRowEvent;

typedef struct PenstockObjectKey
{
	Oid catalog;
	Oid oid;
	int32 column;
	PenstockPart part;
} PenstockObjectKey;

/* An object of which rows were found. */
typedef struct PenstockObject
{
	PenstockObjectKey key;
	XLogRecPtr lsn;
	TransactionId xid;

	bool touched;  /* something of it that is told */
	bool member;   /* of an extension that comes or goes with it */
	bool internal; /* made by the server for another object */
	Oid relation;  /* the table or view that it is on, if it is one of those */

	/* If a row of its own was found. */
	bool known;
	bool created;  /* it was not there before */
	bool removed;  /* it is not there any more */
	Oid namespace; /* InvalidOid: it is in none */
	bool left_out; /* a schema or relation of which nothing is told */
	char *name;    /* if it is removed and cannot be described */

	/* Of a relation. */
	char relkind;
	Oid row_type;

	/*
	 * Of a heap that a command such as ALTER TABLE fills with the rows of a
	 * table and then exchanges for the table's own; with the contents, whether
	 * they are logged is exchanged, too.
	 */
	Oid rewritten_table; /* InvalidOid: it is no such heap */
	bool was_logged;     /* a version of its row says so */
	bool made_logged;    /* the exchange made the table logged, which was not */
	bool ended_unlogged; /* so says the version that was deleted */
} PenstockObject;

typedef struct PenstockObjects
{
	HTAB *hash; /* PenstockObject by key */
	List *list; /* the same, in the order in which they were found */

	/* Of the row that is looked at: its position, and who wrote it. */
	XLogRecPtr lsn;
	TransactionId xid;
} PenstockObjects;

extern void penstock_objects_init(PenstockObjects *objects);

/* Finds or makes it; it then has the position of the row that is looked at. */
extern PenstockObject *penstock_objects_get(PenstockObjects *objects,
											Oid catalog, Oid oid);

/* Something of an object has changed that is told of. */
extern void penstock_objects_touch(PenstockObjects *objects, Oid catalog,
								   Oid oid);
extern void penstock_objects_touch_part(PenstockObjects *objects,
										PenstockObjectKey key);

static inline void
penstock_objects_touch_relation(PenstockObjects *objects, Oid oid)
{
	penstock_objects_touch(objects, RelationRelationId, oid);
}

static inline void
penstock_objects_touch_type(PenstockObjects *objects, Oid oid)
{
	penstock_objects_touch(objects, TypeRelationId, oid);
}

/* A row of its own was found of an object. */
extern PenstockObject *penstock_objects_note(PenstockObjects *objects,
											 Oid catalog, Oid oid,
											 PenstockRowEvent event);

/* Forgets in which order objects were found: it was that of no WAL. */
extern void penstock_objects_sort(PenstockObjects *objects);

/* What is to be told, as PenstockSchemaObject, by the catalogs as they are. */
extern List *penstock_objects_tell(PenstockObjects *objects);

/* Whether nothing is told of what is in a schema with this name. */
extern bool penstock_leaves_out_schema(const char *name);

/*
 * The same by OID; false if the schema is gone, of which its own row may be
 * found later.
 */
extern bool penstock_leaves_out_namespace(Oid namespace);

/* Whether nothing is told of a relation. */
extern bool penstock_leaves_out_relation(Form_pg_class form);

/* A row type's is told of with its table, as a composite type's is. */
extern bool penstock_is_type_of_its_own(Form_pg_type form);

#endif /* PENSTOCK_OBJECTS_H */
