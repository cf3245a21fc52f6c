/*
 * placed_test.c
 *    With a placement, each target gets exactly its own rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "route/router.h"
#include "support/memory_sink.h"

/* Two nodes and a target for a table of its own. */
#define SINKS       3
#define NODES       2

#define ARENA_BYTES ((size_t) 1024)

typedef struct Bench
{
	Arena *arena;
	MemorySink sinks[SINKS];
	Router *router;
	Placement *placement;
	Relation *hashed;
	Relation *everywhere;
	Relation *alone;
	Relation *nowhere;
	Relation *unknown;
} Bench;

static Relation *
make_relation(uint32_t number, const char *name)
{
	static const char *const columns[] = {"id", "large"};
	Relation *relation = relation_new(LENGTH_OF(columns));

	relation->number = number;
	relation->schema = "public";
	relation->name = name;
	for (size_t i = 0; i < LENGTH_OF(columns); i++)
		relation->columns[i].name = columns[i];
	relation->distribution = arena_calloc(relation->arena, 1, sizeof(int));
	relation->columns[0].key = true;
	relation->key_count = 1;
	return relation;
}

static void
open_router(Bench *bench, const Placement *placement)
{
	Sink *sinks[SINKS];

	for (int i = 0; i < SINKS; i++)
		sinks[i] = &bench->sinks[i].sink;
	bench->router = router_new(&(RouterOptions){.sinks = sinks,
												.sink_count = SINKS,
												.placement = placement,
												.node_count = NODES,
												.pipeline = "shop"});
}

static void
setup(Bench *bench)
{
	static const char *const rules[][2] = {{"public.hashed", "hash(id)"},
										   {"public.everywhere", "all from x"},
										   {"public.alone", "only x"},
										   {"public.nowhere", "none"}};
	Placement *placement;
	Error err = {0};

	bench->arena = arena_new(ARENA_BYTES);
	placement = placement_new(bench->arena);
	bench->placement = placement;
	for (size_t i = 0; i < LENGTH_OF(rules); i++)
		assert_int_equal(
			placement_add(placement, rules[i][0], rules[i][1], 1, &err), RC_OK);
	placement_set_target(placement, 2, 2);
	for (int i = 0; i < SINKS; i++)
		memory_sink_init(&bench->sinks[i], 0);
	bench->hashed = make_relation(1, "hashed");
	bench->hashed->distribution_count = 1;
	bench->everywhere = make_relation(2, "everywhere");
	bench->alone = make_relation(3, "alone");
	bench->nowhere = make_relation(4, "nowhere");
	bench->unknown = make_relation(500, "unknown");
	open_router(bench, placement);
}

static void
teardown(Bench *bench)
{
	router_free(bench->router);
	for (int i = 0; i < SINKS; i++)
		sink_free(&bench->sinks[i].sink);
	relation_unref(bench->hashed);
	relation_unref(bench->everywhere);
	relation_unref(bench->alone);
	relation_unref(bench->nowhere);
	relation_unref(bench->unknown);
	arena_free(bench->arena);
}

typedef enum FrameParts
{
	BEGINS = 1,
	COMMITS = 2,
} FrameParts;

static Rc
route(Bench *bench, int parts, Lsn end_lsn, Change *changes,
	  size_t change_count, Error *err)
{
	Frame frame = {.begins = parts & BEGINS,
				   .commits = parts & COMMITS,
				   .txn = {.xid = (uint32_t) end_lsn,
						   .commit_lsn = end_lsn - 1,
						   .end_lsn = end_lsn},
				   .changes = changes,
				   .change_count = change_count,
				   .arena = bench->arena,
				   .references = 1};

	return router_frame(bench->router, &frame, err);
}

static void
route_well(Bench *bench, int parts, Lsn end_lsn, Change *changes,
		   size_t change_count)
{
	Error err = {0};

	if (route(bench, parts, end_lsn, changes, change_count, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
}

static void
assert_logs(const Bench *bench, const char *first, const char *second,
			const char *third)
{
	assert_string_equal(bench->sinks[0].log.data, first);
	assert_string_equal(bench->sinks[1].log.data, second);
	assert_string_equal(bench->sinks[2].log.data, third);
}

static void
each_target_gets_what_is_placed_there(void **state UNUSED)
{
	Bench bench;
	Change changes[5];

	setup(&bench);
	changes[0] = (Change){.kind = CHANGE_INSERT, .relation = bench.nowhere};
	changes[1] = (Change){.kind = CHANGE_INSERT, .relation = bench.alone};
	changes[2] = (Change){.kind = CHANGE_UPDATE,
						  .relation = bench.hashed,
						  .hash = 5,
						  .old_hash = 7};
	changes[3] = (Change){.kind = CHANGE_DELETE, .relation = bench.everywhere};
	route_well(&bench, BEGINS, 10, changes, 3);
	assert_logs(&bench, "", "begin 10; update; ", "begin 10; insert; ");
	route_well(&bench, COMMITS, 10, changes + 3, 1);
	assert_logs(&bench, "begin 10; delete; commit 10; ",
				"begin 10; update; delete; commit 10; ",
				"begin 10; insert; delete; commit 10; ");
	route_well(&bench, BEGINS | COMMITS, 20, changes, 1);
	assert_logs(&bench, "begin 10; delete; commit 10; ",
				"begin 10; update; delete; commit 10; ",
				"begin 10; insert; delete; commit 10; ");
	teardown(&bench);
}

static void
a_sink_is_left_out_of_what_it_has(void **state UNUSED)
{
	Bench bench;
	Change change;

	setup(&bench);
	bench.sinks[0].report.start_lsn = 10;
	change = (Change){.kind = CHANGE_INSERT, .relation = bench.everywhere};
	route_well(&bench, BEGINS | COMMITS, 10, &change, 1);
	assert_logs(&bench, "", "begin 10; insert; commit 10; ",
				"begin 10; insert; commit 10; ");
	teardown(&bench);
}

static void
messages_are_for_no_target(void **state UNUSED)
{
	static const MessageInfo loose = {.transactional = false, .lsn = 5};
	static const MessageInfo bound = {.transactional = true, .lsn = 5};
	Bench bench;
	Change message = {.kind = CHANGE_MESSAGE, .message = &loose};

	setup(&bench);
	route_well(&bench, 0, 0, &message, 1);
	message.message = &bound;
	route_well(&bench, BEGINS | COMMITS, 10, &message, 1);
	assert_logs(&bench, "", "", "");
	teardown(&bench);
}

static void
a_row_that_moves_leaves_one_node_for_another(void **state UNUSED)
{
	const Value old_row[] = {{.kind = VALUE_INTEGER, .integer = 1},
							 {.kind = VALUE_TEXT, .length = 0}};
	const Value new_row[] = {{.kind = VALUE_INTEGER, .integer = 2},
							 {.kind = VALUE_UNCHANGED}};
	Bench bench;
	Change change;

	setup(&bench);
	change = (Change){.kind = CHANGE_UPDATE,
					  .relation = bench.hashed,
					  .old_row = old_row,
					  .new_row = new_row,
					  .hash = 4,
					  .old_hash = 3};
	route_well(&bench, BEGINS | COMMITS, 10, &change, 1);
	assert_logs(&bench, "begin 10; insert; commit 10; ",
				"begin 10; delete; commit 10; ", "");
	teardown(&bench);
}

/* An update of a row that moves from the second node to the first. */
static Change
partial_move(const Bench *bench)
{
	static const Value old_row[] = {{.kind = VALUE_INTEGER, .integer = 1},
									{.kind = VALUE_MISSING}};
	static const Value new_row[] = {{.kind = VALUE_INTEGER, .integer = 2},
									{.kind = VALUE_UNCHANGED}};

	return (Change){.kind = CHANGE_UPDATE,
					.relation = bench->hashed,
					.old_row = old_row,
					.new_row = new_row,
					.hash = 4,
					.old_hash = 3};
}

static void
what_the_log_lacks_is_fetched_where_the_row_was(void **state UNUSED)
{
	static const uint8_t bytes[] = "large";
	Bench bench;
	Change changes[2];
	Frame frame = {.begins = true,
				   .commits = true,
				   .txn = {.xid = 10, .commit_lsn = 9, .end_lsn = 10},
				   .changes = changes,
				   .change_count = LENGTH_OF(changes),
				   .references = 1};
	SinkFetch *fetch;
	Error err = {0};

	setup(&bench);
	frame.arena = bench.arena;
	changes[0] = partial_move(&bench);
	changes[1] = (Change){.kind = CHANGE_DELETE, .relation = bench.alone};
	assert_int_equal(router_frame(bench.router, &frame, &err), RC_AGAIN);
	assert_true(router_is_inside(bench.router));
	assert_false(router_can_go_on(bench.router));
	assert_int_equal(router_go_on(bench.router, &err), RC_AGAIN);
	assert_logs(&bench, "", "fetch; ", "");

	fetch = bench.sinks[1].fetch;
	assert_int_equal(fetch->number, 1);
	fetch->row[1] = (Value){.kind = VALUE_TEXT, .bytes = bytes, .length = 5};
	fetch->done = true;
	assert_true(router_can_go_on(bench.router));
	assert_int_equal(router_go_on(bench.router, &err), RC_OK);
	assert_false(router_is_inside(bench.router));
	assert_logs(&bench, "begin 10; insert; commit 10; ",
				"fetch; begin 10; insert; delete; commit 10; ",
				"begin 10; delete; commit 10; ");
	teardown(&bench);
}

/* What the sink was asked for is there. */
static void
finish_fetches(MemorySink *sink)
{
	static const uint8_t bytes[] = "large";

	for (SinkFetch *fetch = sink->fetch; fetch != NULL; fetch = fetch->next)
	{
		fetch->row[1] = (Value){
			.kind = VALUE_TEXT, .bytes = bytes, .length = 5};
		fetch->done = true;
	}
	sink->fetch = NULL;
}

/* Routes moves of rows from one id to the next, from node to node, with large
 * values that are not in the log; as far as that goes without them. */
static void
route_moves(Bench *bench, Frame *frame, Lsn end_lsn, const int64_t *ids,
			size_t count)
{
	Change *changes = arena_calloc(bench->arena, count, sizeof(Change));
	Error err = {0};

	for (size_t i = 0; i < count; i++)
	{
		Value *old_row = arena_calloc(bench->arena, 2, sizeof(Value));
		Value *new_row = arena_calloc(bench->arena, 2, sizeof(Value));

		old_row[0] = (Value){.kind = VALUE_INTEGER, .integer = ids[i]};
		new_row[0] = (Value){.kind = VALUE_INTEGER, .integer = ids[i] + 1};
		new_row[1].kind = VALUE_UNCHANGED;
		changes[i] = (Change){.kind = CHANGE_UPDATE,
							  .relation = bench->hashed,
							  .old_row = old_row,
							  .new_row = new_row,
							  .old_hash = (uint64_t) ids[i],
							  .hash = (uint64_t) ids[i] + 1};
	}
	*frame = (Frame){.begins = true,
					 .commits = true,
					 .txn = {.xid = (uint32_t) end_lsn, .end_lsn = end_lsn},
					 .changes = changes,
					 .change_count = count,
					 .arena = bench->arena,
					 .references = 1};
	assert_int_equal(router_frame(bench->router, frame, &err), RC_AGAIN);
}

static void
rows_that_nothing_else_touches_are_fetched_together(void **state UNUSED)
{
	static const int64_t once[] = {101};
	static const int64_t others[] = {1, 11};
	static const int64_t same[] = {21, 22};
	Bench bench;
	Frame frames[3];
	Error err = {0};

	setup(&bench);

	/* Until it is known what values are like, they come one by one. */
	route_moves(&bench, &frames[0], 10, once, LENGTH_OF(once));
	finish_fetches(&bench.sinks[1]);
	assert_int_equal(router_go_on(bench.router, &err), RC_OK);
	buf_reset(&bench.sinks[1].log);

	route_moves(&bench, &frames[1], 20, others, LENGTH_OF(others));
	assert_string_equal(bench.sinks[1].log.data, "fetch; fetch; ");
	finish_fetches(&bench.sinks[1]);
	assert_int_equal(router_go_on(bench.router, &err), RC_OK);
	assert_string_equal(bench.sinks[1].log.data,
						"fetch; fetch; begin 20; insert; delete; insert; "
						"delete; commit 20; ");

	/* A row that moves on is fetched where it has come to. */
	buf_reset(&bench.sinks[0].log);
	route_moves(&bench, &frames[2], 30, same, LENGTH_OF(same));
	assert_null(bench.sinks[0].fetch);
	finish_fetches(&bench.sinks[1]);
	assert_int_equal(router_go_on(bench.router, &err), RC_AGAIN);
	finish_fetches(&bench.sinks[0]);
	assert_int_equal(router_go_on(bench.router, &err), RC_OK);
	assert_string_equal(bench.sinks[0].log.data,
						"begin 30; insert; fetch; insert; delete; commit 30; ");
	teardown(&bench);
}

static void
nothing_is_fetched_for_a_node_that_has_it(void **state UNUSED)
{
	Bench bench;
	Change change;

	setup(&bench);
	bench.sinks[0].report.start_lsn = 10;
	change = partial_move(&bench);
	route_well(&bench, BEGINS | COMMITS, 10, &change, 1);
	assert_logs(&bench, "", "begin 10; delete; commit 10; ", "");
	teardown(&bench);
}

static void
a_sink_in_place_of_another_is_asked_again(void **state UNUSED)
{
	Bench bench;
	MemorySink other;
	Change change;
	Frame frame = {.begins = true,
				   .commits = true,
				   .txn = {.xid = 10, .commit_lsn = 9, .end_lsn = 10},
				   .changes = &change,
				   .change_count = 1,
				   .references = 1};
	Error err = {0};

	setup(&bench);
	frame.arena = bench.arena;
	change = partial_move(&bench);
	assert_int_equal(router_frame(bench.router, &frame, &err), RC_AGAIN);
	memory_sink_init(&other, 0);
	router_replace_sink(bench.router, 1, &other.sink);
	assert_ptr_equal(other.fetch, bench.sinks[1].fetch);
	teardown(&bench);
	sink_free(&other.sink);
}

static void
a_truncate_is_for_those_that_have_the_table(void **state UNUSED)
{
	Relation *relations[3];
	const TruncateInfo info = {.relation_count = LENGTH_OF(relations),
							   .relations = relations};
	Bench bench;
	Change change = {.kind = CHANGE_TRUNCATE, .truncate = &info};

	setup(&bench);
	relations[0] = bench.hashed;
	relations[1] = bench.nowhere;
	relations[2] = bench.nowhere;
	route_well(&bench, BEGINS | COMMITS, 10, &change, 1);
	assert_logs(&bench, "begin 10; truncate; commit 10; ",
				"begin 10; truncate; commit 10; ", "");
	relations[0] = bench.alone;
	route_well(&bench, BEGINS | COMMITS, 20, &change, 1);
	assert_logs(&bench, "begin 10; truncate; commit 10; ",
				"begin 10; truncate; commit 10; ",
				"begin 20; truncate; commit 20; ");
	teardown(&bench);
}

static void
a_change_of_the_schema_is_for_all(void **state UNUSED)
{
	const SchemaChange gone = {.kind = SCHEMA_GONE, .oid = 1};
	Change change = {.kind = CHANGE_SCHEMA, .schema = &gone};
	Bench bench;

	setup(&bench);
	route_well(&bench, BEGINS | COMMITS, 10, &change, 1);
	assert_logs(&bench, "begin 10; schema; commit 10; ",
				"begin 10; schema; commit 10; ",
				"begin 10; schema; commit 10; ");
	teardown(&bench);
}

static void
a_rewrite_is_for_those_that_have_the_table(void **state UNUSED)
{
	Bench bench;
	Change change = {.kind = CHANGE_REWRITE};

	setup(&bench);
	change.relation = bench.hashed;
	route_well(&bench, BEGINS | COMMITS, 10, &change, 1);
	change.relation = bench.alone;
	route_well(&bench, BEGINS | COMMITS, 20, &change, 1);
	change.relation = bench.nowhere;
	route_well(&bench, BEGINS | COMMITS, 30, &change, 1);
	assert_logs(&bench, "begin 10; rewrite; commit 10; ",
				"begin 10; rewrite; commit 10; ",
				"begin 20; rewrite; commit 20; ");
	teardown(&bench);
}

static void
a_rewrite_does_not_take_what_other_sources_have(void **state UNUSED)
{
	Bench bench;
	Change change = {.kind = CHANGE_REWRITE};
	Error err = {0};

	setup(&bench);
	router_free(bench.router);
	open_router(&bench, placement_share(bench.placement, "y", bench.arena));
	change.relation = bench.hashed;
	assert_int_equal(route(&bench, BEGINS | COMMITS, 10, &change, 1, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.message, "rewrite of table \"public\".\"hashed\" "
									 "on one source cannot be followed");
	error_reset(&err);
	teardown(&bench);
}

/* Also of what is the same everywhere: the first source's is enough. */
static void
a_truncate_does_not_take_what_other_sources_have(void **state UNUSED)
{
	Bench bench;
	Relation *relations[] = {NULL};
	TruncateInfo info = {.relation_count = 1, .relations = relations};
	Change change = {.kind = CHANGE_TRUNCATE, .truncate = &info};
	Error err = {0};

	setup(&bench);
	router_free(bench.router);
	open_router(&bench, placement_share(bench.placement, "y", bench.arena));
	relations[0] = bench.everywhere;
	assert_int_equal(route(&bench, BEGINS | COMMITS, 10, &change, 1, &err),
					 RC_OK);
	relations[0] = bench.nowhere;
	assert_int_equal(route(&bench, BEGINS | COMMITS, 20, &change, 1, &err),
					 RC_OK);
	assert_logs(&bench, "", "", "");
	relations[0] = bench.hashed;
	assert_int_equal(route(&bench, BEGINS | COMMITS, 30, &change, 1, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.message, "TRUNCATE of table \"public\".\"hashed\" "
									 "on one source cannot be followed");
	error_reset(&err);
	assert_logs(&bench, "", "", "");
	teardown(&bench);
}

static void
refuse_insert(Bench *bench, Lsn end_lsn, Relation *relation,
			  const char *message)
{
	Change change = {.kind = CHANGE_INSERT, .relation = relation};
	Error err = {0};

	assert_int_equal(route(bench, BEGINS | COMMITS, end_lsn, &change, 1, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.message, message);
	error_reset(&err);
}

static void
tables_that_cannot_be_placed_are_refused(void **state UNUSED)
{
	Bench bench;

	setup(&bench);
	refuse_insert(&bench, 10, bench.unknown,
				  "table \"public\".\"unknown\" is not placed");
	bench.hashed->distribution[0] = 1;
	refuse_insert(&bench, 12, bench.hashed,
				  "rows of table \"public\".\"hashed\" come without the hash "
				  "that its placement wants");
	bench.hashed->distribution_count = 0;
	refuse_insert(&bench, 14, bench.hashed,
				  "rows of table \"public\".\"hashed\" come without the hash "
				  "that its placement wants");
	teardown(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_target_gets_what_is_placed_there),
		cmocka_unit_test(a_sink_is_left_out_of_what_it_has),
		cmocka_unit_test(messages_are_for_no_target),
		cmocka_unit_test(a_row_that_moves_leaves_one_node_for_another),
		cmocka_unit_test(what_the_log_lacks_is_fetched_where_the_row_was),
		cmocka_unit_test(rows_that_nothing_else_touches_are_fetched_together),
		cmocka_unit_test(nothing_is_fetched_for_a_node_that_has_it),
		cmocka_unit_test(a_sink_in_place_of_another_is_asked_again),
		cmocka_unit_test(a_truncate_is_for_those_that_have_the_table),
		cmocka_unit_test(a_change_of_the_schema_is_for_all),
		cmocka_unit_test(a_rewrite_is_for_those_that_have_the_table),
		cmocka_unit_test(a_rewrite_does_not_take_what_other_sources_have),
		cmocka_unit_test(a_truncate_does_not_take_what_other_sources_have),
		cmocka_unit_test(tables_that_cannot_be_placed_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
