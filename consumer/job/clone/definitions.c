/*
 * definitions.c
 *    Read once on the source, written to each target.
 */
#include "job/clone/definitions.h"

#include "base/log.h"
#include "control/definition_table.h"
#include "ddl/json.h"
#include "ddl/read.h"

/* In the snapshot's transaction. */
static MUST_CHECK Rc
read_definitions(Clone *clone, Error *err)
{
	const CloneSource *lead = clone->lead;
	const DdlReadOptions options = {
		.publications = &lead->catalog->publications,
		.selection = &clone->config->selection};

	clone->definitions = definition_set_new();
	return ddl_read(lead->conn, &options, clone->definitions, err);
}

Rc
clone_read_definitions(Clone *clone, Error *err)
{
	const SlotSnapshot *snapshot = &clone->lead->snapshot;
	Error ignored = {0};
	char sql[128 + SLOT_SNAPSHOT_SIZE];
	Rc rc;

	if (config_schema_policy(clone->config) == SCHEMA_OFF ||
		clone->definitions != NULL)
		return RC_OK;
	clone->definitions_lsn = snapshot->consistent_lsn;
	snprintf(sql, sizeof(sql),
			 "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY%s%s%s",
			 snapshot->name[0] != '\0' ? "; SET TRANSACTION SNAPSHOT '" : "",
			 snapshot->name, snapshot->name[0] != '\0' ? "'" : "");
	rc = pgconn_exec(clone->lead->conn, sql, NULL, err);
	if (rc == RC_OK)
		rc = read_definitions(clone, err);
	if (rc == RC_OK)
		rc = pgconn_exec(clone->lead->conn, "COMMIT", NULL, err);
	if (rc == RC_OK)
		return rc;
	definition_set_free(clone->definitions);
	clone->definitions = NULL;
	if (pgconn_exec(clone->lead->conn, "ROLLBACK", NULL, &ignored) == RC_FAIL)
		error_reset(&ignored);
	return rc;
}

static MUST_CHECK Rc
write_definitions(const Clone *clone, const CloneTarget *target, Error *err)
{
	const char *name = clone->config->name;
	Buf json;
	Rc rc;

	buf_init(&json, DDL_JSON_BYTES_MAX);
	rc = definition_table_clear(target->conn, name, err);
	for (size_t i = 0;
		 i < definition_set_count(clone->definitions) && rc == RC_OK; i++)
	{
		const Definition *definition = definition_set_at(clone->definitions, i);
		Json writer;

		buf_reset(&json);
		json_init(&writer, &json);
		ddl_json_append(&writer, definition);
		if (json.overflowed)
			rc = error_set(err, ERR_LIMIT,
						   "the definition of %s \"%s\" is longer than %zu "
						   "bytes",
						   definition_kind_name(definition->kind),
						   definition->name, (size_t) DDL_JSON_BYTES_MAX);
		else
			rc = definition_table_write(
				target->conn, name, definition_catalog(definition->kind),
				definition->oid, clone->definitions_lsn, json.data, err);
	}
	buf_release(&json);
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
		rc = write_definitions(clone, target, err);
	if (rc == RC_OK)
		rc = pgconn_exec(target->conn, "COMMIT", NULL, err);
	return rc;
}
