/*
 * sequences.c
 *    last_value and is_called of each sequence, set with setval().
 *
 * pg_sequences does not tell is_called for all servers, so each sequence is
 * read as the one-row relation that it is, many in one statement.
 */
#include "copy/sequences.h"

#include "base/log.h"
#include "copy/sql.h"

/* Sequences read and set by one pair of statements. */
#define SEQUENCES_BATCH 500

static const char owned_or_used_sql[] =
	" AND (EXISTS (SELECT FROM pg_depend d"
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
	"  AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
	"  AND d.refobjid IN (SELECT relid FROM relations))"
	" OR EXISTS (SELECT FROM pg_attrdef a JOIN pg_depend d"
	"  ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid"
	"  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid"
	"  AND a.adrelid IN (SELECT relid FROM relations)))";

/* One field a sequence: "schema"."name" as SQL wants it. */
static Rc
read_names(const CopyCatalog *catalog, PgConn *source, PGresult **result,
		   Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "WITH relations (relid) AS (SELECT unnest(");
	catalog_append_oids(catalog, &sql);
	buf_append_string(&sql, "))"
							" SELECT format('%I.%I', n.nspname, c.relname)"
							" FROM pg_class c"
							" JOIN pg_namespace n ON n.oid = c.relnamespace"
							" WHERE c.relkind = 'S' AND c.relpersistence <> 't'"
							" AND n.nspname <> '" CATALOG_OWN_SCHEMA "'");
	if (!catalog->whole)
		buf_append_string(&sql, owned_or_used_sql);
	else if (!catalog->selected.all)
	{
		buf_append_string(&sql, " AND c.oid <> ALL (");
		catalog_append_unselected(catalog, &sql);
		buf_append_char(&sql, ')');
	}
	buf_append_string(&sql, " ORDER BY 1");
	return sql_run(source, &sql, result, err);
}

/* Reads name, last_value and is_called of sequences first to end. */
static Rc
read_values(PgConn *source, const PGresult *names, int first, int end,
			PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	for (int i = first; i < end; i++)
	{
		const char *name = PQgetvalue(names, i, 0);

		buf_append_string(&sql, i > first ? " UNION ALL SELECT " : "SELECT ");
		buf_append_literal(&sql, name);
		buf_printf(&sql, ", last_value, is_called FROM %s", name);
	}
	return sql_run(source, &sql, result, err);
}

/*
 * Sets them.  The result has a row for each, with NULL for one that is not
 * there: setval() is strict.
 */
static Rc
set_values(PgConn *target, const PGresult *values, PGresult **result,
		   Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT v.name, setval(to_regclass(v.name),"
							" v.last_value, v.is_called) FROM (VALUES ");
	for (int i = 0; i < PQntuples(values); i++)
	{
		buf_append_string(&sql, i > 0 ? ", (" : "(");
		buf_append_literal(&sql, PQgetvalue(values, i, 0));
		buf_printf(&sql, ", %s::bigint, %s)", PQgetvalue(values, i, 1),
				   sql_bool(values, i, 2) ? "true" : "false");
	}
	buf_append_string(&sql, ") v (name, last_value, is_called)");
	return sql_run(target, &sql, result, err);
}

/* Copies one batch; may warn about what is not there. */
static Rc
copy_batch(PgConn *source, PgConn *target, const PGresult *names, int first,
		   bool warn, int *copied, Error *err)
{
	int end = first + SEQUENCES_BATCH;
	PGresult *values = NULL;
	PGresult *result = NULL;
	Rc rc;

	if (end > PQntuples(names))
		end = PQntuples(names);
	rc = read_values(source, names, first, end, &values, err);
	if (rc == RC_OK)
		rc = set_values(target, values, &result, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		if (PQgetisnull(result, i, 1) && warn)
			log_warning("copy", "sequence %s is not on %s",
						PQgetvalue(result, i, 0), pgconn_label(target));
		else if (!PQgetisnull(result, i, 1))
			(*copied)++;
	}
	PQclear(values);
	PQclear(result);
	return rc;
}

Rc
sequences_copy(const CopyCatalog *catalog, PgConn *source, PgConn *target,
			   int *copied, Error *err)
{
	PGresult *names = NULL;
	Rc rc = read_names(catalog, source, &names, err);

	*copied = 0;
	for (int first = 0; rc == RC_OK && first < PQntuples(names);
		 first += SEQUENCES_BATCH)
		rc = copy_batch(source, target, names, first, catalog->selected.all,
						copied, err);
	PQclear(names);
	if (rc != RC_OK)
		error_context(err, "copying sequences to %s", pgconn_label(target));
	return rc;
}
