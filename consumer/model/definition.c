/*
 * definition.c
 *    Tables of the fields of all definitions, functions that use them, and
 *    sets.
 *
 * A new member of a struct needs a row in the table of that struct.  Copying,
 * comparing, writing and reading then handle it, too.
 */
#include "model/definition.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Block size in bytes of the arena of one definition in a set. */
#define DEFINITION_ARENA_BYTES ((size_t) 1024)

/* ---- The table ---- */

static const char *const generated_words[] = {"not", "stored", "virtual"};
static const char *const identity_words[] = {"not", "always", "by default"};
static const char *const replica_words[] = {"default", "nothing", "full",
											"index"};
static const char *const constraint_words[] = {
	"check", "primary key", "unique", "foreign key", "exclusion", "not null"};

/* ROW begins the row of a field, WORDS ends one of FIELD_WORD. */
#define ROW(called, kind, struct_type, field)                                  \
	.name = (called), .type = (kind), .offset = offsetof(struct_type, field)
#define WORDS(of_field) .words = (of_field), .word_count = LENGTH_OF(of_field)
#define SHAPE(struct_type, of_fields)                                          \
	{                                                                          \
		.size = sizeof(struct_type), .field_count = LENGTH_OF(of_fields),      \
		.fields = (of_fields)                                                  \
	}

static const DefinitionField column_fields[] = {
	{ROW("attnum", FIELD_UINT16, ColumnDefinition, attnum)},
	{ROW("name", FIELD_TEXT, ColumnDefinition, name)},
	{ROW("type_oid", FIELD_UINT32, ColumnDefinition, type_oid)},
	{ROW("typmod", FIELD_INT32, ColumnDefinition, typmod), .usual = -1},
	{ROW("type", FIELD_TEXT, ColumnDefinition, type)},
	{ROW("collation", FIELD_TEXT, ColumnDefinition, collation)},
	{ROW("not_null", FIELD_BOOL, ColumnDefinition, not_null)},
	{ROW("default_expression", FIELD_TEXT, ColumnDefinition,
		 default_expression)},
	{ROW("generated", FIELD_WORD, ColumnDefinition, generated),
	 WORDS(generated_words)},
	{ROW("identity", FIELD_WORD, ColumnDefinition, identity),
	 WORDS(identity_words)},
	{ROW("local", FIELD_BOOL, ColumnDefinition, local)},
	{ROW("inherited", FIELD_INT32, ColumnDefinition, inherited)},
	{ROW("storage", FIELD_TEXT, ColumnDefinition, storage)},
	{ROW("compression", FIELD_TEXT, ColumnDefinition, compression)},
	{ROW("statistics", FIELD_INT32, ColumnDefinition, statistics), .usual = -1},
	{ROW("options", FIELD_STRINGS, ColumnDefinition, options)},
	{ROW("missing_value", FIELD_TEXT_OR_NULL, ColumnDefinition, missing_value)},
};
static const DefinitionShape column_shape = SHAPE(ColumnDefinition,
												  column_fields);

static const DefinitionField constraint_fields[] = {
	{ROW("oid", FIELD_UINT32, ConstraintDefinition, oid)},
	{ROW("name", FIELD_TEXT, ConstraintDefinition, name)},
	{ROW("kind", FIELD_WORD, ConstraintDefinition, kind),
	 WORDS(constraint_words)},
	{ROW("definition", FIELD_TEXT, ConstraintDefinition, definition)},
	{ROW("validated", FIELD_BOOL, ConstraintDefinition, validated)},
	{ROW("local", FIELD_BOOL, ConstraintDefinition, local)},
	{ROW("inherited", FIELD_INT32, ConstraintDefinition, inherited)},
	{ROW("parent", FIELD_UINT32, ConstraintDefinition, parent)},
	{ROW("index", FIELD_UINT32, ConstraintDefinition, index)},
	{ROW("referenced_table", FIELD_UINT32, ConstraintDefinition,
		 referenced_table)},
	{ROW("attnums", FIELD_OIDS, ConstraintDefinition, attnums)},
};
static const DefinitionShape constraint_shape = SHAPE(ConstraintDefinition,
													  constraint_fields);

static const DefinitionField index_fields[] = {
	{ROW("oid", FIELD_UINT32, IndexDefinition, oid)},
	{ROW("schema", FIELD_TEXT, IndexDefinition, schema)},
	{ROW("name", FIELD_TEXT, IndexDefinition, name)},
	{ROW("definition", FIELD_TEXT, IndexDefinition, definition)},
	{ROW("valid", FIELD_BOOL, IndexDefinition, valid)},
	{ROW("unique", FIELD_BOOL, IndexDefinition, unique)},
	{ROW("primary", FIELD_BOOL, IndexDefinition, primary)},
	{ROW("replica_identity", FIELD_BOOL, IndexDefinition, replica_identity)},
	{ROW("clustered", FIELD_BOOL, IndexDefinition, clustered)},
	{ROW("constraint", FIELD_UINT32, IndexDefinition, constraint)},
	{ROW("parent", FIELD_UINT32, IndexDefinition, parent)},
	{ROW("attnums", FIELD_OIDS, IndexDefinition, attnums)},
};
static const DefinitionShape index_shape = SHAPE(IndexDefinition, index_fields);

static const DefinitionField label_fields[] = {
	{ROW("oid", FIELD_UINT32, EnumLabel, oid)},
	{ROW("label", FIELD_TEXT, EnumLabel, label)},
};
static const DefinitionShape label_shape = SHAPE(EnumLabel, label_fields);

/* Fields of every object. */
#define NAMED                                                                  \
	{ROW("oid", FIELD_UINT32, Definition, oid)},                               \
		{ROW("schema", FIELD_TEXT, Definition, schema)},                       \
		{ROW("name", FIELD_TEXT, Definition, name)},                           \
	{                                                                          \
		ROW("apart", FIELD_BOOL, Definition, apart)                            \
	}

static const DefinitionField namespace_fields[] = {
	NAMED,

};
static const DefinitionField table_fields[] = {
	NAMED,
	{ROW("partitioned", FIELD_BOOL, Definition, table.partitioned)},
	{ROW("unlogged", FIELD_BOOL, Definition, table.unlogged)},
	{ROW("replica_identity", FIELD_WORD, Definition, table.replica_identity),
	 WORDS(replica_words)},
	{ROW("parents", FIELD_OIDS, Definition, table.parents)},
	{ROW("bound", FIELD_TEXT, Definition, table.bound)},
	{ROW("detaching", FIELD_BOOL, Definition, table.detaching)},
	{ROW("partition_key", FIELD_TEXT, Definition, table.partition_key)},
	{ROW("of_type", FIELD_TEXT, Definition, table.of_type)},
	{ROW("access_method", FIELD_TEXT, Definition, table.access_method)},
	{ROW("options", FIELD_STRINGS, Definition, table.options)},
	{ROW("row_security", FIELD_BOOL, Definition, table.row_security)},
	{ROW("force_row_security", FIELD_BOOL, Definition,
		 table.force_row_security)},
	{ROW("columns", FIELD_MEMBERS, Definition, table.columns),
	 .count_offset = offsetof(Definition, table.column_count),
	 .member = &column_shape},
	{ROW("constraints", FIELD_MEMBERS, Definition, table.constraints),
	 .count_offset = offsetof(Definition, table.constraint_count),
	 .member = &constraint_shape},
	{ROW("indexes", FIELD_MEMBERS, Definition, table.indexes),
	 .count_offset = offsetof(Definition, table.index_count),
	 .member = &index_shape},
	{ROW("published", FIELD_BOOL, Definition, table.published)},
	{ROW("withheld", FIELD_UINT32, Definition, table.withheld)},
};
static const DefinitionField sequence_fields[] = {
	NAMED,
	{ROW("type", FIELD_TEXT, Definition, sequence.type)},
	{ROW("start", FIELD_INT64, Definition, sequence.start)},
	{ROW("increment", FIELD_INT64, Definition, sequence.increment)},
	{ROW("minimum", FIELD_INT64, Definition, sequence.minimum)},
	{ROW("maximum", FIELD_INT64, Definition, sequence.maximum)},
	{ROW("cache", FIELD_INT64, Definition, sequence.cache)},
	{ROW("cycle", FIELD_BOOL, Definition, sequence.cycle)},
	{ROW("owner_table", FIELD_UINT32, Definition, sequence.owner_table)},
	{ROW("owner_attnum", FIELD_UINT16, Definition, sequence.owner_attnum)},
	{ROW("identity", FIELD_BOOL, Definition, sequence.identity)},
	{ROW("unlogged", FIELD_BOOL, Definition, sequence.unlogged)},
};
static const DefinitionField enum_fields[] = {
	NAMED,
	{ROW("labels", FIELD_MEMBERS, Definition, enumeration.labels),
	 .count_offset = offsetof(Definition, enumeration.label_count),
	 .member = &label_shape},
};
static const DefinitionField domain_fields[] = {
	NAMED,
	{ROW("base_type", FIELD_TEXT, Definition, domain.base_type)},
	{ROW("collation", FIELD_TEXT, Definition, domain.collation)},
	{ROW("not_null", FIELD_BOOL, Definition, domain.not_null)},
	{ROW("default_expression", FIELD_TEXT, Definition,
		 domain.default_expression)},
	{ROW("constraints", FIELD_MEMBERS, Definition, domain.constraints),
	 .count_offset = offsetof(Definition, domain.constraint_count),
	 .member = &constraint_shape},
};
static const DefinitionField composite_fields[] = {
	NAMED,
	{ROW("columns", FIELD_MEMBERS, Definition, composite.columns),
	 .count_offset = offsetof(Definition, composite.column_count),
	 .member = &column_shape},
};

static const DefinitionShape shapes[] = {
	[DEFINITION_NAMESPACE] = SHAPE(Definition, namespace_fields),
	[DEFINITION_TABLE] = SHAPE(Definition, table_fields),
	[DEFINITION_SEQUENCE] = SHAPE(Definition, sequence_fields),
	[DEFINITION_ENUM] = SHAPE(Definition, enum_fields),
	[DEFINITION_DOMAIN] = SHAPE(Definition, domain_fields),
	[DEFINITION_COMPOSITE] = SHAPE(Definition, composite_fields),
};

const DefinitionShape *
definition_shape(DefinitionKind kind)
{
	CHECK((size_t) kind < LENGTH_OF(shapes));
	return &shapes[kind];
}

DefinitionCatalog
definition_catalog(DefinitionKind kind)
{
	switch (kind)
	{
		case DEFINITION_NAMESPACE:
			return DEFINITION_IN_NAMESPACE;
		case DEFINITION_TABLE:
		case DEFINITION_SEQUENCE:
			return DEFINITION_IN_CLASS;
		case DEFINITION_ENUM:
		case DEFINITION_DOMAIN:
		case DEFINITION_COMPOSITE:
			return DEFINITION_IN_TYPE;
	}
	check_failed("the kind of a definition is known", __FILE__, __LINE__);
}

const char *
definition_kind_name(DefinitionKind kind)
{
	switch (kind)
	{
		case DEFINITION_NAMESPACE:
			return "schema";
		case DEFINITION_TABLE:
			return "table";
		case DEFINITION_SEQUENCE:
			return "sequence";
		case DEFINITION_ENUM:
			return "enum type";
		case DEFINITION_DOMAIN:
			return "domain";
		case DEFINITION_COMPOSITE:
			return "composite type";
	}
	check_failed("the kind of a definition is known", __FILE__, __LINE__);
}

static int
compare_attnums(const void *key, const void *member)
{
	const uint16_t *attnum = key;
	const ColumnDefinition *column = member;

	return (*attnum > column->attnum) - (*attnum < column->attnum);
}

const ColumnDefinition *
definition_column(const TableDefinition *table, uint16_t attnum)
{
	if (table->column_count == 0)
		return NULL;
	return bsearch(&attnum, table->columns, (size_t) table->column_count,
				   sizeof(table->columns[0]), compare_attnums);
}

/* ---- Fields ---- */

static const void *
pointer_at(const void *record, size_t offset)
{
	const void *pointer;

	memcpy(&pointer, (const char *) record + offset, sizeof(pointer));
	return pointer;
}

static void
put_pointer(void *record, size_t offset, const void *pointer)
{
	memcpy((char *) record + offset, &pointer, sizeof(pointer));
}

static size_t
field_size(FieldType type)
{
	switch (type)
	{
		case FIELD_TEXT:
		case FIELD_TEXT_OR_NULL:
		case FIELD_MEMBERS:
			return sizeof(void *);
		case FIELD_BOOL:
			return sizeof(bool);
		case FIELD_UINT16:
			return sizeof(uint16_t);
		case FIELD_UINT32:
		case FIELD_INT32:
			return sizeof(uint32_t);
		case FIELD_INT64:
			return sizeof(int64_t);
		case FIELD_WORD:
			return sizeof(DefinitionKind);
		case FIELD_STRINGS:
			return sizeof(StringList);
		case FIELD_OIDS:
			return sizeof(OidList);
	}
	check_failed("the type of a field is known", __FILE__, __LINE__);
}

void
definition_set_usual(const DefinitionShape *shape, void *record)
{
	for (int i = 0; i < shape->field_count; i++)
	{
		const DefinitionField *field = &shape->fields[i];
		char *at = (char *) record + field->offset;

		memset(at, 0, field_size(field->type));
		if (field->type == FIELD_TEXT)
			put_pointer(record, field->offset, "");
		if (field->type == FIELD_INT32)
			memcpy(at, &field->usual, sizeof(field->usual));
		if (field->type == FIELD_MEMBERS)
			definition_set_members(field, record, NULL, 0);
	}
}

/* ---- Comparing ---- */

static bool
texts_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
strings_equal(const StringList *a, const StringList *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (strcmp(a->strings[i], b->strings[i]) != 0)
			return false;
	return true;
}

static bool
oids_equal(const OidList *a, const OidList *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (a->oids[i] != b->oids[i])
			return false;
	return true;
}

static bool
members_equal(const DefinitionField *field, const void *a, const void *b)
{
	int count;
	int b_count;
	const char *a_members = definition_members(field, a, &count);
	const char *b_members = definition_members(field, b, &b_count);

	if (count != b_count)
		return false;
	for (int i = 0; i < count; i++)
	{
		size_t offset = (size_t) i * field->member->size;

		if (!definition_records_equal(field->member, a_members + offset,
									  b_members + offset))
			return false;
	}
	return true;
}

bool
definition_fields_equal(const DefinitionField *field, const void *a,
						const void *b)
{
	const void *a_at = (const char *) a + field->offset;
	const void *b_at = (const char *) b + field->offset;

	switch (field->type)
	{
		case FIELD_TEXT:
		case FIELD_TEXT_OR_NULL:
			return texts_equal(pointer_at(a, field->offset),
							   pointer_at(b, field->offset));
		case FIELD_STRINGS:
			return strings_equal(a_at, b_at);
		case FIELD_OIDS:
			return oids_equal(a_at, b_at);
		case FIELD_MEMBERS:
			return members_equal(field, a, b);
		case FIELD_BOOL:
		case FIELD_UINT16:
		case FIELD_UINT32:
		case FIELD_INT32:
		case FIELD_INT64:
		case FIELD_WORD:
			return memcmp(a_at, b_at, field_size(field->type)) == 0;
	}
	check_failed("the type of a field is known", __FILE__, __LINE__);
}

void
definition_copy_field(const DefinitionField *field, void *to, const void *from)
{
	CHECK(field->type != FIELD_MEMBERS);
	memcpy((char *) to + field->offset, (const char *) from + field->offset,
		   field_size(field->type));
}

/*
 * The recursion ends, because structs of FIELD_MEMBERS have no FIELD_MEMBERS.
 */
bool
definition_records_equal(const DefinitionShape *shape, const void *a,
						 const void *b)
{
	for (int i = 0; i < shape->field_count; i++)
		if (!definition_fields_equal(&shape->fields[i], a, b))
			return false;
	return true;
}

bool
definition_equal(const Definition *a, const Definition *b)
{
	if (a == b)
		return true;
	return a->kind == b->kind &&
		   definition_records_equal(definition_shape(a->kind), a, b);
}

/* ---- Copying ---- */

static void own_record(const DefinitionShape *shape, void *record,
					   Arena *arena);

static void
own_strings(StringList *list, Arena *arena)
{
	const char **strings = arena_calloc(arena, (size_t) list->count,
										sizeof(strings[0]));

	for (int i = 0; i < list->count; i++)
		strings[i] = arena_strdup(arena, list->strings[i]);
	list->strings = strings;
}

static void
own_oids(OidList *list, Arena *arena)
{
	if (list->count > 0)
		list->oids = arena_dup(arena, list->oids,
							   (size_t) list->count * sizeof(list->oids[0]));
}

static void
own_members(const DefinitionField *field, void *record, Arena *arena)
{
	size_t size = field->member->size;
	int count;
	char *members = definition_members(field, record, &count);

	if (count == 0)
		return;
	members = arena_dup(arena, members, (size_t) count * size);
	definition_set_members(field, record, members, count);
	for (int i = 0; i < count; i++)
		own_record(field->member, members + (size_t) i * size, arena);
}

/*
 * Copies all that the struct `record` points to, and makes it point to the
 * copies.
 */
static void
own_record(const DefinitionShape *shape, void *record, Arena *arena)
{
	for (int i = 0; i < shape->field_count; i++)
	{
		const DefinitionField *field = &shape->fields[i];
		void *at = (char *) record + field->offset;

		if (field->type == FIELD_TEXT || field->type == FIELD_TEXT_OR_NULL)
			put_pointer(record, field->offset,
						arena_strdup(arena, pointer_at(record, field->offset)));
		else if (field->type == FIELD_STRINGS)
			own_strings(at, arena);
		else if (field->type == FIELD_OIDS)
			own_oids(at, arena);
		else if (field->type == FIELD_MEMBERS)
			own_members(field, record, arena);
	}
}

Definition *
definition_copy(const Definition *definition, Arena *arena)
{
	Definition *copy = arena_dup(arena, definition, sizeof(*definition));

	own_record(definition_shape(copy->kind), copy, arena);
	return copy;
}

/* ---- Sets ---- */

typedef struct Member
{
	DefinitionCatalog catalog;
	uint32_t oid;
	const Definition *definition;
	int *holders; /* sets that have the definition; in the arena, as that is */
	Arena *arena; /* goes with the last of them */
} Member;

/* Members are sorted by catalog and OID. */
struct DefinitionSet
{
	Member *members;
	size_t count;
	size_t capacity;
};

DefinitionSet *
definition_set_new(void)
{
	return xcalloc(1, sizeof(DefinitionSet));
}

static void
let_go(const Member *member)
{
	ASSERT(*member->holders > 0);
	if (--*member->holders == 0)
		arena_free(member->arena);
}

void
definition_set_free(DefinitionSet *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		let_go(&set->members[i]);
	free(set->members);
	free(set);
}

static bool
is_before(const Member *member, DefinitionCatalog catalog, uint32_t oid)
{
	return member->catalog < catalog ||
		   (member->catalog == catalog && member->oid < oid);
}

/*
 * Returns the index of the first member that is not less than (catalog, oid).
 */
static size_t
find_place(const DefinitionSet *set, DefinitionCatalog catalog, uint32_t oid)
{
	size_t low = 0;
	size_t high = set->count;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (is_before(&set->members[middle], catalog, oid))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static Member *
find_member(const DefinitionSet *set, DefinitionCatalog catalog, uint32_t oid)
{
	size_t place = find_place(set, catalog, oid);
	Member *member = set->members + place;

	if (place == set->count || member->catalog != catalog || member->oid != oid)
		return NULL;
	return member;
}

/* Inserts a member at the index `place`, to be filled in by the caller. */
static Member *
make_room(DefinitionSet *set, size_t place)
{
	ASSERT(place <= set->count && set->count <= set->capacity);
	if (set->count == set->capacity)
	{
		set->capacity = set->capacity == 0 ? 16 : 2 * set->capacity;
		set->members = xrealloc_array(set->members, set->capacity,
									  sizeof(set->members[0]));
	}
	memmove(set->members + place + 1, set->members + place,
			(set->count - place) * sizeof(set->members[0]));
	set->count++;
	return &set->members[place];
}

void
definition_set_put(DefinitionSet *set, const Definition *definition)
{
	DefinitionCatalog catalog = definition_catalog(definition->kind);
	Arena *arena = arena_new(DEFINITION_ARENA_BYTES);
	Definition *copy = definition_copy(definition, arena);
	Member *member = find_member(set, catalog, copy->oid);

	if (member != NULL)
		let_go(member);
	else
		member = make_room(set, find_place(set, catalog, copy->oid));
	*member = (Member){
		.catalog = catalog,
		.oid = copy->oid,
		.definition = copy,
		.holders = arena_calloc(arena, 1, sizeof(int)),
		.arena = arena,
	};
	*member->holders = 1;
}

void
definition_set_remove(DefinitionSet *set, DefinitionCatalog catalog,
					  uint32_t oid)
{
	Member *member = find_member(set, catalog, oid);
	size_t place;

	if (member == NULL)
		return;
	place = (size_t) (member - set->members);
	let_go(member);
	set->count--;
	memmove(member, member + 1, (set->count - place) * sizeof(*member));
}

const Definition *
definition_set_find(const DefinitionSet *set, DefinitionCatalog catalog,
					uint32_t oid)
{
	const Member *member = find_member(set, catalog, oid);

	return member != NULL ? member->definition : NULL;
}

size_t
definition_set_count(const DefinitionSet *set)
{
	return set->count;
}

const Definition *
definition_set_at(const DefinitionSet *set, size_t index)
{
	ASSERT(index < set->count);
	return set->members[index].definition;
}

DefinitionSet *
definition_set_copy(const DefinitionSet *set)
{
	DefinitionSet *copy = definition_set_new();

	copy->members = xrealloc_array(NULL, set->count, sizeof(Member));
	copy->capacity = set->count;
	copy->count = set->count;
	for (size_t i = 0; i < set->count; i++)
	{
		copy->members[i] = set->members[i];
		++*copy->members[i].holders;
	}
	return copy;
}
