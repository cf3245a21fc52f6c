/*
 * align.c
 *    First every object, constraint, index and label of the target gets its new
 *    OID; then all definitions are copied with the new OIDs.
 */
#include "ddl/align.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define ARENA_BLOCK_BYTES (64 * KB)

/* First version with ALTER COLUMN … SET EXPRESSION. */
#define SET_EXPRESSION_VERSION_NUM 170000

typedef struct Align
{
	DdlAlignment *result;
	int version_num; /* of the target */
	uint32_t fresh;  /* last OID that was given to an object that the source
					  * does not have */

	/* The source's objects, sorted by kind and name. */
	const Definition **by_name;
	size_t count;

	/*
	 * The source's sequences of identity columns, by the OID of the table and
	 * by the attnum, which takes the place of the catalog.
	 */
	OidTable identities;
	const DefinitionSet *source;
} Align;

/* ---- What the source has ------------------------------------------------ */

static int
compare_names(const void *a, const void *b)
{
	const Definition *left = *(const Definition *const *) a;
	const Definition *right = *(const Definition *const *) b;
	int order = (left->kind > right->kind) - (left->kind < right->kind);

	if (order == 0)
		order = strcmp(left->schema, right->schema);
	return order != 0 ? order : strcmp(left->name, right->name);
}

static const Definition *
find_by_name(const Align *align, const Definition *like)
{
	const Definition **found;

	if (align->count == 0)
		return NULL;
	found = bsearch(&like, align->by_name, align->count,
					sizeof(align->by_name[0]), compare_names);
	return found != NULL ? *found : NULL;
}

static OidCatalog
catalog_of(const Definition *definition)
{
	switch (definition_catalog(definition->kind))
	{
		case DEFINITION_IN_NAMESPACE:
			return OID_NAMESPACE;
		case DEFINITION_IN_CLASS:
			return OID_CLASS;
		case DEFINITION_IN_TYPE:
			return OID_TYPE;
	}
	check_failed("the catalog of a definition is known", __FILE__, __LINE__);
}

static void
note(Align *align, OidCatalog catalog, uint32_t oid)
{
	oid_table_put(&align->result->source, catalog, oid, oid);
}

static void
note_constraints(Align *align, const ConstraintDefinition *constraints,
				 int count)
{
	for (int i = 0; i < count; i++)
		note(align, OID_CONSTRAINT, constraints[i].oid);
}

static void
note_definition(Align *align, const Definition *definition)
{
	note(align, catalog_of(definition), definition->oid);
	if (definition->kind == DEFINITION_TABLE)
	{
		note_constraints(align, definition->table.constraints,
						 definition->table.constraint_count);
		for (int i = 0; i < definition->table.index_count; i++)
			note(align, OID_CLASS, definition->table.indexes[i].oid);
	}
	if (definition->kind == DEFINITION_DOMAIN)
		note_constraints(align, definition->domain.constraints,
						 definition->domain.constraint_count);
	if (definition->kind == DEFINITION_ENUM)
		for (int i = 0; i < definition->enumeration.label_count; i++)
			note(align, OID_LABEL, definition->enumeration.labels[i].oid);
	if (definition->kind == DEFINITION_SEQUENCE &&
		definition->sequence.identity)
		oid_table_put(&align->identities,
					  (OidCatalog) definition->sequence.owner_attnum,
					  definition->sequence.owner_table, definition->oid);
}

static void
note_source(Align *align)
{
	align->count = definition_set_count(align->source);
	align->by_name = xcalloc(align->count + 1, sizeof(align->by_name[0]));
	for (size_t i = 0; i < align->count; i++)
	{
		align->by_name[i] = definition_set_at(align->source, i);
		note_definition(align, align->by_name[i]);
	}
	qsort(align->by_name, align->count, sizeof(align->by_name[0]),
		  compare_names);
}

/* ---- OIDs --------------------------------------------------------------- */

/* Returns an OID that nothing on the source has in any catalog. */
static uint32_t
fresh_oid(Align *align)
{
	const OidTable *source = &align->result->source;
	bool taken = true;

	while (taken)
	{
		align->fresh--;
		taken = false;
		for (int catalog = OID_NAMESPACE; catalog <= OID_LABEL; catalog++)
			taken |= oid_table_get(source, (OidCatalog) catalog,
								   align->fresh) != 0;
	}
	return align->fresh;
}

static uint32_t
get(const Align *align, OidCatalog catalog, uint32_t oid)
{
	return oid_table_get(&align->result->aligned, catalog, oid);
}

/*
 * Records the new OID for an OID of the target; source_oid 0: one that the
 * source does not have.
 */
static void
set(Align *align, OidCatalog catalog, uint32_t oid, uint32_t source_oid)
{
	oid_table_put(&align->result->aligned, catalog, oid,
				  source_oid != 0 ? source_oid : fresh_oid(align));
}

/* ---- Objects ------------------------------------------------------------ */

/*
 * Whether the target's labels are the source's without some: labels can only be
 * added.
 */
static bool
labels_can_become(const EnumDefinition *source, const EnumDefinition *target)
{
	int found = 0;

	for (int i = 0; i < source->label_count && found < target->label_count; i++)
		if (strcmp(source->labels[i].label, target->labels[found].label) == 0)
			found++;
	return found == target->label_count;
}

/* Whether the target's object can be altered to be the same as the source's. */
static bool
can_become(const Definition *source, const Definition *target)
{
	switch (source->kind)
	{
		case DEFINITION_NAMESPACE:
		case DEFINITION_COMPOSITE:
			return true;
		case DEFINITION_TABLE:
			return source->table.partitioned == target->table.partitioned &&
				   strcmp(source->table.partition_key,
						  target->table.partition_key) == 0;
		case DEFINITION_SEQUENCE:
			return source->sequence.identity == target->sequence.identity;
		case DEFINITION_ENUM:
			return labels_can_become(&source->enumeration,
									 &target->enumeration);
		case DEFINITION_DOMAIN:
			return strcmp(source->domain.base_type, target->domain.base_type) ==
					   0 &&
				   strcmp(source->domain.collation, target->domain.collation) ==
					   0;
	}
	check_failed("the kind of a definition is known", __FILE__, __LINE__);
}

static const ColumnDefinition *
find_column(const ColumnDefinition *columns, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}

/*
 * Finds the source's sequence of the identity column that has the target's
 * sequence; NULL: there is none.
 */
static const Definition *
find_identity(const Align *align, const DefinitionSet *target,
			  const SequenceDefinition *sequence)
{
	const Definition *table = definition_set_find(target, DEFINITION_IN_CLASS,
												  sequence->owner_table);
	uint32_t source_oid = get(align, OID_CLASS, sequence->owner_table);
	const Definition *source = definition_set_find(
		align->source, DEFINITION_IN_CLASS, source_oid);
	const ColumnDefinition *column;

	if (table == NULL || source == NULL)
		return NULL;
	column = definition_column(&table->table, sequence->owner_attnum);
	if (column != NULL)
		column = find_column(source->table.columns, source->table.column_count,
							 column->name);
	if (column == NULL)
		return NULL;
	return definition_set_find(align->source, DEFINITION_IN_CLASS,
							   oid_table_get(&align->identities,
											 (OidCatalog) column->attnum,
											 source_oid));
}

static void
set_object(Align *align, const DefinitionSet *target,
		   const Definition *definition)
{
	const Definition *source;

	if (definition->kind == DEFINITION_SEQUENCE &&
		definition->sequence.identity)
		source = find_identity(align, target, &definition->sequence);
	else
	{
		source = find_by_name(align, definition);
		if (source != NULL && !can_become(source, definition))
			source = NULL;
	}
	set(align, catalog_of(definition), definition->oid,
		source != NULL ? source->oid : 0);
}

/*
 * Gives all objects their OIDs; sequences last, because those of identity
 * columns are found through their tables.
 */
static void
set_objects(Align *align, const DefinitionSet *target)
{
	for (int sequences = 0; sequences <= 1; sequences++)
		for (size_t i = 0; i < definition_set_count(target); i++)
		{
			const Definition *definition = definition_set_at(target, i);

			if ((definition->kind == DEFINITION_SEQUENCE) == (sequences == 1))
				set_object(align, target, definition);
		}
}

/*
 * Returns the source's object that has the same new OID as the target's, or
 * NULL.
 */
static const Definition *
counterpart(const Align *align, const Definition *target)
{
	return definition_set_find(align->source, definition_catalog(target->kind),
							   get(align, catalog_of(target), target->oid));
}

/* ---- Constraints, indexes, labels --------------------------------------- */

/*
 * Returns the length of a definition without NOT VALID, which VALIDATE
 * CONSTRAINT removes.
 */
static size_t
length_but_for_validity(const char *definition)
{
	static const char not_valid[] = " NOT VALID";
	size_t length = strlen(definition);
	size_t tail = sizeof(not_valid) - 1;

	return length >= tail && strcmp(definition + length - tail, not_valid) == 0
			   ? length - tail
			   : length;
}

static bool
constraint_can_become(const ConstraintDefinition *source,
					  const ConstraintDefinition *target)
{
	size_t length = length_but_for_validity(source->definition);

	return source->kind == target->kind &&
		   (source->validated || !target->validated) &&
		   length == length_but_for_validity(target->definition) &&
		   strncmp(source->definition, target->definition, length) == 0;
}

/*
 * The constraints of an object on both sides; `taken` marks those of the source
 * that were matched.
 */
typedef struct Constraints
{
	const ConstraintDefinition *source;
	int source_count;
	const ConstraintDefinition *target;
	int target_count;
	bool *taken;
} Constraints;

static void
set_constraint(Align *align, Constraints *constraints,
			   const ConstraintDefinition *target, bool by_name)
{
	for (int i = 0; i < constraints->source_count; i++)
	{
		const ConstraintDefinition *source = &constraints->source[i];

		if (constraints->taken[i] || !constraint_can_become(source, target) ||
			(by_name && strcmp(source->name, target->name) != 0))
			continue;
		constraints->taken[i] = true;
		set(align, OID_CONSTRAINT, target->oid, source->oid);
		if (source->index != 0 && target->index != 0)
			set(align, OID_CLASS, target->index, source->index);
		return;
	}
}

/*
 * Matches constraints with the same definition: first by name, then those that
 * differ only in their names.
 */
static void
set_constraints(Align *align, Constraints *constraints)
{
	constraints->taken = xcalloc((size_t) constraints->source_count + 1,
								 sizeof(bool));
	for (int by_name = 1; by_name >= 0; by_name--)
		for (int i = 0; i < constraints->target_count; i++)
			if (get(align, OID_CONSTRAINT, constraints->target[i].oid) == 0)
				set_constraint(align, constraints, &constraints->target[i],
							   by_name == 1);
	for (int i = 0; i < constraints->target_count; i++)
		if (get(align, OID_CONSTRAINT, constraints->target[i].oid) == 0)
			set(align, OID_CONSTRAINT, constraints->target[i].oid, 0);
	free(constraints->taken);
}

static void
set_indexes(Align *align, const TableDefinition *source,
			const TableDefinition *target)
{
	for (int i = 0; i < target->index_count; i++)
	{
		const IndexDefinition *index = &target->indexes[i];
		uint32_t found = 0;

		if (get(align, OID_CLASS, index->oid) != 0)
			continue;
		for (int j = 0; source != NULL && j < source->index_count; j++)
			if (index->constraint == 0 && source->indexes[j].constraint == 0 &&
				strcmp(source->indexes[j].name, index->name) == 0 &&
				strcmp(source->indexes[j].definition, index->definition) == 0)
				found = source->indexes[j].oid;
		set(align, OID_CLASS, index->oid, found);
	}
}

static void
set_labels(Align *align, const EnumDefinition *source,
		   const EnumDefinition *target)
{
	for (int i = 0; i < target->label_count; i++)
	{
		uint32_t found = 0;

		for (int j = 0; source != NULL && j < source->label_count; j++)
			if (strcmp(source->labels[j].label, target->labels[i].label) == 0)
				found = source->labels[j].oid;
		set(align, OID_LABEL, target->labels[i].oid, found);
	}
}

static void
set_members(Align *align, const Definition *target)
{
	const Definition *source = counterpart(align, target);
	Constraints constraints = {0};

	if (target->kind == DEFINITION_TABLE)
	{
		constraints.target = target->table.constraints;
		constraints.target_count = target->table.constraint_count;
		constraints.source = source ? source->table.constraints : NULL;
		constraints.source_count = source ? source->table.constraint_count : 0;
		set_constraints(align, &constraints);
		set_indexes(align, source ? &source->table : NULL, &target->table);
	}
	if (target->kind == DEFINITION_DOMAIN)
	{
		constraints.target = target->domain.constraints;
		constraints.target_count = target->domain.constraint_count;
		constraints.source = source ? source->domain.constraints : NULL;
		constraints.source_count = source ? source->domain.constraint_count : 0;
		set_constraints(align, &constraints);
	}
	if (target->kind == DEFINITION_ENUM)
		set_labels(align, source ? &source->enumeration : NULL,
				   &target->enumeration);
}

/* ---- Columns ------------------------------------------------------------ */

/* New attnums, indexed by attnum on the target; 0: there is no such column. */
typedef struct Attnums
{
	uint16_t to[RELATION_COLUMNS_MAX + 1];
} Attnums;

static bool
column_can_become(const Align *align, const ColumnDefinition *source,
				  const ColumnDefinition *target)
{
	if (source->generated == GENERATED_NOT)
		return target->generated != GENERATED_VIRTUAL;
	return source->generated == target->generated &&
		   (align->version_num >= SET_EXPRESSION_VERSION_NUM ||
			strcmp(source->default_expression, target->default_expression) ==
				0);
}

/* Gives the remaining columns attnums that the source's table does not have. */
static void
number_the_rest(Attnums *attnums, bool *taken, const ColumnDefinition *columns,
				int count)
{
	int next = RELATION_COLUMNS_MAX;

	for (int i = 0; i < count; i++)
	{
		if (attnums->to[columns[i].attnum] != 0)
			continue;
		while (next > 1 && taken[next])
			next--;
		taken[next] = true;
		attnums->to[columns[i].attnum] = (uint16_t) next;
	}
}

static void
align_attnums(const Align *align, Attnums *attnums,
			  const ColumnDefinition *source, int source_count,
			  const ColumnDefinition *target, int target_count)
{
	bool taken[RELATION_COLUMNS_MAX + 1] = {false};

	memset(attnums, 0, sizeof(*attnums));
	for (int i = 0; i < source_count; i++)
		taken[source[i].attnum] = true;
	for (int i = 0; i < target_count; i++)
	{
		const ColumnDefinition *like = find_column(source, source_count,
												   target[i].name);

		if (like != NULL && column_can_become(align, like, &target[i]))
			attnums->to[target[i].attnum] = like->attnum;
	}
	number_the_rest(attnums, taken, target, target_count);
}

/* Computes the new attnums of a table or composite type of the target. */
static void
find_attnums(const Align *align, Attnums *attnums, const Definition *target)
{
	const Definition *source = counterpart(align, target);

	if (target->kind == DEFINITION_TABLE)
		align_attnums(align, attnums,
					  source != NULL ? source->table.columns : NULL,
					  source != NULL ? source->table.column_count : 0,
					  target->table.columns, target->table.column_count);
	else
		align_attnums(
			align, attnums, source != NULL ? source->composite.columns : NULL,
			source != NULL ? source->composite.column_count : 0,
			target->composite.columns, target->composite.column_count);
}

static int
compare_attnums(const void *a, const void *b)
{
	const ColumnDefinition *left = a;
	const ColumnDefinition *right = b;

	return (left->attnum > right->attnum) - (left->attnum < right->attnum);
}

/* ---- Definitions anew --------------------------------------------------- */

/*
 * Replaces attnums in a list, except those of system columns, and 0, which
 * stands for an expression.
 */
static void
write_attnums(const Attnums *attnums, OidList *list)
{
	for (int i = 0; i < list->count; i++)
		if (list->oids[i] >= 1 && list->oids[i] <= RELATION_COLUMNS_MAX)
			list->oids[i] = attnums->to[list->oids[i]];
}

/*
 * Returns the new OID.  An object without a definition keeps its own, unless
 * something else on the source has it.
 */
static uint32_t
renew(Align *align, OidCatalog catalog, uint32_t oid)
{
	uint32_t aligned = get(align, catalog, oid);

	if (aligned != 0)
		return aligned;
	return oid_table_get(&align->result->source, catalog, oid) != 0
			   ? fresh_oid(align)
			   : oid;
}

/*
 * Returns the new OID of a column's type.  Types without a definition, such as
 * those of extensions, are matched by name.
 */
static uint32_t
renew_type(const Align *align, const ColumnDefinition *source,
		   const ColumnDefinition *column)
{
	uint32_t aligned = get(align, OID_TYPE, column->type_oid);

	if (aligned != 0 || source == NULL ||
		strcmp(source->type, column->type) != 0)
		return aligned != 0 ? aligned : column->type_oid;
	return source->type_oid;
}

static void
write_columns(const Align *align, const Attnums *attnums,
			  const ColumnDefinition *source, int source_count,
			  ColumnDefinition *columns, int count)
{
	for (int i = 0; i < count; i++)
	{
		const ColumnDefinition *like = find_column(source, source_count,
												   columns[i].name);

		columns[i].attnum = attnums->to[columns[i].attnum];
		columns[i].type_oid = renew_type(align, like, &columns[i]);
	}
	if (count > 0)
		qsort(columns, (size_t) count, sizeof(columns[0]), compare_attnums);
}

static void
write_constraints(Align *align, const Attnums *attnums,
				  ConstraintDefinition *constraints, int count)
{
	for (int i = 0; i < count; i++)
	{
		ConstraintDefinition *constraint = &constraints[i];

		constraint->oid = get(align, OID_CONSTRAINT, constraint->oid);
		constraint->parent = renew(align, OID_CONSTRAINT, constraint->parent);
		constraint->index = renew(align, OID_CLASS, constraint->index);
		constraint->referenced_table = renew(align, OID_CLASS,
											 constraint->referenced_table);
		if (attnums != NULL)
			write_attnums(attnums, &constraint->attnums);
	}
}

static void
write_table(Align *align, const Definition *source, Definition *target)
{
	TableDefinition *table = &target->table;
	Attnums attnums;

	find_attnums(align, &attnums, target);
	write_columns(align, &attnums,
				  source != NULL ? source->table.columns : NULL,
				  source != NULL ? source->table.column_count : 0,
				  table->columns, table->column_count);
	write_constraints(align, &attnums, table->constraints,
					  table->constraint_count);
	for (int i = 0; i < table->parents.count; i++)
		table->parents.oids[i] = renew(align, OID_CLASS,
									   table->parents.oids[i]);
	for (int i = 0; i < table->index_count; i++)
	{
		IndexDefinition *index = &table->indexes[i];

		index->oid = get(align, OID_CLASS, index->oid);
		index->parent = renew(align, OID_CLASS, index->parent);
		index->constraint = renew(align, OID_CONSTRAINT, index->constraint);
		write_attnums(&attnums, &index->attnums);
	}
}

static void
write_sequence(Align *align, const DefinitionSet *target,
			   SequenceDefinition *sequence)
{
	const Definition *owner = definition_set_find(target, DEFINITION_IN_CLASS,
												  sequence->owner_table);
	Attnums attnums;

	if (owner != NULL && owner->kind == DEFINITION_TABLE)
	{
		find_attnums(align, &attnums, owner);
		sequence->owner_attnum = attnums.to[sequence->owner_attnum];
	}
	sequence->owner_table = renew(align, OID_CLASS, sequence->owner_table);
}

static void
write_composite(const Align *align, const Definition *source,
				Definition *target)
{
	Attnums attnums;

	find_attnums(align, &attnums, target);
	write_columns(align, &attnums,
				  source != NULL ? source->composite.columns : NULL,
				  source != NULL ? source->composite.column_count : 0,
				  target->composite.columns, target->composite.column_count);
}

static void
write_definition(Align *align, const DefinitionSet *target,
				 Definition *definition)
{
	const Definition *source = counterpart(align, definition);

	switch (definition->kind)
	{
		case DEFINITION_NAMESPACE:
			break;
		case DEFINITION_TABLE:
			write_table(align, source, definition);
			break;
		case DEFINITION_SEQUENCE:
			write_sequence(align, target, &definition->sequence);
			break;
		case DEFINITION_ENUM:
			for (int i = 0; i < definition->enumeration.label_count; i++)
				definition->enumeration.labels[i].oid = get(
					align, OID_LABEL, definition->enumeration.labels[i].oid);
			break;
		case DEFINITION_DOMAIN:
			write_constraints(align, NULL, definition->domain.constraints,
							  definition->domain.constraint_count);
			break;
		case DEFINITION_COMPOSITE:
			write_composite(align, source, definition);
			break;
	}
	definition->oid = get(align, catalog_of(definition), definition->oid);
}

void
ddl_align(DdlAlignment *alignment, const DefinitionSet *source,
		  const DefinitionSet *target, int target_version_num)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Align align = {.result = alignment,
				   .version_num = target_version_num,
				   .fresh = UINT32_MAX,
				   .source = source};

	*alignment = (DdlAlignment){.target = definition_set_new()};
	note_source(&align);
	set_objects(&align, target);
	for (size_t i = 0; i < definition_set_count(target); i++)
		set_members(&align, definition_set_at(target, i));
	for (size_t i = 0; i < definition_set_count(target); i++)
	{
		Definition *definition = definition_copy(definition_set_at(target, i),
												 arena);

		write_definition(&align, target, definition);
		definition_set_put(alignment->target, definition);
		arena_reset(arena);
	}
	oid_table_release(&align.identities);
	free(align.by_name);
	arena_free(arena);
}

void
ddl_alignment_release(DdlAlignment *alignment)
{
	definition_set_free(alignment->target);
	oid_table_release(&alignment->aligned);
	oid_table_release(&alignment->source);
	*alignment = (DdlAlignment){0};
}
