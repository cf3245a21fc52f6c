/*
 * diff_test.c
 *    Statements that turn one schema into another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ddl/diff/diff.h"
#include "model/policy.h"
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
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"u\" DROP CONSTRAINT IF "
						 "EXISTS \"u_fkey\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"t\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"u\"");
	says_no_more();
}

/* Whether one uses another's row type is not known. */
static void
later_tables_are_dropped_first(void **state UNUSED)
{
	was(table(100, "t"));
	was(table(200, "u"));
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"u\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"t\"");
	says_no_more();
}

static void
partitions_are_dropped_with_their_table(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *one = table(200, "one");
	Definition *two = table(300, "two");
	Definition *u = table(400, "u");
	uint32_t parent[] = {100};

	t->table.partitioned = true;
	one->table.parents = (OidList){.count = 1, .oids = parent};
	one->table.bound = "FOR VALUES IN (1)";
	two->table.parents = (OidList){.count = 1, .oids = parent};
	two->table.bound = "FOR VALUES IN (2)";
	constraint_made(two, 310, CONSTRAINT_FOREIGN_KEY, "t_fkey",
					"FOREIGN KEY (id) REFERENCES public.t(id)")
		->referenced_table = 200;
	constraint_made(u, 410, CONSTRAINT_FOREIGN_KEY, "u_fkey",
					"FOREIGN KEY (id) REFERENCES public.one(id)")
		->referenced_table = 200;
	was(t);
	was(one);
	was(two);
	was(u);
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"u\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"t\"");
	says_no_more();
}

/*
 * The partition has to go before what it refers to, and its partitioned table,
 * which refers to it by way of another table, before the partition.
 */
static void
a_partition_is_dropped_once(void **state UNUSED)
{
	Definition *x = table(50, "x");
	Definition *t = table(100, "t");
	Definition *one = table(200, "one");
	Definition *u = table(400, "u");

	t->table.partitioned = true;
	parent_made(one, 100);
	one->table.bound = "FOR VALUES IN (1)";
	constraint_made(one, 210, CONSTRAINT_FOREIGN_KEY, "one_fkey",
					"FOREIGN KEY (id) REFERENCES public.x(id)")
		->referenced_table = 50;
	constraint_made(t, 110, CONSTRAINT_FOREIGN_KEY, "t_fkey",
					"FOREIGN KEY (id) REFERENCES public.u(id)")
		->referenced_table = 400;
	constraint_made(u, 410, CONSTRAINT_FOREIGN_KEY, "u_fkey",
					"FOREIGN KEY (id) REFERENCES public.one(id)")
		->referenced_table = 200;
	was(x);
	was(t);
	was(one);
	was(u);
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"u\" DROP CONSTRAINT IF "
						 "EXISTS \"u_fkey\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"t\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"u\"");
	says(DDL_DROP, "DROP TABLE IF EXISTS \"public\".\"x\"");
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

/* Longer than most texts that are composed. */
static void
a_default_can_be_long(void **state UNUSED)
{
	enum
	{
		BYTES = 20 * 1024 * 1024
	};
	char *expression = arena_alloc(arena, BYTES + 3);
	Definition *t = table(100, "t");
	Error err = {0};

	memset(expression, 'x', BYTES + 2);
	expression[0] = expression[BYTES + 1] = '\'';
	expression[BYTES + 2] = '\0';
	was(t);
	column_made(t, 2, "a", TYPE_TEXT, "text")->default_expression = expression;
	is(t);
	assert_int_equal(ddl_diff(before, after, &hints, arena, &plan, &err),
					 RC_OK);
	assert_int_equal(plan->count, 2);
	assert_int_equal(strlen(plan->statements[1].sql),
					 BYTES + 2 +
						 strlen("ALTER TABLE ONLY \"public\".\"t\" ALTER "
								"COLUMN \"a\" SET DEFAULT "));
}

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
	uint32_t first_column = 1;

	with_key(t);
	with_key(u);
	index_made(t, 120, "i", "CREATE INDEX i ON public.t USING btree (id)");
	index_made(u, 121, "i", "CREATE INDEX i ON public.t USING btree (id)");
	for (int i = 0; i < 2; i++)
	{
		t->table.indexes[i].attnums = (OidList){.count = 1,
												.oids = &first_column};
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
		"CREATE INDEX CONCURRENTLY i ON public.t USING btree "
		"(id)");
	assert_null(
		says(DDL_INDEX, "CREATE UNIQUE INDEX u ON public.t USING btree (id)")
			->concurrent_sql);
	says_no_more();
}

static void
options_of_an_index_are_those_of_its_key(void **state UNUSED)
{
	Definition *t = table(100, "t");
	IndexDefinition *index;

	was(t);
	constraint_made(t, 110, CONSTRAINT_UNIQUE, "u",
					"UNIQUE (id) DEFERRABLE INITIALLY DEFERRED")
		->index = 111;
	index = index_made(t, 111, "u",
					   "CREATE UNIQUE INDEX u ON public.t USING btree (id) "
					   "WITH (fillfactor='50')");
	index->constraint = 110;
	index->unique = true;
	is(t);
	says(DDL_CONSTRAINT,
		 "ALTER TABLE ONLY \"public\".\"t\" ADD CONSTRAINT \"u\" UNIQUE (id) "
		 "WITH (fillfactor='50') DEFERRABLE INITIALLY DEFERRED");
	says_no_more();
}

static void
an_index_is_taken_for_a_key(void **state UNUSED)
{
	Definition *t = table(100, "t");
	IndexDefinition *index = index_made(
		t, 111, "i", "CREATE UNIQUE INDEX i ON public.t USING btree (id)");

	index->unique = true;
	was(t);
	index->constraint = 110;
	constraint_made(t, 110, CONSTRAINT_UNIQUE, "i", "UNIQUE (id)")->index = 111;
	is(t);
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"t\" ADD CONSTRAINT \"i\" "
						 "UNIQUE USING INDEX \"i\"");
	says_no_more();
}

/* ---- Rows that come anew ---- */

static void
an_index_is_renamed_though_its_constraint_is_not_known(void **state UNUSED)
{
	Definition *t = table(100, "t");
	IndexDefinition *index = index_made(
		t, 102, "i", "CREATE UNIQUE INDEX i ON public.t (id)");

	index->constraint = 101;
	was(t);
	index->name = "j";
	index->definition = "CREATE UNIQUE INDEX j ON public.t (id)";
	is(t);
	says(DDL_RENAME, "ALTER INDEX \"public\".\"i\" RENAME TO \"j\"");
	says_no_more();
}

static void
a_table_whose_rows_come_anew_is_emptied(void **state UNUSED)
{
	Definition *t = table(100, "t");
	ColumnDefinition *a = column_made(t, 2, "a", TYPE_TEXT, "text");
	const DdlStatement *statement;
	uint32_t rewritten[] = {100};

	was(t);
	a->type_oid = TYPE_UUID;
	a->type = "uuid";
	is(t);
	hints.rewritten = (OidList){.count = 1, .oids = rewritten};
	statement = says(DDL_ALTER, "DELETE FROM ONLY \"public\".\"t\"");
	assert_true(statement->loses_rows);
	assert_true(statement->empties);
	assert_true(says(DDL_ALTER, "ALTER TABLE \"public\".\"t\" ALTER COLUMN "
								"\"a\" TYPE uuid USING \"a\"::text::uuid")
					->rewrites);
	says_no_more();
}

static void
a_table_without_rows_is_emptied(void **state UNUSED)
{
	Definition *t = table(100, "t");
	uint32_t without_rows[] = {100};

	t->table.unlogged = true;
	was(t);
	t->table.unlogged = false;
	is(t);
	hints.without_rows = (OidList){.count = 1, .oids = without_rows};
	assert_true(says(DDL_ALTER, "DELETE FROM ONLY \"public\".\"t\"")->empties);
	says(DDL_ALTER, "ALTER TABLE \"public\".\"t\" SET LOGGED");
	says_no_more();
}

static void
a_table_keeps_rows_that_fit(void **state UNUSED)
{
	Definition *t = table(100, "t");
	ColumnDefinition *a = column_made(t, 2, "a", TYPE_VARCHAR,
									  "character varying(10)");
	uint32_t rewritten[] = {100};

	a->typmod = 14;
	was(t);
	a->type_oid = TYPE_TEXT;
	a->typmod = -1;
	a->type = "text";
	is(t);
	hints.rewritten = (OidList){.count = 1, .oids = rewritten};
	says(DDL_ALTER,
		 "ALTER TABLE \"public\".\"t\" ALTER COLUMN \"a\" TYPE text");
	says_no_more();
}

static void
a_table_that_is_referred_to_keeps_its_rows(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *u = table(200, "u");
	uint32_t rewritten[] = {100};

	constraint_made(u, 210, CONSTRAINT_FOREIGN_KEY, "u_fkey",
					"FOREIGN KEY (id) REFERENCES public.t(id)")
		->referenced_table = 100;
	stays(u);
	was(t);
	t->table.columns[0].type_oid = TYPE_INT8;
	t->table.columns[0].type = "bigint";
	is(t);
	hints.rewritten = (OidList){.count = 1, .oids = rewritten};
	says(DDL_ALTER,
		 "ALTER TABLE \"public\".\"t\" ALTER COLUMN \"id\" TYPE bigint");
	says_no_more();
}

/* ---- Schemas, types, sequences ---- */

static void
schemas_exchange_their_names_with_all_that_is_in_them(void **state UNUSED)
{
	Definition *a = definition_made(arena, DEFINITION_NAMESPACE, 10, "a");
	Definition *b = definition_made(arena, DEFINITION_NAMESPACE, 20, "b");
	Definition *t = table(100, "t");

	t->schema = "a";
	was(a);
	was(b);
	was(t);
	a->name = "b";
	b->name = "a";
	t->schema = "b";
	column_made(t, 2, "c", TYPE_TEXT, "text");
	is(a);
	is(b);
	is(t);
	says(DDL_RENAME, "ALTER SCHEMA \"b\" RENAME TO \"penstock_spare_1\"");
	says(DDL_RENAME, "ALTER SCHEMA \"a\" RENAME TO \"b\"");
	says(DDL_RENAME, "ALTER SCHEMA \"penstock_spare_1\" RENAME TO \"a\"");
	says(DDL_CREATE, "ALTER TABLE \"b\".\"t\" ADD COLUMN \"c\" text");
	says_no_more();
}

static void
a_table_avoids_what_has_its_name_where_it_goes(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *other = table(200, "t");

	other->schema = "s";
	stays(other);
	was(t);
	t->schema = "s";
	t->name = "u";
	is(t);
	says(DDL_RENAME, "ALTER TABLE \"public\".\"t\" RENAME TO "
					 "\"penstock_spare_1\"");
	says(DDL_RENAME,
		 "ALTER TABLE \"public\".\"penstock_spare_1\" SET SCHEMA \"s\"");
	says(DDL_RENAME, "ALTER TABLE \"s\".\"penstock_spare_1\" RENAME TO \"u\"");
	says_no_more();
}

static void
labels_are_added_first_and_renamed_by_their_oids(void **state UNUSED)
{
	Definition *now = definition_made(arena, DEFINITION_ENUM, 300, "mood");
	Definition *then = definition_made(arena, DEFINITION_ENUM, 300, "moods");

	label_made(now, 1, "a");
	label_made(now, 2, "b");
	label_made(then, 3, "new");
	label_made(then, 1, "a");
	label_made(then, 4, "newer");
	label_made(then, 2, "c");
	was(now);
	is(then);
	assert_true(says(DDL_TYPE,
					 "ALTER TYPE \"public\".\"mood\" ADD VALUE IF NOT "
					 "EXISTS 'new' BEFORE 'a'")
					->commits_first);
	assert_true(says(DDL_TYPE,
					 "ALTER TYPE \"public\".\"mood\" ADD VALUE IF NOT "
					 "EXISTS 'newer' AFTER 'a'")
					->commits_first);
	assert_false(
		says(DDL_RENAME, "ALTER TYPE \"public\".\"mood\" RENAME TO \"moods\"")
			->commits_first);
	says(DDL_TYPE, "ALTER TYPE \"public\".\"moods\" RENAME VALUE 'b' TO 'c'");
	says_no_more();
}

static void
a_label_that_is_gone_is_refused(void **state UNUSED)
{
	Definition *type = definition_made(arena, DEFINITION_ENUM, 300, "mood");

	label_made(type, 1, "a");
	was(type);
	type->enumeration.label_count = 0;
	is(type);
	refuses("no statement changes the label \"a\" of enum type "
			"\"public\".\"mood\" as the source has changed it");
}

static void
an_identity_gets_another_sequence(void **state UNUSED)
{
	Definition *t = table(100, "t");
	Definition *q = definition_made(arena, DEFINITION_SEQUENCE, 400, "q");

	t->table.columns[0].identity = IDENTITY_COLUMN_ALWAYS;
	stays(t);
	q->sequence = (SequenceDefinition){.type = "integer",
									   .start = 1,
									   .increment = 1,
									   .minimum = 1,
									   .maximum = 9,
									   .cache = 1,
									   .owner_table = 100,
									   .owner_attnum = 1,
									   .identity = true};
	was(q);
	q->oid = 401;
	is(q);
	says(DDL_ALTER, "ALTER TABLE \"public\".\"t\" ALTER COLUMN \"id\" DROP "
					"IDENTITY IF EXISTS");
	says(
		DDL_ALTER,
		"ALTER TABLE \"public\".\"t\" ALTER COLUMN \"id\" ADD GENERATED ALWAYS "
		"AS IDENTITY (SEQUENCE NAME \"public\".\"q\" INCREMENT BY 1 MINVALUE 1 "
		"MAXVALUE 9 START WITH 1 CACHE 1 NO CYCLE)");
	says_no_more();
}

/* ---- Partitions and children ---- */

/* A partitioned table, and a partition of it. */
static Definition *
partitioned(Definition **partition)
{
	Definition *p = table(100, "p");

	p->table.partitioned = true;
	p->table.partition_key = "RANGE (id)";
	*partition = table(200, "p1");
	parent_made(*partition, 100);
	(*partition)->table.bound = "FOR VALUES FROM (0) TO (9)";
	(*partition)->table.columns[0].local = false;
	(*partition)->table.columns[0].inherited = 1;
	return p;
}

static void
a_partition_is_attached_with_its_indexes(void **state UNUSED)
{
	Definition *p1;
	Definition *p = partitioned(&p1);

	index_made(p, 110, "i", "CREATE INDEX i ON ONLY public.p USING btree (id)");
	index_made(p1, 210, "i1", "CREATE INDEX i1 ON public.p1 USING btree (id)")
		->parent = 110;
	is(p);
	is(p1);
	says(DDL_CREATE, "CREATE TABLE \"public\".\"p\" (\"id\" integer NOT NULL) "
					 "PARTITION BY RANGE (id)");
	says(DDL_CREATE,
		 "CREATE TABLE \"public\".\"p1\" (\"id\" integer NOT NULL)");
	says(DDL_INDEX, "CREATE INDEX i ON ONLY public.p USING btree (id)");
	says(DDL_INDEX, "CREATE INDEX i1 ON public.p1 USING btree (id)");
	says(DDL_PARTITION, "ALTER TABLE \"public\".\"p\" ATTACH PARTITION "
						"\"public\".\"p1\" FOR VALUES FROM (0) TO (9)");
	says_no_more();
}

/* The server makes them again where the table's are, under names of its own. */
static void
indexes_of_partitions_are_those_of_the_table(void **state UNUSED)
{
	Definition *p1;
	Definition *p = partitioned(&p1);
	ColumnDefinition *k = column_made(p, 2, "k", TYPE_TEXT, "text");
	ColumnDefinition *k1 = column_made(p1, 2, "k", TYPE_TEXT, "text");
	IndexDefinition *i;
	IndexDefinition *i1;

	k1->local = false;
	k1->inherited = 1;
	i = index_made(p, 110, "i",
				   "CREATE INDEX i ON ONLY public.p USING btree (k)");
	i1 = index_made(p1, 210, "mine",
					"CREATE INDEX mine ON public.p1 USING btree (k)");
	i1->parent = 110;
	was(p);
	was(p1);
	k->type_oid = k1->type_oid = TYPE_UUID;
	k->type = k1->type = "uuid";
	i->oid = 111;
	i1->oid = 211;
	i1->parent = 111;
	i1->name = "p1_k_idx";
	i1->definition = "CREATE INDEX p1_k_idx ON public.p1 USING btree (k)";
	is(p);
	is(p1);
	says(DDL_RENAME, "ALTER INDEX \"public\".\"mine\" RENAME TO \"p1_k_idx\"");
	says(DDL_ALTER, "ALTER TABLE \"public\".\"p\" ALTER COLUMN \"k\" TYPE uuid "
					"USING \"k\"::text::uuid");
	says_no_more();
}

static void
a_partition_that_is_being_detached_is_detached(void **state UNUSED)
{
	Definition *p1;
	Definition *p = partitioned(&p1);

	stays(p);
	was(p1);
	p1->table.detaching = true;
	is(p1);
	says(DDL_PARTITION, "ALTER TABLE \"public\".\"p\" DETACH PARTITION "
						"\"public\".\"p1\"");
	says_no_more();
}

static void
children_follow_their_parent(void **state UNUSED)
{
	Definition *p1;
	Definition *p = partitioned(&p1);

	column_made(p, 2, "a", TYPE_TEXT, "text");
	column_made(p1, 2, "a", TYPE_TEXT, "text")->inherited = 1;
	p1->table.columns[1].local = false;
	was(p);
	was(p1);
	p->table.columns[1].name = "b";
	p1->table.columns[1].name = "b";
	column_made(p, 3, "c", TYPE_TEXT, "text");
	column_made(p1, 4, "c", TYPE_TEXT, "text")->inherited = 1;
	p1->table.columns[2].local = false;
	is(p);
	is(p1);
	says(DDL_RENAME,
		 "ALTER TABLE \"public\".\"p\" RENAME COLUMN \"a\" TO \"b\"");
	says(DDL_CREATE, "ALTER TABLE \"public\".\"p\" ADD COLUMN \"c\" text");
	says_no_more();
}

/* A selection of tables can have a child without its parent. */
static void
a_parent_that_is_not_known_is_left_alone(void **state UNUSED)
{
	Definition *child = table(200, "child");

	parent_made(child, 100);
	child->table.columns[0].inherited = 1;
	child->table.columns[0].local = false;
	was(child);
	child->table.columns[0].local = true;
	is(child);
	says_no_more();
}

static void
a_table_inherits_on_many_ways(void **state UNUSED)
{
	enum
	{
		LEVELS = 30
	};

	Definition *top = table(100, "a0");

	was(top);
	top->table.columns[0].not_null = false;
	is(top);
	top->table.columns[0].not_null = true;
	stays(table(101, "b0"));
	for (uint32_t level = 1; level < LEVELS; level++)
		for (uint32_t i = 0; i < 2; i++)
		{
			Definition *made = table(
				100 + 2 * level + i,
				arena_printf(arena, "%c%d", i == 0 ? 'a' : 'b', (int) level));

			parent_made(made, 98 + 2 * level);
			parent_made(made, 99 + 2 * level);
			made->table.columns[0].inherited = 2;
			stays(made);
		}
	hints.target_version_num = PG_18;
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"a0\" ALTER COLUMN \"id\" "
						 "DROP NOT NULL");
	says_no_more();
}

/* It would be dropped with its parent, and its rows with it. */
static void
a_table_that_stays_needs_its_parent(void **state UNUSED)
{
	Definition *child = table(200, "child");

	parent_made(child, 100);
	was(table(100, "p"));
	stays(child);
	refuses(
		"table \"public\".\"child\" inherits from \"public\".\"p\", which is "
		"not in the new schema");
}

/* ---- NOT NULL as a constraint ---- */

/* Of the column, which has it after. */
static ConstraintDefinition *
with_not_null(Definition *made, ColumnDefinition *column, const char *name,
			  const char *definition)
{
	ConstraintDefinition *constraint = constraint_made(
		made, made->oid + 50 + column->attnum, CONSTRAINT_NOT_NULL, name,
		definition);

	column->not_null = true;
	constraint->attnums.count = 1;
	constraint->attnums.oids = arena_calloc(arena, 1, sizeof(uint32_t));
	constraint->attnums.oids[0] = column->attnum;
	constraint->validated = strstr(definition, "NOT VALID") == NULL;
	constraint->local = true;
	return constraint;
}

/* Older targets know no name of it. */
static void
a_new_table_names_its_not_null_constraints(void **state UNUSED)
{
	Definition *t = table(100, "t");

	with_not_null(t, &t->table.columns[0], "t_id_not_null", "NOT NULL id");
	with_not_null(t, column_made(t, 2, "a", TYPE_INT4, "integer"), "other",
				  "NOT NULL a");
	with_not_null(t, column_made(t, 3, "b", TYPE_INT4, "integer"),
				  "t_b_not_null", "NOT NULL b NO INHERIT");
	hints.target_version_num = PG_18;
	is(t);
	says(DDL_CREATE, "CREATE TABLE \"public\".\"t\" (\"id\" integer NOT NULL, "
					 "\"a\" integer CONSTRAINT \"other\" NOT NULL, \"b\" "
					 "integer CONSTRAINT \"t_b_not_null\" NOT NULL NO "
					 "INHERIT)");
	says_no_more();
}

static void
an_older_target_knows_no_not_null_constraints(void **state UNUSED)
{
	Definition *t = table(100, "t");

	with_not_null(t, &t->table.columns[0], "other", "NOT NULL id");
	is(t);
	says(DDL_CREATE, "CREATE TABLE \"public\".\"t\" (\"id\" integer NOT NULL)");
	says_no_more();
}

static void
a_not_null_constraint_is_added_and_validated(void **state UNUSED)
{
	Definition *t = table(100, "t");
	ColumnDefinition *a = column_made(t, 2, "a", TYPE_INT4, "integer");
	ConstraintDefinition *constraint;

	hints.target_version_num = PG_18;
	was(t);
	constraint = with_not_null(t, a, "t_a_not_null", "NOT NULL a NOT VALID");
	is(t);
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"t\" ADD CONSTRAINT "
						 "\"t_a_not_null\" NOT NULL \"a\" NOT VALID");
	says_no_more();

	plan = NULL;
	said = 0;
	was(t);
	constraint->validated = true;
	constraint->definition = "NOT NULL a";
	is(t);
	says(DDL_CONSTRAINT, "ALTER TABLE \"public\".\"t\" VALIDATE CONSTRAINT "
						 "\"t_a_not_null\"");
	says_no_more();
}

/* A child has it from its parent, and may have it of its own as well. */
static void
a_child_says_the_not_null_that_is_its_own(void **state UNUSED)
{
	Definition *parent = table(100, "parent");
	Definition *child = table(200, "child");
	Definition *heir = table(300, "heir");
	Definition *merged = table(400, "merged");
	uint32_t parents[] = {100};

	hints.target_version_num = PG_18;
	with_not_null(parent, &parent->table.columns[0], "parent_id_not_null",
				  "NOT NULL id");
	stays(parent);
	for (int i = 0; i < 2; i++)
	{
		Definition *made = i == 0 ? child : heir;
		ColumnDefinition *id = &made->table.columns[0];

		id->local = false;
		id->inherited = 1;
		with_not_null(made, id, i == 0 ? "parent_id_not_null" : "own",
					  "NOT NULL id")
			->local = i == 1;
		made->table.parents = (OidList){.count = 1, .oids = parents};
		is(made);
	}
	with_not_null(merged, &merged->table.columns[0], "parent_id_not_null",
				  "NOT NULL id")
		->local = false;
	merged->table.columns[0].inherited = 1;
	merged->table.parents = (OidList){.count = 1, .oids = parents};
	is(merged);
	says(DDL_CREATE, "CREATE TABLE \"public\".\"child\" () INHERITS "
					 "(\"public\".\"parent\")");
	says(DDL_CREATE, "CREATE TABLE \"public\".\"heir\" (CONSTRAINT \"own\" "
					 "NOT NULL \"id\") INHERITS (\"public\".\"parent\")");
	says(DDL_CREATE, "CREATE TABLE \"public\".\"merged\" (\"id\" integer) "
					 "INHERITS (\"public\".\"parent\")");
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
	refuses("the target's version does not support virtual generated columns, "
			"which \"a\" of "
			"table \"public\".\"t\" has");
	hints.target_version_num = PG_18;
	says(DDL_CREATE, "ALTER TABLE \"public\".\"t\" ADD COLUMN \"a\" integer "
					 "GENERATED ALWAYS AS ((id + 1)) VIRTUAL");
	says_no_more();
}

static void
clauses_of_constraints_are_refused(void **state UNUSED)
{
	static const struct
	{
		ConstraintKind kind;
		const char *definition;
		const char *clause;
	} cases[] = {
		{CONSTRAINT_CHECK, "CHECK ((id > 0)) NOT ENFORCED", "NOT ENFORCED"},
		{CONSTRAINT_PRIMARY_KEY, "PRIMARY KEY (id, a WITHOUT OVERLAPS)",
		 "WITHOUT OVERLAPS"},
		{CONSTRAINT_FOREIGN_KEY,
		 "FOREIGN KEY (id, PERIOD a) REFERENCES public.o(id, PERIOD a)",
		 "PERIOD"},
		{CONSTRAINT_FOREIGN_KEY,
		 "FOREIGN KEY (id) REFERENCES public.o(id) ON DELETE SET NULL (id)",
		 "ON DELETE SET NULL (column)"},
		{CONSTRAINT_NOT_NULL, "NOT NULL id NO INHERIT", "NOT NULL NO INHERIT"},
		{CONSTRAINT_NOT_NULL, "NOT NULL id NOT VALID", "NOT NULL NOT VALID"}};

	hints.target_version_num = 140000;
	for (size_t i = 0; i < LENGTH_OF(cases); i++)
	{
		Definition *t = table(100, "t");
		char expected[128];

		was(t);
		constraint_made(t, 300, cases[i].kind, "c", cases[i].definition);
		is(t);
		snprintf(
			expected, sizeof(expected),
			"the target's version does not support %s, which \"c\" of table "
			"\"public\".\"t\" has",
			cases[i].clause);
		refuses(expected);
	}
}

/* It came there by hand, and is no reason to stop. */
static void
a_clause_that_was_there_is_no_change(void **state UNUSED)
{
	Definition *t = table(100, "t");

	constraint_made(t, 300, CONSTRAINT_CHECK, "c",
					"CHECK ((id > 0)) NOT ENFORCED");
	was(t);
	column_made(t, 2, "a", TYPE_INT4, "integer");
	is(t);
	says(DDL_CREATE, "ALTER TABLE \"public\".\"t\" ADD COLUMN \"a\" integer");
	says_no_more();
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* Rules of policies are for them. */
static void
each_kind_is_a_word_of_policies(void **state)
{
	(void) state;
	for (int kind = 0; kind <= DDL_TYPE; kind++)
		assert_string_equal(ddl_kind_name((DdlKind) kind),
							policy_schema_kinds[kind]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_said_of_what_is_the_same),
		TEST(a_table_is_created_with_what_belongs_to_it),
		TEST(a_table_is_dropped_after_those_that_refer_to_it),
		TEST(tables_that_refer_to_each_other_are_dropped),
		TEST(later_tables_are_dropped_first),
		TEST(partitions_are_dropped_with_their_table),
		TEST(a_partition_is_dropped_once),
		TEST(tables_exchange_their_names),
		TEST(a_table_takes_the_place_of_one_that_is_dropped),
		TEST(a_column_is_added_dropped_and_renamed),
		TEST(columns_exchange_their_names),
		TEST(rows_get_the_value_that_they_have_on_the_source),
		TEST(a_constant_default_is_said_once),
		TEST(a_default_can_be_long),
		TEST(constraints_come_and_go),
		TEST(what_was_made_again_is_the_same),
		TEST(an_index_can_be_built_later),
		TEST(options_of_an_index_are_those_of_its_key),
		TEST(an_index_is_taken_for_a_key),
		TEST(an_index_is_renamed_though_its_constraint_is_not_known),
		TEST(a_table_whose_rows_come_anew_is_emptied),
		TEST(a_table_without_rows_is_emptied),
		TEST(a_table_keeps_rows_that_fit),
		TEST(a_table_that_is_referred_to_keeps_its_rows),
		TEST(schemas_exchange_their_names_with_all_that_is_in_them),
		TEST(a_table_avoids_what_has_its_name_where_it_goes),
		TEST(labels_are_added_first_and_renamed_by_their_oids),
		TEST(a_label_that_is_gone_is_refused),
		TEST(an_identity_gets_another_sequence),
		TEST(a_partition_is_attached_with_its_indexes),
		TEST(indexes_of_partitions_are_those_of_the_table),
		TEST(a_partition_that_is_being_detached_is_detached),
		TEST(children_follow_their_parent),
		TEST(a_parent_that_is_not_known_is_left_alone),
		TEST(a_table_that_stays_needs_its_parent),
		TEST(a_table_inherits_on_many_ways),
		TEST(a_new_table_names_its_not_null_constraints),
		TEST(an_older_target_knows_no_not_null_constraints),
		TEST(a_not_null_constraint_is_added_and_validated),
		TEST(a_child_says_the_not_null_that_is_its_own),
		TEST(a_clause_that_the_target_does_not_know_is_refused),
		TEST(clauses_of_constraints_are_refused),
		TEST(a_clause_that_was_there_is_no_change),
		TEST(each_kind_is_a_word_of_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
