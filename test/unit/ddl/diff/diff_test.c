/*
 * diff_test.c
 *    Which statements make one schema of another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ddl/diff/diff.h"
#include "support/made_definitions.h"

#define ARENA_BYTES ((size_t) 4096)
#define PG_15       150000
#define PG_18       180000

static Arena *arena;
static DefinitionSet *before;
static DefinitionSet *after;
static DdlHints hints;

/* Statements of the plan that have been asked for. */
static DdlPlan *plan;
static int said;

static int
set_up(void **state UNUSED)
{
	arena = arena_new(ARENA_BYTES);
	before = definition_set_new();
	after = definition_set_new();
	hints = (DdlHints){.target_version_num = PG_15};
	plan = NULL;
	said = 0;
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	definition_set_free(before);
	definition_set_free(after);
	arena_free(arena);
	return 0;
}

static void
was(const Definition *definition)
{
	definition_set_put(before, definition);
}

static void
is(const Definition *definition)
{
	definition_set_put(after, definition);
}

static void
stays(const Definition *definition)
{
	was(definition);
	is(definition);
}

/* The next statement, and the kind that it has to have. */
static const DdlStatement *
says(DdlKind kind, const char *sql)
{
	Error err = {0};

	if (plan == NULL &&
		ddl_diff(before, after, &hints, arena, &plan, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
	if (said == plan->count)
		fail_msg("not said: %s", sql);
	assert_string_equal(plan->statements[said].sql, sql);
	assert_string_equal(ddl_kind_name(plan->statements[said].kind),
						ddl_kind_name(kind));
	return &plan->statements[said++];
}

static void
says_no_more(void)
{
	Error err = {0};

	if (plan == NULL &&
		ddl_diff(before, after, &hints, arena, &plan, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
	if (said < plan->count)
		fail_msg("said, too: %s", plan->statements[said].sql);
}

static void
refuses(const char *message)
{
	Error err = {0};

	assert_int_equal(ddl_diff(before, after, &hints, arena, &plan, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.message, message);
	error_reset(&err);
}

static Definition *
table(uint32_t oid, const char *name)
{
	Definition *made = definition_made(arena, DEFINITION_TABLE, oid, name);

	column_made(made, 1, "id", TYPE_INT4, "integer")->not_null = true;
	return made;
}

/* The primary key of table(). */
static void
with_key(Definition *made)
{
	uint32_t oid = made->oid;
	const char *name = arena_printf(arena, "%s_pkey", made->name);
	IndexDefinition *index = index_made(
		made, oid + 2, name,
		arena_printf(arena,
					 "CREATE UNIQUE INDEX %s ON public.%s USING btree "
					 "(id)",
					 name, made->name));

	constraint_made(made, oid + 1, CONSTRAINT_PRIMARY_KEY, name,
					"PRIMARY KEY (id)")
		->index = oid + 2;
	index->constraint = oid + 1;
	index->unique = true;
	index->primary = true;
}

/* ---- Tables ---- */

static void
nothing_is_said_of_what_is_the_same(void **state UNUSED)
{
	Definition *t = table(100, "t");

	with_key(t);
	stays(t);
	says_no_more();
}

static void
a_table_is_created_with_what_belongs_to_it(void **state UNUSED)
{
	Definition *t = table(100, "T");

	column_made(t, 2, "note", TYPE_TEXT, "text")
		->default_expression = "'x'::text";
	with_key(t);
	constraint_made(t, 110, CONSTRAINT_CHECK, "positive", "CHECK ((id > 0))");
	index_made(t, 120, "i",
			   "CREATE INDEX i ON public.\"T\" USING btree (note)");
	is(t);
	says(DDL_CREATE, "CREATE TABLE \"public\".\"T\" (\"id\" integer NOT NULL, "
					 "\"note\" text DEFAULT 'x'::text)");
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"T\" ADD CONSTRAINT "
						 "\"positive\" CHECK ((id > 0))");
	says(DDL_CONSTRAINT, "ALTER TABLE ONLY \"public\".\"T\" ADD CONSTRAINT "
						 "\"T_pkey\" PRIMARY KEY (id)");
	/* It is empty, so there is nothing to be gained by building it later. */
	assert_null(
		says(DDL_INDEX, "CREATE INDEX i ON public.\"T\" USING btree (note)")
			->concurrent_sql);
	says_no_more();
}

static void
a_table_is_dropped_after_those_that_refer_to_it(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *u = table(200, "u");

	with_key(t);
	constraint_made(u, 210, CONSTRAINT_FOREIGN_KEY, "u_fkey",
					"FOREIGN KEY (id) REFERENCES public.t(id)")
		->referenced_table = 100;
	was(t);
	was(u);
	assert_true(
		says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"u\"")->loses_rows);
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"t\"");
	says_no_more();
}

static void
tables_that_refer_to_each_other_are_dropped(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *u = table(200, "u");

	constraint_made(t, 110, CONSTRAINT_FOREIGN_KEY, "t_fkey",
					"FOREIGN KEY (id) REFERENCES public.u(id)")
		->referenced_table = 200;
	constraint_made(u, 210, CONSTRAINT_FOREIGN_KEY, "u_fkey",
					"FOREIGN KEY (id) REFERENCES public.t(id)")
		->referenced_table = 100;
	was(t);
	was(u);
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"t\" DROP CONSTRAINT IF "
						 "EXISTS \"t_fkey\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"u\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"t\"");
	says_no_more();
}

static void
tables_exchange_their_names(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *u = table(200, "u");

	was(t);
	was(u);
	t->name = "u";
	u->name = "t";
	is(t);
	is(u);
	says(DDL_RENAME, "ALTER TABLE \"public\".\"u\" RENAME TO "
					 "\"penstock_spare_1\"");
	says(DDL_RENAME, "ALTER TABLE \"public\".\"t\" RENAME TO \"u\"");
	says(DDL_RENAME, "ALTER TABLE \"public\".\"penstock_spare_1\" RENAME TO "
					 "\"t\"");
	says_no_more();
}

static void
a_table_takes_the_place_of_one_that_is_dropped(void **state UNUSED)
{
	was(table(100, "t"));
	is(table(200, "t"));
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"t\"");
	says(DDL_CREATE, "CREATE TABLE \"public\".\"t\" (\"id\" integer NOT NULL)");
	says_no_more();
}

/* ---- Columns ---- */

static void
a_column_is_added_dropped_and_renamed(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *u = table(100, "t");

	column_made(t, 2, "a", TYPE_TEXT, "text");
	column_made(t, 3, "b", TYPE_TEXT, "text");
	column_made(u, 3, "c", TYPE_TEXT, "text");
	column_made(u, 4, "b", TYPE_INT8, "bigint");
	was(t);
	is(u);
	assert_true(says(DDL_DROP,
					 "ALTER TABLE \"public\".\"t\" DROP COLUMN IF EXISTS \"a\"")
					->loses_rows);
	says(DDL_RENAME,
		 "ALTER TABLE \"public\".\"t\" RENAME COLUMN \"b\" TO \"c\"");
	says(DDL_CREATE, "ALTER TABLE \"public\".\"t\" ADD COLUMN \"b\" bigint");
	says_no_more();
}

static void
columns_exchange_their_names(void **state UNUSED)
{
	Definition *t = table(100, "t");
	ColumnDefinition *a = column_made(t, 2, "a", TYPE_TEXT, "text");
	ColumnDefinition *b = column_made(t, 3, "b", TYPE_TEXT, "text");

	was(t);
	a->name = "b";
	b->name = "a";
	is(t);
	says(DDL_RENAME, "ALTER TABLE \"public\".\"t\" RENAME COLUMN \"b\" TO "
					 "\"penstock_spare_1\"");
	says(DDL_RENAME,
		 "ALTER TABLE \"public\".\"t\" RENAME COLUMN \"a\" TO \"b\"");
	says(DDL_RENAME, "ALTER TABLE \"public\".\"t\" RENAME COLUMN "
					 "\"penstock_spare_1\" TO \"a\"");
	says_no_more();
}

static void
rows_get_the_value_that_they_have_on_the_source(void **state UNUSED)
{
	Definition *t = table(100, "t");
	ColumnDefinition *a;

	was(t);
	a = column_made(t, 2, "a", TYPE_TIMESTAMPTZ, "timestamp with time zone");
	a->default_expression = "now()";
	a->missing_value = "2026-01-01 00:00:00+00";
	is(t);
	says(DDL_CREATE, "ALTER TABLE \"public\".\"t\" ADD COLUMN \"a\" timestamp "
					 "with time zone DEFAULT '2026-01-01 00:00:00+00'::"
					 "timestamp with time zone");
	says(DDL_ALTER, "ALTER TABLE ONLY \"public\".\"t\" ALTER COLUMN \"a\" SET "
					"DEFAULT now()");
	says_no_more();
}

static void
a_constant_default_is_said_once(void **state UNUSED)
{
	Definition *t = table(100, "t");
	ColumnDefinition *a;

	was(t);
	a = column_made(t, 2, "a", TYPE_INT4, "integer");
	a->default_expression = "7";
	a->missing_value = "7";
	is(t);
	says(DDL_CREATE,
		 "ALTER TABLE \"public\".\"t\" ADD COLUMN \"a\" integer DEFAULT 7");
	says_no_more();
}

/* ---- Constraints and indexes ---- */

static void
constraints_come_and_go(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *u = table(100, "t");

	constraint_made(t, 110, CONSTRAINT_CHECK, "a", "CHECK ((id > 0))");
	constraint_made(t, 111, CONSTRAINT_CHECK, "b", "CHECK ((id > 1))");
	constraint_made(u, 111, CONSTRAINT_CHECK, "c", "CHECK ((id > 1))");
	constraint_made(u, 112, CONSTRAINT_CHECK, "d", "CHECK ((id > 2))");
	was(t);
	is(u);
	says(DDL_CONSTRAINT,
		 "ALTER TABLE \"public\".\"t\" DROP CONSTRAINT IF EXISTS \"a\"");
	says(DDL_RENAME,
		 "ALTER TABLE \"public\".\"t\" RENAME CONSTRAINT \"b\" TO \"c\"");
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"t\" ADD CONSTRAINT \"d\" "
						 "CHECK ((id > 2))");
	says_no_more();
}

static void
what_was_made_again_is_the_same(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *u = table(100, "t");

	with_key(t);
	with_key(u);
	index_made(t, 120, "i", "CREATE INDEX i ON public.t USING btree (id)");
	index_made(u, 121, "i", "CREATE INDEX i ON public.t USING btree (id)");
	for (int i = 0; i < 2; i++)
	{
		t->table.indexes[i].attnums = (OidList){.count = 1,
												.oids = (uint32_t[]){1}};
		u->table.indexes[i].attnums = t->table.indexes[i].attnums;
	}
	u->table.constraints[0].oid = 999;
	u->table.constraints[0].index = 998;
	u->table.indexes[0].oid = 998;
	u->table.indexes[0].constraint = 999;
	was(t);
	is(u);
	says_no_more();
}

static void
an_index_can_be_built_later(void **state UNUSED)
{
	Definition *t = table(100, "t");

	was(t);
	index_made(t, 120, "i", "CREATE INDEX i ON public.t USING btree (id)");
	index_made(t, 121, "u",
			   "CREATE UNIQUE INDEX u ON public.t USING btree (id)")
		->unique = true;
	is(t);
	assert_string_equal(
		says(DDL_INDEX, "CREATE INDEX i ON public.t USING btree (id)")
			->concurrent_sql,
		"CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON public.t USING btree "
		"(id)");
	assert_null(
		says(DDL_INDEX, "CREATE UNIQUE INDEX u ON public.t USING btree (id)")
			->concurrent_sql);
	says_no_more();
}

/* ---- What cannot be followed ---- */

static void
a_clause_that_the_target_does_not_know_is_refused(void **state UNUSED)
{
	Definition *t = table(100, "t");
	ColumnDefinition *a;

	was(t);
	a = column_made(t, 2, "a", TYPE_INT4, "integer");
	a->generated = GENERATED_VIRTUAL;
	a->default_expression = "(id + 1)";
	is(t);
	refuses("the target cannot have virtual generated columns, which \"a\" of "
			"table \"public\".\"t\" has");
	hints.target_version_num = PG_18;
	says(DDL_CREATE, "ALTER TABLE \"public\".\"t\" ADD COLUMN \"a\" integer "
					 "GENERATED ALWAYS AS ((id + 1)) VIRTUAL");
	says_no_more();
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_said_of_what_is_the_same),
		TEST(a_table_is_created_with_what_belongs_to_it),
		TEST(a_table_is_dropped_after_those_that_refer_to_it),
		TEST(tables_that_refer_to_each_other_are_dropped),
		TEST(tables_exchange_their_names),
		TEST(a_table_takes_the_place_of_one_that_is_dropped),
		TEST(a_column_is_added_dropped_and_renamed),
		TEST(columns_exchange_their_names),
		TEST(rows_get_the_value_that_they_have_on_the_source),
		TEST(a_constant_default_is_said_once),
		TEST(constraints_come_and_go),
		TEST(what_was_made_again_is_the_same),
		TEST(an_index_can_be_built_later),
		TEST(a_clause_that_the_target_does_not_know_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
