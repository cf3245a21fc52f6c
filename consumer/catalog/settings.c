/*
 * settings.c
 *    Compares pg_db_role_setting of source and target.
 */
#include "catalog/settings.h"

#include "net/sql.h"

static const char read_sql[] =
	"SELECT coalesce(r.rolname, ''), split_part(c, '=', 1),"
	" substr(c, strpos(c, '=') + 1)"
	" FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) c"
	" LEFT JOIN pg_roles r ON r.oid = s.setrole"
	" WHERE s.setdatabase = (SELECT oid FROM pg_database"
	"  WHERE datname = current_database())"
	" AND (s.setrole = 0 OR r.oid IS NOT NULL) ORDER BY 1, 2";

/* Second part of the query for the target, after VALUES with the source's
 * settings.  The first row of VALUES is null, and no setting. */
static const char missing_sql[] =
	") w (role, name, value)"
	" LEFT JOIN pg_roles r ON r.rolname = w.role"
	" WHERE w.name IS NOT NULL AND NOT EXISTS ("
	"  SELECT FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) c"
	"  WHERE s.setdatabase = (SELECT oid FROM pg_database"
	"   WHERE datname = current_database())"
	"  AND s.setrole = CASE w.role WHEN '' THEN 0 ELSE r.oid END"
	"  AND c = w.name || '=' || w.value)"
	" ORDER BY w.role, w.name";

Rc
settings_read_missing(PgConn *source, PgConn *target, PGresult **result,
					  Error *err)
{
	PGresult *wanted = NULL;
	Buf sql;
	Rc rc = pgconn_exec(source, read_sql, &wanted, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql, "SELECT CASE w.role WHEN '' THEN format('ALTER DATABASE %I',"
			  "  current_database())"
			  " ELSE format('ALTER ROLE %I IN DATABASE %I', w.role,"
			  "  current_database()) END || format(' SET %I = %s;', "
			  "w.name," SETTING_VALUE_SQL(
				  "w.name", "w.value") ")"
									   " FROM (VALUES (NULL, NULL, NULL)");
	for (int i = 0; i < PQntuples(wanted); i++)
	{
		buf_append_string(&sql, ", (");
		for (int column = 0; column < 3; column++)
		{
			buf_append_string(&sql, column > 0 ? ", " : "");
			buf_append_literal(&sql, PQgetvalue(wanted, i, column));
		}
		buf_append_char(&sql, ')');
	}
	buf_append_string(&sql, missing_sql);
	PQclear(wanted);
	return sql_run(target, &sql, result, err);
}
