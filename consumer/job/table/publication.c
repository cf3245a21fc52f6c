/*
 * publication.c
 *    Runs ALTER PUBLICATION, for which the role has to be the owner of the
 *    publication.
 */
#include "job/table/publication.h"

#include <string.h>

#include "base/log.h"
#include "catalog/publications.h"
#include "net/sql.h"

static Rc
parse_list(TableWork *work, Publications *publications, Error *err)
{
	Rc rc = publications_parse(publications, work->config->publications,
							   work->arena, err);

	if (rc == RC_OK)
		rc = publications_read(publications, work->source, err);
	return rc;
}

Rc
table_is_published(TableWork *work, bool *published, Error *err)
{
	Publications publications;
	PGresult *result = NULL;
	Buf sql;
	Rc rc = parse_list(work, &publications, err);

	ASSERT(work->oid != 0);
	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql,
					  "SELECT EXISTS (SELECT FROM pg_publication_tables p"
					  " JOIN pg_namespace n ON n.nspname = p.schemaname"
					  " JOIN pg_class c ON c.relnamespace = n.oid"
					  "  AND c.relname = p.tablename WHERE p.pubname IN (");
	publications_append_literals(&publications, &sql);
	buf_printf(&sql,
			   ") AND (c.oid = %u OR c.oid IN (SELECT l.relid"
			   " FROM pg_partition_tree(%u) l)))",
			   work->oid, work->oid);
	rc = sql_run(work->source, &sql, &result, err);
	*published = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

/* Appends ALTER PUBLICATION for the table; `verb` is ADD or DROP. */
static void
append_alter(Buf *sql, const TableWork *work, const char *publication,
			 const char *verb)
{
	ASSERT(strcmp(verb, "ADD") == 0 || strcmp(verb, "DROP") == 0);
	buf_append_string(sql, "ALTER PUBLICATION ");
	buf_append_identifier(sql, publication);
	buf_printf(sql, " %s TABLE %s%s", verb, work->partitioned ? "" : "ONLY ",
			   work->qualified);
}

static Rc
alter(TableWork *work, const char *publication, const char *verb, Error *err)
{
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	append_alter(&sql, work, publication, verb);
	rc = pgconn_exec(work->source, sql.data, NULL, err);
	if (rc == RC_FAIL && strcmp(err->sqlstate, "42501") == 0)
		error_hint(err, "Run %s as its owner, and the same command again.",
				   sql.data);
	else if (rc == RC_FAIL && strcmp(err->sqlstate, "55000") == 0)
		error_hint(err,
				   "The publication is for all tables except some.  Remove "
				   "this table from the exceptions with ALTER PUBLICATION "
				   "… SET ALL TABLES EXCEPT (TABLE …), and run the same "
				   "command again.");
	else if (rc == RC_OK)
		log_info("table", "source: %s", sql.data);
	buf_release(&sql);
	return rc;
}

Rc
table_publish(TableWork *work, Error *err)
{
	Publications publications;
	bool published;
	Rc rc = table_is_published(work, &published, err);

	if (rc != RC_OK || published)
		return rc;
	rc = parse_list(work, &publications, err);
	if (rc == RC_OK)
		rc = alter(work, publications.names[0], "ADD", err);
	return rc;
}

Rc
table_unpublish(TableWork *work, bool *published, Error *err)
{
	Publications publications;
	PGresult *result = NULL;
	Buf sql;
	Rc rc = parse_list(work, &publications, err);

	ASSERT(work->oid != 0);
	if (rc != RC_OK)
		return rc;
	/* From PostgreSQL 19 on, rows with prexcept are tables that a publication
	 * FOR ALL TABLES excludes. */
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql,
			   "SELECT p.pubname FROM pg_publication p"
			   " JOIN pg_publication_rel r ON r.prpubid = p.oid"
			   " WHERE r.prrelid = %u"
			   " AND to_jsonb(r)->>'prexcept' IS DISTINCT FROM 'true'"
			   " AND p.pubname IN (",
			   work->oid);
	publications_append_literals(&publications, &sql);
	buf_append_char(&sql, ')');
	rc = sql_run(work->source, &sql, &result, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
		rc = alter(work, PQgetvalue(result, i, 0), "DROP", err);
	PQclear(result);
	if (rc == RC_OK)
		rc = table_is_published(work, published, err);
	return rc;
}
