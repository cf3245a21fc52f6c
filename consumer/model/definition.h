/*
 * definition.h
 *    The definition of an object of a schema: a table, sequence, type or
 *    namespace.
 *
 * Definitions come from the plugin (SchemaChange in penstock.proto) or from a
 * server's catalogs (ddl/read).  The proto file says what each field means, and
 * in which form expressions are.  These structs do not depend on protobuf or
 * SQL.
 *
 * Strings are never NULL: an empty string means that there is no value.  All
 * memory of a Definition is allocated in one arena, and a Definition is not
 * changed after it was made.
 *
 * A DefinitionSet has the newest known definition of each object of a database.
 * The follower keeps one of the source.
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

/* Catalog of an OID.  An OID is unique only within its catalog. */
typedef enum DefinitionCatalog
{
	DEFINITION_IN_NAMESPACE, /* pg_namespace */
	DEFINITION_IN_CLASS,     /* pg_class */
	DEFINITION_IN_TYPE,      /* pg_type */
} DefinitionCatalog;

typedef enum DefinitionKind
{
	DEFINITION_NAMESPACE,
	DEFINITION_TABLE, /* a table, partitioned or not */
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

/* Column of a table, or attribute of a composite type. */
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
	const char *missing_value; /* NULL: none.  No other string can be NULL */
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
	uint32_t parent;           /* OID; 0: none */
	uint32_t index;            /* OID; 0: none */
	uint32_t referenced_table; /* OID; 0: none */
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
	uint32_t constraint; /* OID; 0: none */
	uint32_t parent;     /* OID; 0: none */
	OidList attnums;
} IndexDefinition;

/* Operations on a published table that are not published. */
#define WITHHELD_INSERT   1U
#define WITHHELD_UPDATE   2U
#define WITHHELD_DELETE   4U
#define WITHHELD_TRUNCATE 8U

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
	ColumnDefinition *columns; /* in the order of attnum */
	int constraint_count;
	ConstraintDefinition *constraints; /* in the order of their names */
	int index_count;
	IndexDefinition *indexes; /* in the order of their names */
	bool published;
	uint32_t withheld; /* bits of WITHHELD_… */
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
	uint32_t owner_table; /* OID of the table that owns it; 0: none */
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
	EnumLabel *labels; /* in the order of the enum */
} EnumDefinition;

typedef struct DomainDefinition
{
	const char *base_type;
	const char *collation;
	bool not_null;
	const char *default_expression;
	int constraint_count;
	ConstraintDefinition *constraints; /* in the order of their names */
} DomainDefinition;

/*
 * Of each column only those members are set that an attribute of a composite
 * type has.
 */
typedef struct CompositeDefinition
{
	int column_count;
	ColumnDefinition *columns; /* in the order of attnum */
} CompositeDefinition;

typedef struct Definition
{
	DefinitionKind kind;
	uint32_t oid;
	const char *schema; /* empty for a namespace */
	const char *name;

	/*
	 * Whether the object is no part of what a pipeline follows, so that the
	 * target need not have it.  The source does not send this.
	 */
	bool apart;

	union
	{
		TableDefinition table;
		SequenceDefinition sequence;
		EnumDefinition enumeration;
		DomainDefinition domain;
		CompositeDefinition composite;
	};
} Definition;

/* Kind of a SchemaChange. */
typedef enum SchemaChangeKind
{
	SCHEMA_DEFINED,      /* the object was created or altered; it is now as
						  * `definition` */
	SCHEMA_GONE,         /* the object `oid` of `catalog` was dropped */
	SCHEMA_UNTRANSLATED, /* something changed for which there is no Definition:
						  * see untranslated_… */
} SchemaChangeKind;

typedef struct SchemaChange
{
	SchemaChangeKind kind;
	Lsn lsn;
	uint32_t oid;
	DefinitionCatalog catalog;    /* not set with SCHEMA_UNTRANSLATED */
	const Definition *definition; /* borrowed from the frame; NULL unless
								   * SCHEMA_DEFINED */

	/* Description of the change, with SCHEMA_UNTRANSLATED; otherwise NULL. */
	const char *untranslated_catalog;
	const char *untranslated_identity; /* object; empty: unknown */
	const char *untranslated_part;     /* owner, comment, …; empty: the whole
										* object */
	bool untranslated_gone;
} SchemaChange;

/* Returns the catalog of a kind of object. */
DefinitionCatalog definition_catalog(DefinitionKind kind);

/* Returns the word for messages: "table", "sequence", "enum type", … */
const char *definition_kind_name(DefinitionKind kind);

/* Returns the column with the attnum; NULL: there is none. */
const ColumnDefinition *definition_column(const TableDefinition *table,
										  uint16_t attnum);

/* Whether all fields of two definitions are equal, OIDs included. */
bool definition_equal(const Definition *a, const Definition *b);

/* Returns a deep copy of a definition, allocated in the arena. */
Definition *definition_copy(const Definition *definition, Arena *arena);

/*
 * ---- Descriptions of the fields, for code that handles all fields in one way
 * ----
 */

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
	FIELD_MEMBERS, /* an array of structs, and an int with their number */
} FieldType;

typedef struct DefinitionField
{
	const char *name; /* name of the struct's member */
	FieldType type;
	size_t offset;            /* offset of the member in the struct */
	int32_t usual;            /* FIELD_INT32: default value */
	const char *const *words; /* FIELD_WORD: the word of each value of the
							   * enum */
	int word_count;           /* FIELD_WORD: number of `words` */
	size_t count_offset;      /* FIELD_MEMBERS: offset of the int */
	const struct DefinitionShape *member; /* FIELD_MEMBERS: shape of each struct
										   * of the array */
} DefinitionField;

typedef struct DefinitionShape
{
	size_t size; /* size of the struct */
	int field_count;
	const DefinitionField *fields;
} DefinitionShape;

/*
 * Returns the array of a FIELD_MEMBERS of `record`, and in *count its number of
 * elements.
 */
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

/*
 * Returns the fields of a Definition of the kind, including OID and names.
 * Offsets are counted from the start of the Definition.
 */
const DefinitionShape *definition_shape(DefinitionKind kind);

/*
 * Sets all fields of the struct `record` to their defaults: empty, false, 0, or
 * `usual` of the field.
 */
void definition_set_usual(const DefinitionShape *shape, void *record);

/*
 * Whether all fields of two structs of a shape are equal; and whether one field
 * of two structs is.
 */
bool definition_records_equal(const DefinitionShape *shape, const void *a,
							  const void *b);
bool definition_fields_equal(const DefinitionField *field, const void *a,
							 const void *b);

/*
 * Copies a field that is not FIELD_MEMBERS from one struct to another.  A
 * pointer is copied, not what it points to.
 */
void definition_copy_field(const DefinitionField *field, void *to,
						   const void *from);

/* ---- Sets of definitions ---- */

typedef struct DefinitionSet DefinitionSet;

/*
 * Returns an empty set, to be freed with definition_set_free(), which accepts
 * NULL.
 */
DefinitionSet *definition_set_new(void);
void definition_set_free(DefinitionSet *set);

/*
 * Adds a copy of a definition.  It replaces an older definition with the same
 * catalog and OID.
 */
void definition_set_put(DefinitionSet *set, const Definition *definition);

/* Removes the definition of an object; does nothing if there is none. */
void definition_set_remove(DefinitionSet *set, DefinitionCatalog catalog,
						   uint32_t oid);

/*
 * Returns the definition of an object, valid until the set is changed; NULL:
 * there is none.
 */
const Definition *definition_set_find(const DefinitionSet *set,
									  DefinitionCatalog catalog, uint32_t oid);

/*
 * The number of definitions, and each by its index, in the order of catalog and
 * OID.
 */
size_t definition_set_count(const DefinitionSet *set);
const Definition *definition_set_at(const DefinitionSet *set, size_t index);

/* Another set with the same members: it costs little, since definitions are
 * shared by sets that are copies of each other. */
DefinitionSet *definition_set_copy(const DefinitionSet *set);

#endif /* PENSTOCK_MODEL_DEFINITION_H */
