/*
 * guard.c
 *    The statements that lock a table and compare its files, and what their
 *    errors mean.
 */
#include "copy/rows/guard.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/sql.h"

/*
 * Query of the tables that inherit from a table or are its partitions, and the
 * table itself, as of the snapshot.  pg_relation_filenode() and
 * pg_partition_tree(), with which the result is compared, do not use the
 * snapshot: they return what exists now.
 */
#define TREE_SQL                                                               \
	"WITH RECURSIVE tree (relid) AS (SELECT %u::oid UNION"                     \
	" SELECT i.inhrelid FROM pg_inherits i JOIN tree t"                        \
	"  ON i.inhparent = t.relid)"

/* division_by_zero: the error by which the comparison of files fails. */
#define CHANGED_SQLSTATE "22012"

static void
append_same_file(Buf *sql, uint32_t oid)
{
	buf_printf(sql,
			   "(SELECT c.relfilenode FROM pg_class c WHERE c.oid = %u)"
			   " = pg_relation_filenode(%u)",
			   oid, oid);
}

static void
append_same_files(Buf *sql, uint32_t oid)
{
	buf_printf(sql,
			   "NOT EXISTS (" TREE_SQL
			   " SELECT FROM (SELECT c.oid, c.relfilenode FROM tree t"
			   "  JOIN pg_class c ON c.oid = t.relid AND c.relkind <> 'p') was"
			   " FULL JOIN (SELECT p.relid::oid,"
			   "  coalesce(pg_relation_filenode(p.relid), 0)"
			   "  FROM pg_partition_tree(%u) p WHERE p.isleaf)"
			   "  now (oid, filenode) ON now.oid = was.oid"
			   " WHERE was.relfilenode IS DISTINCT FROM now.filenode)",
			   oid, oid);
}

void
guard_append_begin(Buf *sql, const CopyTable *table, const char *snapshot)
{
	CHECK(snapshot[0] != '\0');
	ASSERT(table->oid != 0);
	sql_append_begin_snapshot(sql, snapshot);
	buf_printf(sql,
			   "SET LOCAL lock_timeout = %d;"
			   "LOCK TABLE %s IN ACCESS SHARE MODE;"
			   "SELECT 1 / CASE WHEN to_regclass(",
			   GUARD_LOCK_MS, table->qualified);
	buf_append_literal(sql, table->qualified);
	buf_printf(sql, ") = %u AND ", table->oid);
	if (table->partitioned)
		append_same_files(sql, table->oid);
	else
		append_same_file(sql, table->oid);
	buf_append_string(sql, " THEN 1 ELSE 0 END;");
}

GuardVerdict
guard_judge(const Error *err)
{
	static const struct
	{
		const char *sqlstate;
		GuardVerdict verdict;
	} verdicts[] = {
		{"55P03", GUARD_BUSY},             /* lock_not_available */
		{"40P01", GUARD_BUSY},             /* deadlock_detected */
		{CHANGED_SQLSTATE, GUARD_CHANGED}, /* the files differ */
		{"42P01", GUARD_CHANGED},          /* undefined_table */
		{"3F000", GUARD_CHANGED},          /* invalid_schema_name */
		{"42703", GUARD_CHANGED},          /* undefined_column */
		{"42809", GUARD_CHANGED},          /* wrong_object_type: now a view */
	};

	if (err->code == ERR_SQL)
		for (size_t i = 0; i < LENGTH_OF(verdicts); i++)
			if (strcmp(err->sqlstate, verdicts[i].sqlstate) == 0)
				return verdicts[i].verdict;
	return GUARD_FAILED;
}

static MUST_CHECK Rc
take_rest(PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Rc rc;

	do
	{
		PQclear(result);
		rc = pgconn_get_result(source, &result, err);
	} while (rc == RC_OK && result != NULL);
	return rc;
}

/* Logs which sessions have locked the table, or wait for a lock before us. */
static MUST_CHECK Rc
say_busy(PgConn *source, const CopyTable *table, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(
		&sql,
		TREE_SQL
		" SELECT string_agg(format('session %%s (user \"%%s\", application"
		" \"%%s\"), which %%s', a.pid, a.usename, a.application_name,"
		" CASE WHEN l.granted THEN 'has locked it'"
		"  ELSE 'waits for a lock on it' END), ', ' ORDER BY l.granted DESC,"
		"  a.xact_start)"
		" FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
		" WHERE l.mode = 'AccessExclusiveLock' AND l.relation IN"
		"  (SELECT relid FROM tree) AND l.database ="
		"  (SELECT oid FROM pg_database WHERE datname = current_database())",
		table->oid);
	rc = sql_run(source, &sql, &result, err);
	if (rc == RC_OK)
		log_info("copy", "waiting for table %s on %s: %s", table->qualified,
				 pgconn_label(source),
				 PQgetisnull(result, 0, 0) ? "another session had locked it"
										   : PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

Rc
guard_step_back(PgConn *source, CopyTable *table, GuardVerdict verdict,
				Error *err)
{
	int64_t now_us = clock_monotonic_us();
	Rc rc = take_rest(source, err);

	ASSERT(verdict == GUARD_BUSY || verdict == GUARD_CHANGED);
	if (rc == RC_OK)
		rc = pgconn_exec(source, "ROLLBACK", NULL, err);
	if (rc != RC_OK || verdict == GUARD_CHANGED)
		return rc;
	if (table->busy_said_us != 0 &&
		now_us < table->busy_said_us + (int64_t) GUARD_SAY_MS * 1000)
		return RC_OK;
	table->busy_said_us = now_us;
	return say_busy(source, table, err);
}
