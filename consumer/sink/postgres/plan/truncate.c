/*
 * truncate.c
 *    TRUNCATE, or DELETE of all rows.
 *
 * The target decides which of the two when the statement runs, because a
 * foreign key may have been created since the tables were looked up.
 */
#include "sink/postgres/plan/truncate.h"

#include "control/copy/index_build.h"

/* Appends the tables, with `before` before each and `between` between two. */
static void
append_each(Buf *sql, const PlanInput *input, const TruncateInfo *truncate,
			const char *before, const char *between)
{
	ASSERT(truncate->relation_count > 0);
	for (int i = 0; i < truncate->relation_count; i++)
	{
		const TargetTable *table = input->lookup(input->lookup_context,
												 truncate->relations[i]);

		buf_printf(sql, "%s%s%s%s", i > 0 ? between : "", before,
				   table->is_partitioned ? "" : "ONLY ", table->name_sql);
	}
}

static void
append_truncate(Buf *sql, const PlanInput *input, const TruncateInfo *truncate)
{
	buf_append_string(sql, "TRUNCATE ");
	append_each(sql, input, truncate, "", ", ");
	if (truncate->restart_identity)
		buf_append_string(sql, " RESTART IDENTITY");
}

/*
 * Appends statements that restart the tables' sequences, as RESTART IDENTITY
 * does.
 */
static void
append_restart(Buf *sql, const PlanInput *input, const TruncateInfo *truncate)
{
	ASSERT(truncate->restart_identity);
	buf_append_string(
		sql, "; PERFORM pg_catalog.setval(s.seqrelid, s.seqstart, false)"
			 " FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_depend d"
			 " ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
			 " AND d.objid = s.seqrelid"
			 " WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
			 " AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')"
			 " AND d.refobjid IN (");
	for (int i = 0; i < truncate->relation_count; i++)
	{
		const TargetTable *table = input->lookup(input->lookup_context,
												 truncate->relations[i]);

		buf_append_string(sql, i > 0 ? ", " : "");
		buf_append_literal(sql, table->name_sql);
		buf_append_string(sql, "::pg_catalog.regclass");
	}
	buf_append_char(sql, ')');
}

static void
append_cancel(Buf *sql, const PlanInput *input, const TruncateInfo *truncate)
{
	for (int i = 0; i < truncate->relation_count; i++)
	{
		const TargetTable *table = input->lookup(input->lookup_context,
												 truncate->relations[i]);

		buf_append_string(sql, "PERFORM ");
		index_build_append_cancel(sql, table->name_sql);
		buf_append_string(sql, "; ");
	}
}

/* Appends TRUNCATE, and with `independent_tables` DELETE if foreign keys
 * prevent it. */
static void
append_emptying(Buf *sql, const PlanInput *input, const TruncateInfo *truncate)
{
	if (!input->independent_tables)
	{
		append_truncate(sql, input, truncate);
		return;
	}
	buf_append_string(sql, "BEGIN ");
	append_truncate(sql, input, truncate);
	buf_append_string(sql, "; EXCEPTION WHEN feature_not_supported THEN ");
	append_each(sql, input, truncate, "DELETE FROM ", "; ");
	if (truncate->restart_identity)
		append_restart(sql, input, truncate);
	buf_append_string(sql, "; END");
}

const char *
truncate_sql(const PlanInput *input, const TruncateInfo *truncate, Arena *arena)
{
	const char *text;
	Buf body;
	Buf sql;

	ASSERT(truncate->relation_count > 0);
	buf_init(&body, BUF_TEXT_MAX);
	buf_append_string(&body, "BEGIN ");
	append_cancel(&body, input, truncate);
	append_emptying(&body, input, truncate);
	buf_append_string(&body, "; END");
	CHECK(!body.overflowed);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "DO ");
	buf_append_literal(&sql, body.data);
	CHECK(!sql.overflowed);
	text = arena_strdup(arena, sql.data);
	buf_release(&body);
	buf_release(&sql);
	return text;
}
