/*
 * schema_note.c
 *    Compares two sets, and stores definitions as JSON.
 */
#include "sink/postgres/schema/schema_note.h"

#include "base/buf.h"
#include "base/json.h"
#include "control/definition_table.h"
#include "ddl/json.h"

/* Stores a definition; NULL: the object was dropped. */
static MUST_CHECK Rc
write_definition(const SchemaNote *note, DefinitionCatalog catalog,
				 uint32_t oid, const Definition *definition, Error *err)
{
	Buf buf;
	Json json;
	Rc rc;

	buf_init(&buf, DDL_JSON_BYTES_MAX);
	json_init(&json, &buf);
	if (definition != NULL)
		ddl_json_append(&json, definition);
	if (definition != NULL && buf.overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "the definition of %s \"%s\" is longer than %zu bytes",
					   definition_kind_name(definition->kind), definition->name,
					   (size_t) DDL_JSON_BYTES_MAX);
	else
		rc = definition_table_write(note->target, note->pipeline, catalog, oid,
									note->lsn,
									definition != NULL ? buf.data : NULL, err);
	buf_release(&buf);
	return rc;
}

/*
 * Stores changed definitions, including those of objects in a renamed schema.
 */
static MUST_CHECK Rc
write_defined(const SchemaNote *note, Error *err)
{
	Rc rc = RC_OK;

	for (size_t i = 0; i < definition_set_count(note->after) && rc == RC_OK;
		 i++)
	{
		const Definition *is = definition_set_at(note->after, i);
		DefinitionCatalog catalog = definition_catalog(is->kind);
		const Definition *was = definition_set_find(note->known, catalog,
													is->oid);

		if (was == NULL || !definition_equal(was, is))
			rc = write_definition(note, catalog, is->oid, is, err);
	}
	return rc;
}

static MUST_CHECK Rc
write_gone(const SchemaNote *note, Error *err)
{
	Rc rc = RC_OK;

	for (size_t i = 0; i < definition_set_count(note->known) && rc == RC_OK;
		 i++)
	{
		const Definition *was = definition_set_at(note->known, i);
		DefinitionCatalog catalog = definition_catalog(was->kind);

		if (definition_set_find(note->after, catalog, was->oid) == NULL)
			rc = write_definition(note, catalog, was->oid, NULL, err);
	}
	return rc;
}

Rc
schema_note_write(const SchemaNote *note, Error *err)
{
	Rc rc = write_defined(note, err);

	return rc == RC_OK ? write_gone(note, err) : rc;
}
