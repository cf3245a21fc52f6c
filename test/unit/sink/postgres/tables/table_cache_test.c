/*
 * table_cache_test.c
 *    Looking up, refreshing and forgetting target tables, with failures of the
 *    target.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/pgconn_open.h"
#include "sink/postgres/tables/table_cache.h"
#include "support/libpq_script.h"
#include "support/model_target.h"
#include "support/rows.h"

#define LSN_FIRST 0x1000

typedef struct Bench
{
	PgConn *conn;
	TableCache *cache;
	Relation *relation;
	int connecting; /* statements */
} Bench;

static void
setup(Bench *bench)
{
	static const PgConnOptions options = {.conninfo = "host=/model",
										  .label = "target \"a\"",
										  .application_name = "test",
										  .kind = PGCONN_DATA};
	Error err = {0};

	*bench = (Bench){.cache = table_cache_new(NULL),
					 .relation = rows_relation()};
	model_target_begin(LSN_FIRST);
	if (pgconn_open(&bench->conn, &options, &err) != RC_OK)
		fail_msg("%s", err.message);
	bench->connecting = libpq_script_statements();
}

static void
teardown(Bench *bench)
{
	table_cache_free(bench->cache);
	relation_unref(bench->relation);
	pgconn_close(bench->conn);
	libpq_script_end();
}

static const TargetTable *
open_table(Bench *bench)
{
	Error err = {0};

	table_cache_begin(bench->cache);
	if (table_cache_open(bench->cache, bench->conn, bench->relation, &err) !=
		RC_OK)
		fail_msg("%s", err.message);
	return table_cache_get(bench->cache, bench->relation);
}

static void
test_a_table_is_looked_up_once(void **state UNUSED)
{
	Bench bench;
	const TargetTable *table;
	int statements;

	setup(&bench);
	table = open_table(&bench);
	statements = libpq_script_statements();
	assert_ptr_equal(open_table(&bench), table);
	assert_int_equal(libpq_script_statements(), statements);
	assert_int_equal(table_cache_all(bench.cache).count, 1);
	teardown(&bench);
}

static void
test_a_table_that_was_altered_is_looked_up_again(void **state UNUSED)
{
	Bench bench;
	Error err = {0};
	uint32_t serial;
	bool changed;

	setup(&bench);
	serial = open_table(&bench)->serial;
	assert_int_equal(
		table_cache_refresh(bench.cache, bench.conn, &changed, &err), RC_OK);
	assert_false(changed);
	assert_int_equal(open_table(&bench)->serial, serial);
	model_target_alter_at(1);
	assert_int_equal(
		table_cache_refresh(bench.cache, bench.conn, &changed, &err), RC_OK);
	assert_true(changed);
	assert_int_not_equal(open_table(&bench)->serial, serial);
	teardown(&bench);
}

static void
test_a_table_that_was_forgotten_is_looked_up_again(void **state UNUSED)
{
	Bench bench;
	uint32_t serial;

	setup(&bench);
	serial = open_table(&bench)->serial;
	table_cache_forget(bench.cache, "public", "others");
	assert_int_equal(open_table(&bench)->serial, serial);
	table_cache_forget(bench.cache, "public", "rows");
	assert_int_equal(table_cache_all(bench.cache).count, 0);
	assert_int_not_equal(open_table(&bench)->serial, serial);
	serial = open_table(&bench)->serial;
	table_cache_forget(bench.cache, NULL, NULL);
	assert_int_equal(table_cache_all(bench.cache).count, 0);
	assert_int_not_equal(open_table(&bench)->serial, serial);
	teardown(&bench);
}

/* What could not be looked up is not there, and can be looked up later. */
static void
test_a_target_fails_when_it_is_asked(void **state UNUSED)
{
	static const LibpqAnswer answers[] = {LIBPQ_ERROR, LIBPQ_LOST,
										  LIBPQ_LOST_AFTER};
	Bench bench;
	int statements;

	setup(&bench);
	(void) open_table(&bench);
	statements = libpq_script_statements() - bench.connecting;
	teardown(&bench);
	for (int n = 1; n <= statements; n++)
		for (size_t i = 0; i < LENGTH_OF(answers); i++)
		{
			Error err = {0};

			setup(&bench);
			libpq_script_fail_at(bench.connecting + n, answers[i], "57014");
			table_cache_begin(bench.cache);
			assert_int_equal(
				table_cache_open(bench.cache, bench.conn, bench.relation, &err),
				RC_FAIL);
			assert_int_equal(err.code,
							 answers[i] == LIBPQ_ERROR ? ERR_SQL : ERR_CONNECT);
			assert_int_equal(table_cache_all(bench.cache).count, 0);
			error_reset(&err);
			if (answers[i] == LIBPQ_ERROR)
				(void) open_table(&bench);
			teardown(&bench);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_table_is_looked_up_once),
		cmocka_unit_test(test_a_table_that_was_altered_is_looked_up_again),
		cmocka_unit_test(test_a_table_that_was_forgotten_is_looked_up_again),
		cmocka_unit_test(test_a_target_fails_when_it_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
