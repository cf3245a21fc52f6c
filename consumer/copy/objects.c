/*
 * objects.c
 *    From a dump's numbers to names, and to statements that drop them.
 */
#include "copy/objects.h"

#include <stdlib.h>
#include <string.h>

#include "copy/sql.h"

/*
 * What is dropped by itself, in this order; all the rest goes with it.  The
 * types are those of pg_identify_object().
 */
static const char droppable_sql[] =
	"SELECT d.keyword, o.identity, d.behavior, o.type LIKE '%table'"
	" FROM penstock.copy_object o JOIN (VALUES"
	" (1, 'event trigger', 'EVENT TRIGGER', 'CASCADE'),"
	" (2, 'view', 'VIEW', 'CASCADE'),"
	" (3, 'materialized view', 'MATERIALIZED VIEW', 'CASCADE'),"
	" (4, 'table', 'TABLE', 'CASCADE'),"
	" (5, 'foreign table', 'FOREIGN TABLE', 'CASCADE'),"
	" (6, 'sequence', 'SEQUENCE', 'CASCADE'),"
	" (7, 'cast', 'CAST', 'CASCADE'),"
	" (8, 'transform', 'TRANSFORM', 'CASCADE'),"
	" (9, 'operator class', 'OPERATOR CLASS', 'CASCADE'),"
	" (10, 'operator family', 'OPERATOR FAMILY', 'CASCADE'),"
	" (11, 'operator', 'OPERATOR', 'CASCADE'),"
	" (12, 'function', 'ROUTINE', 'CASCADE'),"
	" (12, 'procedure', 'ROUTINE', 'CASCADE'),"
	" (12, 'aggregate', 'ROUTINE', 'CASCADE'),"
	" (13, 'type', 'TYPE', 'CASCADE'),"
	" (13, 'composite type', 'TYPE', 'CASCADE'),"
	" (14, 'collation', 'COLLATION', 'CASCADE'),"
	" (15, 'conversion', 'CONVERSION', 'CASCADE'),"
	" (16, 'text search configuration', 'TEXT SEARCH CONFIGURATION',"
	"  'CASCADE'),"
	" (17, 'text search dictionary', 'TEXT SEARCH DICTIONARY', 'CASCADE'),"
	" (18, 'text search template', 'TEXT SEARCH TEMPLATE', 'CASCADE'),"
	" (19, 'text search parser', 'TEXT SEARCH PARSER', 'CASCADE'),"
	" (20, 'server', 'SERVER', 'CASCADE'),"
	" (21, 'foreign-data wrapper', 'FOREIGN DATA WRAPPER', 'CASCADE'),"
	" (22, 'access method', 'ACCESS METHOD', 'CASCADE'),"
	" (23, 'language', 'LANGUAGE', 'CASCADE'),"
	" (24, 'extension', 'EXTENSION', 'CASCADE'),"
	" (25, 'schema', 'SCHEMA', 'RESTRICT'))"
	" d (rank, type, keyword, behavior) ON d.type = o.type"
	" WHERE o.pipeline = $1 ORDER BY d.rank, o.identity";

/*
 * Asks the source what the objects are: class OID, OID, catalog, identity,
 * type.
 */
static MUST_CHECK Rc
identify(const ObjectSet *objects, PgConn *source, PGresult **result,
		 Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT v.c, v.o, v.c::regclass, i.identity, i.type"
							" FROM unnest('{");
	for (int i = 0; i < objects->count; i++)
		buf_printf(&sql, "%s%u", i > 0 ? "," : "",
				   objects->objects[i].class_oid);
	buf_append_string(&sql, "}'::oid[], '{");
	for (int i = 0; i < objects->count; i++)
		buf_printf(&sql, "%s%u", i > 0 ? "," : "", objects->objects[i].oid);
	buf_append_string(&sql, "}'::oid[]) v (c, o) CROSS JOIN LATERAL"
							" pg_identify_object(v.c, v.o, 0) i"
							" WHERE i.identity IS NOT NULL ORDER BY 3, 4");
	return sql_run(source, &sql, result, err);
}

/* What the objects are, and the numbers of those that the target has not. */
static MUST_CHECK Rc
compare(const ObjectSet *objects, PgConn *source, PgConn *target,
		PGresult **all, PGresult **missing, Error *err)
{
	Rc rc = identify(objects, source, all, err);

	if (rc == RC_OK && PQntuples(*all) > 0)
		rc = partial_find_missing(*all, target, missing, err);
	return rc;
}

static int
missing_number(const PGresult *missing, int row)
{
	return (int) strtol(PQgetvalue(missing, row, 0), NULL, 10);
}

static MUST_CHECK Rc
note(const PGresult *all, const PGresult *missing, PgConn *target,
	 const char *pipeline, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "INSERT INTO penstock.copy_object"
							" (pipeline, type, identity) VALUES ");
	for (int i = 0; i < PQntuples(missing); i++)
	{
		int number = missing_number(missing, i);

		buf_append_string(&sql, i > 0 ? ", (" : "(");
		buf_append_literal(&sql, pipeline);
		buf_append_string(&sql, ", ");
		buf_append_literal(&sql, PQgetvalue(all, number, 4));
		buf_append_string(&sql, ", ");
		buf_append_literal(&sql, PQgetvalue(all, number, 3));
		buf_append_char(&sql, ')');
	}
	buf_append_string(&sql, " ON CONFLICT DO NOTHING");
	return sql_run(target, &sql, NULL, err);
}

Rc
objects_note_missing(const ObjectSet *objects, PgConn *source, PgConn *target,
					 const char *pipeline, Error *err)
{
	PGresult *all = NULL;
	PGresult *missing = NULL;
	Rc rc = compare(objects, source, target, &all, &missing, err);

	if (rc == RC_OK && missing != NULL && PQntuples(missing) > 0)
		rc = note(all, missing, target, pipeline, err);
	PQclear(missing);
	PQclear(all);
	return rc;
}

/* A dump has a table's row security under the number of the table. */
static bool
is_a_table(const PGresult *all, int row)
{
	return strcmp(PQgetvalue(all, row, 2), "pg_class") == 0 &&
		   strcmp(PQgetvalue(all, row, 4), "index") != 0;
}

Rc
objects_find_present(ObjectSet *present, const ObjectSet *objects,
					 PgConn *source, PgConn *target, Arena *arena, Error *err)
{
	PGresult *all = NULL;
	PGresult *missing = NULL;
	Rc rc = compare(objects, source, target, &all, &missing, err);
	int next = 0;

	*present = (ObjectSet){0};
	if (rc == RC_OK)
		present->objects = arena_calloc(arena, (size_t) PQntuples(all),
										sizeof(ObjectId));
	for (int i = 0; rc == RC_OK && i < PQntuples(all); i++)
	{
		if (missing != NULL && next < PQntuples(missing) &&
			missing_number(missing, next) == i)
		{
			next++;
			continue;
		}
		if (is_a_table(all, i))
			continue;
		present->objects[present->count++] = (ObjectId){
			.class_oid = (uint32_t) strtoul(PQgetvalue(all, i, 0), NULL, 10),
			.oid = (uint32_t) strtoul(PQgetvalue(all, i, 1), NULL, 10),
		};
	}
	PQclear(missing);
	PQclear(all);
	return rc;
}

static MUST_CHECK Rc
drop_object(PgConn *target, const PGresult *result, int row, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "DROP %s IF EXISTS %s %s", PQgetvalue(result, row, 0),
			   PQgetvalue(result, row, 1), PQgetvalue(result, row, 2));
	return sql_run(target, &sql, NULL, err);
}

Rc
objects_drop(PgConn *target, const char *pipeline, int *tables, int *others,
			 Error *err)
{
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	Rc rc = pgconn_exec(target, "SET client_min_messages = error", NULL, err);

	*tables = 0;
	*others = 0;
	if (rc == RC_OK)
		rc = pgconn_exec_params(target, droppable_sql, 1, params, &result, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		rc = drop_object(target, result, i, err);
		(*(sql_bool(result, i, 3) ? tables : others))++;
	}
	PQclear(result);
	if (rc == RC_OK)
		rc = pgconn_exec_params(
			target, "DELETE FROM penstock.copy_object WHERE pipeline = $1", 1,
			params, NULL, err);
	return rc;
}
