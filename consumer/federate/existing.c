/*
 * existing.c
 *    Queries on the catalog of a coordinator.
 */
#include "federate/existing.h"

#include <string.h>

#include "federate/columns.h"
#include "net/sql.h"

void
existing_append_mark(Buf *buf, const char *pipeline)
{
	Buf mark;

	buf_init(&mark, BUF_TEXT_MAX);
	buf_printf(&mark, "penstock pipeline %s", pipeline);
	buf_append_literal(buf, mark.data);
	buf_release(&mark);
}

void
existing_append_is_ours(Buf *sql, const char *pipeline,
						const char *const *names, int count)
{
	buf_append_string(sql, "(s.srvversion = ");
	existing_append_mark(sql, pipeline);
	buf_append_string(sql, " OR s.srvname IN (");
	for (int i = 0; i < count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		buf_append_literal(sql, names[i]);
	}
	buf_append_string(sql, "))");
}

/* ---- servers ------------------------------------------------------------ */

static MUST_CHECK Rc
read_user(ExistingServer *server, PgConn *coordinator, const char *name,
		  Error *err)
{
	static const char has_sql[] =
		"SELECT FROM pg_user_mappings"
		" WHERE srvname = $1 AND umuser = current_user::regrole";
	static const char options_sql[] =
		"SELECT o.option_name, o.option_value FROM pg_user_mappings,"
		" pg_options_to_table(umoptions) o"
		" WHERE srvname = $1 AND umuser = current_user::regrole";
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(coordinator, has_sql, 1, &name, &result, err);

	server->has_user = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	if (rc != RC_OK)
		return rc;
	return pgconn_exec_params(coordinator, options_sql, 1, &name,
							  &server->user_options, err);
}

Rc
existing_server_read(ExistingServer *server, PgConn *coordinator,
					 const char *name, const char *pipeline, Error *err)
{
	static const char options_sql[] =
		"SELECT o.option_name, o.option_value"
		" FROM pg_foreign_server, pg_options_to_table(srvoptions) o"
		" WHERE srvname = $1";
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	*server = (ExistingServer){0};
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT coalesce(s.srvversion = ");
	existing_append_mark(&sql, pipeline);
	buf_append_string(&sql, ", false), s.srvversion IS NULL"
							" AND f.fdwname = 'postgres_fdw'"
							" FROM pg_foreign_server s"
							" JOIN pg_foreign_data_wrapper f ON f.oid = srvfdw"
							" WHERE s.srvname = ");
	buf_append_literal(&sql, name);
	rc = sql_run(coordinator, &sql, &result, err);
	server->exists = rc == RC_OK && PQntuples(result) > 0;
	if (server->exists)
	{
		server->is_ours = sql_bool(result, 0, 0);
		server->is_free = sql_bool(result, 0, 1);
	}
	PQclear(result);
	if (rc == RC_OK)
		rc = pgconn_exec_params(coordinator, options_sql, 1, &name,
								&server->options, err);
	if (rc == RC_OK)
		rc = read_user(server, coordinator, name, err);
	return rc;
}

void
existing_server_release(ExistingServer *server)
{
	PQclear(server->options);
	PQclear(server->user_options);
	*server = (ExistingServer){0};
}

/* ---- tables ------------------------------------------------------------- */

/*
 * SELECT list and FROM clause for the columns ExistingPart.  The %s is the
 * condition of append_reads().
 */
#define PART_HEAD_SQL                                                          \
	"SELECT n.nspname, c.relname, s.srvname, coalesce(%s, false),"             \
	" pg_get_expr(c.relpartbound, c.oid)"
#define PART_FROM_SQL                                                          \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"           \
	" LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid"                       \
	" LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver"

/* Reads the partitions of a table, or the tables that a view reads. */
static MUST_CHECK Rc
read_parts(ExistingTable *table, PgConn *coordinator, const char *oid,
		   const char *is_ours, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, PART_HEAD_SQL PART_FROM_SQL " WHERE c.oid IN (", is_ours);
	buf_printf(&sql,
			   "SELECT inhrelid FROM pg_inherits WHERE inhparent = %s"
			   " UNION SELECT d.refobjid FROM pg_rewrite w JOIN pg_depend d"
			   "  ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid"
			   "  AND d.refclassid = 'pg_class'::regclass"
			   "  WHERE w.ev_class = %s AND d.refobjid <> %s)"
			   " ORDER BY 1, 2",
			   oid, oid, oid);
	return sql_run(coordinator, &sql, &table->parts, err);
}

static bool
all_are_ours(const PGresult *parts)
{
	for (int i = 0; i < PQntuples(parts); i++)
		if (!sql_bool(parts, i, EXISTING_PART_IS_OURS))
			return false;
	return PQntuples(parts) > 0;
}

static MUST_CHECK Rc
read_rest(ExistingTable *table, PgConn *coordinator, const char *oid,
		  const char *is_ours, Error *err)
{
	Buf oids;
	Rc rc = read_parts(table, coordinator, oid, is_ours, err);

	if (rc != RC_OK)
		return rc;
	table->is_ours = strchr("fpv", table->kind) != NULL &&
					 all_are_ours(table->kind == 'f' ? table->self
													 : table->parts);
	buf_init(&oids, BUF_TEXT_MAX);
	buf_printf(&oids, "ARRAY[%s]::oid[]", oid);
	rc = columns_read(&table->columns, coordinator, oids.data, err);
	buf_release(&oids);
	return rc;
}

static void
append_option(Buf *sql, const char *keyword, const char *value)
{
	Buf option;

	buf_init(&option, BUF_TEXT_MAX);
	buf_printf(&option, "%s=%s", keyword, value);
	buf_append_literal(sql, option.data);
	buf_release(&option);
}

/*
 * Appends a condition that is true for a foreign table of the pipeline's
 * servers that reads the table `schema`.`table_read`.
 */
static void
append_reads(Buf *sql, const char *is_ours, const char *schema,
			 const char *table_read)
{
	buf_printf(sql, "%s AND f.ftoptions @> ARRAY[", is_ours);
	append_option(sql, "schema_name", schema);
	buf_append_string(sql, ", ");
	append_option(sql, "table_name", table_read);
	buf_append_string(sql, "]::text[]");
}

static MUST_CHECK Rc
read_table(ExistingTable *table, PgConn *coordinator, const char *schema,
		   const char *name, const char *is_ours, const char *key_sql,
		   Error *err)
{
	enum
	{
		COLUMN_OID = EXISTING_PART_BOUND + 1,
		COLUMN_KIND,
		COLUMN_SAME_KEY,
	};
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql,
			   PART_HEAD_SQL
			   ", c.oid, c.relkind,"
			   " coalesce(pg_get_partkeydef(c.oid) = %s, false)" PART_FROM_SQL
			   " WHERE n.nspname = ",
			   is_ours, key_sql);
	buf_append_literal(&sql, schema);
	buf_append_string(&sql, " AND c.relname = ");
	buf_append_literal(&sql, name);
	rc = sql_run(coordinator, &sql, &table->self, err);
	if (rc != RC_OK || PQntuples(table->self) == 0)
		return rc;
	table->kind = PQgetvalue(table->self, 0, COLUMN_KIND)[0];
	table->same_key = sql_bool(table->self, 0, COLUMN_SAME_KEY);
	return read_rest(table, coordinator, PQgetvalue(table->self, 0, COLUMN_OID),
					 is_ours, err);
}

Rc
existing_table_read(ExistingTable *table, PgConn *coordinator,
					const char *schema, const char *name,
					const char *table_read, const char *is_ours,
					const char *key_sql, Error *err)
{
	Buf reads;
	Rc rc;

	*table = (ExistingTable){0};
	buf_init(&reads, BUF_TEXT_MAX);
	append_reads(&reads, is_ours, schema, table_read);
	rc = read_table(table, coordinator, schema, name, reads.data, key_sql, err);
	buf_release(&reads);
	return rc;
}

void
existing_table_release(ExistingTable *table)
{
	PQclear(table->self);
	PQclear(table->parts);
	PQclear(table->columns);
	*table = (ExistingTable){0};
}
