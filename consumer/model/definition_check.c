/*
 * definition_check.c
 *    Checks each kind of object.
 */
#include "model/definition_check.h"

#include <string.h>

/* Largest statistics target that ALTER COLUMN … SET STATISTICS accepts. */
#define STATISTICS_MAX 10000

static bool
is_letter_or_empty(const char *text)
{
	return text[0] == '\0' || text[1] == '\0';
}

static const char *
column_fault(const ColumnDefinition *column)
{
	if (column->attnum < 1 || column->attnum > RELATION_COLUMNS_MAX)
		return "has a column with a number out of range";
	if (column->name[0] == '\0' || column->type[0] == '\0' ||
		column->type_oid == 0)
		return "has a column without name or type";
	if (!is_letter_or_empty(column->storage) ||
		!is_letter_or_empty(column->compression))
		return "has a column with a storage or compression that is none";
	if (column->statistics < -1 || column->statistics > STATISTICS_MAX)
		return "has a column with a statistics target out of range";
	if (column->inherited < 0)
		return "has a column with less than no parents";
	if (column->generated != GENERATED_NOT &&
		column->default_expression[0] == '\0')
		return "has a generated column without an expression";
	return NULL;
}

/*
 * Columns have to be sorted by attnum, because definition_column() relies on
 * that.
 */
static const char *
columns_fault(const ColumnDefinition *columns, int count)
{
	for (int i = 0; i < count; i++)
	{
		const char *fault = column_fault(&columns[i]);

		if (fault != NULL)
			return fault;
		if (i > 0 && columns[i].attnum <= columns[i - 1].attnum)
			return "has columns that are not in their order";
	}
	return NULL;
}

static const char *
constraints_fault(const ConstraintDefinition *constraints, int count)
{
	for (int i = 0; i < count; i++)
	{
		const ConstraintDefinition *constraint = &constraints[i];

		if (constraint->oid == 0 || constraint->name[0] == '\0' ||
			constraint->definition[0] == '\0')
			return "has a constraint without OID, name or definition";
		if (constraint->inherited < 0)
			return "has a constraint with less than no parents";
		if (constraint->kind == CONSTRAINT_FOREIGN_KEY &&
			constraint->referenced_table == 0)
			return "has a foreign key that refers to no table";
	}
	return NULL;
}

static const char *
indexes_fault(const IndexDefinition *indexes, int count)
{
	for (int i = 0; i < count; i++)
		if (indexes[i].oid == 0 || indexes[i].schema[0] == '\0' ||
			indexes[i].name[0] == '\0' || indexes[i].definition[0] == '\0')
			return "has an index without OID, name or definition";
	return NULL;
}

static const char *
table_fault(const TableDefinition *table)
{
	const char *fault = columns_fault(table->columns, table->column_count);

	if (fault == NULL)
		fault = constraints_fault(table->constraints, table->constraint_count);
	if (fault == NULL)
		fault = indexes_fault(table->indexes, table->index_count);
	if (fault == NULL && table->partitioned && table->partition_key[0] == '\0')
		fault = "is partitioned without a key";
	if (fault == NULL && table->bound[0] != '\0' && table->parents.count != 1)
		fault = "is a partition without a parent";
	return fault;
}

static const char *
sequence_fault(const SequenceDefinition *sequence)
{
	if (strcmp(sequence->type, "smallint") != 0 &&
		strcmp(sequence->type, "integer") != 0 &&
		strcmp(sequence->type, "bigint") != 0)
		return "is of a type that sequences are not of";
	if (sequence->increment == 0 || sequence->cache < 1 ||
		sequence->minimum > sequence->maximum)
		return "has numbers out of range";
	if ((sequence->owner_table == 0) != (sequence->owner_attnum == 0) ||
		sequence->owner_attnum > RELATION_COLUMNS_MAX)
		return "has an owner that is no column";
	return NULL;
}

static const char *
labels_fault(const EnumDefinition *enumeration)
{
	for (int i = 0; i < enumeration->label_count; i++)
		if (enumeration->labels[i].oid == 0)
			return "has a label without OID";
	return NULL;
}

static const char *
domain_fault(const DomainDefinition *domain)
{
	if (domain->base_type[0] == '\0')
		return "has no type";
	return constraints_fault(domain->constraints, domain->constraint_count);
}

const char *
definition_fault(const Definition *definition)
{
	bool is_namespace = definition->kind == DEFINITION_NAMESPACE;

	if (definition->oid == 0 || definition->name[0] == '\0')
		return "has no OID or no name";
	if ((definition->schema[0] == '\0') != is_namespace)
		return is_namespace ? "is in a schema" : "is in no schema";
	switch (definition->kind)
	{
		case DEFINITION_NAMESPACE:
			return NULL;
		case DEFINITION_TABLE:
			return table_fault(&definition->table);
		case DEFINITION_SEQUENCE:
			return sequence_fault(&definition->sequence);
		case DEFINITION_ENUM:
			return labels_fault(&definition->enumeration);
		case DEFINITION_DOMAIN:
			return domain_fault(&definition->domain);
		case DEFINITION_COMPOSITE:
			return columns_fault(definition->composite.columns,
								 definition->composite.column_count);
	}
	check_failed("the kind of a definition is known", __FILE__, __LINE__);
}
