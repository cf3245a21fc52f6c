/*
 * postgres_sink_test.c
 *    A sink and a target in memory, with a failure at each statement that the
 *    sink sends: refused by the target, worth trying again, with the connection
 *    lost before the statement was run, and behind it.
 *
 * A failed sink is followed by a new one, which starts from what the target
 * has, as a follower does.  Whatever fails, once or again and again: the target
 * never has anything but whole transactions, each once and in order; nothing is
 * said to be applied or durable that is not; and in the end all is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "model/history.h"
#include "pipeline/worker.h"
#include "sink/postgres/postgres_sink.h"
#include "support/libpq_script.h"
#include "support/model_target.h"
#include "support/rows.h"

#define LSN_FIRST ((Lsn) 0x1000)
#define LSN_STEP  ((Lsn) 0x100)
#define ITEMS_MAX 256
#define XID_FIRST 700
#define MEMORY    (64 * KB) /* a batch is a quarter */

/* Attempts that may fail before failures end. */
#define ATTEMPTS_MAX 4

/* Calls of a sink's work that none of these needs. */
#define TURNS_MAX 2000000

/* What the source sends. */
typedef enum ItemKind
{
	ITEM_TXN,    /* a whole transaction */
	ITEM_PIECE,  /* of one in progress */
	ITEM_COMMIT, /* of one in progress */
	ITEM_ABORT,  /* of one, or a subtransaction */
} ItemKind;

typedef struct Item
{
	ItemKind kind;
	uint32_t xid;
	uint32_t subxid;
	Lsn lsn; /* where it ends */
	int change_first;
	int change_count;
} Item;

typedef struct Source
{
	Item items[ITEMS_MAX];
	int item_count;
	int change_count;
	ChangeKind kinds[MODEL_CHANGES_MAX];
	Lsn end_lsn;
	bool held_back; /* open transactions come when they have committed */
	Relation *relation;
} Source;

typedef struct Way
{
	const char *name;
	bool per_transaction;
	int lanes;
} Way;

static const Way ways[] = {
	{"batch", false, 1}, {"transaction", true, 1}, {"lanes", true, 4}};

static Source source;

/* ---- what the source sends ---------------------------------------------- */

static Item *
add_item(ItemKind kind, uint32_t xid, uint32_t subxid, int changes)
{
	Item *item = &source.items[source.item_count++];

	assert_true(source.item_count <= ITEMS_MAX);
	source.end_lsn += LSN_STEP;
	*item = (Item){.kind = kind,
				   .xid = xid,
				   .subxid = subxid,
				   .lsn = source.end_lsn,
				   .change_first = source.change_count,
				   .change_count = changes};
	for (int i = 0; i < changes; i++)
	{
		source.kinds[source.change_count] = CHANGE_INSERT;
		model_target_expect(source.change_count++,
							kind == ITEM_TXN ? item->lsn : UINT64_MAX);
	}
	return item;
}

static void
add_txn(int changes)
{
	(void) add_item(ITEM_TXN, XID_FIRST + (uint32_t) source.item_count, 0,
					changes);
}

static bool
is_rolled_back(const Item *piece, int commit)
{
	for (int i = 0; i < commit; i++)
		if (source.items[i].kind == ITEM_ABORT &&
			source.items[i].xid == piece->xid &&
			source.items[i].subxid == piece->subxid)
			return true;
	return false;
}

/* From now on it is known where the pieces end. */
static void
add_commit(uint32_t xid)
{
	const Item *commit = add_item(ITEM_COMMIT, xid, 0, 0);

	for (int i = 0; i < source.item_count - 1; i++)
	{
		const Item *item = &source.items[i];

		if (item->kind != ITEM_PIECE || item->xid != xid ||
			is_rolled_back(item, source.item_count - 1))
			continue;
		for (int c = 0; c < item->change_count; c++)
			model_target_expect(item->change_first + c, commit->lsn);
	}
}

static void
begin_source(void)
{
	source = (Source){.end_lsn = LSN_FIRST, .relation = rows_relation()};
	model_target_begin(LSN_FIRST);
}

static void
small_transactions(void)
{
	begin_source();
	for (int i = 0; i < 12; i++)
		add_txn(1 + i % 3);
	source.kinds[2] = CHANGE_UPDATE;
	source.kinds[7] = CHANGE_DELETE;
	source.kinds[8] = CHANGE_UPDATE;
}

static void
composed_transactions(void)
{
	begin_source();
	for (int i = 0; i < 40; i++)
		add_txn(1);
}

static void
transactions_with_many_rows(void)
{
	begin_source();
	add_txn(1);
	add_txn(60);
	add_txn(25);
	add_txn(0);
	add_txn(2);
	source.kinds[70] = CHANGE_UPDATE;
	source.kinds[71] = CHANGE_DELETE;
}

/* It does not fit into a batch. */
static void
a_large_transaction(void)
{
	begin_source();
	add_txn(2);
	add_txn(60);
	add_txn(3);
	add_txn(1);
}

static void
open_transactions(void)
{
	begin_source();
	add_txn(1);
	(void) add_item(ITEM_PIECE, 900, 0, 3);
	(void) add_item(ITEM_PIECE, 900, 901, 2);
	add_txn(2);
	(void) add_item(ITEM_PIECE, 910, 0, 2);
	(void) add_item(ITEM_ABORT, 900, 901, 0);
	(void) add_item(ITEM_PIECE, 900, 902, 30);
	add_txn(1);
	add_commit(910);
	add_txn(1);
	(void) add_item(ITEM_PIECE, 920, 0, 2);
	(void) add_item(ITEM_PIECE, 900, 0, 1);
	(void) add_item(ITEM_ABORT, 920, 0, 0);
	add_commit(900);
	add_txn(1);
}

/* ---- the wire ----------------------------------------------------------- */

static void
must(Rc rc, const Error *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->message);
}

/* The changes of an item in frames, to whatever takes them. */
static Rc
hand_over_changes(Sink *sink, const Item *item, bool is_open, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < item->change_count && rc == RC_OK; i++)
	{
		int change = item->change_first + i;
		Frame *frame = rows_frame();

		rows_add(frame, source.relation, source.kinds[change],
				 MODEL_KEY_FIRST + change)
			->subxid = item->subxid;
		frame->open_txn = (OpenTxnInfo){.xid = is_open ? item->xid : 0,
										.decoded_lsn = item->lsn};
		rc = is_open ? sink_open_txn_change(sink, frame, frame->changes, err)
					 : sink_change(sink, frame, frame->changes, err);
		frame_unref(frame);
	}
	return rc;
}

/* A transaction that was held back comes as a whole. */
static Rc
hand_over_held(Sink *sink, int commit, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < commit && rc == RC_OK; i++)
		if (source.items[i].kind == ITEM_PIECE &&
			source.items[i].xid == source.items[commit].xid &&
			!is_rolled_back(&source.items[i], commit))
			rc = hand_over_changes(sink, &source.items[i], false, err);
	return rc;
}

static Rc
hand_over_txn(Sink *sink, int at, Error *err)
{
	const Item *item = &source.items[at];
	const TxnInfo txn = {
		.xid = item->xid, .commit_lsn = item->lsn - 8, .end_lsn = item->lsn};

	if (item->lsn <= sink->report->start_lsn)
		return RC_OK;
	must(sink_begin(sink, &txn, err), err);
	must(item->kind == ITEM_COMMIT ? hand_over_held(sink, at, err)
								   : hand_over_changes(sink, item, false, err),
		 err);
	return sink_commit(sink, &txn, err);
}

/* As the router does. */
static Rc
hand_over(Sink *sink, int at, Error *err)
{
	const Item *item = &source.items[at];
	const TxnInfo txn = {
		.xid = item->xid, .commit_lsn = item->lsn - 8, .end_lsn = item->lsn};

	if (item->kind == ITEM_TXN ||
		(item->kind == ITEM_COMMIT && source.held_back))
		return hand_over_txn(sink, at, err);
	if (source.held_back)
		return RC_OK;
	if (item->kind == ITEM_PIECE)
		return hand_over_changes(sink, item, true, err);
	if (item->kind == ITEM_ABORT || item->lsn <= sink->report->start_lsn)
		return sink_open_txn_abort(sink, item->xid, item->subxid, err);
	return sink_open_txn_commit(sink, &txn, err);
}

/* ---- attempts ----------------------------------------------------------- */

static Rc
open_sink(Sink **sink, const Way *way, Error *err)
{
	static const SourceHistory history = {
		.identity = {.system_identifier = "77", .timeline = 1},
		.flush_lsn = 0x1000000};
	const PostgresSinkOptions options = {
		.conninfo = "host=/model",
		.label = "target \"a\"",
		.pipeline = "shop",
		.source = &history,
		.memory_bytes = MEMORY,
		.per_transaction = way->per_transaction,
		.lanes = way->lanes,
	};

	return postgres_sink_open(sink, NULL, &options, err);
}

/* What the sink says of itself must be so. */
static void
check_positions(const Sink *sink)
{
	if (sink->report->durable_lsn > model_target_durable())
		fail_msg("durable to %X, and the disk has %X",
				 (unsigned) sink->report->durable_lsn,
				 (unsigned) model_target_durable());
	for (int i = 0; i < source.item_count; i++)
	{
		const Item *item = &source.items[i];
		bool counts = item->kind == ITEM_COMMIT ||
					  (item->kind == ITEM_TXN && item->change_count > 0);

		if (counts && item->lsn <= sink->report->applied_lsn &&
			item->lsn > model_target_progress())
			fail_msg("applied to %X, and the target has %X",
					 (unsigned) sink->report->applied_lsn,
					 (unsigned) model_target_progress());
	}
}

/* How a sink's work is called. */
typedef struct Feeding
{
	unsigned seed;
	Worker *worker; /* NULL: directly */
	int turns_max;  /* all ends then, whatever is under way */
	int handed;     /* items, while the work waited */
} Feeding;

static Rc
work(Feeding *feeding, Sink *sink, bool source_idle, Error *err)
{
	if (feeding->worker == NULL)
		return sink_work(sink, source_idle, err);
	if (feeding->seed / 64 % 4 == 0)
		libpq_script_wake();
	return worker_work(feeding->worker, source_idle, err);
}

/* All that the sink does not have, until it has it or fails, or (RC_AGAIN) for
 * so many turns. */
static Rc
feed(Sink *sink, Feeding *feeding, Error *err)
{
	int next = 0;

	for (int turn = 0; turn < feeding->turns_max; turn++)
	{
		bool waits = feeding->worker != NULL &&
					 worker_is_waiting(feeding->worker);
		Rc rc = RC_OK;

		if (next < source.item_count && !sink->report->full)
		{
			feeding->handed += waits;
			rc = hand_over(sink, next, err);
			sink->orders.received_lsn = lsn_max(source.items[next++].lsn,
												sink->orders.received_lsn);
			sink->orders.streamed_lsn = sink->orders.received_lsn;
		}
		if (next == source.item_count)
			sink->orders.mode = SINK_DRAINING;
		if (rc != RC_FAIL)
			rc = work(feeding, sink,
					  feeding->seed % 3 == 0 || sink->report->full, err);
		check_positions(sink);
		if (rc == RC_FAIL)
			return rc;
		if (sink->orders.mode == SINK_DRAINING &&
			sink->report->durable_lsn >= sink->orders.received_lsn)
			return RC_OK;
		feeding->seed = feeding->seed * 1664525U + 1013904223U;
	}
	if (feeding->turns_max == TURNS_MAX)
		fail_msg("it does not come to an end");
	return RC_AGAIN;
}

typedef struct Trial
{
	const Way *way;
	void (*fill)(void);
	int fail_at; /* 0: not at all */
	bool always;
	LibpqAnswer answer;
	const char *sqlstate;
	unsigned seed;
	int lease_at; /* somebody else claims the lease; 0: nobody does */
	int alter_at; /* the table is altered; 0: it is not */
	bool as_task; /* the sink's work waits by itself */
	int turns; /* of the first attempt, which ends then; 0: until it is done */
} Trial;

/* Items that were handed over while a sink's work waited. */
static int handed_while_waiting;

static void
set_failure(const Trial *trial)
{
	if (trial->always)
		libpq_script_fail_from(trial->fail_at, trial->answer, trial->sqlstate);
	else
		libpq_script_fail_at(trial->fail_at, trial->answer, trial->sqlstate);
}

/* What comes of a failure must not hide it. */
static void
check_reason(const Error *err)
{
	static const char *const consequences[] = {
		"savepoint does not exist", "transaction is aborted", "no transaction"};

	if (err->code == ERR_NONE)
		fail_msg("it fails without a reason");
	for (size_t i = 0; i < LENGTH_OF(consequences); i++)
		if (strstr(err->message, consequences[i]) != NULL ||
			(err->detail != NULL &&
			 strstr(err->detail, consequences[i]) != NULL))
			fail_msg("it hides why it fails: %s (%s)", err->message,
					 err->detail != NULL ? err->detail : "");
}

/* An attempt with a sink that was opened. */
static Rc
feed_trial(const Trial *trial, Sink *sink, bool is_first, Error *err)
{
	Feeding feeding = {.seed = trial->seed + 1, .turns_max = TURNS_MAX};
	Rc rc;

	if (trial->turns > 0 && is_first)
		feeding.turns_max = trial->turns;
	if (trial->as_task)
		feeding.worker = worker_new(sink);
	libpq_script_sleep(trial->as_task);
	rc = feed(sink, &feeding, err);
	worker_free(feeding.worker);
	libpq_script_sleep(false);
	check_positions(sink);
	handed_while_waiting += feeding.handed;
	return rc;
}

/* Returns how many attempts it took. */
static int
run_trial(const Trial *trial)
{
	int attempt = 0;

	trial->fill();
	libpq_script_dawdle(trial->seed);
	set_failure(trial);
	if (trial->lease_at > 0)
		model_target_take_lease_at(trial->lease_at);
	if (trial->alter_at > 0)
		model_target_alter_at(trial->alter_at);
	for (bool done = false; !done;)
	{
		Sink *sink = NULL;
		Error err = {0};
		Rc rc = open_sink(&sink, trial->way, &err);

		if (++attempt == ATTEMPTS_MAX)
			libpq_script_fail_at(0, LIBPQ_COMMAND, NULL);
		if (attempt > 2 * ATTEMPTS_MAX)
			fail_msg("it fails again and again: %s", err.message);
		if (rc == RC_OK)
			rc = feed_trial(trial, sink, attempt == 1, &err);
		done = rc == RC_OK;

		if (rc == RC_FAIL)
			check_reason(&err);
		if (rc == RC_FAIL && err.code == ERR_OPEN_TXN)
			source.held_back = true;
		error_reset(&err);
		sink_free(sink);
		assert_int_equal(libpq_script_connections(), 0);
	}
	assert_int_equal(model_target_progress(), source.end_lsn);
	libpq_script_end();
	relation_unref(source.relation);
	return attempt;
}

/* ---- tests -------------------------------------------------------------- */

static void (*const fills[])(void) = {small_transactions, composed_transactions,
									  transactions_with_many_rows,
									  a_large_transaction, open_transactions};

static void
test_all_is_applied_in_every_way(void **state UNUSED)
{
	for (size_t w = 0; w < LENGTH_OF(ways); w++)
		for (size_t f = 0; f < LENGTH_OF(fills); f++)
			for (unsigned seed = 0; seed < 8; seed++)
			{
				const Trial trial = {
					.way = &ways[w], .fill = fills[f], .seed = seed};

				assert_int_equal(run_trial(&trial), 1);
			}
}

/* Statements of opening the sink are session_test.c's. */
static int
count_opening(const Way *way)
{
	Sink *sink = NULL;
	Error err = {0};
	int count;

	small_transactions();
	must(open_sink(&sink, way, &err), &err);
	count = libpq_script_statements();
	sink_free(sink);
	libpq_script_end();
	relation_unref(source.relation);
	return count;
}

/* At each step-th statement, with each of the states in turn. */
static bool fails_as_task;

static void
fail_at_each(LibpqAnswer answer, const char *const *sqlstates, int state_count,
			 int step, bool always)
{
	for (size_t w = 0; w < LENGTH_OF(ways); w++)
		for (size_t f = 0; f < LENGTH_OF(fills); f++)
		{
			int first = count_opening(&ways[w]) + 1;
			int count;
			Trial trial = {.way = &ways[w],
						   .fill = fills[f],
						   .answer = answer,
						   .always = always,
						   .as_task = fails_as_task};

			(void) run_trial(&trial);
			count = libpq_script_statements();
			for (int n = first; n <= count; n += step)
			{
				trial.fail_at = n;
				trial.seed = (unsigned) n % 3;
				trial.sqlstate = sqlstates[n % state_count];
				(void) run_trial(&trial);
			}
		}
}

static void
test_the_connection_is_lost(void **state UNUSED)
{
	static const char *const none[] = {NULL};

	fail_at_each(LIBPQ_LOST, none, 1, 4, false);
	fail_at_each(LIBPQ_LOST_AFTER, none, 1, 2, false);
}

/* Refused for good, worth trying again, without room. */
static void
test_a_statement_fails(void **state UNUSED)
{
	static const char *const sqlstates[] = {"23505", "40P01", "53200"};

	fail_at_each(LIBPQ_ERROR, sqlstates, LENGTH_OF(sqlstates), 1, false);
}

static void
test_all_fails_again_and_again(void **state UNUSED)
{
	static const char *const sqlstates[] = {"57014", "42501"};

	fail_at_each(LIBPQ_LOST_AFTER, sqlstates, LENGTH_OF(sqlstates), 5, true);
	fail_at_each(LIBPQ_ERROR, sqlstates, LENGTH_OF(sqlstates), 5, true);
}

/* What it has under way is not committed, and it does not try again. */
static void
test_the_lease_is_lost(void **state UNUSED)
{
	for (size_t w = 0; w < LENGTH_OF(ways); w++)
		for (size_t f = 0; f < LENGTH_OF(fills); f++)
			for (int n = count_opening(&ways[w]) + 1; n < 100; n += 3)
			{
				const Trial trial = {
					.way = &ways[w], .fill = fills[f], .lease_at = n};

				assert_in_range(run_trial(&trial), 1, 2);
			}
}

/* Loses the lease, with a failure at the n-th statement; what is said of it. */
static int
lose_lease(int fail_at, LibpqAnswer answer, Error *err)
{
	Feeding feeding = {.seed = 1, .turns_max = TURNS_MAX};
	Sink *sink = NULL;
	int count;

	small_transactions();
	must(open_sink(&sink, &ways[0], err), err);
	model_target_take_lease_at(1);
	libpq_script_fail_at(fail_at, answer, "XX000");
	assert_int_equal(feed(sink, &feeding, err), RC_FAIL);
	count = libpq_script_statements();
	sink_free(sink);
	libpq_script_end();
	relation_unref(source.relation);
	return count;
}

/* Statements that are sent to find out why a lease is lost: those of another
 * connection, and of what is read of progress and fence. */
#define EXPLAINING 8

/*
 * The holder is still the same: states have changed.  Where that cannot be
 * asked for now, it is not said that another follower has taken over.
 */
static void
test_it_cannot_be_found_out_why_the_lease_is_lost(void **state UNUSED)
{
	Error err = {0};
	int count = lose_lease(0, LIBPQ_COMMAND, &err);

	assert_int_equal(err.code, ERR_CHANGED);
	error_reset(&err);
	for (int n = count - EXPLAINING + 1; n <= count; n++)
	{
		(void) lose_lease(n, LIBPQ_LOST, &err);
		if (!error_is_transient(&err))
			fail_msg("statement %d of %d is lost: %s", n, count, err.message);
		error_reset(&err);
		(void) lose_lease(n, LIBPQ_ERROR, &err);
		if (err.code == ERR_NONE || strstr(err.message, "made to fail") != NULL)
			fail_msg("statement %d of %d fails, and hides the reason: %s", n,
					 count, err.message);
		error_reset(&err);
	}
}

/* It is looked up again, and nothing fails; but an open transaction is
 * begun again. */
static void
test_a_table_is_altered(void **state UNUSED)
{
	for (size_t w = 0; w < LENGTH_OF(ways); w++)
		for (size_t f = 0; f < LENGTH_OF(fills); f++)
			for (int n = count_opening(&ways[w]) + 1; n < 100; n += 2)
			{
				const Trial trial = {.way = &ways[w],
									 .fill = fills[f],
									 .seed = (unsigned) n % 3,
									 .alter_at = n};
				bool in_parts = fills[f] == open_transactions ||
								fills[f] == a_large_transaction;

				assert_in_range(run_trial(&trial), 1, in_parts ? 2 : 1);
			}
}

/* A change that the target does not take: all before its transaction is there,
 * and nothing of what follows. */
static void
refuse_change(const Way *way, void (*fill)(void), int change)
{
	Sink *sink = NULL;
	Error err = {0};
	Lsn before = LSN_FIRST;
	Feeding feeding = {.seed = 1, .turns_max = TURNS_MAX};

	fill();
	for (int i = 0;
		 source.items[i].change_first + source.items[i].change_count <= change;
		 i++)
		before = source.items[i].lsn;
	model_target_refuse(change, "23505");
	must(open_sink(&sink, way, &err), &err);
	assert_int_equal(feed(sink, &feeding, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONFLICT);
	if (model_target_progress() != before)
		fail_msg("%s, change %d: progress is %X, not %X", way->name, change,
				 (unsigned) model_target_progress(), (unsigned) before);
	error_reset(&err);
	sink_free(sink);
	model_target_refuse(-1, NULL);
	must(open_sink(&sink, way, &err), &err);
	must(feed(sink, &feeding, &err), &err);
	sink_free(sink);
	assert_int_equal(model_target_progress(), source.end_lsn);
	libpq_script_end();
	relation_unref(source.relation);
}

/* ---- a sink that waits by itself ---------------------------------------- */

static void
test_changes_come_while_it_waits(void **state UNUSED)
{
	for (size_t w = 0; w < LENGTH_OF(ways); w++)
		for (size_t f = 0; f < LENGTH_OF(fills); f++)
		{
			handed_while_waiting = 0;
			for (unsigned seed = 0; seed < 40; seed++)
			{
				const Trial trial = {.way = &ways[w],
									 .fill = fills[f],
									 .seed = seed,
									 .as_task = true};

				assert_int_equal(run_trial(&trial), 1);
			}
			assert_true(handed_while_waiting > 0);
		}
}

/* What it is given meanwhile is not more than it has memory for. */
static void
test_it_is_full_while_it_waits(void **state UNUSED)
{
	Feeding feeding = {.turns_max = TURNS_MAX};
	Sink *sink = NULL;
	Error err = {0};
	int next = 0;

	begin_source();
	for (int i = 0; i < 25; i++)
		add_txn(20);
	must(open_sink(&sink, &ways[0], &err), &err);
	feeding.worker = worker_new(sink);
	libpq_script_dawdle(1);
	libpq_script_sleep(true);
	must(hand_over(sink, next++, &err), &err);
	must(worker_work(feeding.worker, true, &err), &err);
	assert_true(worker_is_waiting(feeding.worker));
	while (!sink->report->full && next < source.item_count)
		must(hand_over(sink, next++, &err), &err);
	assert_true(sink->report->full);
	assert_in_range(next, 2, source.item_count - 1);
	worker_free(feeding.worker);
	sink_free(sink);
	libpq_script_end();
	relation_unref(source.relation);
}

/* At whatever it waits for, its wait is cut short. */
static void
test_it_is_released_while_it_waits(void **state UNUSED)
{
	for (size_t w = 0; w < LENGTH_OF(ways); w++)
		for (size_t f = 0; f < LENGTH_OF(fills); f++)
			for (int turns = 1; turns < 200; turns++)
			{
				const Trial trial = {.way = &ways[w],
									 .fill = fills[f],
									 .seed = (unsigned) turns,
									 .as_task = true,
									 .turns = turns};

				assert_in_range(run_trial(&trial), 1, 2);
			}
}

static void
test_it_fails_while_it_waits(void **state)
{
	fails_as_task = true;
	test_the_connection_is_lost(state);
	test_a_statement_fails(state);
	fails_as_task = false;
}

/* Whoever waits for others does not ask it again and again. */
static void
test_it_rests_when_it_has_stopped(void **state UNUSED)
{
	Interest interest = INTEREST_NONE;
	Sink *sink = NULL;
	Error err = {0};

	begin_source();
	add_txn(2);
	must(open_sink(&sink, &ways[0], &err), &err);
	must(hand_over(sink, 0, &err), &err);
	sink->orders.received_lsn = source.end_lsn + 8;
	sink->orders.position_wanted = true;
	sink_set_mode(sink, SINK_STOPPING);
	for (int turn = 0; turn < TURNS_MAX && !sink->report->stopped; turn++)
		must(sink_work(sink, true, &err), &err);
	assert_true(sink->report->stopped);
	sink_interest(sink, &interest);
	assert_true(interest_left_ms(&interest) == INT64_MAX);
	interest_release(&interest);
	sink_free(sink);
	libpq_script_end();
	relation_unref(source.relation);
}

static void
test_a_change_is_refused(void **state UNUSED)
{
	for (size_t w = 0; w < LENGTH_OF(ways); w++)
		for (size_t f = 0; f < LENGTH_OF(fills) - 1; f++)
			for (int change = 0; change < 24; change++)
				refuse_change(&ways[w], fills[f], change);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_applied_in_every_way),
		cmocka_unit_test(test_the_connection_is_lost),
		cmocka_unit_test(test_a_statement_fails),
		cmocka_unit_test(test_all_fails_again_and_again),
		cmocka_unit_test(test_the_lease_is_lost),
		cmocka_unit_test(test_it_cannot_be_found_out_why_the_lease_is_lost),
		cmocka_unit_test(test_a_table_is_altered),
		cmocka_unit_test(test_a_change_is_refused),
		cmocka_unit_test(test_changes_come_while_it_waits),
		cmocka_unit_test(test_it_is_full_while_it_waits),
		cmocka_unit_test(test_it_is_released_while_it_waits),
		cmocka_unit_test(test_it_fails_while_it_waits),
		cmocka_unit_test(test_it_rests_when_it_has_stopped),
	};

	log_set_level(LOG_ERROR); /* it says much of what fails */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
