/*
 * relation.h
 *    A table of the source as it was when the changes that refer to it were
 *    made.
 *
 * When the table changes, a new Relation takes the place of the old one;
 * changes from before keep referring to the old one.  So relations are counted
 * by reference: the decoder holds one, and so does every frame with changes of
 * it and every sink that remembers it.  They never change once they are made.
 */
#ifndef PENSTOCK_MODEL_RELATION_H
#define PENSTOCK_MODEL_RELATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

/* Below this, OIDs were assigned by hand and mean the same object on every
 * version of the server (access/transam.h: FirstGenbkiObjectId). */
#define OID_FIRST_GENERATED 10000

/* Columns that a table can have (access/htup_details.h:
 * MaxHeapAttributeNumber). */
#define RELATION_COLUMNS_MAX 1600

/* Columns of a distribution hash (pg_config_manual.h: PARTITION_MAX_KEYS). */
#define RELATION_DISTRIBUTION_MAX 32

/* OIDs of the types whose values travel as integers, and of a few others
 * (catalog/pg_type.dat). */
enum
{
	TYPE_BOOL = 16,
	TYPE_BYTEA = 17,
	TYPE_INT8 = 20,
	TYPE_INT2 = 21,
	TYPE_INT4 = 23,
	TYPE_TEXT = 25,
	TYPE_OID = 26,
	TYPE_JSON = 114,
	TYPE_TEXT_ARRAY = 1009,
	TYPE_BPCHAR = 1042,
	TYPE_VARCHAR = 1043,
	TYPE_DATE = 1082,
	TYPE_TIME = 1083,
	TYPE_TIMESTAMP = 1114,
	TYPE_TIMESTAMPTZ = 1184,
	TYPE_UUID = 2950,
	TYPE_LSN = 3220,
};

typedef enum ColumnEncoding
{
	COLUMN_INTEGER,
	COLUMN_BINARY,
	COLUMN_TEXT,
} ColumnEncoding;

typedef enum ReplicaIdentity
{
	IDENTITY_DEFAULT,
	IDENTITY_NOTHING,
	IDENTITY_FULL,
	IDENTITY_INDEX,
} ReplicaIdentity;

typedef struct RelationColumn
{
	const char *name;
	const char *type_name; /* schema-qualified and quoted as needed */
	uint32_t type_oid;     /* means something here if < OID_FIRST_GENERATED */
	int32_t typmod;        /* -1: none */
	uint16_t attnum;
	ColumnEncoding encoding;
	bool key;             /* part of the replica identity */
	bool generated;       /* GENERATED ALWAYS AS … STORED */
	bool identity_always; /* GENERATED ALWAYS AS IDENTITY */
} RelationColumn;

typedef struct Relation
{
	uint32_t number; /* of the stream */
	uint32_t oid;    /* on the source */
	const char *schema;
	const char *name;
	ReplicaIdentity identity;
	int column_count;
	int key_count; /* columns whose `key` is true */
	RelationColumn *columns;

	/* Indexes of the columns of which rows have a hash; none: they have none.
	 */
	int distribution_count;
	int *distribution;

	/*
	 * The transaction that came with this description has dropped the table
	 * again: nobody else ever saw it.  Not known before that commits.
	 */
	bool gone;

	Arena *arena;   /* holds all of the above and the Relation itself */
	int references; /* see relation_ref() */
} Relation;

/*
 * A new relation with one reference, held by the caller, and `column_count`
 * zeroed columns, to be filled in before anybody else sees it.  Names are to
 * be allocated in its arena.
 */
Relation *relation_new(int column_count);

/* Takes and gives back a reference; the last one frees.  _unref accepts NULL.
 */
Relation *relation_ref(Relation *relation);
void relation_unref(Relation *relation);

/* Appends "schema"."name". */
void relation_append_name(const Relation *relation, Buf *buf);

#endif /* PENSTOCK_MODEL_RELATION_H */
