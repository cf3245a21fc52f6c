/*
 * router.c
 *    Passes each change to each sink that it is for and that has not applied
 *    it yet.
 *
 * With a placement we call sink_begin() of a sink before its first change of a
 * transaction.  That change may be in any frame of the transaction.
 */
#include "route/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "model/moved.h"
#include "route/changed_rows.h"
#include "route/moving_row.h"
#include "route/places.h"
#include "route/split.h"

/*
 * Limits of look-ahead when values of moving rows are fetched: in one round we
 * fetch the values of several rows, as many as are expected to have AHEAD_BYTES
 * together according to earlier rows, and at most AHEAD_MAX.
 *
 * XXX When values suddenly become larger, a round may fetch more than
 * AHEAD_BYTES, up to AHEAD_MAX of the largest values.  To be exact we would
 * have to ask for their sizes first.
 */
#define AHEAD_BYTES MB
#define AHEAD_MAX   32

struct Router
{
	Sink **sinks;
	int sink_count;
	int node_count;
	Places *places; /* placement rules; NULL: every sink gets every change */
	Directory *directory;
	const char *pipeline;
	TxnInfo txn;      /* the current transaction */
	bool inside_txn;  /* whether its end has still to come; without placement
					   * only */
	char *txn_origin; /* owned copy of txn.origin, because the string in the
					   * frame may be freed earlier */

	/* The frame whose changes are being passed on. */
	Frame *frame;           /* a reference, while the router waits; NULL: it
							 * does not wait */
	size_t next;            /* index of its first change that was not passed on
							 * yet */
	int64_t changes_before; /* number of changes of the transaction in earlier
							 * frames */
	MovingRow *moving_rows; /* rows whose values are being fetched, in the order
							 * of their changes */
	int ahead_max;          /* number of rows whose values are fetched in one
							 * round */
	size_t moving_row_bytes; /* expected number of bytes of a row */
	Relation *moved;         /* the table penstock.moved, see model/moved.h */
	Relation *placed_column; /* the table penstock.placed_column */
	uint32_t refused_xid;
};

Router *
router_new(const RouterOptions *options)
{
	size_t sinks_bytes = (size_t) options->sink_count * sizeof(Sink *);
	Router *router = xcalloc(1, sizeof(Router));

	ASSERT(options->sink_count > 0);
	ASSERT(options->placement == NULL ||
		   (options->node_count > 0 &&
			options->node_count <= options->sink_count));
	ASSERT(options->placement == NULL || options->pipeline != NULL);
	router->sinks = xmalloc(sinks_bytes);
	memcpy(router->sinks, options->sinks, sinks_bytes);
	router->sink_count = options->sink_count;
	router->node_count = options->node_count;
	router->directory = options->directory;
	router->pipeline = options->pipeline;
	router->moved = moved_relation_new();
	router->placed_column = placed_columns_relation_new();
	router->ahead_max = 1;
	if (options->placement != NULL)
		router->places = places_new(options->placement, options->noted,
									options->sink_count);
	return router;
}

/* Removes the first row from the list of moving rows, and frees it. */
static void
drop_moving_row(Router *router)
{
	MovingRow *moving = router->moving_rows;

	ASSERT(moving != NULL);
	router->moving_rows = moving->next;
	moving_row_free(moving);
}

void
router_free(Router *router)
{
	if (router == NULL)
		return;
	while (router->moving_rows != NULL)
		drop_moving_row(router);
	frame_unref(router->frame);
	relation_unref(router->moved);
	relation_unref(router->placed_column);
	places_free(router->places);
	free(router->sinks);
	free(router->txn_origin);
	free(router);
}

static void
ask_for_values(const Router *router, MovingRow *moving)
{
	Sink *sink = router->sinks[moving->from];
	const Relation *relation = moving->fetch.removal->relation;

	ASSERT(!moving->fetch.done);
	if (sink->report->unreachable)
		log_warning(
			"follow.row-waits-for-target",
			"a row of table \"%s\".\"%s\" moves away from %s, which "
			"alone has all its values, and is unreachable: the others wait "
			"for it",
			relation->schema, relation->name,
			sink->report->label != NULL ? sink->report->label : "a target");
	sink_fetch(sink, &moving->fetch);
}

void
router_replace_sink(Router *router, int index, Sink *sink)
{
	ASSERT(index >= 0 && index < router->sink_count);
	/* It does not get the rest of a transaction that has begun. */
	ASSERT(!sink->in_transaction);
	router->sinks[index] = sink;
	for (MovingRow *at = router->moving_rows; at != NULL; at = at->next)
		if (at->from == index && !at->fetch.done)
			ask_for_values(router, at);
}

bool
router_is_full(const Router *router)
{
	for (int i = 0; i < router->sink_count; i++)
		if (router->sinks[i]->report->full)
			return true;
	return false;
}

const TxnInfo *
router_transaction(const Router *router)
{
	return &router->txn;
}

static void
remember_transaction(Router *router, const TxnInfo *txn)
{
	CHECK(txn->end_lsn > txn->commit_lsn);
	/* Transactions come in the order of their commits. */
	CHECK(txn->end_lsn > router->txn.end_lsn);
	free(router->txn_origin);
	router->txn_origin = xstrdup(txn->origin);
	router->txn = *txn;
	router->txn.origin = router->txn_origin;
	router->changes_before = 0;
}

/* ---- everything everywhere ---------------------------------------------- */

static MUST_CHECK Rc
copy_changes(Sink *sink, Frame *frame, Error *err)
{
	for (size_t i = 0; i < frame->change_count; i++)
	{
		Rc rc = sink_change(sink, frame, &frame->changes[i], err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/*
 * Passes a frame to a sink that takes frames, unless it has the transaction. Of
 * an open transaction only the sink can tell.  The frame that describes the
 * session is passed on in any case: the sink takes that from it.
 */
static MUST_CHECK Rc
give_frame(const Router *router, Sink *sink, Frame *frame, Error *err)
{
	bool outside = !frame->begins && !router->inside_txn;

	if (frame->open_txn.xid == 0 && !outside && frame->session == NULL &&
		router->txn.end_lsn <= sink->report->start_lsn)
		return RC_OK;
	return sink_frame(sink, frame, err);
}

/* Passes a whole frame to one sink. */
static MUST_CHECK Rc
copy_frame(Router *router, Sink *sink, Frame *frame, Error *err)
{
	bool outside = !frame->begins && !sink->in_transaction &&
				   frame->change_count > 0 &&
				   frame->changes[0].kind == CHANGE_MESSAGE &&
				   !frame->changes[0].message->transactional;
	Rc rc = RC_OK;

	if (sink->ops->frame != NULL)
		return give_frame(router, sink, frame, err);
	if (frame->begins && frame->txn.end_lsn > sink->report->start_lsn)
		rc = sink_begin(sink, &router->txn, err);
	if (rc == RC_OK && (sink->in_transaction || outside))
		rc = copy_changes(sink, frame, err);
	if (rc == RC_OK && frame->commits && sink->in_transaction)
		rc = sink_commit(sink, &router->txn, err);
	ASSERT(rc != RC_OK || !frame->commits || !sink->in_transaction);
	return rc;
}

/* ---- by placement ------------------------------------------------------- */

/*
 * Passes a change to one sink, unless the sink has applied its transaction
 * already.
 */
static MUST_CHECK Rc
give(const Router *router, int target, Frame *frame, const Change *change,
	 Error *err)
{
	Sink *sink;
	Rc rc = RC_OK;

	CHECK(target >= 0 && target < router->sink_count);
	sink = router->sinks[target];
	if (frame->open_txn.xid != 0)
		return sink_open_txn_change(sink, frame, change, err);
	if (router->txn.end_lsn <= sink->report->start_lsn)
		return RC_OK;
	if (!sink->in_transaction)
		rc = sink_begin(sink, &router->txn, err);
	if (rc == RC_OK)
		rc = sink_change(sink, frame, change, err);
	return rc;
}

static int
node_of(const Router *router, uint64_t hash)
{
	ASSERT(router->node_count > 0);
	return (int) (hash % (uint64_t) router->node_count);
}

/*
 * Whether a sink has not applied the current transaction, or is unreachable, so
 * that we do not know.
 */
static bool
lacks_transaction(const Router *router, int target)
{
	const Sink *sink = router->sinks[target];

	ASSERT(target >= 0 && target < router->sink_count);
	return sink->report->unreachable ||
		   router->txn.end_lsn > sink->report->start_lsn;
}

/* Has the sink `from` fetch the values of a row that the WAL does not have. */
static MovingRow *
begin_moving_row(const Router *router, int from, size_t index,
				 const Change *change, const Value *row)
{
	MovingRowOptions options = {
		.pipeline = router->pipeline,
		.txn = router->txn,
		.update = change,
		.number = router->changes_before + (int64_t) index + 1,
		.change_index = index,
		.from = from,
		.row = row,
	};
	MovingRow *moving = moving_row_new(&options);

	ASSERT(change->kind == CHANGE_UPDATE);
	ask_for_values(router, moving);
	return moving;
}

/*
 * Starts to fetch values for the change `index`, which comes later in the
 * frame, if it moves a row whose values the WAL does not have.
 */
static MUST_CHECK Rc
begin_ahead(Router *router, Frame *frame, size_t index, MovingRow **moving,
			Error *err)
{
	const Change *change = &frame->changes[index];
	const PlacementRule *rule = NULL;
	const Value *row;
	bool whole;
	int from;
	int to;
	Rc rc = places_find(router->places, change->relation, &rule, err);

	ASSERT(index > router->next && index < frame->change_count);
	if (rc != RC_OK || rule->kind != PLACEMENT_HASH)
		return rc;
	from = node_of(router, change->old_hash);
	to = node_of(router, change->hash);
	if (from == to || !lacks_transaction(router, to))
		return RC_OK;
	row = split_new_row(frame, change, &whole);
	if (!whole)
		*moving = begin_moving_row(router, from, index, change, row);
	return RC_OK;
}

/*
 * Starts to fetch values for the next changes of the frame as well, so that one
 * round fetches several rows.  A row that an earlier change of the frame
 * changes is left out, because its values have to be fetched after that change.
 */
static MUST_CHECK Rc
look_ahead(Router *router, Frame *frame, MovingRow *last, Error *err)
{
	ChangedRows changed = {0};
	int left = router->ahead_max - 1;

	ASSERT(last->change_index == router->next && last->next == NULL);
	for (size_t i = router->next; left > 0 && i + 1 < frame->change_count &&
								  changed.count < CHANGED_ROWS_CHANGES_MAX;
		 i++)
	{
		const Change *change = &frame->changes[i + 1];
		Rc rc = RC_OK;

		changed_rows_add(&changed, &frame->changes[i]);
		if (!change_has_row(change) && change->kind != CHANGE_MESSAGE)
			break;
		if (change->kind == CHANGE_UPDATE &&
			!changed_rows_has(&changed, change))
			rc = begin_ahead(router, frame, i + 1, &last->next, err);
		if (rc != RC_OK)
			return rc;
		if (last->next == NULL)
			continue;
		last = last->next;
		left--;
	}
	return RC_OK;
}

/*
 * Starts to fetch values for the current change, and for some of the next
 * changes.
 */
static MUST_CHECK Rc
start_moving_rows(Router *router, int from, Frame *frame, const Value *row,
				  Error *err)
{
	MovingRow *moving = begin_moving_row(router, from, router->next,
										 &frame->changes[router->next], row);
	MovingRow *begun = router->moving_rows;

	/* The list is in the order of the changes. */
	ASSERT(begun == NULL || begun->change_index > router->next);
	router->moving_rows = moving;
	moving->next = begun;
	return begun == NULL ? look_ahead(router, frame, moving, err) : RC_OK;
}

/*
 * Sets how many rows the next round fetches: at most twice as many as this one.
 */
static void
adapt_ahead(Router *router, size_t bytes)
{
	size_t expected = router->moving_row_bytes / 4 * 3 + bytes / 4;
	size_t larger = bytes > expected ? bytes : expected;
	size_t count = AHEAD_BYTES / (larger + 1) + 1;

	router->moving_row_bytes = expected;
	if (count > AHEAD_MAX)
		count = AHEAD_MAX;
	if (count > 2 * (size_t) router->ahead_max)
		count = 2 * (size_t) router->ahead_max;
	router->ahead_max = (int) count;
	ASSERT(router->ahead_max >= 1 && router->ahead_max <= AHEAD_MAX);
}

/*
 * Passes on a moved row when all its values were fetched.  The values are also
 * inserted into penstock.moved on the old target (`kept`), because the new
 * target may lose the row in a crash.
 */
static MUST_CHECK Rc
end_moving_row(Router *router, int to, Error *err)
{
	MovingRow *moving = router->moving_rows;
	int from = moving->from;
	Rc rc = moving_row_make_changes(moving, router->moved, err);

	ASSERT(moving->fetch.done && moving->change_index == router->next);
	CHECK(from != to);
	adapt_ahead(router, frame_bytes(moving->frame));
	for (int i = 0; i < moving->kept_count && rc == RC_OK; i++)
		rc = give(router, from, moving->frame, &moving->kept[i], err);
	if (rc == RC_OK)
		rc = give(router, from, moving->frame, moving->fetch.removal, err);
	if (rc == RC_OK)
		rc = give(router, to, moving->frame, moving->arrival, err);
	drop_moving_row(router);
	return rc;
}

/*
 * Passes on an update that moves a row: first the delete, then the insert, so
 * that the row is never on two targets.  RC_AGAIN: values are being fetched; to
 * be called again.
 */
static MUST_CHECK Rc
place_move(Router *router, int from, int to, Frame *frame, const Change *change,
		   Error *err)
{
	const Value *row;
	bool whole;
	Move move;
	Rc rc;

	ASSERT(change->kind == CHANGE_UPDATE && from != to);
	if (router->moving_rows != NULL &&
		router->moving_rows->change_index == router->next)
		return router->moving_rows->fetch.done ? end_moving_row(router, to, err)
											   : RC_AGAIN;
	row = split_new_row(frame, change, &whole);
	if (!whole && frame->open_txn.xid != 0)
		return split_refuse(change, err);
	if (!whole && lacks_transaction(router, to))
	{
		rc = start_moving_rows(router, from, frame, row, err);
		return rc == RC_OK ? RC_AGAIN : rc;
	}
	move = split_move(frame, change, row);
	rc = give(router, from, frame, move.removal, err);
	if (rc == RC_OK)
		rc = give(router, to, frame, move.arrival, err);
	return rc;
}

/* Passes a change to the target that the directory has for the row's key. */
static MUST_CHECK Rc
place_listed(Router *router, Frame *frame, const Change *change, Error *err)
{
	const char *column = places_key_column(router->places, change->relation);
	const Value *row = change->kind == CHANGE_DELETE ? change->old_row
													 : change->new_row;
	int from;
	int to;
	Rc rc;

	CHECK(router->directory != NULL);
	rc = directory_find(router->directory, change->relation, column, row, &to,
						err);
	from = to;
	if (rc == RC_OK && change->kind == CHANGE_UPDATE)
		rc = directory_find(router->directory, change->relation, column,
							change_identity_row(change), &from, err);
	if (rc != RC_OK)
		return rc;
	if (from != to)
		return place_move(router, from, to, frame, change, err);
	return give(router, to, frame, change, err);
}

/* Passes to a sink by which columns a table is placed. */
static MUST_CHECK Rc
give_columns(const Router *router, int target, Frame *frame,
			 const PlacedColumns *columns, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < columns->count && rc == RC_OK; i++)
	{
		Value *row = arena_calloc(frame->arena, PLACED_FIELD_COUNT,
								  sizeof(Value));
		Change *change = arena_calloc(frame->arena, 1, sizeof(Change));

		row[PLACED_PIPELINE] = (Value){
			.kind = VALUE_BINARY,
			.bytes = (const uint8_t *) arena_strdup(frame->arena,
													router->pipeline),
			.length = (uint32_t) strlen(router->pipeline),
		};
		row[PLACED_OID] = (Value){.kind = VALUE_INTEGER,
								  .integer = columns->oid};
		row[PLACED_NUMBER] = (Value){.kind = VALUE_INTEGER, .integer = i};
		row[PLACED_ATTNUM] = (Value){.kind = VALUE_INTEGER,
									 .integer = columns->attnums[i]};
		*change = (Change){.kind = CHANGE_INSERT,
						   .relation = router->placed_column,
						   .new_row = row};
		rc = give(router, target, frame, change, err);
	}
	return rc;
}

/*
 * Has the targets that lack them note the columns by which a table is placed,
 * in the current transaction.  An open transaction may end with an abort, and
 * its description of the table with it.
 */
static MUST_CHECK Rc
note_columns(Router *router, Frame *frame, const Relation *relation, Error *err)
{
	const PlacedColumns *columns = places_columns(router->places, relation);
	Rc rc = RC_OK;

	if (columns == NULL)
		return RC_OK;
	if (frame->open_txn.xid != 0)
		return error_set(err, ERR_CONFIG,
						 "by which columns table \"%s\".\"%s\" is placed is "
						 "noted when the transaction commits",
						 relation->schema, relation->name);
	for (int i = 0; i < router->sink_count && rc == RC_OK; i++)
	{
		if (router->txn.end_lsn <= router->sinks[i]->report->start_lsn ||
			places_is_noted(router->places, relation, i))
			continue;
		rc = give_columns(router, i, frame, columns, err);
		places_set_noted(router->places, relation, i);
	}
	return rc;
}

static MUST_CHECK Rc
place_row(Router *router, Frame *frame, const Change *change, Error *err)
{
	const PlacementRule *rule = NULL;
	int from;
	int to;
	Rc rc = places_find(router->places, change->relation, &rule, err);

	if (rc == RC_OK)
		rc = note_columns(router, frame, change->relation, err);
	if (rc != RC_OK)
		return rc;
	switch (rule->kind)
	{
		case PLACEMENT_ALL:
			for (int i = 0; i < router->sink_count && rc == RC_OK; i++)
				rc = give(router, i, frame, change, err);
			return rc;
		case PLACEMENT_HASH:
			ASSERT(change->relation->distribution_count > 0);
			from = node_of(router, change->old_hash);
			to = node_of(router, change->hash);
			if (from != to)
				return place_move(router, from, to, frame, change, err);
			return give(router, to, frame, change, err);
		case PLACEMENT_DIRECTORY:
			return place_listed(router, frame, change, err);
		case PLACEMENT_ONLY:
			return give(router, rule->target, frame, change, err);
		case PLACEMENT_NONE:
			return RC_OK;
	}
	check_failed("the kind of a placement is known", __FILE__, __LINE__);
}

/*
 * Refuses a TRUNCATE or rewrite of a table in which the targets also have rows
 * of other sources: it would remove those, too.
 */
static MUST_CHECK Rc
refuse_emptying(const char *what, const char *advice, const Relation *relation,
				Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "%s of table \"%s\".\"%s\" on one source cannot be "
					  "followed",
					  what, relation->schema, relation->name);

	error_detail(err, "The targets have rows of other sources in it.");
	error_hint(err,
			   "%s as long as there are several "
			   "sources.  To go on, remove the pipelines with \"penstock "
			   "drop\", and clone again.",
			   advice);
	return rc;
}

/* Passes to each target a TRUNCATE of those tables that are placed on it. */
static MUST_CHECK Rc
place_truncate(const Router *router, Frame *frame, const Change *change,
			   Error *err)
{
	const TruncateInfo *info = change->truncate;
	Relation **relations = arena_calloc(
		frame->arena, (size_t) info->relation_count, sizeof(Relation *));
	Rc rc = RC_OK;

	ASSERT(info->relation_count > 0);
	for (int target = 0; target < router->sink_count && rc == RC_OK; target++)
	{
		int count = 0;

		for (int i = 0; i < info->relation_count && rc == RC_OK; i++)
		{
			const PlacementRule *rule = NULL;

			rc = places_find(router->places, info->relations[i], &rule, err);
			if (rc == RC_OK && rule->shared)
				return refuse_emptying("TRUNCATE", "Delete rows with DELETE",
									   info->relations[i], err);
			if (rc == RC_OK &&
				placement_rule_has(rule, target, router->node_count))
				relations[count++] = info->relations[i];
		}
		if (rc == RC_OK && count > 0)
			rc = give(router, target, frame,
					  split_truncate(frame, change, relations, count), err);
	}
	return rc;
}

/* Passes a rewrite to each target that the table is placed on. */
static MUST_CHECK Rc
place_rewrite(const Router *router, Frame *frame, const Change *change,
			  Error *err)
{
	const PlacementRule *rule = NULL;
	Rc rc = places_find(router->places, change->relation, &rule, err);

	if (rc == RC_OK && rule->shared)
		return refuse_emptying("rewrite",
							   "Do not alter columns in a way that "
							   "rewrites the table",
							   change->relation, err);
	for (int target = 0; target < router->sink_count && rc == RC_OK; target++)
		if (placement_rule_has(rule, target, router->node_count))
			rc = give(router, target, frame, change, err);
	return rc;
}

/*
 * Passes a schema change to all targets: each finds out whether it has the
 * object.  A table that the placement assigns to no target is on none of them.
 */
static MUST_CHECK Rc
place_schema_change(const Router *router, Frame *frame, const Change *change,
					Error *err)
{
	bool nowhere = false;
	Rc rc = RC_OK;

	if (change->schema->kind == SCHEMA_DEFINED)
		rc = places_check_defined(router->places, change->schema->definition,
								  &nowhere, err);
	for (int target = 0; target < router->sink_count && rc == RC_OK && !nowhere;
		 target++)
		rc = give(router, target, frame, change, err);
	return rc;
}

/*
 * Passes a change to the targets that it is placed on.  A message (of
 * pg_logical_emit_message) belongs to no table and is not passed on.
 */
static MUST_CHECK Rc
place_change(Router *router, Frame *frame, const Change *change, Error *err)
{
	switch (change->kind)
	{
		case CHANGE_INSERT:
		case CHANGE_UPDATE:
		case CHANGE_DELETE:
			return place_row(router, frame, change, err);
		case CHANGE_TRUNCATE:
			return place_truncate(router, frame, change, err);
		case CHANGE_MESSAGE:
			return RC_OK;
		case CHANGE_SCHEMA:
			return place_schema_change(router, frame, change, err);
		case CHANGE_REWRITE:
			return place_rewrite(router, frame, change, err);
	}
	check_failed("the kind of a change is known", __FILE__, __LINE__);
}

/* Passes on the changes of a frame from router->next on. */
static MUST_CHECK Rc
place_changes(Router *router, Frame *frame, Error *err)
{
	ASSERT(router->next <= frame->change_count);
	for (; router->next < frame->change_count; router->next++)
	{
		const Change *change = &frame->changes[router->next];
		Rc rc = RC_OK;

		if (router->directory != NULL)
			rc = directory_note(router->directory, change, router->txn.end_lsn,
								err);
		if (rc == RC_OK)
			rc = place_change(router, frame, change, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static MUST_CHECK Rc
place_frame(Router *router, Frame *frame, Error *err)
{
	Rc rc = place_changes(router, frame, err);

	ASSERT(router->places != NULL);
	if (rc != RC_OK)
		return rc;
	ASSERT(router->moving_rows == NULL);
	router->next = 0;
	router->changes_before += (int64_t) frame->change_count;
	for (int i = 0; frame->commits && i < router->sink_count && rc == RC_OK;
		 i++)
		if (router->sinks[i]->in_transaction)
			rc = sink_commit(router->sinks[i], &router->txn, err);
	return rc;
}

/* ---- open transactions ------------------------------------------- */

/*
 * Passes the commit or abort of an open transaction to a sink, which may have
 * got none of its changes.  Only its commit tells whether the sink has applied
 * the transaction before this stream began; then the sink aborts it.
 */
static MUST_CHECK Rc
end_open_txn(const Router *router, Sink *sink, const Frame *frame, Error *err)
{
	const OpenTxnInfo *piece = &frame->open_txn;

	CHECK(piece->aborts || router->txn.xid == piece->xid);
	if (piece->aborts)
		return sink_open_txn_abort(sink, piece->xid, piece->abort_subxid, err);
	if (router->txn.end_lsn <= sink->report->start_lsn)
		return sink_open_txn_abort(sink, piece->xid, 0, err);
	return sink_open_txn_commit(sink, &router->txn, err);
}

static MUST_CHECK Rc
give_open_changes(Sink *sink, Frame *frame, Error *err)
{
	Rc rc = RC_OK;

	for (size_t i = 0; i < frame->change_count && rc == RC_OK; i++)
		rc = sink_open_txn_change(sink, frame, &frame->changes[i], err);
	return rc;
}

static MUST_CHECK Rc
route_open_txn(Router *router, Frame *frame, Error *err)
{
	bool ends = frame->open_txn.aborts || frame->commits;
	Rc rc = RC_OK;

	ASSERT(!(frame->open_txn.aborts && frame->commits));
	if (!ends && router->places != NULL)
		return place_frame(router, frame, err);
	for (int i = 0; i < router->sink_count && rc == RC_OK; i++)
		if (router->sinks[i]->ops->frame != NULL)
			rc = give_frame(router, router->sinks[i], frame, err);
		else
			rc = ends ? end_open_txn(router, router->sinks[i], frame, err)
					  : give_open_changes(router->sinks[i], frame, err);
	return rc;
}

/*
 * Turns an error into ERR_OPEN_TXN.  A row that no rule places is an error only
 * if its transaction commits, so the caller has the open transaction sent after
 * its commit instead.
 */
static MUST_CHECK Rc
refuse_open_txn(Router *router, const Frame *frame, Error *err)
{
	char *reason = xstrdup(err->message);
	Rc rc = error_set(err, ERR_OPEN_TXN,
					  "transaction %u cannot be passed on while it is "
					  "open on the source",
					  frame->open_txn.xid);

	ASSERT(frame->open_txn.xid != 0);
	error_detail(err, "%s", reason);
	free(reason);
	router->refused_xid = frame->open_txn.xid;
	return rc;
}

Rc
router_frame(Router *router, Frame *frame, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(router->frame == NULL && router->next == 0);
	ASSERT(router->moving_rows == NULL);
	if (frame->begins)
		remember_transaction(router, &frame->txn);
	if (frame->open_txn.xid != 0)
	{
		rc = route_open_txn(router, frame, err);
		ASSERT(rc != RC_AGAIN);
		return rc == RC_FAIL && err->code != ERR_OPEN_TXN
				   ? refuse_open_txn(router, frame, err)
				   : rc;
	}
	if (router->places != NULL)
	{
		rc = place_frame(router, frame, err);
		ASSERT(rc != RC_AGAIN || router->moving_rows != NULL);
		if (rc == RC_AGAIN)
			router->frame = frame_ref(frame);
		return rc;
	}
	for (int i = 0; i < router->sink_count && rc == RC_OK; i++)
		rc = copy_frame(router, router->sinks[i], frame, err);
	router->inside_txn = (router->inside_txn || frame->begins) &&
						 !frame->commits;
	return rc;
}

Rc
router_go_on(Router *router, Error *err)
{
	Frame *frame = router->frame;
	Rc rc;

	ASSERT(frame != NULL);
	ASSERT(router->moving_rows != NULL);
	rc = place_frame(router, frame, err);
	if (rc == RC_AGAIN)
		return rc;
	router->frame = NULL;
	frame_unref(frame);
	return rc;
}

bool
router_is_inside(const Router *router)
{
	return router->frame != NULL;
}

bool
router_can_go_on(const Router *router)
{
	ASSERT(router->frame == NULL || router->moving_rows != NULL);
	return router->frame != NULL && router->moving_rows->fetch.done;
}

uint32_t
router_refused_xid(const Router *router)
{
	return router->refused_xid;
}

const Sink *
router_waits_for(const Router *router)
{
	ASSERT(router->frame == NULL || router->moving_rows != NULL);
	if (router->frame == NULL || router->moving_rows->fetch.done)
		return NULL;
	return router->sinks[router->moving_rows->from];
}
