/*
 * open_txns.c
 *    Has a queue of parts and an applier for each transaction.
 */
#include "sink/postgres/apply/open_txns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "net/sqlstate.h"
#include "sink/postgres/apply/applier.h"

/*
 * A part that waits to be applied: changes of one subtransaction, or the end of
 * a subtransaction or of the transaction.
 */
typedef struct Part
{
	struct Part *next;
	Batch batch;     /* changes of one transaction; empty for an end */
	uint32_t subxid; /* subtransaction of the changes; 0: the transaction
					  * itself */
	bool aborts;     /* the subtransaction was rolled back; no batch */
	bool commits;
	Lsn after_lsn; /* source LSN up to which everything must be committed
					* before */
	size_t bytes;  /* bytes of this part in Place.queued_bytes */
} Part;

typedef struct Savepoint
{
	uint32_t subxid;
	int64_t open_rows; /* Applier.open_rows when the savepoint was set */
} Savepoint;

/*
 * States of a place:
 *
 *     FREE ──► OPEN ──► COMMITTING ──► FREE
 *               │
 *               └────► ABORTING ────► FREE
 */
typedef enum PlaceState
{
	PLACE_FREE,
	PLACE_OPEN,
	PLACE_COMMITTING, /* the commit was received, and may have to wait */
	PLACE_ABORTING,   /* is rolled back as soon as its connection is idle */
} PlaceState;

/*
 * A place for an open transaction, with a connection that is used for one
 * transaction after the other.
 */
typedef struct Place
{
	PlaceState state;
	uint32_t xid; /* 0: the place is free */
	Lsn ends_after_lsn;
	Part *first; /* the queue */
	Part *last;
	Part *starting;      /* part that is being started; new changes go to later
						  * parts */
	size_t queued_bytes; /* bytes of all queued parts */
	Savepoint savepoints[OPEN_TXNS_SAVEPOINTS_MAX];
	int savepoint_count;
	bool connected;
	Applier applier;
} Place;

struct OpenTxns
{
	Target *target;
	SessionOptions session;
	const TableStates *table_states;
	bool marked;
	size_t part_bytes_max;
	Place places[OPEN_TXNS_MAX];
};

OpenTxns *
open_txns_new(const OpenTxnsOptions *options)
{
	OpenTxns *self = xcalloc(1, sizeof(OpenTxns));

	self->target = options->target;
	self->session = *options->session;
	self->table_states = options->table_states;
	self->marked = options->marked;
	self->part_bytes_max = options->part_bytes_max;
	return self;
}

/* ---- states ------------------------------------------------------------- */

static const unsigned states_after[] = {
	[PLACE_FREE] = 1U << PLACE_OPEN,
	[PLACE_OPEN] = 1U << PLACE_COMMITTING | 1U << PLACE_ABORTING,
	[PLACE_COMMITTING] = 1U << PLACE_FREE,
	[PLACE_ABORTING] = 1U << PLACE_FREE,
};

static void
set_state(Place *place, PlaceState state)
{
	CHECK((states_after[place->state] & (1U << state)) != 0);
	place->state = state;
}

/* ---- parts -------------------------------------------------------------- */

static void
free_part(Part *part)
{
	batch_release(&part->batch);
	free(part);
}

/*
 * Updates the sums of bytes after a part has changed.  There can be as many
 * parts as subtransactions, so the bytes are not added up again for each query.
 */
static void
count_part(Place *place, Part *part)
{
	ASSERT(place->queued_bytes >= part->bytes);
	place->queued_bytes -= part->bytes;
	part->bytes = sizeof(Part) + part->batch.bytes;
	place->queued_bytes += part->bytes;
}

static Part *
add_part(Place *place, Lsn delivered_lsn)
{
	Part *part = xcalloc(1, sizeof(Part));

	ASSERT((place->first == NULL) == (place->last == NULL));
	part->after_lsn = delivered_lsn;
	if (place->last != NULL)
		place->last->next = part;
	else
		place->first = part;
	place->last = part;
	count_part(place, part);
	return part;
}

static Part *
take_first_part(Place *place)
{
	Part *part = place->first;

	ASSERT(part != NULL);
	place->first = part->next;
	if (place->first == NULL)
		place->last = NULL;
	return part;
}

static void
drop_part(Place *place, Part *part)
{
	if (part == NULL)
		return;
	ASSERT(place->queued_bytes >= part->bytes);
	place->queued_bytes -= part->bytes;
	free_part(part);
}

static void
drop_parts(Place *place)
{
	while (place->first != NULL)
		drop_part(place, take_first_part(place));
}

/* Whether a change can be added to the last part. */
static bool
takes_change(const OpenTxns *self, const Place *place, uint32_t subxid)
{
	const Part *part = place->last;

	return part != NULL && !part->aborts && part->subxid == subxid &&
		   part->batch.bytes < self->part_bytes_max &&
		   !batch_is_full(&part->batch, self->target->relations_max);
}

/* ---- failing ------------------------------------------------------------ */

static MUST_CHECK Rc
refuse(OpenTxns *self, uint32_t xid, const char *reason, Error *err)
{
	Rc rc = error_set(err, ERR_OPEN_TXN,
					  "transaction %u cannot be applied to %s while it is "
					  "open on the source",
					  xid, self->target->label);

	ASSERT(xid != 0);
	error_detail(err, "%s", reason);
	self->target->report->refused_xid = xid;
	self->target->report->refused_until_lsn = 0;
	return rc;
}

Rc
open_txns_refuse_schema(OpenTxns *self, const Frame *frame, Error *err)
{
	return refuse(self, frame->open_txn.xid, "It changes the schema.", err);
}

/* Whether the transaction has changes that are not on the target yet. */
static bool
has_waiting(const Place *place)
{
	return place->first != NULL || place->starting != NULL ||
		   (place->connected && place->applier.state != APPLIER_IDLE);
}

Rc
open_txns_check_labels(OpenTxns *self, Error *err)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
		if (self->places[i].state == PLACE_OPEN &&
			has_waiting(&self->places[i]))
			return refuse(self, self->places[i].xid,
						  "Another one changes an enum meanwhile.", err);
	return RC_OK;
}

/*
 * Turns a failure of a transaction's connection into ERR_OPEN_TXN; see the
 * header.
 */
static MUST_CHECK Rc
check_failure(OpenTxns *self, const Place *place, Rc rc, Error *err)
{
	bool lost_lease = err->code == ERR_CONFIG &&
					  place->applier.state == APPLIER_COMMITTING;
	char *reason;

	if (rc != RC_FAIL || sqlstate_is_server_gone(err) || lost_lease ||
		err->code == ERR_OPEN_TXN || err->code == ERR_INTERRUPTED)
		return rc;
	reason = xstrdup(err->message);
	rc = refuse(self, place->xid, reason, err);
	free(reason);
	return rc;
}

static bool
is_open(const Place *place)
{
	return place->connected && place->applier.txn_open;
}

/*
 * Returns a transaction that holds locks on the target, or soon will, or NULL.
 */
static const Place *
find_used(const OpenTxns *self)
{
	const Place *used = NULL;

	for (int i = 0; i < OPEN_TXNS_MAX; i++)
	{
		const Place *place = &self->places[i];

		if (place->xid != 0 && (used == NULL || is_open(place)))
			used = place;
	}
	return used;
}

void
open_txns_check_blame(OpenTxns *self, Error *err)
{
	static const char *const sqlstates[] = {
		"55P03", /* lock_not_available */
		"40P01", /* deadlock_detected */
	};
	const Place *used = find_used(self);

	if (used == NULL || err->code != ERR_SQL)
		return;
	for (size_t i = 0; i < LENGTH_OF(sqlstates); i++)
	{
		if (strcmp(err->sqlstate, sqlstates[i]) != 0)
			continue;
		if (refuse(self, used->xid, "Other transactions wait for its locks.",
				   err) == RC_FAIL)
			return;
	}
}

/* ---- taking changes ----------------------------------------------------- */

static Place *
find_place(OpenTxns *self, uint32_t xid)
{
	ASSERT(xid != 0);
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
		if (self->places[i].xid == xid &&
			self->places[i].state != PLACE_ABORTING)
			return &self->places[i];
	return NULL;
}

/* Returns a free place, preferably one with a connection. */
static Place *
find_free_place(OpenTxns *self)
{
	Place *unconnected = NULL;

	for (int i = 0; i < OPEN_TXNS_MAX; i++)
	{
		Place *place = &self->places[i];

		if (place->xid != 0)
			continue;
		if (place->connected)
			return place;
		if (unconnected == NULL)
			unconnected = place;
	}
	return unconnected;
}

Rc
open_txns_change(OpenTxns *self, Frame *frame, const Change *change,
				 Lsn delivered_lsn, Error *err)
{
	const OpenTxnInfo *piece = &frame->open_txn;
	const TxnInfo txn = {.xid = piece->xid};
	Place *place = find_place(self, piece->xid);

	if (place == NULL)
		place = find_free_place(self);
	if (place == NULL)
		return refuse(self, piece->xid,
					  "There are too many large transactions at a time.", err);
	ASSERT(piece->xid != 0);
	if (place->state == PLACE_FREE)
		set_state(place, PLACE_OPEN);
	CHECK(place->state == PLACE_OPEN);
	place->xid = piece->xid;
	self->target->has_open_transactions = true;
	place->ends_after_lsn = lsn_max(place->ends_after_lsn, piece->decoded_lsn);
	if (!takes_change(self, place, change->subxid))
	{
		Part *part = add_part(place, delivered_lsn);

		part->subxid = change->subxid;
		batch_begin(&part->batch, &txn);
		part->batch.continues = true;
	}
	place->last->after_lsn = delivered_lsn;
	batch_add(&place->last->batch, frame, change);
	count_part(place, place->last);
	return RC_OK;
}

void
open_txns_commit(OpenTxns *self, const TxnInfo *txn, Lsn delivered_lsn)
{
	Place *place = find_place(self, txn->xid);
	Part *part;

	if (place == NULL)
		return; /* it had no changes for this target, or an outer one was rolled
				 * back */
	CHECK(txn->end_lsn > delivered_lsn);
	CHECK(txn->end_lsn > place->ends_after_lsn);
	set_state(place, PLACE_COMMITTING);
	place->ends_after_lsn = txn->end_lsn - 1;
	part = add_part(place, delivered_lsn);
	part->commits = true;
	batch_begin(&part->batch, txn);
	batch_commit(&part->batch);
	part->batch.continues = true;
}

static void
give_up(Place *place)
{
	drop_parts(place);
	set_state(place, PLACE_ABORTING);
}

void
open_txns_abort(OpenTxns *self, uint32_t xid, uint32_t subxid,
				Lsn delivered_lsn)
{
	Place *place = find_place(self, xid);
	Part *part;

	if (place == NULL)
		return;
	if (subxid == 0)
	{
		give_up(place);
		return;
	}
	part = add_part(place, delivered_lsn);
	part->aborts = true;
	part->subxid = subxid;
}

/* ---- savepoints --------------------------------------------------------- */

/*
 * Returns the index of a subtransaction's savepoint among those that are set,
 * or -1.
 */
static int
find_savepoint(const Place *place, uint32_t subxid)
{
	for (int i = 0; i < place->savepoint_count; i++)
		if (place->savepoints[i].subxid == subxid)
			return i;
	return -1;
}

/*
 * Releases the savepoints from index `first` on, whose subtransactions have
 * ended.
 */
static MUST_CHECK Rc
release_savepoints(Place *place, int first, Error *err)
{
	uint32_t subxid;

	ASSERT(first >= 0);
	if (first >= place->savepoint_count)
		return RC_OK;
	subxid = place->savepoints[first].subxid;
	place->savepoint_count = first;
	return applier_release_savepoint(&place->applier, subxid, err);
}

/*
 * Sets or releases savepoints so that the next changes belong to this
 * subtransaction.
 */
static MUST_CHECK Rc
enter_subtransaction(OpenTxns *self, Place *place, uint32_t subxid, Error *err)
{
	int found = find_savepoint(place, subxid);

	ASSERT(place->savepoint_count <= OPEN_TXNS_SAVEPOINTS_MAX);
	if (subxid == 0 || found >= 0)
		return release_savepoints(place, found + 1, err);
	if (place->savepoint_count == OPEN_TXNS_SAVEPOINTS_MAX)
		return refuse(self, place->xid, "It has too many subtransactions.",
					  err);
	place->savepoints[place->savepoint_count++] = (Savepoint){
		.subxid = subxid, .open_rows = place->applier.open_rows};
	return applier_set_savepoint(&place->applier, subxid, err);
}

static MUST_CHECK Rc
roll_back_subtransaction(Place *place, uint32_t subxid, Error *err)
{
	int found = find_savepoint(place, subxid);
	Rc rc;

	ASSERT(subxid != 0);
	if (found < 0)
		return RC_OK; /* it had no changes for this target */
	rc = applier_roll_back_to(&place->applier, subxid,
							  place->savepoints[found].open_rows, err);
	if (rc == RC_OK)
		rc = release_savepoints(place, found, err);
	return rc;
}

/* ---- applying ----------------------------------------------------------- */

/*
 * Returns the LSN up to which the target, or the copy of a table, may have had
 * transactions when the session began; it had none that end later.
 */
static Lsn
had_lsn(const OpenTxns *self)
{
	return lsn_max(self->target->report->start_lsn,
				   table_states_last_watermark(self->table_states));
}

/*
 * Whether it is known that neither the target nor the copy of any of its tables
 * contains the transaction.  It ends after each LSN at which it was seen open,
 * and after everything that was delivered before its end.
 */
static bool
is_needed(const OpenTxns *self, const Place *place)
{
	Lsn had = had_lsn(self);

	return place->ends_after_lsn >= had ||
		   (place->state != PLACE_COMMITTING &&
			self->target->orders->streamed_lsn >= had);
}

/* Whether the first part is worth starting, and may be started. */
static bool
is_due(const OpenTxns *self, const Place *place, const OpenTxnsTurn *turn)
{
	const Part *part = place->first;

	if (part == NULL || self->target->orders->mode == SINK_STOPPING ||
		!is_needed(self, place) || self->target->noted_lsn < part->after_lsn)
		return false;
	if (part->commits)
		return turn->rest_is_idle;
	return part != place->last || part->aborts || turn->source_idle ||
		   part->batch.bytes >= BATCH_BYTES_MIN;
}

static MUST_CHECK Rc
connect(OpenTxns *self, Place *place, Error *err)
{
	PgConn *conn = NULL;
	Rc rc = session_open_another(&conn, &self->session, self->marked, err);
	char *reason;

	ASSERT(!place->connected);
	if (rc == RC_OK)
	{
		applier_init(&place->applier, self->target, conn);
		place->connected = true;
		return RC_OK;
	}
	if (rc != RC_FAIL || err->code == ERR_INTERRUPTED)
		return rc;

	/* The ordinary way does not need another connection. */
	reason = xstrdup(err->message);
	rc = refuse(self, place->xid, reason, err);
	free(reason);
	return rc;
}

/* Opens the transaction on the target, unless it is open. */
static MUST_CHECK Rc
ensure_open(OpenTxns *self, Place *place, Error *err)
{
	Rc rc = place->connected ? RC_OK : connect(self, place, err);

	ASSERT(place->state != PLACE_FREE);
	if (rc == RC_OK && !place->applier.txn_open)
	{
		log_debug("apply", "transaction %u is applied to %s while open",
				  place->xid, self->target->label);
		rc = applier_begin(&place->applier, err);
	}
	return rc;
}

/*
 * Starts the first part.  This may wait for the target, and meanwhile changes
 * may be added to the transaction, or it may commit or be rolled back.  So the
 * part is first removed from the queue; new changes get parts of their own,
 * which wait for everything delivered before them.
 */
static MUST_CHECK Rc
start_part(OpenTxns *self, Place *place, Error *err)
{
	Part *part = take_first_part(place);
	Rc rc;

	CHECK(place->starting == NULL);
	CHECK(self->target->noted_lsn >= part->after_lsn);
	place->starting = part;
	rc = ensure_open(self, place, err);
	FAULT("apply.open_txn");
	if (rc == RC_OK && part->aborts)
		rc = roll_back_subtransaction(place, part->subxid, err);
	else if (rc == RC_OK)
		rc = enter_subtransaction(self, place, part->subxid, err);
	if (rc == RC_OK && !part->aborts)
		rc = applier_start(&place->applier, &part->batch, err);
	if (rc != RC_OK)
		return rc;
	place->starting = NULL;
	drop_part(place, part);
	return RC_OK;
}

/* Frees the place after the transaction has ended. */
static void
leave(Place *place)
{
	ASSERT(place->first == NULL && place->queued_bytes == 0);
	CHECK(!place->connected || !place->applier.txn_open);
	ASSERT(place->starting == NULL);
	set_state(place, PLACE_FREE);
	place->xid = 0;
	place->ends_after_lsn = 0;
	place->savepoint_count = 0;
}

/* Does the next step on an idle connection.  RC_AGAIN: there is none now. */
static MUST_CHECK Rc
work_idle(OpenTxns *self, Place *place, const OpenTxnsTurn *turn, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(place->xid != 0 && place->state != PLACE_FREE);
	if (place->state == PLACE_ABORTING)
	{
		if (place->connected)
			rc = applier_roll_back(&place->applier, err);
		if (rc == RC_OK)
			leave(place);
		return rc;
	}
	if (is_due(self, place, turn))
		return start_part(self, place, err);
	if (place->state == PLACE_COMMITTING && place->first == NULL)
	{
		log_debug("apply", "transaction %u was applied while open", place->xid);
		leave(place);
		return RC_OK;
	}
	return RC_AGAIN;
}

static MUST_CHECK Rc
work_place(OpenTxns *self, Place *place, const OpenTxnsTurn *turn, Error *err)
{
	Rc rc;

	do
	{
		bool idle = !place->connected || place->applier.state == APPLIER_IDLE;

		rc = RC_AGAIN;
		if (idle && place->xid != 0)
			rc = work_idle(self, place, turn, err);
		if (rc == RC_AGAIN && place->connected)
			rc = applier_work(&place->applier, err);
	} while (rc == RC_OK);
	return check_failure(self, place, rc, err);
}

/*
 * Refuses a transaction that may be on the target already.  A stream that
 * begins after the target's state knows that it is not.
 */
static MUST_CHECK Rc
refuse_unknown(OpenTxns *self, uint32_t xid, Error *err)
{
	Rc rc = refuse(self, xid, "The target may have it, or part of it, already.",
				   err);

	self->target->report->refused_until_lsn = had_lsn(self);
	return rc;
}

/*
 * Limits the changes that are held without knowing whether they are needed.
 * There are few of them, unless the target is far ahead of the stream.
 */
static MUST_CHECK Rc
check_held(OpenTxns *self, Error *err)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
	{
		const Place *place = &self->places[i];

		if (place->first == NULL || is_needed(self, place))
			continue;
		if (place->state == PLACE_COMMITTING ||
			open_txns_bytes(self) >= self->part_bytes_max)
			return refuse_unknown(self, place->xid, err);
	}
	return RC_OK;
}

/*
 * Rolls back transactions that have not committed on the source, so that their
 * locks are released.
 */
static void
give_up_uncommitted(OpenTxns *self)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
		if (self->places[i].state == PLACE_OPEN)
			give_up(&self->places[i]);
}

static int
count_used(const OpenTxns *self)
{
	int count = 0;

	for (int i = 0; i < OPEN_TXNS_MAX; i++)
		if (self->places[i].state != PLACE_FREE)
			count++;
	return count;
}

Rc
open_txns_work(OpenTxns *self, const OpenTxnsTurn *turn, Error *err)
{
	Rc rc;

	if (self->target->orders->mode == SINK_SETTLING)
		give_up_uncommitted(self);
	rc = check_held(self, err);
	for (int i = 0; rc != RC_FAIL && i < OPEN_TXNS_MAX; i++)
		rc = work_place(self, &self->places[i], turn, err);
	self->target->has_open_transactions = find_used(self) != NULL;
	self->target->report->open_txns = count_used(self);
	return rc == RC_AGAIN ? RC_OK : rc;
}

void
open_txns_interest(const OpenTxns *self, Interest *interest)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
		if (self->places[i].connected)
			applier_interest(&self->places[i].applier, interest);
}

/* ---- what the sink asks ------------------------------------------------- */

bool
open_txns_is_committing(const OpenTxns *self)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
		if (self->places[i].state == PLACE_COMMITTING)
			return true;
	return false;
}

bool
open_txns_is_at_commit(const OpenTxns *self)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
	{
		const Place *place = &self->places[i];

		/*
		 * The last part, with the commit, is started before the commit itself
		 * is sent.
		 */
		if (place->state == PLACE_COMMITTING && place->first == NULL &&
			place->connected && place->applier.state != APPLIER_IDLE)
			return true;
	}
	return false;
}

bool
open_txns_waits(const OpenTxns *self)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
	{
		const Part *part = self->places[i].first;

		if (part != NULL && self->target->noted_lsn < part->after_lsn)
			return true;
	}
	return false;
}

bool
open_txns_is_idle(const OpenTxns *self)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
		if (self->places[i].starting != NULL ||
			(self->places[i].connected &&
			 self->places[i].applier.state != APPLIER_IDLE))
			return false;
	return true;
}

void
open_txns_forget_table(OpenTxns *self, const char *schema, const char *name)
{
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
		if (self->places[i].connected)
			applier_forget_table(&self->places[i].applier, schema, name);
}

size_t
open_txns_bytes(const OpenTxns *self)
{
	size_t bytes = 0;

	for (int i = 0; i < OPEN_TXNS_MAX; i++)
	{
		const Place *place = &self->places[i];

		if (place->connected)
			bytes += place->applier.batch->bytes;
		bytes += place->queued_bytes;
	}
	return bytes;
}

void
open_txns_free(OpenTxns *self)
{
	if (self == NULL)
		return;
	for (int i = 0; i < OPEN_TXNS_MAX; i++)
	{
		drop_parts(&self->places[i]);
		drop_part(&self->places[i], self->places[i].starting);
		if (self->places[i].connected)
			applier_release(&self->places[i].applier);
	}
	free(self);
}
