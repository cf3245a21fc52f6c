/*
 * new_table.c
 *    Queries the target for rows of a table.
 */
#include "sink/postgres/schema/new_table.h"

#include <inttypes.h>

#include "base/buf.h"
#include "net/sql.h"

/*
 * Finds out whether the target's table with that name may have rows, and
 * whether they are in partitions that the source's table does not have.
 * Partitions, and tables that inherit from it, are checked as tables of their
 * own.
 */
static MUST_CHECK Rc
find(PgConn *target, const Definition *table, bool *found, bool *partitions,
	 Error *err)
{
	Buf sql;
	PGresult *result = NULL;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT c.relkind = 'p'"
							" FROM pg_catalog.pg_class c"
							" JOIN pg_catalog.pg_namespace n"
							"  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
							" WHERE c.relkind IN ('r', 'p')"
							" AND n.nspname OPERATOR(pg_catalog.=) ");
	buf_append_literal(&sql, table->schema);
	buf_append_string(&sql, " AND c.relname OPERATOR(pg_catalog.=) ");
	buf_append_literal(&sql, table->name);
	rc = sql_run(target, &sql, &result, err);
	*found = rc == RC_OK && PQntuples(result) > 0;
	*partitions = *found && sql_bool(result, 0, 0) && !table->table.partitioned;
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
has_rows(PgConn *target, const Definition *table, bool *rows, Error *err)
{
	Buf sql;
	PGresult *result = NULL;
	bool found;
	bool partitions;
	Rc rc = find(target, table, &found, &partitions, err);

	*rows = false;
	if (rc != RC_OK || !found)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "SELECT EXISTS (SELECT FROM %s",
			   partitions ? "" : "ONLY ");
	sql_append_qualified(&sql, table->schema, table->name);
	buf_append_char(&sql, ')');
	rc = sql_run(target, &sql, &result, err);
	*rows = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
refuse(const PgConn *target, const Definition *table, const TxnInfo *txn,
	   Error *err)
{
	const char *label = pgconn_label(target);
	Buf name;
	Rc rc = error_set(err, ERR_CONFIG,
					  "transaction %" PRIu32 ", which ends at " LSN_FORMAT
					  ", has made table \"%s\".\"%s\", but %s has a table of "
					  "that name with rows",
					  txn->xid, LSN_ARGS(txn->end_lsn), table->schema,
					  table->name, label);

	error_detail(err, "All rows of the new table are still to come.  Nothing "
					  "of the transaction was applied.");
	buf_init(&name, BUF_TEXT_MAX);
	sql_append_qualified(&name, table->schema, table->name);
	error_hint(err,
			   "On %s, rename the table that is there (ALTER TABLE %s RENAME "
			   "TO …), or drop or empty it, and follow again.",
			   label, name.data);
	buf_release(&name);
	return rc;
}

Rc
new_table_check(PgConn *target, const Definition *table, const TxnInfo *txn,
				Error *err)
{
	bool rows;
	Rc rc = has_rows(target, table, &rows, err);

	return rc == RC_OK && rows ? refuse(target, table, txn, err) : rc;
}
