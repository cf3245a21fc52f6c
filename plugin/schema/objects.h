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

/*
 * How the stream says what has become of an object; see SchemaChange in
 * penstock.proto.
 */
typedef enum PenstockSchemaForm
{
	PENSTOCK_SCHEMA_DEFINED,
	PENSTOCK_SCHEMA_GONE,
	PENSTOCK_SCHEMA_UNTRANSLATED,
} PenstockSchemaForm;

typedef struct PenstockSchemaObject
{
	PenstockSchemaForm form;
	Oid catalog; /* OID of the system catalog in which `oid` is */
	Oid oid;
	int32 column;      /* attnum of a column, if it is about one; else 0 */
	const char *part;  /* if UNTRANSLATED: what has changed; NULL: anything */
	const char *name;  /* if UNTRANSLATED and gone: its name, or NULL */
	bool gone;         /* if UNTRANSLATED: whether it was dropped */
	XLogRecPtr lsn;    /* where it changed, or its definition was read */
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

/* What a transaction has done to a row of a system catalog. */
typedef enum PenstockRowEvent
{
	PENSTOCK_ROW_INSERTED, /* also as the new version of an updated row */
	PENSTOCK_ROW_REPLACED, /* by an update: the new version is looked at next */
	PENSTOCK_ROW_DELETED,
} PenstockRowEvent;

typedef struct PenstockObjectKey
{
	Oid catalog;
	Oid oid;
	int32 column;
	PenstockPart part;
} PenstockObjectKey;

/*
 * An object of the schema, with what the catalog rows that the transaction has
 * written say of it.
 */
typedef struct PenstockObject
{
	PenstockObjectKey key;
	XLogRecPtr lsn;
	TransactionId xid;

	bool changed;  /* something has changed that the stream tells of */
	bool member;   /* made or dropped with its extension */
	bool internal; /* made by the server for another object */
	Oid relation;  /* of a trigger, policy or rule: what it is on */

	/*
	 * Known only if the row was found that stands for the object itself, such
	 * as that in pg_class of a table.
	 */
	bool known;
	bool created;  /* the transaction has made it */
	bool removed;  /* the transaction has dropped it */
	Oid namespace; /* the schema that it is in; InvalidOid: in none */
	bool left_out; /* a schema or relation that the stream never tells of */
	char *name;    /* if it was dropped, and no definition of it can be sent */

	/* Of a relation. */
	char relkind;
	Oid row_type;

	/*
	 * Of a heap that a command such as ALTER TABLE fills with the rows of a
	 * table and then exchanges for the table's own.  What pg_class says of
	 * their persistence is exchanged with them.
	 */
	Oid rewritten_table; /* the table; InvalidOid: it is no such heap */
	bool was_logged;     /* some version of its pg_class row says so */
	bool made_logged;    /* the exchange has made an unlogged table logged */
	bool ended_unlogged; /* so says the version of its row that was deleted */
} PenstockObject;

typedef struct PenstockObjects
{
	HTAB *hash; /* PenstockObject by key */
	List *list; /* the same, in the order in which they were found */
	const List *publications; /* names of the session's, set by the caller */

	/*
	 * Of the catalog row that is looked at: where in the WAL it was written,
	 * and by which (sub)transaction.
	 */
	XLogRecPtr lsn;
	TransactionId xid;
} PenstockObjects;

extern void penstock_objects_init(PenstockObjects *objects);

/*
 * Returns the entry of an object, a new one if there is none.  The entry gets
 * the position and the transaction of the row that is looked at.
 */
extern PenstockObject *penstock_objects_get(PenstockObjects *objects,
											Oid catalog, Oid oid);

/*
 * Notes that something has changed that the stream tells of: of an object, or
 * of its owner, privileges, comment or security label.
 */
extern void penstock_objects_mark(PenstockObjects *objects, Oid catalog,
								  Oid oid);
extern void penstock_objects_mark_part(PenstockObjects *objects,
									   PenstockObjectKey key);

static inline void
penstock_objects_mark_relation(PenstockObjects *objects, Oid oid)
{
	penstock_objects_mark(objects, RelationRelationId, oid);
}

static inline void
penstock_objects_mark_type(PenstockObjects *objects, Oid oid)
{
	penstock_objects_mark(objects, TypeRelationId, oid);
}

/*
 * Notes that the row was found that stands for an object itself, and what has
 * become of it.
 */
extern PenstockObject *penstock_objects_note(PenstockObjects *objects,
											 Oid catalog, Oid oid,
											 PenstockRowEvent event);

/*
 * Sorts the objects by their keys, where rows were found in an order that is
 * not that in which they were written.
 */
extern void penstock_objects_sort(PenstockObjects *objects);

/*
 * The changes that the stream is to tell of, as a list of PenstockSchemaObject:
 * what was noted, compared with what the catalogs say now.
 */
extern List *penstock_objects_tell(PenstockObjects *objects);

/*
 * Whether the stream never tells of objects in a schema with this name: those
 * of the system, and of the consumer's own schema.
 */
extern bool penstock_leaves_out_schema(const char *name);

/*
 * The same by OID. False if the schema was dropped: its name is not known then,
 * until its own row is found.
 */
extern bool penstock_leaves_out_namespace(Oid namespace);

/*
 * Whether the stream never tells of a relation: a temporary one, a TOAST table,
 * a heap of a table that is being rewritten, or one in such a schema.
 */
extern bool penstock_leaves_out_relation(Form_pg_class form);

/*
 * Whether a type has a definition of its own in the stream.  Row types of
 * tables and array types do not: they come with the table or the element type.
 * Nor do composite types as rows of pg_type: their rows in pg_class are looked
 * at.
 */
extern bool penstock_is_type_of_its_own(Form_pg_type form);

#endif /* PENSTOCK_OBJECTS_H */
