/*
 * definitions.c
 *    Reads the definitions once, and writes them to each target.
 */
#include "job/clone/definitions.h"

#include "base/arena.h"
#include "control/definition_table.h"
#include "pipeline/beside/definitions.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/*
 * Lists the relations that are made on the targets for the published tables,
 * where not all that is selected is made.
 */
static OidList
list_made(const CopyCatalog *catalog, Arena *arena)
{
	OidList made = {0};

	if (catalog->whole)
		return made;
	made.oids = arena_calloc(arena, (size_t) catalog->relation_count + 1,
							 sizeof(made.oids[0]));
	for (int i = 0; i < catalog->relation_count; i++)
		made.oids[made.count++] = catalog->relations[i].oid;
	return made;
}

Rc
clone_read_definitions(Clone *clone, Error *err)
{
	const CloneSource *lead = clone->lead;
	Arena *arena;
	OidList made;
	const DefinitionsWanted wanted = {
		.publications = clone->config->publications,
		.selection = &clone->config->selection,
		.tables = &made};
	Rc rc;

	if (config_schema_policy(clone->config) == SCHEMA_OFF ||
		clone->definitions != NULL)
		return RC_OK;
	clone->definitions_lsn = lead->snapshot.consistent_lsn;
	clone->definitions = definition_set_new();
	arena = arena_new(ARENA_BLOCK_BYTES);
	made = list_made(lead->catalog, arena);
	rc = definitions_read(lead->conn, lead->snapshot.name, &wanted,
						  clone->definitions, err);
	arena_free(arena);
	if (rc == RC_OK)
		return rc;
	definition_set_free(clone->definitions);
	clone->definitions = NULL;
	return rc;
}

Rc
clone_note_definitions(Clone *clone, const CloneTarget *target, Error *err)
{
	bool has;
	Rc rc;

	if (config_schema_policy(clone->config) == SCHEMA_OFF)
		return RC_OK;
	rc = definition_table_has(target->conn, clone->config->name, &has, err);
	if (rc != RC_OK || (has && clone->resumed && !target->schema_begun))
		return rc;
	CHECK(clone->definitions != NULL);
	rc = pgconn_exec(target->conn, "BEGIN", NULL, err);
	if (rc == RC_OK)
		rc = definitions_write(target->conn, clone->config->name,
							   clone->definitions, clone->definitions_lsn, err);
	if (rc == RC_OK)
		rc = pgconn_exec(target->conn, "COMMIT", NULL, err);
	return rc;
}
