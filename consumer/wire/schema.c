/*
 * schema.c
 *    Converts protobuf-c's structs to those of model/definition.h.
 *
 * The strings are not copied: protobuf-c has allocated them in the same arena.
 * At the end definition_fault() checks whether the result can be a definition.
 */
#include "wire/schema.h"

#include "model/definition_check.h"
#include "penstock.pb-c.h"
#include "wire/unpack.h"

/* ---- Words -------------------------------------------------------------- */

static bool
map_catalog(Penstock__SchemaCatalog wire, DefinitionCatalog *catalog)
{
	switch (wire)
	{
		case PENSTOCK__SCHEMA_CATALOG__SCHEMA_CATALOG_NAMESPACE:
			*catalog = DEFINITION_IN_NAMESPACE;
			return true;
		case PENSTOCK__SCHEMA_CATALOG__SCHEMA_CATALOG_CLASS:
			*catalog = DEFINITION_IN_CLASS;
			return true;
		case PENSTOCK__SCHEMA_CATALOG__SCHEMA_CATALOG_TYPE:
			*catalog = DEFINITION_IN_TYPE;
			return true;
		default:
			return false;
	}
}

static bool
map_generated(Penstock__SchemaGenerated wire, GeneratedKind *generated)
{
	switch (wire)
	{
		case PENSTOCK__SCHEMA_GENERATED__SCHEMA_GENERATED_UNSPECIFIED:
			*generated = GENERATED_NOT;
			return true;
		case PENSTOCK__SCHEMA_GENERATED__SCHEMA_GENERATED_STORED:
			*generated = GENERATED_STORED;
			return true;
		case PENSTOCK__SCHEMA_GENERATED__SCHEMA_GENERATED_VIRTUAL:
			*generated = GENERATED_VIRTUAL;
			return true;
		default:
			return false;
	}
}

static bool
map_identity(Penstock__Identity wire, IdentityKind *identity)
{
	switch (wire)
	{
		case PENSTOCK__IDENTITY__IDENTITY_UNSPECIFIED:
			*identity = IDENTITY_COLUMN_NOT;
			return true;
		case PENSTOCK__IDENTITY__IDENTITY_ALWAYS:
			*identity = IDENTITY_COLUMN_ALWAYS;
			return true;
		case PENSTOCK__IDENTITY__IDENTITY_BY_DEFAULT:
			*identity = IDENTITY_COLUMN_BY_DEFAULT;
			return true;
		default:
			return false;
	}
}

static bool
map_constraint(Penstock__SchemaConstraintKind wire, ConstraintKind *kind)
{
	switch (wire)
	{
		case PENSTOCK__SCHEMA_CONSTRAINT_KIND__SCHEMA_CONSTRAINT_KIND_CHECK:
			*kind = CONSTRAINT_CHECK;
			return true;
		case PENSTOCK__SCHEMA_CONSTRAINT_KIND__SCHEMA_CONSTRAINT_KIND_PRIMARY_KEY:
			*kind = CONSTRAINT_PRIMARY_KEY;
			return true;
		case PENSTOCK__SCHEMA_CONSTRAINT_KIND__SCHEMA_CONSTRAINT_KIND_UNIQUE:
			*kind = CONSTRAINT_UNIQUE;
			return true;
		case PENSTOCK__SCHEMA_CONSTRAINT_KIND__SCHEMA_CONSTRAINT_KIND_FOREIGN_KEY:
			*kind = CONSTRAINT_FOREIGN_KEY;
			return true;
		case PENSTOCK__SCHEMA_CONSTRAINT_KIND__SCHEMA_CONSTRAINT_KIND_EXCLUSION:
			*kind = CONSTRAINT_EXCLUSION;
			return true;
		case PENSTOCK__SCHEMA_CONSTRAINT_KIND__SCHEMA_CONSTRAINT_KIND_NOT_NULL:
			*kind = CONSTRAINT_NOT_NULL;
			return true;
		default:
			return false;
	}
}

/* ---- Lists -------------------------------------------------------------- */

/* Largest number of elements of a list; no schema has more. */
#define LIST_MAX 1000000

/* Checks and converts the number of elements of a list. */
static MUST_CHECK Rc
convert_count(size_t wire, int *count, Error *err)
{
	if (wire > LIST_MAX)
		return invalid(err, "schema change with too long a list");
	*count = (int) wire;
	return RC_OK;
}

static MUST_CHECK Rc
convert_oids(const uint32_t *wire, size_t count, Arena *arena, OidList *list,
			 Error *err)
{
	Rc rc = convert_count(count, &list->count, err);

	if (rc == RC_OK && count > 0)
		list->oids = arena_dup(arena, wire, count * sizeof(wire[0]));
	return rc;
}

static MUST_CHECK Rc
convert_strings(char **wire, size_t count, Arena *arena, StringList *list,
				Error *err)
{
	Rc rc = convert_count(count, &list->count, err);

	if (rc == RC_OK && count > 0)
		list->strings = arena_dup(arena, wire, count * sizeof(wire[0]));
	return rc;
}

/* ---- Tables ------------------------------------------------------------- */

static MUST_CHECK Rc
convert_column(const Penstock__SchemaColumn *wire, Arena *arena,
			   ColumnDefinition *column, Error *err)
{
	/*
	 * A number that does not fit its type becomes a value that is out of range,
	 * which definition_fault() reports.
	 */
	*column = (ColumnDefinition){
		.attnum = wire->attnum <= RELATION_COLUMNS_MAX ? (uint16_t) wire->attnum
													   : 0,
		.name = wire->name,
		.type_oid = wire->type_oid,
		.typmod = wire->typmod,
		.type = wire->type,
		.collation = wire->collation,
		.not_null = wire->not_null,
		.default_expression = wire->default_expression,
		.local = wire->local,
		.inherited = wire->inherited <= INT32_MAX ? (int) wire->inherited : -1,
		.storage = wire->storage,
		.compression = wire->compression,
		.statistics = wire->statistics <= INT32_MAX ? (int) wire->statistics - 1
													: INT32_MAX,
		.missing_value = wire->has_missing_value ? wire->missing_value : NULL,
	};
	if (!map_generated(wire->generated, &column->generated) ||
		!map_identity(wire->identity, &column->identity))
		return invalid(err, "column generated in a way that is not known");
	return convert_strings(wire->options, wire->n_options, arena,
						   &column->options, err);
}

static MUST_CHECK Rc
convert_columns(Penstock__SchemaColumn **wire, size_t count, Arena *arena,
				ColumnDefinition **columns, int *column_count, Error *err)
{
	Rc rc = RC_OK;

	if (count > RELATION_COLUMNS_MAX)
		return invalid(err, "table with too many columns");
	*columns = arena_calloc(arena, count, sizeof(ColumnDefinition));
	ASSERT(count == 0 || wire != NULL);
	*column_count = (int) count;
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = convert_column(wire[i], arena, &(*columns)[i], err);
	return rc;
}

static MUST_CHECK Rc
convert_constraint(const Penstock__SchemaConstraint *wire, Arena *arena,
				   ConstraintDefinition *constraint, Error *err)
{
	*constraint = (ConstraintDefinition){
		.oid = wire->oid,
		.name = wire->name,
		.definition = wire->definition,
		.validated = wire->validated,
		.local = wire->local,
		.inherited = wire->inherited <= INT32_MAX ? (int) wire->inherited : -1,
		.parent = wire->parent,
		.index = wire->index,
		.referenced_table = wire->referenced_table,
	};
	if (!map_constraint(wire->kind, &constraint->kind))
		return invalid(err, "constraint of a kind that is not known");
	return convert_oids(wire->attnums, wire->n_attnums, arena,
						&constraint->attnums, err);
}

static MUST_CHECK Rc
convert_constraints(Penstock__SchemaConstraint **wire, size_t count,
					Arena *arena, ConstraintDefinition **constraints,
					int *constraint_count, Error *err)
{
	Rc rc = convert_count(count, constraint_count, err);

	if (rc != RC_OK)
		return rc;
	*constraints = arena_calloc(arena, count, sizeof(ConstraintDefinition));
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = convert_constraint(wire[i], arena, &(*constraints)[i], err);
	return rc;
}

static MUST_CHECK Rc
convert_indexes(const Penstock__SchemaTable *wire, Arena *arena,
				TableDefinition *table, Error *err)
{
	Rc rc = convert_count(wire->n_indexes, &table->index_count, err);

	if (rc != RC_OK)
		return rc;
	table->indexes = arena_calloc(arena, wire->n_indexes,
								  sizeof(IndexDefinition));
	for (size_t i = 0; i < wire->n_indexes && rc == RC_OK; i++)
	{
		const Penstock__SchemaIndex *index = wire->indexes[i];

		table->indexes[i] = (IndexDefinition){
			.oid = index->oid,
			.schema = index->schema,
			.name = index->name,
			.definition = index->definition,
			.valid = index->valid,
			.unique = index->unique,
			.primary = index->primary,
			.replica_identity = index->replica_identity,
			.clustered = index->clustered,
			.constraint = index->constraint,
			.parent = index->parent,
		};
		rc = convert_oids(index->attnums, index->n_attnums, arena,
						  &table->indexes[i].attnums, err);
	}
	return rc;
}

static MUST_CHECK Rc
convert_table_lists(const Penstock__SchemaTable *wire, Arena *arena,
					TableDefinition *table, Error *err)
{
	Rc rc = convert_oids(wire->parents, wire->n_parents, arena, &table->parents,
						 err);

	if (rc == RC_OK)
		rc = convert_strings(wire->options, wire->n_options, arena,
							 &table->options, err);
	if (rc == RC_OK)
		rc = convert_columns(wire->columns, wire->n_columns, arena,
							 &table->columns, &table->column_count, err);
	if (rc == RC_OK)
		rc = convert_constraints(wire->constraints, wire->n_constraints, arena,
								 &table->constraints, &table->constraint_count,
								 err);
	if (rc == RC_OK)
		rc = convert_indexes(wire, arena, table, err);
	ASSERT(rc != RC_OK || table->column_count <= RELATION_COLUMNS_MAX);
	return rc;
}

static MUST_CHECK Rc
convert_table(const Penstock__SchemaTable *wire, Arena *arena,
			  Definition *definition, Error *err)
{
	TableDefinition *table = &definition->table;

	definition->kind = DEFINITION_TABLE;
	definition->schema = wire->schema;
	definition->name = wire->name;
	*table = (TableDefinition){
		.partitioned = wire->partitioned,
		.unlogged = wire->unlogged,
		.bound = wire->bound,
		.detaching = wire->detaching,
		.partition_key = wire->partition_key,
		.of_type = wire->of_type,
		.access_method = wire->access_method,
		.row_security = wire->row_security,
		.force_row_security = wire->force_row_security,
		.published = wire->published,
		.withheld = wire->withheld,
	};
	if (!unpack_replica_identity(wire->replica_identity,
								 &table->replica_identity))
		return invalid(err, "table with a replica identity that is not known");
	return convert_table_lists(wire, arena, table, err);
}

/* ---- Sequences and types ------------------------------------------------ */

static MUST_CHECK Rc
convert_sequence(const Penstock__SchemaSequence *wire, Definition *definition,
				 Error *err)
{
	if (wire->owner_attnum > RELATION_COLUMNS_MAX)
		return invalid(err, "sequence of a column with a number out of range");
	definition->kind = DEFINITION_SEQUENCE;
	definition->schema = wire->schema;
	definition->name = wire->name;
	definition->sequence = (SequenceDefinition){
		.type = wire->type,
		.start = wire->start,
		.increment = wire->increment,
		.minimum = wire->minimum,
		.maximum = wire->maximum,
		.cache = wire->cache,
		.cycle = wire->cycle,
		.owner_table = wire->owner_table,
		.owner_attnum = (uint16_t) wire->owner_attnum,
		.identity = wire->identity,
		.unlogged = wire->unlogged,
	};
	return RC_OK;
}

static MUST_CHECK Rc
convert_enum(const Penstock__SchemaEnum *wire, Arena *arena,
			 EnumDefinition *enumeration, Error *err)
{
	Rc rc = convert_count(wire->n_labels, &enumeration->label_count, err);

	if (rc != RC_OK)
		return rc;
	enumeration->labels = arena_calloc(arena, wire->n_labels,
									   sizeof(EnumLabel));
	for (size_t i = 0; i < wire->n_labels; i++)
		enumeration->labels[i] = (EnumLabel){.oid = wire->labels[i]->oid,
											 .label = wire->labels[i]->label};
	return RC_OK;
}

static MUST_CHECK Rc
convert_domain(const Penstock__SchemaDomain *wire, Arena *arena,
			   DomainDefinition *domain, Error *err)
{
	domain->base_type = wire->base_type;
	domain->collation = wire->collation;
	domain->not_null = wire->not_null;
	domain->default_expression = wire->default_expression;
	return convert_constraints(wire->constraints, wire->n_constraints, arena,
							   &domain->constraints, &domain->constraint_count,
							   err);
}

static MUST_CHECK Rc
convert_type(const Penstock__SchemaType *wire, Arena *arena,
			 Definition *definition, Error *err)
{
	definition->schema = wire->schema;
	definition->name = wire->name;
	switch (wire->kind_case)
	{
		case PENSTOCK__SCHEMA_TYPE__KIND_ENUMERATION:
			definition->kind = DEFINITION_ENUM;
			return convert_enum(wire->enumeration, arena,
								&definition->enumeration, err);
		case PENSTOCK__SCHEMA_TYPE__KIND_DOMAIN:
			definition->kind = DEFINITION_DOMAIN;
			return convert_domain(wire->domain, arena, &definition->domain,
								  err);
		case PENSTOCK__SCHEMA_TYPE__KIND_COMPOSITE:
			definition->kind = DEFINITION_COMPOSITE;
			return convert_columns(wire->composite->columns,
								   wire->composite->n_columns, arena,
								   &definition->composite.columns,
								   &definition->composite.column_count, err);
		default:
			return invalid(err, "type of a kind that is not known");
	}
}

/* ---- The change --------------------------------------------------------- */

static MUST_CHECK Rc
convert_object(const Penstock__SchemaChange *wire, Arena *arena,
			   Definition *definition, Error *err)
{
	switch (wire->object_case)
	{
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_NAMESPACE:
			definition->kind = DEFINITION_NAMESPACE;
			definition->schema = "";
			definition->name = wire->namespace_->name;
			return RC_OK;
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_TABLE:
			return convert_table(wire->table, arena, definition, err);
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_SEQUENCE:
			return convert_sequence(wire->sequence, definition, err);
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_TYPE:
			return convert_type(wire->type, arena, definition, err);
		default:
			return invalid(err, "schema change of a kind that is not known");
	}
}

static MUST_CHECK Rc
convert_defined(const Penstock__SchemaChange *wire, Arena *arena,
				SchemaChange *change, Error *err)
{
	Definition *definition = arena_calloc(arena, 1, sizeof(Definition));
	const char *fault;
	Rc rc;

	definition->oid = wire->oid;
	rc = convert_object(wire, arena, definition, err);
	if (rc != RC_OK)
		return rc;
	fault = definition_fault(definition);
	if (fault != NULL)
		return invalid(err, arena_printf(arena, "definition of %s \"%s\" %s",
										 definition_kind_name(definition->kind),
										 definition->name, fault));
	ASSERT(definition->name != NULL);
	change->kind = SCHEMA_DEFINED;
	change->catalog = definition_catalog(definition->kind);
	change->definition = definition;
	return RC_OK;
}

static MUST_CHECK Rc
convert_gone(const Penstock__SchemaChange *wire, SchemaChange *change,
			 Error *err)
{
	ASSERT(wire->object_case == PENSTOCK__SCHEMA_CHANGE__OBJECT_GONE);
	change->kind = SCHEMA_GONE;
	if (!map_catalog(wire->gone, &change->catalog) || wire->oid == 0)
		return invalid(err, "object is gone of which it is not said which");
	return RC_OK;
}

static MUST_CHECK Rc
convert_untranslated(const Penstock__SchemaChange *wire, SchemaChange *change,
					 Error *err)
{
	ASSERT(wire->object_case == PENSTOCK__SCHEMA_CHANGE__OBJECT_UNTRANSLATED);
	if (wire->untranslated->catalog[0] == '\0')
		return invalid(err, "schema change of nothing");
	change->kind = SCHEMA_UNTRANSLATED;
	change->untranslated_catalog = wire->untranslated->catalog;
	change->untranslated_identity = wire->untranslated->identity;
	change->untranslated_part = wire->untranslated->part;
	change->untranslated_gone = wire->untranslated->gone;
	return RC_OK;
}

Rc
schema_change_decode(Span body, Arena *arena, const SchemaChange **change,
					 Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(arena);
	Penstock__SchemaChange *wire;
	SchemaChange *made = arena_calloc(arena, 1, sizeof(SchemaChange));

	ASSERT(arena != NULL && body.data != NULL);
	if (body.length > SCHEMA_CHANGE_BYTES_MAX)
		return error_set(err, ERR_LIMIT,
						 "the stream has a schema change of %zu bytes, the "
						 "limit is %zu",
						 body.length, SCHEMA_CHANGE_BYTES_MAX);
	wire = penstock__schema_change__unpack(&allocator, body.length, body.data);
	if (wire == NULL)
		return invalid(err, "schema change cannot be read");
	made->lsn = wire->lsn;
	made->oid = wire->oid;
	*change = made;
	switch (wire->object_case)
	{
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_GONE:
			return convert_gone(wire, made, err);
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_UNTRANSLATED:
			return convert_untranslated(wire, made, err);
		default:
			return convert_defined(wire, arena, made, err);
	}
}
