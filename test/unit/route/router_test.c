/*
 * router_test.c
 *    Each sink gets every change that it does not have yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "route/router.h"
#include "support/memory_sink.h"
#include "support/pass_filter.h"

#define SINKS 2

static Relation relation;
static const MessageInfo loose = {.transactional = false, .lsn = 5};
static const MessageInfo bound = {.transactional = true, .lsn = 5};

typedef struct Bench
{
	MemorySink sinks[SINKS];
	PassFilter filters[SINKS];
	Router *router;
} Bench;

/* Whether each sink has a filter in front of it. */
static bool filtered;

static void
setup(Bench *bench, Lsn first_has, Lsn second_has)
{
	Sink *sinks[SINKS] = {&bench->sinks[0].sink, &bench->sinks[1].sink};

	memory_sink_init(&bench->sinks[0], first_has);
	memory_sink_init(&bench->sinks[1], second_has);
	for (int i = 0; filtered && i < SINKS; i++)
		sinks[i] = pass_filter_init(&bench->filters[i], sinks[i]);
	bench->router = router_new(
		&(RouterOptions){.sinks = sinks, .sink_count = SINKS});
}

static void
teardown(Bench *bench)
{
	router_free(bench->router);
	for (int i = 0; i < SINKS; i++)
		sink_free(filtered ? &bench->filters[i].sink : &bench->sinks[i].sink);
}

typedef enum FrameParts
{
	BEGINS = 1,
	COMMITS = 2,
} FrameParts;

static Rc
route(Bench *bench, int parts, Lsn end_lsn, Change *change, Error *err)
{
	Frame frame = {.begins = parts & BEGINS,
				   .commits = parts & COMMITS,
				   .txn = {.xid = (uint32_t) end_lsn,
						   .commit_lsn = end_lsn - 1,
						   .end_lsn = end_lsn},
				   .changes = change,
				   .change_count = change != NULL ? 1 : 0,
				   .references = 1};

	return router_frame(bench->router, &frame, err);
}

static void
route_well(Bench *bench, int parts, Lsn end_lsn, Change *change)
{
	Error err = {0};

	assert_int_equal(route(bench, parts, end_lsn, change, &err), RC_OK);
}

static void
assert_logs(const Bench *bench, const char *first, const char *second)
{
	assert_string_equal(bench->sinks[0].log.data, first);
	assert_string_equal(bench->sinks[1].log.data, second);
}

static void
a_failing_sink_ends_the_round(void **state UNUSED)
{
	Change change = {.kind = CHANGE_DELETE, .relation = &relation};
	Error err = {0};
	Bench bench = {0};

	setup(&bench, 0, 0);
	bench.sinks[0].fails = true;
	bench.sinks[0].fails_at = CHANGE_DELETE;
	assert_int_equal(route(&bench, BEGINS | COMMITS, 10, &change, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFLICT);
	error_reset(&err);
	assert_logs(&bench, "begin 10; ", "");
	teardown(&bench);
}

static void
every_sink_gets_every_change(void **state UNUSED)
{
	Change change = {.kind = CHANGE_INSERT, .relation = &relation};
	Bench bench = {0};

	setup(&bench, 0, 0);
	route_well(&bench, BEGINS | COMMITS, 10, &change);
	assert_logs(&bench, "begin 10; insert; commit 10; ",
				"begin 10; insert; commit 10; ");
	assert_int_equal(bench.filters[1].changes, filtered ? 1 : 0);
	teardown(&bench);
}

/* It has the transaction if it ends where the sink is, or before. */
static void
a_sink_is_left_out_of_what_it_has(void **state UNUSED)
{
	Change change = {.kind = CHANGE_UPDATE, .relation = &relation};
	Bench bench = {0};

	setup(&bench, 20, 19);
	route_well(&bench, BEGINS, 20, &change);
	route_well(&bench, 0, 20, &change);
	route_well(&bench, COMMITS, 20, &change);
	route_well(&bench, BEGINS | COMMITS, 21, &change);
	assert_logs(&bench, "begin 21; update; commit 21; ",
				"begin 20; update; update; update; commit 20; "
				"begin 21; update; commit 21; ");
	teardown(&bench);
}

static Rc
take_frame(Sink *sink, Frame *frame, Error *err UNUSED)
{
	buf_printf(&((MemorySink *) sink)->log,
			   frame->session != NULL ? "session; " : "frame; ");
	return RC_OK;
}

static void
route_whole(Bench *bench, int parts, Lsn end_lsn, const char *session)
{
	Frame frame = {.begins = parts & BEGINS,
				   .commits = parts & COMMITS,
				   .txn = {.commit_lsn = end_lsn - 1, .end_lsn = end_lsn},
				   .session = (const uint8_t *) session,
				   .bytes = (const uint8_t *) "",
				   .references = 1};
	Error err = {0};

	assert_int_equal(router_frame(bench->router, &frame, &err), RC_OK);
}

/* Otherwise what it takes later would have no session. */
static void
a_sink_of_frames_gets_the_session_with_what_it_has(void **state UNUSED)
{
	SinkOps ops;
	Bench bench = {0};

	setup(&bench, 20, 0);
	ops = *bench.sinks[0].sink.ops;
	ops.frame = take_frame;
	bench.sinks[0].sink.ops = &ops;
	route_whole(&bench, BEGINS, 20, "session");
	route_whole(&bench, COMMITS, 20, NULL);
	route_whole(&bench, BEGINS | COMMITS, 21, NULL);
	assert_string_equal(bench.sinks[0].log.data, "session; frame; ");
	teardown(&bench);
}

static void
messages_outside_transactions_go_to_all(void **state UNUSED)
{
	Change message = {.kind = CHANGE_MESSAGE, .message = &loose};
	Bench bench = {0};

	setup(&bench, 0, 100);
	route_well(&bench, 0, 0, &message);
	assert_logs(&bench, "message; ", "message; ");
	teardown(&bench);
}

static void
messages_of_a_transaction_go_with_it(void **state UNUSED)
{
	Change message = {.kind = CHANGE_MESSAGE, .message = &bound};
	Bench bench = {0};

	setup(&bench, 0, 100);
	route_well(&bench, BEGINS, 10, NULL);
	route_well(&bench, 0, 10, &message);
	route_well(&bench, COMMITS, 10, NULL);
	assert_logs(&bench, "begin 10; message; commit 10; ", "");
	teardown(&bench);
}

static void
changes_of_the_schema_go_with_their_transaction(void **state UNUSED)
{
	const SchemaChange gone = {.kind = SCHEMA_GONE, .oid = 1};
	Change change = {.kind = CHANGE_SCHEMA, .schema = &gone};
	Bench bench;

	setup(&bench, 0, 100);
	route_well(&bench, BEGINS | COMMITS, 10, &change);
	assert_logs(&bench, "begin 10; schema; commit 10; ", "");
	teardown(&bench);
}

static void
the_open_transaction_is_remembered_beyond_its_frame(void **state UNUSED)
{
	char origin[] = "elsewhere";
	Frame begin = {
		.begins = true,
		.txn = {.xid = 7, .commit_lsn = 9, .end_lsn = 10, .origin = origin},
		.references = 1};
	Error err = {0};
	Bench bench = {0};

	setup(&bench, 0, 0);
	assert_int_equal(router_frame(bench.router, &begin, &err), RC_OK);
	origin[0] = 'X';
	assert_string_equal(router_transaction(bench.router)->origin, "elsewhere");
	assert_int_equal(router_transaction(bench.router)->xid, 7);
	route_well(&bench, COMMITS, 10, NULL);
	assert_logs(&bench, "begin 7 from elsewhere; commit 7; ",
				"begin 7 from elsewhere; commit 7; ");
	teardown(&bench);
}

static void
one_full_sink_makes_the_router_full(void **state UNUSED)
{
	Bench bench = {0};

	setup(&bench, 0, 0);
	assert_false(router_is_full(bench.router));
	bench.sinks[1].report.full = true;
	assert_true(router_is_full(bench.router));
	teardown(&bench);
	router_free(NULL);
}

/* ---- open transactions ------------------------------------------- */

/* Frame of an open transaction; it commits if `end_lsn` is not 0. */
static Rc
route_open_txn(Bench *bench, OpenTxnInfo open_txn, Lsn end_lsn, Change *change,
			   Error *err)
{
	Frame frame = {.begins = end_lsn != 0,
				   .commits = end_lsn != 0,
				   .txn = {.xid = open_txn.xid,
						   .commit_lsn = end_lsn - 1,
						   .end_lsn = end_lsn},
				   .open_txn = open_txn,
				   .changes = change,
				   .change_count = change != NULL ? 1 : 0,
				   .references = 1};

	return router_frame(bench->router, &frame, err);
}

static void
pieces_go_everywhere_and_the_commit_where_it_is_new(void **state UNUSED)
{
	Change change = {.kind = CHANGE_INSERT, .relation = &relation};
	Error err = {0};
	Bench bench = {0};

	setup(&bench, 0, 20);
	assert_int_equal(
		route_open_txn(&bench, (OpenTxnInfo){.xid = 7}, 0, &change, &err),
		RC_OK);
	route_well(&bench, BEGINS | COMMITS, 10, &change);
	assert_int_equal(
		route_open_txn(&bench, (OpenTxnInfo){.xid = 7}, 20, NULL, &err), RC_OK);
	assert_int_equal(router_transaction(bench.router)->end_lsn, 20);
	assert_logs(&bench,
				"in 7 insert; begin 10; insert; commit 10; commit open 7; ",
				"in 7 insert; abort 7/0; ");
	teardown(&bench);
}

static void
aborts_go_everywhere(void **state UNUSED)
{
	const OpenTxnInfo part = {.xid = 7, .aborts = true, .abort_subxid = 8};
	const OpenTxnInfo all = {.xid = 7, .aborts = true};
	Error err = {0};
	Bench bench = {0};

	setup(&bench, 0, 20);
	assert_int_equal(route_open_txn(&bench, part, 0, NULL, &err), RC_OK);
	assert_int_equal(route_open_txn(&bench, all, 0, NULL, &err), RC_OK);
	assert_logs(&bench, "abort 7/8; abort 7/0; ", "abort 7/8; abort 7/0; ");
	teardown(&bench);
}

static void
what_has_no_place_matters_only_if_it_commits(void **state UNUSED)
{
	Change change = {.kind = CHANGE_UPDATE, .relation = &relation};
	Error err = {0};
	Bench bench = {0};

	setup(&bench, 0, 0);
	bench.sinks[1].fails = true;
	bench.sinks[1].fails_at = CHANGE_UPDATE;
	assert_int_equal(
		route_open_txn(&bench, (OpenTxnInfo){.xid = 7}, 0, &change, &err),
		RC_FAIL);
	assert_int_equal(err.code, ERR_OPEN_TXN);
	assert_string_equal(err.detail, "it fails as it was told");
	assert_int_equal(router_refused_xid(bench.router), 7);
	error_reset(&err);
	teardown(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_go_everywhere_and_the_commit_where_it_is_new),
		cmocka_unit_test(aborts_go_everywhere),
		cmocka_unit_test(what_has_no_place_matters_only_if_it_commits),
		cmocka_unit_test(a_failing_sink_ends_the_round),
		cmocka_unit_test(every_sink_gets_every_change),
		cmocka_unit_test(a_sink_is_left_out_of_what_it_has),
		cmocka_unit_test(a_sink_of_frames_gets_the_session_with_what_it_has),
		cmocka_unit_test(messages_outside_transactions_go_to_all),
		cmocka_unit_test(messages_of_a_transaction_go_with_it),
		cmocka_unit_test(changes_of_the_schema_go_with_their_transaction),
		cmocka_unit_test(the_open_transaction_is_remembered_beyond_its_frame),
		cmocka_unit_test(one_full_sink_makes_the_router_full),
	};

	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
