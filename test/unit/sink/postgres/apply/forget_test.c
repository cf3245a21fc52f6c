/*
 * forget_test.c
 *    All connections to a target forget a table between two transactions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/pgconn_open.h"
#include "sink/postgres/apply/lanes.h"
#include "sink/postgres/apply/open_txns.h"
#include "support/libpq_script.h"
#include "support/memory_sink.h"
#include "support/model_target.h"
#include "support/rows.h"

#define LSN_FIRST ((Lsn) 0x1000)
#define LSN_STEP  ((Lsn) 0x100)
#define LANES     3
#define MOVES_MAX 100000
#define XID       900

/* A change that its session makes sure of, and one that it does not. */
static const ChangeKind kinds[] = {CHANGE_INSERT, CHANGE_UPDATE};

static char label[] = "target \"a\"";
static char pipeline[] = "shop";

typedef struct Bench
{
	MemorySink sink;
	Target target;
	Applier leader;
	Lanes *lanes;
	OpenTxns *open_txns;
	TableStates *table_states;
	Relation *relation;
	Batch batch;
	int change_count;
	Lsn end_lsn;
} Bench;

static void
must(Rc rc, const Error *err)
{
	if (rc == RC_FAIL)
		fail_msg("%s", err->message);
}

static PgConn *
open_session(void)
{
	static const PgConnOptions options = {.conninfo = "host=/model",
										  .label = label,
										  .application_name = "test",
										  .kind = PGCONN_DATA};
	PgConn *conn = NULL;
	Error err = {0};

	must(pgconn_open(&conn, &options, &err), &err);
	return conn;
}

static void
setup(Bench *bench)
{
	*bench = (Bench){.relation = rows_relation(), .end_lsn = LSN_FIRST};
	model_target_begin(LSN_FIRST);
	memory_sink_init(&bench->sink, LSN_FIRST);
	bench->target = (Target){.report = &bench->sink.report,
							 .orders = &bench->sink.sink.orders,
							 .label = label,
							 .pipeline = pipeline,
							 .lease_token = model_target_lease(),
							 .independent_tables = true,
							 .relations_max = 1000,
							 .noted_lsn = LSN_FIRST};
	applier_init(&bench->leader, &bench->target, open_session());
	bench->lanes = lanes_new(&bench->target, &bench->leader);
	for (int i = 1; i < LANES; i++)
		lanes_add(bench->lanes, open_session());
}

static void
teardown(Bench *bench)
{
	open_txns_free(bench->open_txns);
	table_states_free(bench->table_states);
	lanes_free(bench->lanes);
	applier_release(&bench->leader);
	batch_release(&bench->batch);
	relation_unref(bench->relation);
	sink_free(&bench->sink.sink);
	libpq_script_end();
}

static Frame *
make_change(Bench *bench, ChangeKind kind, Lsn end_lsn)
{
	Frame *frame = rows_frame();

	model_target_expect(bench->change_count, end_lsn);
	(void) rows_add(frame, bench->relation, kind,
					MODEL_KEY_FIRST + bench->change_count++);
	return frame;
}

/* Some transactions, which all sessions have a part in. */
static void
apply_transactions(Bench *bench)
{
	Error err = {0};

	for (uint32_t t = 0; t < 2 * LANES; t++)
	{
		bench->end_lsn += LSN_STEP;
		batch_begin(&bench->batch, &(TxnInfo){.xid = 700 + t,
											  .commit_lsn = bench->end_lsn - 8,
											  .end_lsn = bench->end_lsn});
		for (size_t k = 0; k < LENGTH_OF(kinds); k++)
		{
			Frame *frame = make_change(bench, kinds[k], bench->end_lsn);

			batch_add(&bench->batch, frame, frame->changes);
			frame_unref(frame);
		}
		batch_commit(&bench->batch);
	}
	must(lanes_start(bench->lanes, &bench->batch, &err), &err);
	for (int i = 0;
		 !lanes_is_idle(bench->lanes) || bench->leader.state != APPLIER_IDLE;
		 i++)
	{
		must(lanes_work(bench->lanes, &err), &err);
		if (lanes_is_idle(bench->lanes))
			must(applier_work(&bench->leader, &err), &err);
		assert_in_range(i, 0, MOVES_MAX);
	}
	assert_int_equal(model_target_progress(), bench->end_lsn);
}

static void
test_lanes_forget_a_table(void **state UNUSED)
{
	Bench bench;
	int prepared;

	setup(&bench);
	apply_transactions(&bench);
	prepared = libpq_script_prepared("\"rows\"");
	assert_int_equal(model_target_lookups(), 1);
	apply_transactions(&bench);
	assert_int_equal(model_target_lookups(), 1);
	assert_int_equal(libpq_script_prepared("\"rows\""), prepared);

	/* None of the sessions keeps what it had prepared for the table. */
	lanes_forget_table(bench.lanes, "public", "rows");
	apply_transactions(&bench);
	assert_int_equal(model_target_lookups(), 2);
	assert_int_equal(libpq_script_prepared("\"rows\""), prepared);
	teardown(&bench);
}

/* Of an altered table that was forgotten, nobody has to find out by failing. */
static void
test_a_table_is_altered_and_forgotten(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	apply_transactions(&bench);
	model_target_alter_at(1);
	lanes_forget_table(bench.lanes, NULL, NULL);
	apply_transactions(&bench);
	assert_int_equal(model_target_lookups(), 2);
	teardown(&bench);
}

/* ---- open transactions ------------------------------------------- */

static void
work_open_txns(Bench *bench)
{
	const OpenTxnsTurn turn = {.rest_is_idle = true, .source_idle = true};
	Error err = {0};
	int i = 0;

	do
	{
		must(open_txns_work(bench->open_txns, &turn, &err), &err);
		assert_in_range(i++, 0, MOVES_MAX);
	} while (open_txns_bytes(bench->open_txns) > 0 ||
			 !open_txns_is_idle(bench->open_txns));
}

static void
add_open_txn(Bench *bench, Lsn commit_lsn)
{
	Frame *frame = make_change(bench, CHANGE_INSERT, commit_lsn);
	Error err = {0};

	bench->sink.sink.orders.streamed_lsn = bench->end_lsn;
	frame->open_txn = (OpenTxnInfo){.xid = XID, .decoded_lsn = bench->end_lsn};
	must(open_txns_change(bench->open_txns, frame, frame->changes,
						  bench->end_lsn, &err),
		 &err);
	frame_unref(frame);
	work_open_txns(bench);
}

static void
test_an_open_transaction_forgets_a_table(void **state UNUSED)
{
	static const SourceHistory history = {
		.identity = {.system_identifier = "77", .timeline = 1},
		.flush_lsn = 0x1000000};
	const SessionOptions session = {.conninfo = "host=/model",
									.label = label,
									.pipeline = pipeline,
									.source = &history};
	Bench bench;
	Lsn commit_lsn;
	int prepared;

	setup(&bench);
	bench.table_states = table_states_only(NULL, 0);
	bench.open_txns = open_txns_new(
		&(OpenTxnsOptions){.target = &bench.target,
						   .session = &session,
						   .table_states = bench.table_states,
						   .part_bytes_max = MB});
	commit_lsn = bench.end_lsn + LSN_STEP;
	add_open_txn(&bench, commit_lsn);
	add_open_txn(&bench, commit_lsn);
	assert_int_equal(model_target_lookups(), 1);
	prepared = libpq_script_prepared("\"rows\"");
	open_txns_forget_table(bench.open_txns, "public", "rows");
	add_open_txn(&bench, commit_lsn);
	assert_int_equal(model_target_lookups(), 2);
	assert_int_equal(libpq_script_prepared("\"rows\""), prepared);
	open_txns_commit(bench.open_txns,
					 &(TxnInfo){.xid = XID,
								.commit_lsn = commit_lsn - 8,
								.end_lsn = commit_lsn},
					 bench.end_lsn);
	work_open_txns(&bench);
	assert_int_equal(model_target_progress(), commit_lsn);
	teardown(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lanes_forget_a_table),
		cmocka_unit_test(test_a_table_is_altered_and_forgotten),
		cmocka_unit_test(test_an_open_transaction_forgets_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
