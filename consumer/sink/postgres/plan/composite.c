/*
 * composite.c
 *    Decides which changes a composite may have, and builds its SQL:
 *
 *     WITH c1 AS (UPDATE … RETURNING 1),
 *          c2 AS (INSERT …),
 *          …,
 *          moved AS (UPDATE penstock.progress …
 *                    AND (SELECT true FROM c1) …
 *                    RETURNING 1)
 *     SELECT 1 / count(*) FROM moved
 *
 * If a change affects no row, its subquery is null, so progress does not move
 * and the statement fails with a division by zero.  If it affects two rows, the
 * subquery fails.  There may be one more condition from current.h, which the
 * server evaluates when it plans the statement.
 */
#include "sink/postgres/plan/composite.h"

#include <stdlib.h>

#include "control/progress_table.h"
#include "sink/postgres/plan/current.h"
#include "sink/postgres/plan/row_key.h"

/* ---- what goes together ------------------------------------------------- */

/*
 * Records the key of a row; returns false if another change has the same key,
 * or possibly the same.
 */
static bool
add_key(Composite *composite, const TargetTable *table, const Value *row)
{
	uint64_t key = row_key_hash(table, row) ^ table->top_hash;

	ASSERT(composite->key_count < COMPOSITE_CHANGES_MAX);
	for (int i = 0; i < composite->key_count; i++)
		if (composite->keys[i] == key)
			return false;
	composite->keys[composite->key_count++] = key;
	return true;
}

/*
 * Whether an update leaves the row's key as it is; false if that is not known.
 */
static bool
keeps_key(const TargetTable *table, const Value *set, const Value *find)
{
	return row_key_is_unique(table, set) && row_key_is_same(table, set, find);
}

void
composite_reset(Composite *composite, bool moves_progress)
{
	composite->part_count = 0;
	composite->key_count = 0;
	composite->param_count = 0;
	composite->moves_progress = moves_progress;
}

bool
composite_add(Composite *composite, const TargetTable *table,
			  const Change *change)
{
	CompositePart *part = &composite->parts[composite->part_count];
	const Value *row = change->kind == CHANGE_INSERT
						   ? change->new_row
						   : change_identity_row(change);

	ASSERT(composite->part_count <= COMPOSITE_CHANGES_MAX);
	composite->param_count += table->column_count + table->key_count;
	if (composite->part_count == COMPOSITE_CHANGES_MAX ||
		composite->param_count > COMPOSITE_PARAMS_MAX ||
		!table->has_independent_rows || table->policy != CONFLICT_STOP)
		return false;
	*part = (CompositePart){
		.table = table, .set = change->new_row, .find = row};
	switch (change->kind)
	{
		case CHANGE_INSERT:
			part->kind = STATEMENT_INSERT;
			if (table->key_count > 0 && !add_key(composite, table, row))
				return false;
			break;
		case CHANGE_UPDATE:
			part->kind = STATEMENT_UPDATE;
			if (!row_key_is_unique(table, row) ||
				!keeps_key(table, part->set, row) ||
				statement_needs_replace(table, part->set, row) ||
				!add_key(composite, table, row))
				return false;
			break;
		case CHANGE_DELETE:
			part->kind = STATEMENT_DELETE;
			if (!row_key_is_unique(table, row) ||
				!add_key(composite, table, row))
				return false;
			break;
		case CHANGE_TRUNCATE:
		case CHANGE_MESSAGE:
		case CHANGE_SCHEMA:
		case CHANGE_REWRITE:
			return false;
	}
	composite->part_count++;
	return true;
}

/* ---- SQL ---------------------------------------------------------------- */

/* Appends a statement, in which parameter $1 becomes $(n + 1) and so on. */
static void
append_renumbered(Buf *sql, const char *text, int n)
{
	ASSERT(n >= 0);
	while (*text != '\0')
	{
		char *end;

		if (*text != '$')
		{
			buf_append_char(sql, *text++);
			continue;
		}
		buf_printf(sql, "$%ld", strtol(text + 1, &end, 10) + n);
		text = end;
	}
}

/* Appends the condition that no table has changed since it was looked up. */
static void
append_current(Buf *sql, const Composite *composite)
{
	const TargetTable *tables[COMPOSITE_CHANGES_MAX];
	CurrentTables list = {.tables = tables};

	for (int i = 0; i < composite->part_count; i++)
	{
		const TargetTable *table = composite->parts[i].table;
		size_t t = 0;

		while (t < list.count && tables[t] != table)
			t++;
		tables[t] = table;
		list.count += t == list.count ? 1 : 0;
	}
	current_append_condition(sql, &list);
}

static void
append_conditions(Buf *sql, const Composite *composite, bool checked,
				  const char *word)
{
	if (checked)
	{
		buf_append_string(sql, word);
		append_current(sql, composite);
		word = " AND ";
	}
	for (int i = 0; i < composite->part_count; i++)
	{
		if (composite->parts[i].kind == STATEMENT_INSERT)
			continue; /* an INSERT without triggers affects exactly one row */
		buf_printf(sql, "%s(SELECT true FROM c%d)", word, i + 1);
		word = " AND ";
	}
}

/*
 * Appends one change, and writes its parameters after the first `count`;
 * returns the new number of parameters.
 */
static int
append_part(Buf *sql, const Composite *composite, int number,
			GivenParam *params, int count)
{
	const CompositePart *part = &composite->parts[number];
	Given given;

	ASSERT(number >= 0 && number < composite->part_count);
	given_init(&given, part->kind, part->table, part->set, part->find, count);
	CHECK(count + given.count <= COMPOSITE_PARAMS_MAX);
	buf_printf(sql, "%sc%d AS (", number == 0 ? "WITH " : ", ", number + 1);
	statement_build(sql, &given);
	buf_append_string(sql,
					  part->kind == STATEMENT_INSERT ? ")" : " RETURNING 1)");
	for (int i = 0; i < given.count; i++)
	{
		params[count] = given.params[i];
		params[count++].part = (uint8_t) number;
	}
	return count;
}

int
composite_build(Buf *sql, const Composite *composite, bool checked,
				GivenParam *params)
{
	int count = 0;

	ASSERT(composite->part_count > 0);
	for (int i = 0; i < composite->part_count; i++)
		count = append_part(sql, composite, i, params, count);
	if (composite->moves_progress)
	{
		buf_append_string(sql, ", moved AS (");
		append_renumbered(sql, progress_table_move_from_sql, count);
		append_conditions(sql, composite, checked, " AND ");
		buf_append_string(sql, " RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) "
							   "pg_catalog.count(*) FROM moved");
		return count;
	}
	buf_append_string(sql,
					  " SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*)");
	append_conditions(sql, composite, checked, " WHERE ");
	return count;
}

void
composite_add_params(Params *params, const Statement *statement,
					 const Composite *composite)
{
	for (int i = 0; i < statement->param_count; i++)
	{
		const GivenParam *param = &statement->params[i];
		const CompositePart *part = &composite->parts[param->part];

		ASSERT(param->part < composite->part_count);
		given_add_params(params, param, 1, part->table, part->set, part->find);
	}
}
