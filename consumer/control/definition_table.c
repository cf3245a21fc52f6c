/*
 * definition_table.c
 *    SQL on penstock.definition.
 */
#include "control/definition_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "control/schema.h"

/* Values of the column `catalog`. */
static const char *const catalog_names[] = {
	[DEFINITION_IN_NAMESPACE] = "pg_namespace",
	[DEFINITION_IN_CLASS] = "pg_class",
	[DEFINITION_IN_TYPE] = "pg_type",
};

Rc
definition_table_has(PgConn *target, const char *pipeline, bool *has,
					 Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = control_has(target, "definition", has, err);

	if (rc != RC_OK || !*has)
		return rc;
	rc = pgconn_exec_params(target,
							"SELECT EXISTS (SELECT FROM penstock.definition"
							" WHERE pipeline = $1)",
							LENGTH_OF(params), params, &result, err);
	if (rc == RC_OK)
		*has = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

Rc
definition_table_begin_lsn(PgConn *target, const char *pipeline, Lsn *lsn,
						   Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "definition", &exists, err);

	*lsn = 0;
	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target,
							"SELECT from_lsn FROM penstock.definition"
							" WHERE pipeline = $1 ORDER BY 1 LIMIT 1",
							LENGTH_OF(params), params, &result, err);
	if (rc == RC_OK && PQntuples(result) > 0 &&
		!lsn_parse(PQgetvalue(result, 0, 0), lsn))
		rc = error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from %s",
					   PQgetvalue(result, 0, 0), pgconn_label(target));
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
hand_out(const PgConn *target, const PGresult *result, DefinitionTake take,
		 void *context, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < PQntuples(result) && rc == RC_OK; i++)
	{
		Lsn from_lsn;

		if (!lsn_parse(PQgetvalue(result, i, 1), &from_lsn))
			return error_set(err, ERR_PROTOCOL,
							 "invalid position \"%s\" from %s",
							 PQgetvalue(result, i, 1), pgconn_label(target));
		rc = take(context, PQgetvalue(result, i, 0), from_lsn, err);
	}
	return rc;
}

Rc
definition_table_read(PgConn *target, const char *pipeline, DefinitionTake take,
					  void *context, Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(
		target,
		"SELECT definition, from_lsn FROM penstock.definition"
		" WHERE pipeline = $1 AND to_lsn IS NULL"
		" ORDER BY catalog, source_oid",
		LENGTH_OF(params), params, &result, err);

	if (rc == RC_OK)
		rc = hand_out(target, result, take, context, err);
	PQclear(result);
	return rc;
}

/*
 * Two changes of an object in one transaction have the same `lsn`: the second
 * overwrites the first, which was never visible to others.
 */
Rc
definition_table_write(PgConn *target, const char *pipeline,
					   DefinitionCatalog catalog, uint32_t oid, Lsn lsn,
					   const char *json, Error *err)
{
	char oid_text[16];
	char lsn_text[LSN_TEXT_SIZE];
	const char *params[] = {pipeline, catalog_names[catalog], oid_text,
							lsn_text, json};
	Rc rc;

	ASSERT(pgconn_can_be_inside(target));
	ASSERT(oid != 0 && lsn != 0);
	snprintf(oid_text, sizeof(oid_text), "%" PRIu32, oid);
	snprintf(lsn_text, sizeof(lsn_text), LSN_FORMAT, LSN_ARGS(lsn));
	rc = pgconn_exec_params(
		target,
		"DELETE FROM penstock.definition WHERE pipeline = $1"
		" AND catalog = $2 AND source_oid = $3::oid AND from_lsn = $4::pg_lsn",
		4, params, NULL, err);
	if (rc == RC_OK)
		rc = pgconn_exec_params(
			target,
			"UPDATE penstock.definition SET to_lsn = $4::pg_lsn"
			" WHERE pipeline = $1 AND catalog = $2 AND source_oid = $3::oid"
			" AND to_lsn IS NULL",
			4, params, NULL, err);
	if (rc == RC_OK && json != NULL)
		rc = pgconn_exec_params(
			target,
			"INSERT INTO penstock.definition"
			" (pipeline, catalog, source_oid, from_lsn, definition)"
			" VALUES ($1, $2, $3::oid, $4::pg_lsn, $5::jsonb)",
			LENGTH_OF(params), params, NULL, err);
	return rc;
}

Rc
definition_table_add(PgConn *target, const char *pipeline,
					 DefinitionCatalog catalog, Lsn lsn, const char *json,
					 Error *err)
{
	char lsn_text[LSN_TEXT_SIZE];
	const char *params[] = {pipeline, catalog_names[catalog], lsn_text, json};

	ASSERT(pgconn_can_be_inside(target));
	ASSERT((size_t) catalog < LENGTH_OF(catalog_names));
	ASSERT(lsn != 0);
	snprintf(lsn_text, sizeof(lsn_text), LSN_FORMAT, LSN_ARGS(lsn));
	return pgconn_exec_params(
		target,
		"INSERT INTO penstock.definition"
		" (pipeline, catalog, source_oid, from_lsn, definition)"
		" SELECT $1, $2, (d->>'oid')::oid, $3::pg_lsn, d"
		" FROM jsonb_array_elements($4::jsonb) d",
		LENGTH_OF(params), params, NULL, err);
}

Rc
definition_table_lend(PgConn *target, const char *pipeline, const char *slot,
					  const OidList *tables, Error *err)
{
	const char *params[] = {pipeline, slot};
	Buf sql;
	Rc rc = definition_table_clear(target, slot, err);

	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql,
					  "INSERT INTO penstock.definition"
					  " (pipeline, catalog, source_oid, from_lsn, definition)"
					  " SELECT $2, catalog, source_oid, from_lsn, definition"
					  " FROM penstock.definition WHERE pipeline = $1"
					  " AND to_lsn IS NULL AND catalog = 'pg_class'"
					  " AND coalesce(definition->>'owner_table',"
					  "  source_oid::text)::oid IN (0");
	for (int i = 0; i < tables->count; i++)
		buf_printf(&sql, ", %" PRIu32, tables->oids[i]);
	buf_append_char(&sql, ')');
	rc = pgconn_exec_params(target, sql.data, LENGTH_OF(params), params, NULL,
							err);
	buf_release(&sql);
	return rc;
}

Rc
definition_table_lend_types(PgConn *target, const char *pipeline,
							const char *slot, Lsn lsn, Error *err)
{
	char lsn_text[LSN_TEXT_SIZE];
	const char *params[] = {pipeline, slot, lsn_text};

	ASSERT(pgconn_can_be_inside(target) && lsn != 0);
	snprintf(lsn_text, sizeof(lsn_text), LSN_FORMAT, LSN_ARGS(lsn));
	return pgconn_exec_params(
		target,
		"INSERT INTO penstock.definition"
		" (pipeline, catalog, source_oid, from_lsn, definition)"
		" SELECT $2, catalog, source_oid, from_lsn, definition"
		" FROM penstock.definition WHERE pipeline = $1"
		" AND from_lsn <= $3::pg_lsn AND catalog = 'pg_type'"
		" AND coalesce(to_lsn > $3::pg_lsn, true)",
		LENGTH_OF(params), params, NULL, err);
}

Rc
definition_table_join(PgConn *target, const char *pipeline, const char *slot,
					  Error *err)
{
	const char *params[] = {pipeline, slot};
	Rc rc = pgconn_exec_params(
		target,
		"UPDATE penstock.definition d SET definition = d.definition - 'apart'"
		" WHERE d.pipeline = $1 AND d.to_lsn IS NULL"
		" AND d.definition ? 'apart' AND d.catalog = 'pg_class'"
		" AND d.source_oid IN (SELECT k.source_oid FROM penstock.definition k"
		"  WHERE k.pipeline = $2 AND k.catalog = 'pg_class'"
		"  AND k.to_lsn IS NULL)",
		LENGTH_OF(params), params, NULL, err);

	if (rc != RC_OK)
		return rc;
	ASSERT(pgconn_can_be_inside(target));
	return pgconn_exec_params(
		target,
		"INSERT INTO penstock.definition"
		" (pipeline, catalog, source_oid, from_lsn, definition)"
		" SELECT $1, catalog, source_oid, from_lsn, definition"
		" FROM penstock.definition d WHERE pipeline = $2"
		" AND to_lsn IS NULL AND EXISTS (SELECT FROM penstock.definition"
		"  WHERE pipeline = $1) AND NOT EXISTS (SELECT"
		"  FROM penstock.definition k WHERE k.pipeline = $1"
		"  AND k.catalog = d.catalog AND k.source_oid = d.source_oid)",
		LENGTH_OF(params), params, NULL, err);
}

Rc
definition_table_clear(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};

	ASSERT(pgconn_can_be_inside(target));
	return pgconn_exec_params(
		target, "DELETE FROM penstock.definition WHERE pipeline = $1",
		LENGTH_OF(params), params, NULL, err);
}
