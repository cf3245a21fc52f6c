/*
 * truncate.c
 *    TRUNCATE, or DELETE of everything.
 *
 * Which of the two, the target decides when it comes to it: a foreign key may
 * have been made a moment ago.
 */
#include "sink/postgres/plan/truncate.h"

/* Appends the tables, each with what comes before and after it. */
static void
append_each(Buf *sql, const PlanInput *input, const TruncateInfo *truncate,
			const char *before, const char *between)
{
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

/* What RESTART IDENTITY does to the tables' own sequences. */
static void
append_restart(Buf *sql, const PlanInput *input, const TruncateInfo *truncate)
{
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

/* Tries the one, and does the other if it is refused for foreign keys. */
static void
append_block(Buf *sql, const PlanInput *input, const TruncateInfo *truncate)
{
	Buf body;

	buf_init(&body, BUF_TEXT_MAX);
	buf_append_string(&body, "BEGIN ");
	append_truncate(&body, input, truncate);
	buf_append_string(&body, "; EXCEPTION WHEN feature_not_supported THEN ");
	append_each(&body, input, truncate, "DELETE FROM ", "; ");
	if (truncate->restart_identity)
		append_restart(&body, input, truncate);
	buf_append_string(&body, "; END");
	CHECK(!body.overflowed);
	buf_append_string(sql, "DO ");
	buf_append_literal(sql, body.data);
	buf_release(&body);
}

const char *
truncate_sql(const PlanInput *input, const TruncateInfo *truncate, Arena *arena)
{
	const char *text;
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	if (input->independent_tables)
		append_block(&sql, input, truncate);
	else
		append_truncate(&sql, input, truncate);
	CHECK(!sql.overflowed);
	text = arena_strdup(arena, sql.data);
	buf_release(&sql);
	return text;
}
