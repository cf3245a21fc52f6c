/*
 * definition.h
 *    What an object of a schema is: a table, a sequence, a type, a namespace.
 *
 * These are the definitions that the plugin sends (SchemaChange in
 * penstock.proto) and that ddl/read takes from a server's catalogs; the proto
 * file says what each field means, and in which form expressions are.  They
 * know neither protobuf nor SQL.
 *
 * Strings are never NULL: a field that has nothing is the empty string.  All
 * memory of a Definition is of the arena that it was made in, and a Definition
 * does not change once it is made.
 *
 * A DefinitionSet holds the newest definition of each object of a database that
 * somebody knows of, such as a follower of its source.
 */
#ifndef PENSTOCK_MODEL_DEFINITION_H
#define PENSTOCK_MODEL_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "model/lsn.h"
#include "model/relation.h"

/* Which catalog an OID is of.  An OID is unique in its catalog only. */
typedef enum DefinitionCatalog
{
	DEFINITION_IN_NAMESPACE, /* pg_namespace */
	DEFINITION_IN_CLASS,     /* pg_class */
	DEFINITION_IN_TYPE,      /* pg_type */
} DefinitionCatalog;

typedef enum DefinitionKind
{
	DEFINITION_NAMESPACE,
	DEFINITION_TABLE, /* partitioned tables, too */
	DEFINITION_SEQUENCE,
	DEFINITION_ENUM,
	DEFINITION_DOMAIN,
	DEFINITION_COMPOSITE,
} DefinitionKind;

typedef enum GeneratedKind
{
	GENERATED_NOT,
	GENERATED_STORED,
	GENERATED_VIRTUAL,
} GeneratedKind;

typedef enum IdentityKind
{
	IDENTITY_COLUMN_NOT,
	IDENTITY_COLUMN_ALWAYS,
	IDENTITY_COLUMN_BY_DEFAULT,
} IdentityKind;

typedef struct StringList
{
	int count;
	const char **strings;
} StringList;

typedef struct OidList
{
	int count;
	uint32_t *oids;
} OidList;

/* Of a table or a composite type. */
typedef struct ColumnDefinition
{
	uint16_t attnum;
	const char *name;
	uint32_t type_oid;
	int32_t typmod;
	const char *type;
	const char *collation;
	bool not_null;
	const char *default_expression;
	GeneratedKind generated;
	IdentityKind identity;
	bool local;
	int inherited;
	const char *storage;
	const char *compression;
	int statistics; /* -1: the server's default */
	StringList options;
	const char *missing_value; /* NULL: none.  The one field that may be */
} ColumnDefinition;

typedef enum ConstraintKind
{
	CONSTRAINT_CHECK,
	CONSTRAINT_PRIMARY_KEY,
	CONSTRAINT_UNIQUE,
	CONSTRAINT_FOREIGN_KEY,
	CONSTRAINT_EXCLUSION,
	CONSTRAINT_NOT_NULL,
} ConstraintKind;

typedef struct ConstraintDefinition
{
	uint32_t oid;
	const char *name;
	ConstraintKind kind;
	const char *definition;
	bool validated;
	bool local;
	int inherited;
	uint32_t parent;           /* 0: none */
	uint32_t index;            /* 0: none */
	uint32_t referenced_table; /* 0: none */
	OidList attnums;
} ConstraintDefinition;

typedef struct IndexDefinition
{
	uint32_t oid;
	const char *schema;
	const char *name;
	const char *definition;
	bool valid;
	bool unique;
	bool primary;
	bool replica_identity;
	bool clustered;
	uint32_t constraint; /* 0: none */
	uint32_t parent;     /* 0: none */
	OidList attnums;
} IndexDefinition;

typedef struct TableDefinition
{
	bool partitioned;
	bool unlogged;
	ReplicaIdentity replica_identity;
	OidList parents;
	const char *bound;
	bool detaching;
	const char *partition_key;
	const char *of_type;
	const char *access_method;
	StringList options;
	bool row_security;
	bool force_row_security;
	int column_count;
	ColumnDefinition *columns; /* by attnum */
	int constraint_count;
	ConstraintDefinition *constraints; /* by name */
	int index_count;
	IndexDefinition *indexes; /* by name */
	bool published;
} TableDefinition;

typedef struct SequenceDefinition
{
	const char *type;
	int64_t start;
	int64_t increment;
	int64_t minimum;
	int64_t maximum;
	int64_t cache;
	bool cycle;
	uint32_t owner_table; /* 0: nobody */
	uint16_t owner_attnum;
	bool identity;
	bool unlogged;
} SequenceDefinition;

typedef struct EnumLabel
{
	uint32_t oid;
	const char *label;
} EnumLabel;

typedef struct EnumDefinition
{
	int label_count;
	EnumLabel *labels; /* in their order */
} EnumDefinition;

typedef struct DomainDefinition
{
	const char *base_type;
	const char *collation;
	bool not_null;
	const char *default_expression;
	int constraint_count;
	ConstraintDefinition *constraints; /* by name */
} DomainDefinition;

/* Of its columns only what a composite type's attribute has is set. */
typedef struct CompositeDefinition
{
	int column_count;
	ColumnDefinition *columns; /* by attnum */
} CompositeDefinition;

typedef struct Definition
{
	DefinitionKind kind;
	uint32_t oid;
	const char *schema; /* of a namespace: empty */
	const char *name;

	union
	{
		TableDefinition table;
		SequenceDefinition sequence;
		EnumDefinition enumeration;
		DomainDefinition domain;
		CompositeDefinition composite;
	};
} Definition;

/* What a SchemaChange says beside the definition itself. */
typedef enum SchemaChangeKind
{
	SCHEMA_DEFINED,      /* `definition` is what the object is */
	SCHEMA_GONE,         /* the object `oid` of `catalog` is not there */
	SCHEMA_UNTRANSLATED, /* something else changed: `what` */
} SchemaChangeKind;

typedef struct SchemaChange
{
	SchemaChangeKind kind;
	Lsn lsn;
	uint32_t oid;
	DefinitionCatalog catalog;    /* but of what is untranslated */
	const Definition *definition; /* borrowed from the frame; or NULL */

	/* Of what is untranslated, else NULL. */
	const char *untranslated_catalog;
	const char *untranslated_identity; /* empty: it cannot be told */
	const char *untranslated_part;     /* owner, comment, …; empty: all */
	bool untranslated_gone;
} SchemaChange;

/* The catalog that a kind of object is in. */
DefinitionCatalog definition_catalog(DefinitionKind kind);

/* table, sequence, enum type, …: for messages. */
const char *definition_kind_name(DefinitionKind kind);

/* The column with the attnum; NULL: there is none. */
const ColumnDefinition *definition_column(const TableDefinition *table,
										  uint16_t attnum);

/* Whether two definitions say the same, OIDs included. */
bool definition_equal(const Definition *a, const Definition *b);

/* A copy of all of it in the arena. */
Definition *definition_copy(const Definition *definition, Arena *arena);

/* ---- The fields of a definition, for what walks over all of them ---- */

typedef enum FieldType
{
	FIELD_TEXT,         /* const char *, never NULL */
	FIELD_TEXT_OR_NULL, /* const char * */
	FIELD_BOOL,
	FIELD_UINT16,
	FIELD_UINT32,
	FIELD_INT32,
	FIELD_INT64,
	FIELD_WORD,    /* an enum */
	FIELD_STRINGS, /* StringList */
	FIELD_OIDS,    /* OidList */
	FIELD_MEMBERS, /* an array of structs, and an int that counts them */
} FieldType;

typedef struct DefinitionField
{
	const char *name; /* as in the struct */
	FieldType type;
	size_t offset;            /* in the struct */
	int32_t usual;            /* of FIELD_INT32: if nobody sets it */
	const char *const *words; /* of FIELD_WORD: by value */
	int word_count;           /* of FIELD_WORD */
	size_t count_offset;      /* of FIELD_MEMBERS: the int */
	const struct DefinitionShape *member; /* of FIELD_MEMBERS: of each */
} DefinitionField;

typedef struct DefinitionShape
{
	size_t size; /* of the struct */
	int field_count;
	const DefinitionField *fields;
} DefinitionShape;

/* The array of FIELD_MEMBERS, and how many it has. */
static inline void *
definition_members(const DefinitionField *field, const void *record, int *count)
{
	void *members;

	memcpy(&members, (const char *) record + field->offset, sizeof(members));
	memcpy(count, (const char *) record + field->count_offset, sizeof(*count));
	return members;
}

static inline void
definition_set_members(const DefinitionField *field, void *record,
					   void *members, int count)
{
	memcpy((char *) record + field->offset, &members, sizeof(members));
	memcpy((char *) record + field->count_offset, &count, sizeof(count));
}

/* What a Definition of the kind has, counted from the start of Definition: its
 * OID and names, too. */
const DefinitionShape *definition_shape(DefinitionKind kind);

/* Sets all fields of the struct to what they are if nobody sets them: empty,
 * false, 0, or what `usual` says. */
void definition_set_usual(const DefinitionShape *shape, void *record);

/* Whether two structs of a shape say the same; the same of one field of two. */
bool definition_records_equal(const DefinitionShape *shape, const void *a,
							  const void *b);
bool definition_fields_equal(const DefinitionField *field, const void *a,
							 const void *b);

/* Sets a field that is not FIELD_MEMBERS to what it is in another struct.
 * What it points to is not copied. */
void definition_copy_field(const DefinitionField *field, void *to,
						   const void *from);

/* ---- All that is known of a database ---- */

typedef struct DefinitionSet DefinitionSet;

/* An empty set; free with definition_set_free(), which accepts NULL. */
DefinitionSet *definition_set_new(void);
void definition_set_free(DefinitionSet *set);

/* Puts a copy in, in place of the one of the same catalog and OID. */
void definition_set_put(DefinitionSet *set, const Definition *definition);

/* Takes the object out; nothing happens if it is not in. */
void definition_set_remove(DefinitionSet *set, DefinitionCatalog catalog,
						   uint32_t oid);

/* NULL: not in.  Valid until the set is changed. */
const Definition *definition_set_find(const DefinitionSet *set,
									  DefinitionCatalog catalog, uint32_t oid);

/* The members in the order of catalog and OID, by index. */
size_t definition_set_count(const DefinitionSet *set);
const Definition *definition_set_at(const DefinitionSet *set, size_t index);

/* Another set with the same members. */
DefinitionSet *definition_set_copy(const DefinitionSet *set);

#endif /* PENSTOCK_MODEL_DEFINITION_H */
