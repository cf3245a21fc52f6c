/*
 * uncopied_test.c
 *    Which changes to tables that were not copied are ignored, and the error
 *    for a table that stays; also if the target cannot be asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/pgconn_open.h"
#include "sink/postgres/uncopied.h"
#include "support/frames.h"
#include "support/libpq_script.h"

#define XID 700


/* Whether newer tables may come; then tables of the pipeline and of the target:
 * schema, name, OID on the source, copied, present, OID on the target. */
#define LIST(newer, ...) "||0|" newer "|f|9100\n" __VA_ARGS__
#define ITEM             "public|item|5|t|f|50\n"
#define ITEM_PRESENT     "public|item|0|t|t|50\n"

typedef struct Bench
{
	PgConn *conn;
	TableStates *states;
	UncopiedTables *uncopied;
	Relation *relation;
	Error err;
} Bench;

static const TxnInfo txn = {.xid = XID, .commit_lsn = 0x1000};

/* The list is read from the target; `answers` come to what is asked afterwards.
 */
static void
setup(Bench *bench, const char *list, const LibpqStep *answers)
{
	static const PgConnOptions options = {.conninfo = "host=/script",
										  .label = "target \"a\"",
										  .application_name = "test",
										  .kind = PGCONN_DATA};
	const LibpqStep reading[] = {
		{.sql = "to_regclass('penstock.copied')",
		 .answer = LIBPQ_ROWS,
		 .rows = "t|t|\\N|us\n"},
		{.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "4\n"},
		{.sql = "FROM penstock.copied", .answer = LIBPQ_ROWS, .rows = list},
		{.sql = "to_regclass('penstock.table_state')",
		 .answer = LIBPQ_ROWS,
		 .rows = "t|t|\\N|us\n"},
		{.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "4\n"},
		{.sql = "FROM penstock.table_state",
		 .answer = LIBPQ_ROWS,
		 .columns = 4},
		{0}};
	CopiedTables *copied = NULL;

	*bench = (Bench){.relation = relation_new(0)};
	bench->relation->schema = "public";
	bench->relation->name = "article";
	bench->relation->oid = 5;
	libpq_script_begin(reading);
	libpq_script_always(libpq_script_connecting);
	if (pgconn_open(&bench->conn, &options, &bench->err) != RC_OK ||
		copied_tables_read(&copied, bench->conn, "shop", &bench->err) !=
			RC_OK ||
		table_states_read(&bench->states, bench->conn, "shop", &bench->err) !=
			RC_OK)
		fail_msg("%s", bench->err.message);
	assert_non_null(copied);
	bench->uncopied = uncopied_new(copied, bench->states);
	libpq_script_steps(answers);
}

static void
teardown(Bench *bench)
{
	error_reset(&bench->err);
	uncopied_free(bench->uncopied);
	table_states_free(bench->states);
	relation_unref(bench->relation);
	pgconn_close(bench->conn);
	libpq_script_end();
}

static void
refuse(Bench *bench, ErrorCode code)
{
	assert_int_equal(uncopied_refuse(bench->uncopied, bench->conn,
									 bench->relation, &txn, false, &bench->err),
					 RC_FAIL);
	assert_int_equal(bench->err.code, code);
}

static const LibpqStep no_steps[] = {{0}};

#define PRESENT(name, oid)                                                     \
	{                                                                          \
		.sql = "to_regclass($1)::oid", .answer = LIBPQ_ROWS, .rows = oid "\n"  \
	}

/* ---- what is said ------------------------------------------------------- */

static void
a_table_that_was_not_copied(void **state UNUSED)
{
	Bench bench;

	setup(&bench, LIST("f"), no_steps);
	refuse(&bench, ERR_CONFIG);
	assert_string_equal(
		bench.err.message,
		"table \"public\".\"article\" was not copied to target \"a\"");
	assert_non_null(strstr(bench.err.hint, "table add"));
	assert_non_null(strstr(bench.err.detail, "Transaction 700"));
	assert_non_null(strstr(bench.err.detail, "published since"));
	teardown(&bench);
}

static void
a_table_that_is_newer(void **state UNUSED)
{
	static const LibpqStep missing[] = {PRESENT("article", "0"), {0}};
	static const LibpqStep there[] = {PRESENT("article", "77"), {0}};
	Bench bench;

	setup(&bench, LIST("t"), missing);
	refuse(&bench, ERR_CONFIG);
	assert_string_equal(libpq_script_param(0), "\"public\".\"article\"");
	assert_non_null(strstr(bench.err.detail, "made since"));
	teardown(&bench);

	/* It may be followed from now on. */
	setup(&bench, LIST("t"), there);
	refuse(&bench, ERR_CHANGED);
	teardown(&bench);
}

static void
a_table_that_was_renamed(void **state UNUSED)
{
	static const LibpqStep old_name[] = {
		PRESENT("article", "0"), PRESENT("item", "50"), {0}};
	static const LibpqStep no_name[] = {
		PRESENT("article", "0"), PRESENT("item", "0"), {0}};
	static const LibpqStep new_name[] = {PRESENT("article", "50"), {0}};
	Bench bench;

	setup(&bench, LIST("f", ITEM ITEM_PRESENT), old_name);
	refuse(&bench, ERR_CONFIG);
	assert_non_null(strstr(bench.err.message, "\"public\".\"item\" was renam"));
	assert_non_null(strstr(bench.err.hint, "Run on the target: ALTER TABLE "
										   "\"public\".\"item\" RENAME TO "
										   "\"article\""));
	assert_non_null(strstr(bench.err.detail, "another name there"));
	teardown(&bench);

	setup(&bench, LIST("f", ITEM ITEM_PRESENT), no_name);
	bench.relation->schema = "shop";
	bench.relation->name = "item";
	refuse(&bench, ERR_CONFIG);
	assert_non_null(strstr(bench.err.hint,
						   "Rename it there as well, as with: ALTER "
						   "TABLE \"public\".\"item\" SET "
						   "SCHEMA \"shop\""));
	teardown(&bench);

	setup(&bench, LIST("f", ITEM ITEM_PRESENT), new_name);
	refuse(&bench, ERR_CHANGED);
	teardown(&bench);
}

/* The target has the new name for another table. */
static void
a_table_whose_name_is_taken(void **state UNUSED)
{
	static const LibpqStep steps[] = {PRESENT("article", "60"), {0}};
	Bench bench;

	setup(&bench, LIST("f", ITEM ITEM_PRESENT "public|article|0|t|t|60\n"),
		  steps);
	refuse(&bench, ERR_CONFIG);
	assert_non_null(strstr(bench.err.message, "\"public\".\"item\" was renam"));
	assert_non_null(strstr(bench.err.hint, "another table"));
	teardown(&bench);
}

/* A failure is said as such, and not as one of the table's. */
static void
the_target_cannot_be_asked(void **state UNUSED)
{
	static const LibpqAnswer answers[] = {LIBPQ_ERROR, LIBPQ_LOST};
	static const ErrorCode codes[] = {ERR_SQL, ERR_CONNECT};
	static const LibpqStep steps[] = {
		PRESENT("article", "0"), PRESENT("item", "50"), {0}};

	for (int n = 1; n <= 2; n++)
		for (size_t i = 0; i < LENGTH_OF(answers); i++)
		{
			Bench bench;

			setup(&bench, LIST("f", ITEM ITEM_PRESENT), steps);
			libpq_script_fail_at(libpq_script_statements() + n, answers[i],
								 "XX000");
			refuse(&bench, codes[i]);
			assert_null(bench.err.detail);
			assert_null(bench.err.hint);
			libpq_script_steps(no_steps);
			teardown(&bench);
		}
}

/* ---- what is left out --------------------------------------------------- */

/* Whether a change to the table in a subtransaction is applied. */
static bool
is_applied(Bench *bench, uint32_t subxid)
{
	Change change = {
		.kind = CHANGE_INSERT, .relation = bench->relation, .subxid = subxid};
	Frame *frame = frames_of(&change);
	const Change *selected = uncopied_select(
		bench->uncopied, frame, frame->changes, XID, txn.commit_lsn);
	bool applied = selected == frame->changes;

	assert_true(applied || selected == NULL);
	frame_unref(frame);
	return applied;
}

static void
a_change_is_left_out_until_its_commit(void **state UNUSED)
{
	Bench bench;

	setup(&bench, LIST("f", ITEM), no_steps);
	bench.relation->name = "item";
	assert_true(is_applied(&bench, 0));
	assert_null(uncopied_commit(bench.uncopied, XID));
	teardown(&bench);

	setup(&bench, LIST("f"), no_steps);
	assert_false(is_applied(&bench, 0));
	assert_null(uncopied_commit(bench.uncopied, XID + 1));
	assert_ptr_equal(uncopied_commit(bench.uncopied, XID), bench.relation);
	assert_null(uncopied_commit(bench.uncopied, XID));
	teardown(&bench);
}

static void
nobody_misses_what_is_dropped_or_rolled_back(void **state UNUSED)
{
	Bench bench;

	setup(&bench, LIST("f"), no_steps);
	assert_false(is_applied(&bench, 0));
	bench.relation->gone = true;
	assert_null(uncopied_commit(bench.uncopied, XID));
	bench.relation->gone = false;
	assert_false(is_applied(&bench, 5));
	uncopied_abort(bench.uncopied, XID, 5);
	assert_null(uncopied_commit(bench.uncopied, XID));
	assert_false(is_applied(&bench, 5));
	assert_false(is_applied(&bench, 6));
	uncopied_abort(bench.uncopied, XID, 5);
	assert_ptr_equal(uncopied_commit(bench.uncopied, XID), bench.relation);
	assert_false(is_applied(&bench, 0));
	uncopied_abort(bench.uncopied, XID, 0);
	assert_null(uncopied_commit(bench.uncopied, XID));
	teardown(&bench);
}

static void
a_truncate_is_looked_at_table_by_table(void **state UNUSED)
{
	Relation *item = relation_new(0);
	Relation *relations[2];
	TruncateInfo all = {.relation_count = 2, .relations = relations};
	Change change = {.kind = CHANGE_TRUNCATE, .truncate = &all};
	const Change *selected;
	Frame *frame;
	Bench bench;

	setup(&bench, LIST("f", ITEM), no_steps);
	item->schema = "public";
	item->name = "item";
	item->oid = 5;
	item->number = 1;
	bench.relation->oid = 6;
	relations[0] = bench.relation;
	relations[1] = item;
	frame = frames_of(&change);
	selected = uncopied_select(bench.uncopied, frame, frame->changes, XID,
							   txn.commit_lsn);
	assert_non_null(selected);
	assert_int_equal(selected->truncate->relation_count, 1);
	assert_ptr_equal(selected->truncate->relations[0], item);
	assert_ptr_equal(uncopied_commit(bench.uncopied, XID), bench.relation);
	frame_unref(frame);
	teardown(&bench);
	relation_unref(item);
}

static void
without_a_list_all_is_applied(void **state UNUSED)
{
	Change change = {.kind = CHANGE_INSERT};
	Frame *frame = frames_of(&change);
	UncopiedTables *uncopied = uncopied_new(NULL, NULL);

	assert_ptr_equal(
		uncopied_select(uncopied, frame, frame->changes, XID, txn.commit_lsn),
		frame->changes);
	assert_null(uncopied_commit(uncopied, XID));
	uncopied_free(uncopied);
	frame_unref(frame);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_that_was_not_copied),
		cmocka_unit_test(a_table_that_is_newer),
		cmocka_unit_test(a_table_that_was_renamed),
		cmocka_unit_test(a_table_whose_name_is_taken),
		cmocka_unit_test(the_target_cannot_be_asked),
		cmocka_unit_test(a_change_is_left_out_until_its_commit),
		cmocka_unit_test(nobody_misses_what_is_dropped_or_rolled_back),
		cmocka_unit_test(a_truncate_is_looked_at_table_by_table),
		cmocka_unit_test(without_a_list_all_is_applied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
