/*
 * relation.h
 *    Description of a table of the source, as it was when a change was made.
 *
 * When the table changes, the source describes it anew and we make a new
 * Relation; earlier changes keep referring to the old one.  So references to a
 * Relation are counted: the decoder holds one, each frame with changes of the
 * table does, and each sink that keeps it.  A Relation does not change after it
 * was made, except for `gone`.
 */
#ifndef PENSTOCK_MODEL_RELATION_H
#define PENSTOCK_MODEL_RELATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

/*
 * Smallest OID that is not assigned by hand.  OIDs below mean the same object
 * in every version of PostgreSQL (access/transam.h: FirstGenbkiObjectId).
 */
#define OID_FIRST_GENERATED 10000

/*
 * Largest number of columns of a table (access/htup_details.h:
 * MaxHeapAttributeNumber).
 */
#define RELATION_COLUMNS_MAX 1600

/*
 * Largest number of columns of a distribution hash (pg_config_manual.h:
 * PARTITION_MAX_KEYS).
 */
#define RELATION_DISTRIBUTION_MAX 32

/*
 * OIDs of the types whose values are sent as integers, and of a few others
 * (catalog/pg_type.dat).
 */
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

/*
 * Number of relations that stand for tables of the schema penstock.  Those of
 * the stream have numbers from 1.
 */
#define RELATION_OWN_NUMBER 0

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
	const char *type_name; /* name of the type, schema-qualified and quoted as
							* needed */
	uint32_t type_oid;     /* OID on the source; has a meaning on the target
							* only if < OID_FIRST_GENERATED */
	int32_t typmod;        /* type modifier; -1: none */
	uint16_t attnum;
	ColumnEncoding encoding;
	bool key;             /* whether the column is part of the replica
						   * identity */
	bool generated;       /* whether it is GENERATED ALWAYS AS (…) STORED */
	bool identity_always; /* whether it is GENERATED ALWAYS AS IDENTITY */
} RelationColumn;

typedef struct Relation
{
	uint32_t number; /* number of the table in the stream */
	uint32_t oid;    /* OID on the source */
	const char *schema;
	const char *name;
	ReplicaIdentity identity;
	int column_count;
	int key_count; /* number of columns whose `key` is true */
	RelationColumn *columns;

	/*
	 * Indexes of the columns that the distribution hash of a row is computed
	 * from; count 0: rows have no hash.
	 */
	int distribution_count;
	int *distribution;

	/*
	 * The serialized record that the source described the table with, if the
	 * Input keeps bytes (wire/input.h); otherwise NULL.
	 */
	const uint8_t *record;
	size_t record_bytes;

	/*
	 * Whether the transaction that brought this description has dropped the
	 * table again, so that no other transaction ever saw it.  Set at the end of
	 * that transaction.
	 */
	bool gone;

	Arena *arena;   /* memory of the Relation and all that it points to */
	int references; /* number of references: see relation_ref() */
} Relation;

/*
 * Returns a new Relation with `column_count` zeroed columns, which the caller
 * fills in.  Names have to be allocated in its arena.  The caller holds the one
 * reference.
 */
Relation *relation_new(int column_count);

/* Whether a relation stands for a table of the schema penstock. */
static inline bool
relation_is_own(const Relation *relation)
{
	return relation->number == RELATION_OWN_NUMBER;
}

/*
 * Add and release a reference; releasing the last one frees the Relation.
 * relation_unref() accepts NULL.
 */
Relation *relation_ref(Relation *relation);
void relation_unref(Relation *relation);

/* Appends "schema"."name". */
void relation_append_name(const Relation *relation, Buf *buf);

#endif /* PENSTOCK_MODEL_RELATION_H */
