/*
 * applier_test.c
 *    An applier with a failure at each of its statements: refused by the
 *    target, transient, or with the connection lost.
 *
 * Whatever fails: what is said to be there was committed, nothing is committed
 * twice, the machine comes to an end, and of a failure it is said why.
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

#define TRANSACTIONS 3

/* Inserts of a transaction: sent as statements, or by COPY. */
#define FEW        1
#define MANY       20

#define END_LSN(n) ((Lsn) (0x1000 + 0x100 * (n)))

/* Moves of the machine that no batch of this size takes. */
#define MOVES_MAX 10000

/* The rows of columns_sql in target_table.c, for a table (id int4, v text). */
#define COLUMN_SQL(name, type, array, text_like, key, uniques)                 \
	name "|" type "|" type "|f|f|" type "|" array "|,|" text_like              \
		 "|b(|)|b(|)|out|" array "|OPERATOR(pg_catalog.=)|\\N|\\N|t|" key      \
		 "|f|9000|9001|" uniques "|1|t|f|f|t|77|16384|16384\n"
#define TABLE_ROWS                                                             \
	COLUMN_SQL("id", "23", "1007", "f", "t", "1")                              \
	COLUMN_SQL("v", "25", "1009", "t", "f", "0")

/* A target where all goes well. */
static const LibpqStep anytime[] = {
	{.sql = "SET LOCAL statement_timeout = 0;",
	 .answer = LIBPQ_ROWS,
	 .rows = "1000\n"},
	{.sql = "SET datestyle", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "search_path"},
	{.sql = "WITH the_table", .answer = LIBPQ_ROWS, .rows = TABLE_ROWS},
	{.sql = "CREATE OR REPLACE FUNCTION"},
	{.sql = "pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM ROWS",
	 .answer = LIBPQ_ROWS,
	 .rows = "f\n"},
	{.sql = "has changed", .answer = LIBPQ_ROWS, .rows = "\\N\n"},
	{.sql = "PREPARE"},
	{.sql = "DEALLOCATE ALL"},
	{.sql = "BEGIN"},
	{.sql = "ROLLBACK"},
	{.sql = "COMMIT", .tag = "COMMIT"},
	{.sql = "SAVEPOINT"},
	{.sql = "SET LOCAL"},
	{.sql = "penstock.progress", .answer = LIBPQ_ROWS, .rows = "1\n"},
	{.sql = "pg_current_wal_insert_lsn()",
	 .answer = LIBPQ_ROWS,
	 .rows = "0/900|0/900|1000\n"},
	{.sql = "COPY", .answer = LIBPQ_COPY_IN, .tag = "COPY 60"},
	{.sql = "INSERT INTO", .tag = "INSERT 0 1"},
	{.sql = "UPDATE", .tag = "UPDATE 1"},
	{.sql = "DELETE", .tag = "DELETE 1"},
	{0}};

static const LibpqStep no_steps[] = {{0}};

typedef struct Bench
{
	MemorySink sink;
	Target target;
	Applier applier;
	Relation *relation;
	Batch batch;
} Bench;

static char label[] = "target \"a\"";
static char pipeline[] = "shop";

static void
add_change(Bench *bench, ChangeKind kind, int64_t id)
{
	Frame *frame = rows_frame();

	batch_add(&bench->batch, frame, rows_add(frame, bench->relation, kind, id));
	frame_unref(frame);
}

/* Transactions of some inserts, an update and a delete each. */
static void
fill_batch(Bench *bench, int inserts)
{
	for (int n = 1; n <= TRANSACTIONS; n++)
	{
		batch_begin(&bench->batch, &(TxnInfo){.xid = 700 + (uint32_t) n,
											  .commit_lsn = END_LSN(n) - 8,
											  .end_lsn = END_LSN(n)});
		for (int i = 0; i < inserts; i++)
			add_change(bench, CHANGE_INSERT, 1000 * n + i);
		add_change(bench, CHANGE_UPDATE, n);
		add_change(bench, CHANGE_DELETE, 100 + n);
		batch_commit(&bench->batch);
	}
}

static void
setup(Bench *bench, int inserts, int fail_at, LibpqAnswer answer,
	  const char *sqlstate)
{
	static const PgConnOptions options = {.conninfo = "host=/script",
										  .label = label,
										  .application_name = "test",
										  .kind = PGCONN_DATA};
	PgConn *conn = NULL;
	Error err = {0};

	*bench = (Bench){0};
	libpq_script_begin(no_steps);
	libpq_script_always(anytime);
	libpq_script_fail_at(fail_at, answer, sqlstate);
	memory_sink_init(&bench->sink, END_LSN(0));
	bench->target = (Target){.report = &bench->sink.report,
							 .orders = &bench->sink.sink.orders,
							 .label = label,
							 .pipeline = pipeline,
							 .lease_token = 5,
							 .independent_tables = true,
							 .relations_max = 1000,
							 .noted_lsn = END_LSN(0)};
	if (pgconn_open(&conn, &options, &err) != RC_OK)
		fail_msg("%s", err.message);
	applier_init(&bench->applier, &bench->target, conn);
	bench->relation = rows_relation();
	fill_batch(bench, inserts);
}

static void
teardown(Bench *bench)
{
	applier_release(&bench->applier);
	batch_release(&bench->batch);
	relation_unref(bench->relation);
	sink_free(&bench->sink.sink);
	libpq_script_end();
}

/* Until all is applied, or it fails. */
static Rc
apply(Bench *bench, Error *err)
{
	Rc rc = applier_start(&bench->applier, &bench->batch, err);

	for (int i = 0; rc != RC_FAIL; i++)
	{
		if (bench->applier.state == APPLIER_IDLE)
			return RC_OK;
		rc = applier_work(&bench->applier, err);
		if (i == MOVES_MAX)
			fail_msg("it does not come to an end");
	}
	return rc;
}

static void
test_all_is_applied_in_one(void **state UNUSED)
{
	Bench bench;
	Error err = {0};

	setup(&bench, FEW, 0, LIBPQ_COMMAND, NULL);
	if (apply(&bench, &err) != RC_OK)
		fail_msg("%s", err.message);
	assert_int_equal(libpq_script_commits(), 1);
	assert_int_equal(bench.target.noted_lsn, END_LSN(TRANSACTIONS));
	assert_int_equal(bench.sink.report.transactions, TRANSACTIONS);
	assert_int_equal(bench.sink.report.rows, 3 * TRANSACTIONS);
	teardown(&bench);
}

/* Nothing that was known of the table is used any more. */
static void
test_a_forgotten_table_is_looked_up_again(void **state UNUSED)
{
	static const LibpqStep steps[] = {
		{.sql = "DEALLOCATE ALL"},
		{.sql = "WITH the_table", .answer = LIBPQ_ROWS, .rows = TABLE_ROWS},
		{.sql = "SAVEPOINT"},
		{.sql = "INSERT INTO", .tag = "INSERT 0 1"},
		{0}};
	Bench bench;
	Error err = {0};

	setup(&bench, FEW, 0, LIBPQ_COMMAND, NULL);
	batch_begin(&bench.batch, &(TxnInfo){.xid = 800, .end_lsn = END_LSN(9)});
	add_change(&bench, CHANGE_INSERT, 9000);
	if (apply(&bench, &err) != RC_OK)
		fail_msg("%s", err.message);
	assert_false(batch_is_empty(&bench.batch));
	if (apply(&bench, &err) != RC_OK)
		fail_msg("%s", err.message);

	/* In the middle of a transaction, a part of which is applied. */
	assert_true(bench.applier.txn_open);
	applier_forget_table(&bench.applier, "public", "rows");
	add_change(&bench, CHANGE_INSERT, 9001);
	batch_commit(&bench.batch);
	libpq_script_steps(steps);
	if (apply(&bench, &err) != RC_OK)
		fail_msg("%s", err.message);
	assert_int_equal(bench.target.noted_lsn, END_LSN(9));
	teardown(&bench);
}

/* What must be so, however it ended. */
static void
check_end(const Bench *bench, Rc rc, const Error *err, int commits_max, int n,
		  const char *what)
{
	Lsn noted = bench->target.noted_lsn;
	int64_t transactions = bench->sink.report.transactions;

	if (libpq_script_commits() > commits_max)
		fail_msg("statement %d %s: committed %d times", n, what,
				 libpq_script_commits());
	if (noted != END_LSN(transactions))
		fail_msg("statement %d %s: %X is noted, of %d transactions", n, what,
				 (unsigned) noted, (int) transactions);
	if (noted > END_LSN(0) && libpq_script_commits() == 0)
		fail_msg("statement %d %s: noted %X and not committed", n, what,
				 (unsigned) noted);
	if (rc == RC_OK && noted != END_LSN(TRANSACTIONS))
		fail_msg("statement %d %s: success, and noted is %X", n, what,
				 (unsigned) noted);
	if (rc == RC_OK && bench->applier.txn_open)
		fail_msg("statement %d %s: a transaction is left open", n, what);
	if (rc == RC_FAIL && err->code == ERR_NONE)
		fail_msg("statement %d %s: it fails without a reason", n, what);
	if (bench->sink.report.durable_lsn > noted)
		fail_msg("statement %d %s: durable before it is noted", n, what);
}

static int
count_statements(int inserts)
{
	Bench bench;
	Error err = {0};
	int count;

	setup(&bench, inserts, 0, LIBPQ_COMMAND, NULL);
	assert_int_equal(apply(&bench, &err), RC_OK);
	count = libpq_script_statements();
	teardown(&bench);
	return count;
}

/* Statements of connecting. */
#define CONNECTING 2

/* Only a target without room gets a batch in several commits. */
static void
fail_at_each(int inserts, LibpqAnswer answer, const char *sqlstate,
			 const char *what)
{
	int count = count_statements(inserts);
	int commits_max = sqlstate != NULL && strcmp(sqlstate, "53200") == 0
						  ? TRANSACTIONS
						  : 1;

	for (int n = CONNECTING + 1; n <= count; n++)
	{
		Bench bench;
		Error err = {0};
		Rc rc;

		setup(&bench, inserts, n, answer, sqlstate);
		rc = apply(&bench, &err);
		check_end(&bench, rc, &err, commits_max, n, what);
		if (answer == LIBPQ_LOST && (rc != RC_FAIL || err.code != ERR_CONNECT))
			fail_msg("statement %d %s: is not a lost connection: %s", n, what,
					 err.message);
		error_reset(&err);
		teardown(&bench);
	}
}

static void
test_the_connection_is_lost(void **state UNUSED)
{
	fail_at_each(FEW, LIBPQ_LOST, NULL, "lost");
	fail_at_each(MANY, LIBPQ_LOST, NULL, "lost");
}

static void
test_a_row_is_refused(void **state UNUSED)
{
	fail_at_each(FEW, LIBPQ_ERROR, "23505", "refused");
	fail_at_each(MANY, LIBPQ_ERROR, "23505", "refused");
}

static void
test_it_is_worth_trying_again(void **state UNUSED)
{
	fail_at_each(FEW, LIBPQ_ERROR, "40P01", "deadlock");
	fail_at_each(MANY, LIBPQ_ERROR, "40P01", "deadlock");
}

static void
test_there_is_no_room(void **state UNUSED)
{
	fail_at_each(FEW, LIBPQ_ERROR, "53200", "out of memory");
	fail_at_each(MANY, LIBPQ_ERROR, "53200", "out of memory");
}

static void
test_the_role_may_not(void **state UNUSED)
{
	fail_at_each(FEW, LIBPQ_ERROR, "42501", "not allowed");
	fail_at_each(MANY, LIBPQ_ERROR, "42501", "not allowed");
}

/* The lease is gone: nothing of the batch counts. */
static void
test_the_lease_is_lost(void **state UNUSED)
{
	static const LibpqStep steps[] = {{.sql = "penstock.progress",
									   .answer = LIBPQ_ERROR,
									   .sqlstate = "22012",
									   .message = "division by zero"},
									  {0}};
	Bench bench;
	Error err = {0};

	setup(&bench, FEW, 0, LIBPQ_COMMAND, NULL);
	libpq_script_steps(steps);
	assert_int_equal(apply(&bench, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.message, "another follower has taken over"));
	assert_int_equal(libpq_script_commits(), 0);
	assert_int_equal(bench.target.noted_lsn, END_LSN(0));
	error_reset(&err);
	teardown(&bench);
}

/* Only the position moves; there is no batch to try again with. */
static Rc
move_position(Bench *bench, Error *err)
{
	Rc rc = applier_commit_position(&bench->applier, END_LSN(1), err);

	for (int i = 0; rc != RC_FAIL && i < MOVES_MAX; i++)
	{
		if (bench->applier.state == APPLIER_IDLE)
			return RC_OK;
		rc = applier_work(&bench->applier, err);
	}
	return rc;
}

static void
test_a_position_that_cannot_be_noted(void **state UNUSED)
{
	static const char *const sqlstates[] = {"23505", "53200", "40P01", "42501"};
	Bench bench;
	Error err = {0};
	int count;

	setup(&bench, FEW, 0, LIBPQ_COMMAND, NULL);
	assert_int_equal(move_position(&bench, &err), RC_OK);
	assert_int_equal(bench.target.noted_lsn, END_LSN(1));
	assert_int_equal(libpq_script_commits(), 1);
	count = libpq_script_statements();
	teardown(&bench);
	for (int n = CONNECTING + 1; n <= count; n++)
		for (size_t i = 0; i < LENGTH_OF(sqlstates); i++)
		{
			setup(&bench, FEW, n, LIBPQ_ERROR, sqlstates[i]);
			assert_int_equal(move_position(&bench, &err), RC_FAIL);
			assert_string_equal(err.sqlstate, sqlstates[i]);
			error_reset(&err);
			teardown(&bench);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_applied_in_one),
		cmocka_unit_test(test_a_forgotten_table_is_looked_up_again),
		cmocka_unit_test(test_the_connection_is_lost),
		cmocka_unit_test(test_a_row_is_refused),
		cmocka_unit_test(test_it_is_worth_trying_again),
		cmocka_unit_test(test_there_is_no_room),
		cmocka_unit_test(test_the_role_may_not),
		cmocka_unit_test(test_the_lease_is_lost),
		cmocka_unit_test(test_a_position_that_cannot_be_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
