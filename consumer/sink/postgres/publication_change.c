/*
 * publication_change.c
 *    Parses the identity of rows of pg_publication_rel, which the source prints
 *    with pg_describe_object(): "publication of table schema.name in
 *    publication name", where the last name is not quoted.
 */
#include "sink/postgres/publication_change.h"

#include <string.h>

#include "base/buf.h"
#include "base/own_command.h"
#include "model/identifier.h"

#define SCHEMA_CATALOG   "pg_publication_namespace"
#define SCHEMA_BEGINNING "publication of schema "

/* Number of tables that a hint names. */
#define TABLES_HINTED_MAX 20

#define CATALOG           "pg_publication_rel"
#define BEGINNING         "publication of table "
#define MIDDLE            " in publication "

/* Whether an identity is that of the table in the publication. */
static bool
is_in_publication(const char *identity, const Definition *table,
				  const char *publication)
{
	char schema[IDENTIFIER_SIZE];
	char name[IDENTIFIER_SIZE];
	const char *rest;

	if (strncmp(identity, BEGINNING, strlen(BEGINNING)) != 0)
		return false;
	rest = identifier_read(identity + strlen(BEGINNING), schema);
	if (rest == NULL || *rest != '.')
		return false;
	rest = identifier_read(rest + 1, name);
	return rest != NULL && strcmp(schema, table->schema) == 0 &&
		   strcmp(name, table->name) == 0 &&
		   strncmp(rest, MIDDLE, strlen(MIDDLE)) == 0 &&
		   strcmp(rest + strlen(MIDDLE), publication) == 0;
}

static bool
is_named(const SchemaSet *set, const Words *publications,
		 const Definition *table)
{
	for (size_t i = 0; i < set->count; i++)
	{
		const SchemaChange *change = set->changes[i]->schema;

		if (change->kind != SCHEMA_UNTRANSLATED || change->untranslated_gone ||
			strcmp(change->untranslated_catalog, CATALOG) != 0)
			continue;
		for (int j = 0; j < publications->count; j++)
			if (is_in_publication(change->untranslated_identity, table,
								  publications->words[j]))
				return true;
	}
	return false;
}

const Definition *
publication_change_table(const SchemaSet *set, const SchemaChange *change,
						 const Words *publications)
{
	const Definition *table = change->definition;

	return change->kind == SCHEMA_DEFINED && table->kind == DEFINITION_TABLE &&
				   table->table.published && is_named(set, publications, table)
			   ? table
			   : NULL;
}

/* Whether an identity is that of the table's schema in the publication. */
static bool
is_schema_in_publication(const char *identity, const Definition *table,
						 const char *publication)
{
	size_t length = strlen(table->schema);
	const char *rest;

	if (strncmp(identity, SCHEMA_BEGINNING, strlen(SCHEMA_BEGINNING)) != 0)
		return false;
	rest = identity + strlen(SCHEMA_BEGINNING);
	return strncmp(rest, table->schema, length) == 0 &&
		   strncmp(rest + length, MIDDLE, strlen(MIDDLE)) == 0 &&
		   strcmp(rest + length + strlen(MIDDLE), publication) == 0;
}

static bool
adds_schema(const SchemaChange *change, const Definition *table,
			const Words *publications)
{
	for (int i = 0; i < publications->count; i++)
		if (is_schema_in_publication(change->untranslated_identity, table,
									 publications->words[i]))
			return true;
	return false;
}

static bool
is_schema_publication(const SchemaChange *change)
{
	return change->kind == SCHEMA_UNTRANSLATED &&
		   strcmp(change->untranslated_catalog, SCHEMA_CATALOG) == 0;
}

bool
publication_change_adds_schema(const SchemaSet *set, const Definition *table,
							   const Words *publications)
{
	for (size_t i = 0; i < set->count; i++)
	{
		const SchemaChange *change = set->changes[i]->schema;

		if (is_schema_publication(change) && !change->untranslated_gone &&
			adds_schema(change, table, publications))
			return true;
	}
	return false;
}

bool
publication_change_readds_schema(const SchemaSet *set, const Definition *table,
								 const Words *publications)
{
	bool drops = false;

	for (size_t i = 0; i < set->count && !drops; i++)
		drops = is_schema_publication(set->changes[i]->schema) &&
				set->changes[i]->schema->untranslated_gone;
	return drops && publication_change_adds_schema(set, table, publications);
}

/* Appends "table resync" with the names of tables as words of a shell. */
static void
append_resync(Buf *words, const Definition *const *tables, size_t count)
{
	buf_append_string(words, "table resync");
	for (size_t i = 0; i < count && i < TABLES_HINTED_MAX; i++)
		own_command_append_table(words, tables[i]->schema, tables[i]->name);
}

void
publication_change_hint_placed(const char *schema, const char *name,
							   bool was_copied, Error *err)
{
	Buf line;

	if (was_copied)
	{
		error_hint(err, "With a placement no table is copied while others are "
						"followed: clone anew, to empty targets.");
		return;
	}
	buf_init(&line, BUF_TEXT_MAX);
	buf_append_identifier(&line, schema);
	buf_append_char(&line, '.');
	buf_append_identifier(&line, name);
	error_hint(err,
			   "With a placement no table is copied while others are followed. "
			   " Leave it out with the line %s = none in section [placement], "
			   "and follow again; a new clone has it.",
			   line.data);
	buf_release(&line);
}

Rc
publication_change_refuse_operations(const SchemaSet *set,
									 const Definition *const *tables,
									 size_t count, bool placed, Error *err)
{
	Buf others;
	Buf words;
	Rc rc;

	buf_init(&others, BUF_TEXT_MAX);
	buf_init(&words, BUF_TEXT_MAX);
	if (count > 1)
		buf_printf(&others, ", and on %zu more,", count - 1);
	rc = error_set(err, ERR_CONFIG,
				   "transaction %u, which ends at " LSN_FORMAT
				   ", has changed which operations on table \"%s\".\"%s\"%s "
				   "are published",
				   set->txn.xid, LSN_ARGS(set->txn.end_lsn), tables[0]->schema,
				   tables[0]->name, others.data != NULL ? others.data : "");
	error_detail(err, "The target does not have what was not published before. "
					  " Nothing from there on was applied.");
	append_resync(&words, tables, count);
	error_hint(err, "Copy %s anew with \"%s\", and follow again.",
			   count > TABLES_HINTED_MAX ? "these and then the others"
			   : count > 1               ? "them"
										 : "it",
			   OWN_COMMAND(words.data));
	if (placed)
		publication_change_hint_placed(tables[0]->schema, tables[0]->name, true,
									   err);
	buf_release(&others);
	buf_release(&words);
	return rc;
}

Rc
publication_change_refuse(const SchemaSet *set, const Definition *table,
						  bool placed, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "transaction %u, which ends at " LSN_FORMAT
					  ", has changed how table \"%s\".\"%s\" is published",
					  set->txn.xid, LSN_ARGS(set->txn.end_lsn), table->schema,
					  table->name);

	error_detail(err, "The target does not have the rows and columns that were "
					  "not published before.  Nothing from there on was "
					  "applied.");
	error_hint(err, "Copy the table anew with \"%s\", and follow again.",
			   OWN_COMMAND_TABLE("resync", table->schema, table->name));
	if (placed)
		publication_change_hint_placed(table->schema, table->name, true, err);
	return rc;
}

Rc
publication_change_refuse_uncopied(const SchemaSet *set,
								   const Definition *table, const char *label,
								   bool placed, Error *err)
{
	Buf name;
	Rc rc;

	buf_init(&name, BUF_TEXT_MAX);
	buf_append_identifier(&name, table->schema);
	buf_append_char(&name, '.');
	buf_append_identifier(&name, table->name);
	rc = error_set(err, ERR_CONFIG, "table %s was not copied to %s", name.data,
				   label);
	error_table(err, name.data);
	error_detail(
		err,
		"It is published since transaction %u, which ends at " LSN_FORMAT
		"; nothing from there on was applied.",
		set->txn.xid, LSN_ARGS(set->txn.end_lsn));
	error_hint(
		err,
		"Run \"%s\" to copy it and have it followed, or \"%s\" to "
		"leave it out.",
		OWN_COMMAND_TABLE("add", table->schema, table->name),
		OWN_COMMAND_TABLE("remove --by-name", table->schema, table->name));
	if (placed)
		publication_change_hint_placed(table->schema, table->name, false, err);
	buf_release(&name);
	return rc;
}
