/*
 * ledger.c
 *    A change, its conflict and the note of it, in one statement.
 *
 * Skipping or overwriting must not be decided by us after the fact: between
 * two statements somebody else could change the row.  So one statement makes
 * the change as far as it can (done), notes the conflict if it could not
 * (noted), and where the policy is to overwrite makes good what is missing
 * (fixed):
 *
 *     insert of a row that is there   skip: nothing   overwrite: update by key
 *     update of a row that is not     skip: nothing   overwrite: insert
 *     delete of a row that is not     nothing to do in either case
 *
 * All its parts see the target as it was before the statement.
 */
#include "sink/postgres/ledger.h"

#include <stdio.h>
#include <string.h>

#include "net/own_schema.h"

static const char create_sql[] = OWN_SCHEMA_LOCK_SQL
	"CREATE TABLE IF NOT EXISTS penstock.conflict ("
	" id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
	" pipeline text NOT NULL,"
	" schema_name text NOT NULL,"
	" table_name text NOT NULL,"
	" operation text NOT NULL,"
	" policy text NOT NULL,"
	" xid bigint NOT NULL,"
	" commit_lsn pg_lsn NOT NULL,"
	" source_new jsonb,"
	" source_old jsonb,"
	" target_row jsonb)";

Rc
ledger_create(PgConn *target, Error *err)
{
	PGresult *result = NULL;
	bool is_there;
	Rc rc = pgconn_exec(
		target,
		"SELECT pg_catalog.to_regclass('penstock.conflict') IS NOT NULL",
		&result, err);

	if (rc != RC_OK)
		return rc;
	is_there = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	if (is_there)
		return RC_OK;
	rc = pgconn_exec(target, create_sql, NULL, err);
	if (rc == RC_FAIL && err->code == ERR_SQL)
		error_hint(err, "The role needs CREATE on schema \"penstock\" of the "
						"target to note conflicts there.");
	return rc;
}

static const char *
operation_name(StatementKind kind)
{
	return kind == STATEMENT_INSERT   ? "insert"
		   : kind == STATEMENT_UPDATE ? "update"
									  : "delete";
}

/* One of the rows that the change gives, as JSON; NULL if it gives none. */
static void
append_image(Buf *sql, StatementKind kind, const TargetTable *table,
			 const Value *set, const Value *find, bool of_find)
{
	bool first = true;
	size_t start = sql->length;

	buf_append_string(sql, "(SELECT to_jsonb(r) FROM (SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		size_t before = sql->length;

		buf_append_string(sql, first ? "" : ", ");
		if (statement_append_given(sql, kind, table, set, find, of_find, i))
		{
			buf_printf(sql, " AS %s", table->columns[i].name_sql);
			first = false;
		}
		else
			sql->length = before;
	}
	buf_append_string(sql, ") r)");
	if (!first)
		return;
	sql->length = start;
	buf_append_string(sql, "NULL::jsonb");
}

/* The conditions that find the row that has the key of an insert. */
static void
append_key_conditions(Buf *sql, const TargetTable *table, const Value *set,
					  const char *word)
{
	for (int i = 0; i < table->column_count; i++)
	{
		Buf value;

		if (!table->columns[i].key)
			continue;
		buf_init(&value, BUF_TEXT_MAX);
		(void) statement_append_given(&value, STATEMENT_INSERT, table, set,
									  NULL, false, i);
		buf_append_string(sql, word);
		statement_append_equal(sql, &table->columns[i], value.data);
		buf_release(&value);
		word = " AND ";
	}
}

/* The target's own row under the key of an insert. */
static void
append_target_row(Buf *sql, StatementKind kind, const TargetTable *table,
				  const Value *set)
{
	if (kind != STATEMENT_INSERT || table->key_count == 0)
	{
		buf_append_string(sql, "NULL::jsonb");
		return;
	}
	buf_printf(sql, "(SELECT to_jsonb(t) FROM %s AS t", table->name_sql);
	append_key_conditions(sql, table, set, " WHERE ");
	buf_append_char(sql, ')');
}

/* Overwriting a row that is there: an update of all but the key, by the key. */
static bool
append_fix_insert(Buf *sql, const TargetTable *table, const Value *set)
{
	bool first = true;

	if (table->key_count == 0)
		return false;
	buf_printf(sql, "UPDATE %s AS t SET ", table->name_sql);
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (column->identity_always || (column->key && table->column_count > 1))
			continue;
		buf_printf(sql, "%s%s = ", first ? "" : ", ", column->name_sql);
		(void) statement_append_given(sql, STATEMENT_INSERT, table, set, NULL,
									  false, i);
		first = false;
	}
	buf_append_string(sql, " WHERE NOT EXISTS (SELECT FROM done)");
	append_key_conditions(sql, table, set, " AND ");
	return !first;
}

/* Overwriting a row that is not there: an insert, if all values are known. */
static bool
append_fix_update(Buf *sql, const TargetTable *table, const Value *set,
				  const Value *find)
{
	buf_printf(sql, "INSERT INTO %s (", table->name_sql);
	for (int i = 0; i < table->column_count; i++)
		buf_printf(sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
	buf_append_string(sql, ") OVERRIDING SYSTEM VALUE SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		if (!statement_append_given(sql, STATEMENT_UPDATE, table, set, find,
									false, i) &&
			!statement_append_given(sql, STATEMENT_UPDATE, table, set, find,
									true, i))
			return false;
	}
	buf_append_string(sql, " WHERE NOT EXISTS (SELECT FROM done)");
	return true;
}

/* The part that overwrites; false if there is none. */
static bool
append_fix(Buf *sql, StatementKind kind, const TargetTable *table,
		   const Value *set, const Value *find)
{
	size_t start = sql->length;
	bool possible = false;

	if (table->policy != CONFLICT_OVERWRITE)
		return false;
	buf_append_string(sql, ", fixed AS (");
	if (kind == STATEMENT_INSERT)
		possible = append_fix_insert(sql, table, set);
	else if (kind == STATEMENT_UPDATE)
		possible = append_fix_update(sql, table, set, find);
	if (possible)
		buf_append_string(sql, " RETURNING 1)");
	else
		sql->length = start;
	return possible;
}

void
ledger_build_sql(Buf *sql, StatementKind kind, const TargetTable *table,
				 const Value *set, const Value *find)
{
	int n = statement_count_params(kind, table, set, find);
	bool fixes;

	buf_append_string(sql, "WITH done AS (");
	statement_build(sql, kind, table, set, find, 0);
	if (kind == STATEMENT_INSERT)
		buf_append_string(sql, " ON CONFLICT DO NOTHING");
	buf_append_string(sql, " RETURNING 1), noted AS (INSERT INTO "
						   "penstock.conflict (pipeline, xid, commit_lsn, "
						   "schema_name, table_name, operation, policy, "
						   "source_new, source_old, target_row) SELECT ");
	buf_printf(sql, "$%d::text, $%d::bigint, $%d::text::pg_lsn, ", n + 1, n + 2,
			   n + 3);
	buf_append_literal(sql, table->relation->schema);
	buf_append_string(sql, ", ");
	buf_append_literal(sql, table->relation->name);
	buf_printf(sql, ", '%s', '%s', ", operation_name(kind),
			   policy_name(table->policy));
	if (kind == STATEMENT_DELETE)
		buf_append_string(sql, "NULL::jsonb");
	else
		append_image(sql, kind, table, set, find, false);
	buf_append_string(sql, ", ");
	if (kind == STATEMENT_INSERT)
		buf_append_string(sql, "NULL::jsonb");
	else
		append_image(sql, kind, table, set, find, true);
	buf_append_string(sql, ", ");
	append_target_row(sql, kind, table, set);
	buf_append_string(sql, " WHERE NOT EXISTS (SELECT FROM done) RETURNING 1)");
	fixes = append_fix(sql, kind, table, set, find);
	buf_append_string(sql, " SELECT (SELECT count(*) FROM noted), "
						   "(SELECT count(*) FROM done)");
	if (fixes)
		buf_append_string(sql, " + (SELECT count(*) FROM fixed)");
}

void
ledger_add_params(Params *params, const char *pipeline, const TxnInfo *txn)
{
	char *lsn = arena_printf(params->arena, LSN_FORMAT,
							 LSN_ARGS(txn->commit_lsn));

	params_add_bytes(params, TYPE_TEXT, pipeline, (int) strlen(pipeline));
	params_add_int8(params, txn->xid);
	params_add_bytes(params, TYPE_TEXT, lsn, (int) strlen(lsn));
}
