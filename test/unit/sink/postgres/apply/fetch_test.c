/*
 * fetch_test.c
 *    Values of rows that move to another node: where they are read, and what
 *    happens when the target does not have them, refuses or is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/pgconn_open.h"
#include "sink/postgres/apply/applier.h"
#include "support/libpq_script.h"
#include "support/memory_sink.h"
#include "support/rows.h"

#define FETCHES   2
#define MOVES_MAX 1000

/* Up to here the target has applied. */
#define START_LSN ((Lsn) 0x1000)

/* The rows of columns_sql in table_lookup.c, for a table (id int4, v text). */
#define COLUMN_SQL(name, type, array, text_like, key, uniques)                 \
	name "|" type "|" type "|f|f|" type "|" array "|,|" text_like              \
		 "|b(|)|b(|)|out|" array "|OPERATOR(pg_catalog.=)|\\N|\\N|t|" key      \
		 "|f|9000|9001|" uniques "|1|t|f|f|t|77|16384|16384\n"
#define TABLE_ROWS                                                             \
	COLUMN_SQL("id", "23", "1007", "f", "t", "1")                              \
	COLUMN_SQL("v", "25", "1009", "t", "f", "0")

static const LibpqStep anytime[] = {
	{.sql = "SET LOCAL statement_timeout = 0;",
	 .answer = LIBPQ_ROWS,
	 .rows = "1000\n"},
	{.sql = "SET datestyle", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "search_path"},
	{.sql = "PREPARE"},
	{0}};

#define LOOK_UP                                                                \
	{                                                                          \
		.sql = "WITH the_table", .answer = LIBPQ_ROWS, .rows = TABLE_ROWS      \
	}
#define CHECK_TABLES                                                           \
	{                                                                          \
		.sql = "has changed", .answer = LIBPQ_ROWS, .rows = "\\N\n"            \
	}
#define READ_ROW(text)                                                         \
	{                                                                          \
		.sql = "FROM ONLY \"public\".\"rows\" AS t WHERE",                     \
		.answer = LIBPQ_ROWS, .rows = text, .columns = 1                       \
	}
#define READ_KEPT(text)                                                        \
	{                                                                          \
		.sql = "penstock.moved", .answer = LIBPQ_ROWS, .rows = text,           \
		.columns = 2                                                           \
	}

typedef struct Bench
{
	MemorySink sink;
	Target target;
	Applier applier;
	Relation *relation;
	Frame *frame;
	Arena *arena;
	Value rows[FETCHES][2];
	SinkFetch fetches[FETCHES];
	Error err;
} Bench;

static char label[] = "target \"a\"";
static char pipeline[] = "shop";

/* The rows with the keys 1 and 2, whose v is to be fetched. */
static void
init_fetch(Bench *bench, int number, Lsn end_lsn)
{
	bench->rows[number][0] = (Value){.kind = VALUE_INTEGER,
									 .integer = number + 1};
	bench->rows[number][1] = (Value){.kind = VALUE_UNCHANGED};
	bench->fetches[number] = (SinkFetch){
		.txn = {.xid = 700, .commit_lsn = end_lsn - 8, .end_lsn = end_lsn},
		.pipeline = pipeline,
		.number = number + 1,
		.removal = rows_add(bench->frame, bench->relation, CHANGE_DELETE,
							number + 1),
		.row = bench->rows[number],
		.arena = bench->arena,
		.next = number + 1 < FETCHES ? &bench->fetches[number + 1] : NULL};
}

static void
setup(Bench *bench, const LibpqStep *steps, Lsn end_lsn)
{
	static const PgConnOptions options = {.conninfo = "host=/script",
										  .label = label,
										  .application_name = "test",
										  .kind = PGCONN_DATA};
	PgConn *conn = NULL;

	*bench = (Bench){.relation = rows_relation(),
					 .frame = rows_frame(),
					 .arena = arena_new(KB)};
	libpq_script_begin(steps);
	libpq_script_always(anytime);
	memory_sink_init(&bench->sink, START_LSN);
	bench->target = (Target){.report = &bench->sink.report,
							 .orders = &bench->sink.sink.orders,
							 .label = label,
							 .pipeline = pipeline,
							 .independent_tables = true,
							 .relations_max = 1000,
							 .noted_lsn = START_LSN};
	if (pgconn_open(&conn, &options, &bench->err) != RC_OK)
		fail_msg("%s", bench->err.message);
	applier_init(&bench->applier, &bench->target, conn);
	for (int i = 0; i < FETCHES; i++)
		init_fetch(bench, i, end_lsn);
}

static void
teardown(Bench *bench)
{
	error_reset(&bench->err);
	applier_release(&bench->applier);
	frame_unref(bench->frame);
	relation_unref(bench->relation);
	arena_free(bench->arena);
	sink_free(&bench->sink.sink);
	libpq_script_end();
}

static Rc
fetch(Bench *bench)
{
	Rc rc = applier_start_fetch(&bench->applier, bench->fetches, &bench->err);

	for (int i = 0; rc != RC_FAIL; i++)
	{
		if (bench->applier.state == APPLIER_IDLE)
			return RC_OK;
		rc = applier_work(&bench->applier, &bench->err);
		assert_in_range(i, 0, MOVES_MAX);
	}
	return rc;
}

static void
assert_fetched(const Bench *bench, int number, const char *text)
{
	const Value *value = &bench->rows[number][1];

	assert_true(bench->fetches[number].done);
	assert_null(bench->fetches[number].next);
	if (text == NULL)
	{
		assert_int_equal(value->kind, VALUE_NULL);
		return;
	}
	assert_int_equal(value->kind, VALUE_TEXT);
	assert_int_equal(value->length, strlen(text));
	assert_memory_equal(value->bytes, text, strlen(text));
}

static void
assert_none_is_done(const Bench *bench)
{
	for (int i = 0; i < FETCHES; i++)
		assert_false(bench->fetches[i].done);
}

/* ---- what is read ------------------------------------------------------- */

static const LibpqStep from_rows[] = {
	LOOK_UP, READ_ROW("first\n"), READ_ROW("\\N\n"), CHECK_TABLES, {0}};

static const LibpqStep from_kept[] = {LOOK_UP,
									  READ_KEPT("v|kept\nid|7\n"),
									  READ_KEPT("v|\\N\n"),
									  CHECK_TABLES,
									  {0}};

static void
rows_are_read_while_they_exist(void **state UNUSED)
{
	Bench bench;

	setup(&bench, from_rows, START_LSN + 1);
	assert_int_equal(fetch(&bench), RC_OK);
	assert_fetched(&bench, 0, "first");
	assert_fetched(&bench, 1, NULL);
	teardown(&bench);
}

/* Only what was not known is taken, though more is kept. */
static void
rows_that_are_gone_are_read_where_they_are_kept(void **state UNUSED)
{
	Bench bench;

	setup(&bench, from_kept, START_LSN);
	assert_int_equal(fetch(&bench), RC_OK);
	assert_fetched(&bench, 0, "kept");
	assert_fetched(&bench, 1, NULL);
	assert_int_equal(bench.rows[0][0].integer, 1);
	teardown(&bench);
}

/* ---- what fails --------------------------------------------------------- */

static void
a_row_does_not_exist(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		LOOK_UP, READ_ROW("first\n"), READ_ROW(NULL), CHECK_TABLES, {0}};
	static const LibpqStep kept[] = {
		LOOK_UP, READ_KEPT(NULL), READ_KEPT(NULL), CHECK_TABLES, {0}};
	Bench bench;

	setup(&bench, steps, START_LSN + 1);
	assert_int_equal(fetch(&bench), RC_FAIL);
	assert_int_equal(bench.err.code, ERR_CONFLICT);
	assert_non_null(strstr(bench.err.context, "id\" = 2"));
	assert_none_is_done(&bench);
	teardown(&bench);

	setup(&bench, kept, START_LSN);
	assert_int_equal(fetch(&bench), RC_FAIL);
	assert_int_equal(bench.err.code, ERR_CONFLICT);
	assert_non_null(strstr(bench.err.detail, "penstock.moved"));
	assert_non_null(strstr(bench.err.context, "id\" = 1"));
	assert_none_is_done(&bench);
	teardown(&bench);
}

/* What may be of another shape by now is not to be relied on. */
static void
a_table_was_altered_meanwhile(void **state UNUSED)
{
	static const LibpqStep steps[] = {LOOK_UP,
									  READ_ROW("first\n"),
									  READ_ROW("second\n"),
									  {.sql = "has changed",
									   .answer = LIBPQ_ERROR,
									   .sqlstate = "22P02",
									   .message = "a table has changed"},
									  {0}};
	Bench bench;

	setup(&bench, steps, START_LSN + 1);
	assert_int_equal(fetch(&bench), RC_FAIL);
	assert_int_equal(bench.err.code, ERR_CHANGED);
	assert_none_is_done(&bench);
	teardown(&bench);
}

static void
fail_at_each(const LibpqStep *steps, Lsn end_lsn)
{
	static const LibpqAnswer answers[] = {LIBPQ_ERROR, LIBPQ_LOST};
	static const LibpqStep none[] = {{0}};
	Bench bench;
	int connecting;
	int count;

	setup(&bench, steps, end_lsn);
	connecting = libpq_script_statements();
	assert_int_equal(fetch(&bench), RC_OK);
	count = libpq_script_statements() - connecting;
	teardown(&bench);
	for (int n = 1; n <= count; n++)
		for (size_t i = 0; i < LENGTH_OF(answers); i++)
		{
			setup(&bench, steps, end_lsn);
			libpq_script_fail_at(connecting + n, answers[i], "57014");
			if (fetch(&bench) != RC_FAIL)
				fail_msg("statement %d of %d fails, and nothing is said", n,
						 count);
			assert_int_not_equal(bench.err.code, ERR_NONE);
			if (answers[i] == LIBPQ_LOST)
				assert_int_equal(bench.err.code, ERR_CONNECT);
			assert_none_is_done(&bench);
			libpq_script_steps(none);
			teardown(&bench);
		}
}

static void
any_statement_fails(void **state UNUSED)
{
	fail_at_each(from_rows, START_LSN + 1);
	fail_at_each(from_kept, START_LSN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_while_they_exist),
		cmocka_unit_test(rows_that_are_gone_are_read_where_they_are_kept),
		cmocka_unit_test(a_row_does_not_exist),
		cmocka_unit_test(a_table_was_altered_meanwhile),
		cmocka_unit_test(any_statement_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
