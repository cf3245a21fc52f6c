/*
 * settle.c
 *    Builds one statement of a change, the settling of its conflict, and the
 *    record of it.
 *
 * We cannot decide to skip or overwrite after the fact, because another session
 * could change the row between two statements.  So one statement makes the
 * change as far as possible (done), records the conflict if the change was not
 * possible (noted), and completes it if the policy is to overwrite (fixed):
 *
 *     insert of a row that exists           skip: nothing
 *                                           overwrite: update by key
 *     update of a row that does not exist   skip: nothing
 *                                           overwrite: insert
 *     delete of a row that does not exist   nothing in either case
 *
 * All parts see the target as it was before the statement.  An insert may
 * conflict with a row that has another key, because of another unique index
 * (unique.h).
 */
#include "sink/postgres/plan/settle.h"

#include <stdio.h>
#include <string.h>

#include "control/conflict_table.h"

static const char *
operation_name(StatementKind kind)
{
	return kind == STATEMENT_INSERT   ? "insert"
		   : kind == STATEMENT_DELETE ? "delete"
									  : "update";
}

/*
 * Appends the value that the change has for a column; returns false if it has
 * none.  In a table without a key, nulls also help to find the row.
 */
static bool
append_value(Buf *sql, const Given *given, GivenRole role, int column)
{
	const TargetColumn *at = &given->table->columns[column];

	if (given_has(given, role, column))
		given_append(sql, given, role, column);
	else if (role == GIVEN_FIND && given->table->key_count == 0 &&
			 given->find[at->source_index].kind == VALUE_NULL)
		buf_append_string(sql, "NULL");
	else
		return false;
	return true;
}

/*
 * Appends one row of the change as JSON; NULL if the change does not have that
 * row.
 */
static void
append_image(Buf *sql, const Given *given, GivenRole role)
{
	bool first = true;
	size_t start = sql->length;

	buf_append_string(sql, "(SELECT pg_catalog.to_jsonb(r) FROM (SELECT ");
	for (int i = 0; i < given->table->column_count; i++)
	{
		size_t before = sql->length;

		buf_append_string(sql, first ? "" : ", ");
		if (append_value(sql, given, role, i))
		{
			buf_printf(sql, " AS %s", given->table->columns[i].name_sql);
			first = false;
		}
		else
			sql->length = before;
	}
	buf_append_string(sql, ") r)");
	if (!first)
		return;
	sql->length = start;
	buf_append_string(sql, "NULL::pg_catalog.jsonb");
}

/* Appends the conditions that find the row with the key of an insert. */
static void
append_key_conditions(Buf *sql, const Given *given, const char *word)
{
	ASSERT(given->kind == STATEMENT_INSERT);
	ASSERT(given->table->key_count > 0);
	for (int i = 0; i < given->table->column_count; i++)
	{
		Buf value;

		if (!given->table->columns[i].key)
			continue;
		buf_init(&value, BUF_TEXT_MAX);
		given_append(&value, given, GIVEN_SET, i);
		buf_append_string(sql, word);
		statement_append_equal(sql, &given->table->columns[i], value.data);
		buf_release(&value);
		word = " AND ";
	}
}

/*
 * Appends a subquery with the row to insert, which conditions of a UniqueIndex
 * refer to.
 */
static void
append_row_given(Buf *sql, const Given *given)
{
	ASSERT(given->kind == STATEMENT_INSERT);
	buf_append_string(sql, UNIQUE_GIVEN " AS (SELECT ");
	for (int i = 0; i < given->table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		given_append(sql, given, GIVEN_SET, i);
		buf_printf(sql, " AS %s", given->table->columns[i].name_sql);
	}
	buf_append_string(sql, "), ");
}

/*
 * Appends a subquery for the target's row that an insert conflicts with, and
 * for the index by which it was found; the first one if there are several.
 */
static void
append_hit(Buf *sql, const TargetTable *table)
{
	ASSERT(table->unique_count > 0);
	buf_append_string(sql, "hit AS (SELECT h.* FROM (");
	for (int i = 0; i < table->unique_count; i++)
		buf_printf(sql,
				   "%s(SELECT %d AS place, %s AS target_index, "
				   "pg_catalog.to_jsonb(t) AS "
				   "target_row FROM %s%s AS t WHERE %s LIMIT 1)",
				   i > 0 ? " UNION ALL " : "", i,
				   table->uniques[i].name_literal, statement_only(table),
				   table->name_sql, table->uniques[i].condition);
	buf_append_string(sql, ") h ORDER BY h.place LIMIT 1), ");
}

/*
 * Appends an update of the existing row by its key.  The key is set, too,
 * because an equal key may differ, such as 1.0 and 1.00.
 */
static bool
append_update_of_hit(Buf *sql, const Given *given)
{
	const TargetTable *table = given->table;
	bool first = true;

	ASSERT(table->key_count > 0);
	buf_printf(sql, "fixed AS (UPDATE %s%s AS t SET ", statement_only(table),
			   table->name_sql);
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (column->identity_always)
			continue;
		buf_printf(sql, "%s%s = ", first ? "" : ", ", column->name_sql);
		given_append(sql, given, GIVEN_SET, i);
		first = false;
	}
	buf_append_string(sql, " WHERE NOT EXISTS (SELECT FROM done)");
	append_key_conditions(sql, given, " AND ");
	return !first;
}

/*
 * Appends a delete and an insert, for a table with columns that an update
 * cannot set.
 */
static bool
append_replace_of_hit(Buf *sql, const Given *given)
{
	buf_printf(sql,
			   "gone AS (DELETE FROM %s%s AS t "
			   "WHERE NOT EXISTS (SELECT FROM done)",
			   statement_only(given->table), given->table->name_sql);
	append_key_conditions(sql, given, " AND ");
	buf_append_string(sql, " RETURNING t.*), fixed AS (");
	statement_append_insert_of_gone(sql, given);
	return true;
}

static bool
append_fix_insert(Buf *sql, const Given *given)
{
	const TargetTable *table = given->table;

	if (table->key_count == 0)
		return false;
	for (int i = 0; i < table->column_count; i++)
		if (table->columns[i].identity_always && !table->columns[i].key)
			return append_replace_of_hit(sql, given);
	return append_update_of_hit(sql, given);
}

/* Appends an insert in place of an update, if all values are known. */
static bool
append_fix_update(Buf *sql, const Given *given)
{
	const TargetTable *table = given->table;

	ASSERT(given->kind == STATEMENT_UPDATE || given->kind == STATEMENT_REPLACE);
	buf_printf(sql, "fixed AS (INSERT INTO %s (", table->name_sql);
	for (int i = 0; i < table->column_count; i++)
		buf_printf(sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
	buf_append_string(sql, ") OVERRIDING SYSTEM VALUE SELECT ");
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		if (!append_value(sql, given, GIVEN_SET, i) &&
			!append_value(sql, given, GIVEN_FIND, i))
			return false;
	}
	buf_append_string(sql, " WHERE NOT EXISTS (SELECT FROM done)");
	return true;
}

/* Appends the part that overwrites; returns false if there is none. */
static bool
append_fix(Buf *sql, const Given *given)
{
	size_t start = sql->length;
	bool possible = false;

	if (given->table->policy != CONFLICT_OVERWRITE)
		return false;
	buf_append_string(sql, ", ");
	if (given->kind == STATEMENT_INSERT)
		possible = append_fix_insert(sql, given);
	else if (given->kind != STATEMENT_DELETE)
		possible = append_fix_update(sql, given);
	if (possible)
		buf_append_string(sql, " RETURNING 1)");
	else
		sql->length = start;
	return possible;
}

/* Appends the change itself, which has no effect if there is a conflict. */
static void
append_done(Buf *sql, const Given *given)
{
	if (given->kind == STATEMENT_REPLACE)
	{
		statement_append_gone(sql, given);
		buf_append_string(sql, ", done AS (");
		statement_append_insert_of_gone(sql, given);
	}
	else
	{
		buf_append_string(sql, "done AS (");
		statement_build(sql, given);
	}
	if (given->kind == STATEMENT_INSERT)
		buf_append_string(sql, " ON CONFLICT DO NOTHING");
	buf_append_string(sql, " RETURNING 1)");
}

void
settle_build_sql(Buf *sql, const Given *given)
{
	const TargetTable *table = given->table;
	StatementKind kind = given->kind;
	int n = given->count;
	bool hits = kind == STATEMENT_INSERT && table->unique_count > 0;
	bool fixes;

	ASSERT(given->before == 0 && table->policy != CONFLICT_STOP);
	buf_append_string(sql, "WITH ");
	if (hits)
	{
		append_row_given(sql, given);
		append_hit(sql, table);
	}
	append_done(sql, given);
	buf_append_string(sql, ", noted AS (");
	buf_append_string(sql, conflict_table_insert_sql);
	buf_append_string(sql, " SELECT ");
	buf_printf(sql,
			   "$%d::pg_catalog.text, $%d::bigint, "
			   "$%d::pg_catalog.text::pg_catalog.pg_lsn, ",
			   n + 1, n + 2, n + 3);
	buf_append_literal(sql, table->relation->schema);
	buf_append_string(sql, ", ");
	buf_append_literal(sql, table->relation->name);
	buf_printf(sql, ", '%s', '%s', ", operation_name(kind),
			   policy_name(table->policy));
	if (kind == STATEMENT_DELETE)
		buf_append_string(sql, "NULL::pg_catalog.jsonb");
	else
		append_image(sql, given, GIVEN_SET);
	buf_append_string(sql, ", ");
	if (kind == STATEMENT_INSERT)
		buf_append_string(sql, "NULL::pg_catalog.jsonb");
	else
		append_image(sql, given, GIVEN_FIND);
	buf_append_string(sql, ", ");
	buf_append_string(sql, hits ? "(SELECT target_row FROM hit), "
								  "(SELECT target_index FROM hit)"
								: "NULL::pg_catalog.jsonb, "
								  "NULL::pg_catalog.text");
	buf_append_string(sql, " WHERE NOT EXISTS (SELECT FROM done) RETURNING 1)");
	fixes = append_fix(sql, given);
	buf_append_string(sql, " SELECT (SELECT pg_catalog.count(*) FROM noted), "
						   "(SELECT pg_catalog.count(*) FROM done)");
	if (fixes)
		buf_append_string(sql, " OPERATOR(pg_catalog.+) "
							   "(SELECT pg_catalog.count(*) FROM fixed)");
	buf_append_string(sql, hits ? ", CASE WHEN EXISTS (SELECT FROM noted) THEN "
								  "(SELECT target_index FROM hit) END"
								: ", NULL");
}

void
settle_add_params(Params *params, const char *pipeline, const TxnInfo *txn)
{
	char *lsn = arena_printf(params->arena, LSN_FORMAT,
							 LSN_ARGS(txn->commit_lsn));

	params_add_bytes(params, TYPE_TEXT, pipeline, (int) strlen(pipeline));
	params_add_int8(params, txn->xid);
	params_add_bytes(params, TYPE_TEXT, lsn, (int) strlen(lsn));
}
