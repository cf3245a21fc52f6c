/*
 * placed_test.c
 *    What is wrong with the placement of tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/placed.h"
#include "net/pgconn_open.h"
#include "support/libpq_script.h"

/* More than there is room for. */
#define TABLES 1002

static const PgConnOptions options = {.conninfo = "host=/script",
									  .label = "source",
									  .application_name = "test",
									  .kind = PGCONN_DATA};

static CopyColumn id = {.name = "id", .type_oid = 23, .type = "integer"};
static CopyTable tables[TABLES];

/* A table for each row: all updates of them are slow, and the last one does
 * not have the column in its replica identity. */
static const char *
answer(Arena *arena)
{
	Buf rows;
	const char *made;

	buf_init(&rows, BUF_TEXT_MAX);
	for (int i = 0; i < TABLES; i++)
		buf_printf(&rows, "%d|id|1|0|hash|%s|t|f\n", i,
				   i < TABLES - 1 ? "t" : "f");
	made = arena_strdup(arena, rows.data);
	buf_release(&rows);
	return made;
}

static void
an_error_is_not_hidden_by_warnings(void **state UNUSED)
{
	Arena *arena = arena_new(KB);
	const LibpqStep steps[] = {
		{.sql = "WITH wanted", .answer = LIBPQ_ROWS, .rows = answer(arena)},
		{0}};
	CopyCatalog catalog = {.publications = {.publishes_keys = true},
						   .table_count = TABLES,
						   .tables = tables};
	Placement *placement = placement_new(arena);
	Placed *placed = NULL;
	PgConn *conn = NULL;
	Error err = {0};

	for (int i = 0; i < TABLES; i++)
		tables[i] = (CopyTable){
			.oid = (uint32_t) i + 1,
			.schema = "public",
			.name = arena_printf(arena, "t%d", i),
			.qualified = arena_printf(arena, "\"public\".\"t%d\"", i),
			.has_identity = true,
			.column_count = 1,
			.columns = &id};
	assert_int_equal(placement_add(placement, "*", "hash(id)", 1, &err), RC_OK);
	libpq_script_begin(steps);
	libpq_script_always(libpq_script_connecting);
	assert_int_equal(pgconn_open(&conn, &options, &err), RC_OK);
	assert_int_equal(placed_read(&placed, &catalog, placement, conn, &err),
					 RC_OK);
	assert_int_equal(placed_require_good(placed, &err), RC_FAIL);
	assert_string_equal(err.message,
						"column \"id\", by which table \"public\".\"t1001\" is "
						"placed, is not in its replica identity: where an "
						"updated or deleted row was cannot be told");
	error_reset(&err);
	placed_free(placed);
	pgconn_close(conn);
	libpq_script_end();
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_not_hidden_by_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
