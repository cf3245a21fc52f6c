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

#define CATALOG   "pg_publication_rel"
#define BEGINNING "publication of table "
#define MIDDLE    " in publication "

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

Rc
publication_change_refuse(const SchemaSet *set, const Definition *table,
						  Error *err)
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
	return rc;
}

Rc
publication_change_refuse_uncopied(const SchemaSet *set,
								   const Definition *table, const char *label,
								   Error *err)
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
	buf_release(&name);
	return rc;
}
