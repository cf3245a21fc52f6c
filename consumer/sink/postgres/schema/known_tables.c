/*
 * known_tables.c
 *    Selects by OID, and looks for names that have changed.
 */
#include "sink/postgres/schema/known_tables.h"

#include <string.h>

#include "base/own_command.h"

/*
 * Whether a change is of a table that was known from the beginning, or of a
 * sequence of its columns.  All other changes are for the pipeline that follows
 * the other tables.
 */
static bool
is_of_known_table(const DefinitionSet *known, const SchemaChange *change)
{
	const Definition *is = change->definition;

	if (change->kind == SCHEMA_UNTRANSLATED ||
		change->catalog != DEFINITION_IN_CLASS)
		return false;
	if (definition_set_find(known, DEFINITION_IN_CLASS, change->oid) != NULL)
		return true;
	return is != NULL && is->kind == DEFINITION_SEQUENCE &&
		   definition_set_find(known, DEFINITION_IN_CLASS,
							   is->sequence.owner_table) != NULL;
}

/*
 * Refuses to rename a table that is followed alone, because its rows would not
 * be recognized by their new name.
 */
static MUST_CHECK Rc
refuse_name(const DefinitionSet *known, const SchemaChange *change, Lsn end_lsn,
			Error *err)
{
	const Definition *is = change->definition;
	const Definition *was = definition_set_find(known, DEFINITION_IN_CLASS,
												change->oid);
	Rc rc;

	if (was == NULL || is == NULL || was->kind != DEFINITION_TABLE ||
		(strcmp(was->name, is->name) == 0 &&
		 strcmp(was->schema, is->schema) == 0))
		return RC_OK;
	rc = error_set(
		err, ERR_CONFIG,
		"table \"%s\".\"%s\" is called \"%s\".\"%s\" from " LSN_FORMAT
		" on, while it catches up",
		was->schema, was->name, is->schema, is->name, LSN_ARGS(end_lsn));
	error_hint(err, "Copy it anew: \"%s\".",
			   OWN_COMMAND_TABLE("resync", is->schema, is->name));
	return rc;
}

/* Returns the known definition of a type that a change is of, or NULL. */
static const Definition *
find_known_type(const DefinitionSet *known, const SchemaChange *change)
{
	return change->kind != SCHEMA_UNTRANSLATED &&
				   change->catalog == DEFINITION_IN_TYPE
			   ? definition_set_find(known, DEFINITION_IN_TYPE, change->oid)
			   : NULL;
}

/* Returns the first label whose name has changed, or NULL. */
static const EnumLabel *
find_renamed_label(const EnumDefinition *was, const EnumDefinition *is)
{
	for (int i = 0; i < was->label_count; i++)
		for (int k = 0; k < is->label_count; k++)
			if (was->labels[i].oid == is->labels[k].oid &&
				strcmp(was->labels[i].label, is->labels[k].label) != 0)
				return &was->labels[i];
	return NULL;
}

/*
 * Whether values of a column may have labels of an enum: it is of that type, or
 * of one that is not known to be another enum and may be made of it.
 */
static bool
may_have_labels(const DefinitionSet *known, const ColumnDefinition *column,
				uint32_t oid)
{
	const Definition *type = definition_set_find(known, DEFINITION_IN_TYPE,
												 column->type_oid);

	return column->type_oid == oid ||
		   (column->type_oid >= OID_FIRST_GENERATED &&
			(type == NULL || type->kind != DEFINITION_ENUM));
}

/* Returns a table that may have labels of an enum, or NULL. */
static const Definition *
find_table_with_labels(const DefinitionSet *known, uint32_t oid)
{
	for (size_t i = 0; i < definition_set_count(known); i++)
	{
		const Definition *table = definition_set_at(known, i);

		if (table->kind != DEFINITION_TABLE)
			continue;
		for (int k = 0; k < table->table.column_count; k++)
			if (may_have_labels(known, &table->table.columns[k], oid))
				return table;
	}
	return NULL;
}

/*
 * Rows come with labels as they are called where the stream is.  The target has
 * the names of where the other tables are: another label may be called so there
 * by now, or for a while to come.
 */
static MUST_CHECK Rc
refuse_label(const DefinitionSet *known, const SchemaChange *change,
			 Lsn end_lsn, Error *err)
{
	const Definition *was = find_known_type(known, change);
	const Definition *table;
	const EnumLabel *label;
	Rc rc;

	if (was == NULL || was->kind != DEFINITION_ENUM ||
		change->kind == SCHEMA_GONE)
		return RC_OK;
	label = find_renamed_label(&was->enumeration,
							   &change->definition->enumeration);
	table = find_table_with_labels(known, change->oid);
	if (label == NULL || table == NULL)
		return RC_OK;
	rc = error_set(
		err, ERR_CONFIG,
		"label \"%s\" of type \"%s\".\"%s\" has another name from " LSN_FORMAT
		" on, while table \"%s\".\"%s\" catches up",
		label->label, was->schema, was->name, LSN_ARGS(end_lsn), table->schema,
		table->name);
	error_detail(err, "Rows that have come before may have the wrong label.");
	error_hint(err, "Copy it anew: \"%s\".",
			   OWN_COMMAND_TABLE("resync", table->schema, table->name));
	return rc;
}

Rc
known_tables_select(const SchemaSet *all, const DefinitionSet *known,
					Arena *arena, SchemaSet *some, Error *err)
{
	Rc rc = RC_OK;

	*some = *all;
	some->count = 0;
	some->changes = arena_calloc(arena, all->count, sizeof(some->changes[0]));
	for (size_t i = 0; i < all->count && rc == RC_OK; i++)
	{
		const SchemaChange *change = all->changes[i]->schema;

		if (!is_of_known_table(known, change) &&
			find_known_type(known, change) == NULL)
			continue;
		some->changes[some->count++] = all->changes[i];
		rc = refuse_name(known, change, all->txn.end_lsn, err);
		if (rc == RC_OK)
			rc = refuse_label(known, change, all->txn.end_lsn, err);
	}
	return rc;
}
