/*
 * sequences.c
 *    last_value and is_called of each sequence, set with setval().
 *
 * pg_sequences does not tell is_called for all servers, so each sequence is
 * read as the one-row relation that it is, many in one statement.
 */
#include "copy/rows/sequences.h"

#include "base/log.h"
#include "catalog/own_schema.h"
#include "net/sql.h"

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

/* One field a sequence, of those that meet a condition on c and n:
 * "schema"."name" as SQL wants it. */
static Rc
read_names(const CopyCatalog *catalog, PgConn *source, const char *condition,
		   PGresult **result, Error *err)
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
	buf_append_string(&sql, condition);
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

/* What is copied, and how. */
typedef struct SequenceCopy
{
	PgConn *source;
	PgConn *target;
	bool only_advance; /* those that are farther on the source */
	bool warn;         /* about what is not there */
	int copied;
} SequenceCopy;

/* Follows set_values(): those that were used on the source, and are farther
 * there; and those that the target does not have. */
static const char advance_sql[] =
	" LEFT JOIN pg_sequence s ON s.seqrelid = to_regclass(v.name)"
	" WHERE s.seqrelid IS NULL OR v.is_called AND coalesce((v.last_value >"
	"  pg_sequence_last_value(s.seqrelid)) = (s.seqincrement > 0)"
	"  AND v.last_value <> pg_sequence_last_value(s.seqrelid), true)";

/*
 * Sets them.  The result has a row for each, with NULL for one that is not
 * there: setval() is strict.
 */
static Rc
set_values(const SequenceCopy *copy, const PGresult *values, PGresult **result,
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
	if (copy->only_advance)
		buf_append_string(&sql, advance_sql);
	return sql_run(copy->target, &sql, result, err);
}

static Rc
copy_batch(SequenceCopy *copy, const PGresult *names, int first, Error *err)
{
	int end = first + SEQUENCES_BATCH;
	PGresult *values = NULL;
	PGresult *result = NULL;
	Rc rc;

	if (end > PQntuples(names))
		end = PQntuples(names);
	rc = read_values(copy->source, names, first, end, &values, err);
	if (rc == RC_OK)
		rc = set_values(copy, values, &result, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		if (PQgetisnull(result, i, 1) && copy->warn)
			log_warning("copy", "sequence %s is not on %s",
						PQgetvalue(result, i, 0), pgconn_label(copy->target));
		else if (!PQgetisnull(result, i, 1))
			copy->copied++;
	}
	PQclear(values);
	PQclear(result);
	return rc;
}

static Rc
copy_all(const CopyCatalog *catalog, SequenceCopy *copy, Error *err)
{
	PGresult *names = NULL;
	Rc rc = read_names(catalog, copy->source, "", &names, err);

	for (int first = 0; rc == RC_OK && first < PQntuples(names);
		 first += SEQUENCES_BATCH)
		rc = copy_batch(copy, names, first, err);
	PQclear(names);
	if (rc != RC_OK)
		error_context(err, "copying sequences to %s",
					  pgconn_label(copy->target));
	return rc;
}

Rc
sequences_copy(const CopyCatalog *catalog, PgConn *source, PgConn *target,
			   int *copied, Error *err)
{
	SequenceCopy copy = {
		.source = source, .target = target, .warn = catalog->selected.all};
	Rc rc = copy_all(catalog, &copy, err);

	*copied = copy.copied;
	return rc;
}

Rc
sequences_advance(const CopyCatalog *catalog, PgConn *source, PgConn *target,
				  bool warn, int *advanced, Error *err)
{
	SequenceCopy copy = {
		.source = source, .target = target, .only_advance = true, .warn = warn};
	Rc rc = copy_all(catalog, &copy, err);

	*advanced = copy.copied;
	return rc;
}

Rc
sequences_check_readable(const CopyCatalog *catalog, PgConn *source, Error *err)
{
	PGresult *names = NULL;
	Rc rc = read_names(catalog, source,
					   " AND NOT (has_schema_privilege(n.oid, 'USAGE')"
					   "  AND has_table_privilege(c.oid, 'SELECT'))",
					   &names, err);

	if (rc == RC_OK && PQntuples(names) > 0)
	{
		const char *name = PQgetvalue(names, 0, 0);

		rc = error_set(err, ERR_CONFIG,
					   "user \"%s\" may not read %d sequence%s on %s, such as "
					   "%s",
					   PQuser(pgconn_raw(source)), PQntuples(names),
					   PQntuples(names) == 1 ? "" : "s", pgconn_label(source),
					   name);
		error_hint(err,
				   "Run there, as their owner: GRANT SELECT ON SEQUENCE %s TO "
				   "\"%s\"; or, for all of a schema, GRANT SELECT ON ALL "
				   "SEQUENCES IN SCHEMA.",
				   name, PQuser(pgconn_raw(source)));
	}
	PQclear(names);
	return rc;
}
