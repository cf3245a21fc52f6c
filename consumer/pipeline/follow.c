/*
 * follow.c
 *    Streams and applies, again and again until told to stop.
 *
 * What can heal is tried again: a lost connection, a server that restarts, a
 * deadlock.  Everything is then torn down and set up anew, from the progress
 * that each target has; there is no state that could have gone wrong with it.
 */
#include "pipeline/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/own_command.h"
#include "catalog/publications.h"
#include "check/rules.h"
#include "control/fence.h"
#include "control/follower_table.h"
#include "net/citus.h"
#include "pipeline/keys.h"
#include "pipeline/place.h"
#include "pipeline/reach.h"
#include "pipeline/remember.h"
#include "pipeline/run.h"
#include "sink/absent.h"
#include "sink/postgres/postgres_sink.h"
#include "source/slot.h"
#include "wire/decode.h"

/* Pauses between attempts grow from the first to the last of these. */
#define RETRY_PAUSE_FIRST_MS 100
#define RETRY_PAUSE_MAX_MS   10000

/* How long a target may keep a follower that is ending, at each step. */
#define SAY_END_MS_MAX 500

/* How long to wait at start for a slot that somebody else uses. */
#define SLOT_WAIT_MAX_MS 10000

/* The first version that sends transactions in progress. */
#define STREAMING_VERSION_MIN 140000

/*
 * With several sources, a row may have to go where another one's is that is
 * about to go, because it has moved from one source to the other: how long to
 * wait for that, if nothing else is applied meanwhile, and how often to look.
 */
#define OTHERS_WAIT_MAX_MS  30000
#define OTHERS_PAUSE_MAX_MS 1000

/* How often targets that are held at a fence are asked whether it is gone. */
#define FENCE_POLL_MS 200

/* After a stream was closed, to have its slot for the next one. */
#define REOPEN_WAIT_MAX_MS 5000
#define REOPEN_PAUSE_MS    20

/* What can be said of tables that are left out: 10,000 and more. */
#define LEFT_OUT_MAX MB

/* object_in_use */
#define SLOT_IN_USE_SQLSTATE "55006"

#define ARENA_BLOCK_BYTES    (4 * KB)

/* How far an attempt got. */
typedef enum Reached
{
	REACHED_NOTHING,
	REACHED_SLOT,    /* it is there */
	REACHED_STREAM,  /* it is ours */
	REACHED_TARGETS, /* all of them are ready */
} Reached;

/*
 * What the pipeline is, from attempt to attempt.  It is read before the stream
 * is opened, and again if a target turns out to know something newer.
 */
typedef struct Identity
{
	Arena *arena;
	Config config; /* with what is remembered in place of what is not given */
	PipelineMemory memory; /* what the targets are to remember */
	bool known;
	bool change; /* what is given counts: it is not yet written */
	int target;  /* to be asked first */
} Identity;

/* What is known of a target from attempt to attempt. */
typedef struct Known
{
	bool away;        /* it has not answered since it was away */
	int64_t pause_ms; /* as for absent_new() */
	int64_t rows;     /* applied until now, by sinks that are gone */
	int64_t transactions;
} Known;

/* Everything that one attempt holds. */
typedef struct Attempt
{
	const Config *config; /* the identity's, from check_slot() on */
	Identity *identity;   /* borrowed */
	Streaming *streaming; /* borrowed; from attempt to attempt */
	Known *known;         /* the same; of each target */
	PgConn *server; /* an ordinary session of the source, while it is needed */
	Buf *left_out;  /* the same; what the stream is told to leave out */
	Stream *stream;
	SourceHistory source;
	Lsn confirmed_lsn; /* of the slot */
	Place place;
	Directory *directory; /* NULL: nothing is placed by one */
	Lsn start_lsn;        /* where the first target is */
	bool can_stream;      /* the source can send transactions in progress */
	Sink *sinks[CONFIG_TARGETS_MAX];
	int sink_count;
	Keys *keys; /* NULL: none was postponed */
	Reached reached;
	bool progressed;
	bool fenced;    /* it ended because the targets are at a fence */
	Lsn fence_lsn;  /* where it did; 0: nowhere */
	bool cut_short; /* it ended before the position that it was to come to */
} Attempt;

/* What is given, and what is remembered, before that is said or written. */
static MUST_CHECK Rc
check_rules(const Attempt *attempt, const Words *remembered, Error *err)
{
	Config *config = &attempt->identity->config;
	Rc rc = memory_recall(
		config, remembered,
		attempt->identity->change ? MEMORY_REPLACE : MEMORY_REFUSE, err);

	if (rc == RC_OK)
		rc = rules_check(config, remembered, attempt->server, err);
	*config = *attempt->config;
	return rc;
}

/*
 * What is known already counts until a target says otherwise.  One that was
 * away when it was changed may be the one that answers now.
 */
static MUST_CHECK Rc
learn_identity(Attempt *attempt, Error *err)
{
	Identity *identity = attempt->identity;
	PipelineMemory memory = {0};
	Rc rc = RC_OK;

	if (!identity->known)
	{
		identity->config = *attempt->config;
		rc = remember_read(attempt->config, attempt->config->name,
						   &identity->target, identity->arena, &memory, err);
		if (rc == RC_OK && memory.revision > identity->memory.revision)
			identity->memory = memory;
		if (rc == RC_OK)
			rc = check_rules(attempt, &identity->memory.words, err);
		if (rc == RC_OK)
			rc = remember_decide(&identity->config, identity->change,
								 identity->arena, &identity->memory, err);
	}
	identity->known = rc == RC_OK;
	if (identity->known)
		attempt->config = &identity->config;
	return rc;
}

/*
 * A publication that is skipped where the log is from before it has to be there
 * by now: a misspelt one would be skipped for ever.  So has one that is to be
 * remembered from now on.
 */
static MUST_CHECK Rc
check_publications(const Attempt *attempt, Error *err)
{
	Publications publications = {0};
	Arena *arena;
	Rc rc;

	if (!attempt->config->skip_missing && !attempt->identity->change)
		return RC_OK;
	arena = arena_new(ARENA_BLOCK_BYTES);
	rc = publications_parse(&publications, attempt->config->publications, arena,
							err);
	if (rc == RC_OK)
		rc = publications_read(&publications, attempt->server, err);
	arena_free(arena);
	if (rc == RC_OK && attempt->config->skip_missing)
		log_warning("follow",
					"where a publication does not exist in the log, nothing is "
					"published by it: copy its tables anew with \"penstock "
					"table resync\", and follow without "
					"--skip-missing-publications afterwards");
	return rc;
}

static MUST_CHECK Rc
check_slot(Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;
	PgConnOptions options = {.conninfo = config->source,
							 .label = "source",
							 .application_name = "penstock",
							 .kind = PGCONN_DATA};
	SlotInfo info;
	Rc rc = pgconn_open(&attempt->server, &options, err);

	if (rc == RC_OK)
		rc = citus_refuse(attempt->server, err);
	if (rc == RC_OK)
		rc = slot_read(attempt->server, config->name, &info, err);
	if (rc == RC_OK)
		attempt->can_stream = pgconn_server_version_num(attempt->server) >=
							  STREAMING_VERSION_MIN;
	if (rc == RC_OK)
		rc = slot_require_usable(&info, config->name, err);
	if (rc == RC_OK)
		attempt->reached = REACHED_SLOT;
	if (rc == RC_OK)
		rc = learn_identity(attempt, err);
	if (rc == RC_OK)
		rc = check_publications(attempt, err);
	if (rc == RC_OK)
		rc = place_read(&attempt->place, attempt->config, attempt->server, err);
	return rc;
}

/*
 * Where the slot starts.  Before it was ours, somebody else may have moved it:
 * an own walsender from before that read our last words late.
 */
static MUST_CHECK Rc
read_start(Attempt *attempt, Error *err)
{
	SlotInfo info;
	Rc rc = slot_read(attempt->server, attempt->config->name, &info, err);

	if (rc == RC_OK)
		rc = slot_read_log_end(attempt->server, &attempt->source, err);
	if (rc == RC_OK)
		attempt->confirmed_lsn = info.confirmed_lsn;
	pgconn_close(attempt->server);
	attempt->server = NULL;
	return rc;
}

/*
 * What settles conflicts notes the position of the transaction's commit, which
 * is not known while it is in progress.
 */
static bool
wants_streaming(const Attempt *attempt)
{
	const Placement *placement = attempt->config->placement;

	/* What is listed for a key is known when the transaction commits. */
	if (placement != NULL && placement_uses_directory(placement))
		return false;
	return attempt->config->streaming && attempt->can_stream &&
		   !attempt->streaming->held &&
		   !policy_is_lenient(&attempt->config->conflict_rules);
}

static MUST_CHECK Rc
open_stream(Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;
	PgConnOptions conn_options = {.conninfo = config->source,
								  .label = "source",
								  .application_name = config->name,
								  .kind = PGCONN_REPLICATION};
	StreamOptions stream_options = {.slot = config->name,
									.publications = config->publications,
									.origin = config->origin,
									.proto_version = DECODE_PROTO_VERSION,
									.bundle = config->bundle,
									.compression = config->compression,
									.binary = true,
									.skip_missing = config->skip_missing,
									.streaming = wants_streaming(attempt)};
	PgConn *replication = NULL;
	Rc rc = pgconn_open(&replication, &conn_options, err);

	if (attempt->left_out->length > 0)
		stream_options.leave_out = attempt->left_out->data;
	if (attempt->place.distribution.length > 0)
		stream_options.distribution = attempt->place.distribution.data;
	if (rc != RC_OK)
		return rc;
	rc = slot_read_history(replication, &attempt->source, err);
	if (rc != RC_OK)
	{
		pgconn_close(replication);
		return rc;
	}
	rc = stream_open(&attempt->stream, replication, &stream_options, err);
	if (rc == RC_OK)
		attempt->reached = REACHED_STREAM;
	return rc;
}

/*
 * We only confirm to the source what a target knows that it has.  So a target
 * that knows less than the slot's confirmed position is not as we left it, or
 * somebody else read from the slot; what lies between is not in the slot any
 * more.
 */
static MUST_CHECK Rc
check_position(const Attempt *attempt, const Sink *sink, const char *label,
			   Error *err)
{
	Rc rc;

	if (sink->start_lsn >= attempt->confirmed_lsn)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "slot \"%s\" is ahead of %s: changes are missing there",
				   attempt->config->name, label);
	error_detail(err,
				 "The slot was confirmed up to " LSN_FORMAT
				 ", the target has everything up to " LSN_FORMAT ".",
				 LSN_ARGS(attempt->confirmed_lsn), LSN_ARGS(sink->start_lsn));
	error_hint(err,
			   "Was the target restored from a backup, or the slot read or "
			   "advanced by somebody else?  Run \"%s\" and copy again with "
			   "\"%s\".",
			   OWN_COMMAND("drop"), OWN_COMMAND("clone"));
	return rc;
}

/* The label is the caller's, and lives as long as the options do. */
static PostgresSinkOptions
sink_options(const Attempt *attempt, int index, char *label)
{
	const Config *config = attempt->config;

	config_label_target(config, index, label);
	return (PostgresSinkOptions){
		.conninfo = config->targets[index],
		.label = label,
		.impatient = config->target_count > 1,
		.pipeline = config->name,
		.source = &attempt->source,
		.rules = &config->conflict_rules,
		.per_transaction = config_applies_transactions(config),
		.lanes = config->lanes,
		.memory_bytes = config->memory_bytes / (size_t) config->target_count,
		.memory = &attempt->identity->memory,
	};
}

static MUST_CHECK Rc
open_sink(Attempt *attempt, int index, PgConn *conn, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	PostgresSinkOptions options = sink_options(attempt, index, label);
	NodeIdentity node;
	Rc rc;

	if (place_node(attempt->config, index, &attempt->place.places, &node))
		options.node = &node;
	rc = postgres_sink_open(&attempt->sinks[index], conn, &options, err);
	if (rc == RC_FAIL && err->code == ERR_CHANGED)
		attempt->identity->target = index;
	if (rc != RC_OK)
		return rc;
	attempt->sink_count++;
	return check_position(attempt, attempt->sinks[index], label, err);
}

/* Whether a target other than this is there. */
static bool
has_other_target(const Attempt *attempt, int index)
{
	for (int i = 0; i < attempt->sink_count; i++)
		if (i != index && !attempt->sinks[i]->absent)
			return true;
	return false;
}

/* What stands in for a target that is away. */
static Sink *
make_absent(const Attempt *attempt, int index, Lsn durable_lsn)
{
	char label[CONFIG_LABEL_SIZE];

	config_label_target(attempt->config, index, label);
	return absent_new(attempt->config->targets[index], label, durable_lsn,
					  attempt->known[index].pause_ms);
}

static void
say_away(const Attempt *attempt, int index, Lsn durable_lsn, const Error *err)
{
	char label[CONFIG_LABEL_SIZE];

	config_label_target(attempt->config, index, label);
	log_error(LOG_WARNING, "follow", err);
	log_warning("follow",
				"%s is away: the others go on, and the source keeps its log "
				"from LSN " LSN_FORMAT " on for it",
				label, LSN_ARGS(durable_lsn));
}

/* ---- all targets -------------------------------------------------------- */

/* Connections to all targets, or why there is none. */
typedef struct Opened
{
	PgConn *conns[CONFIG_TARGETS_MAX];
	Error errs[CONFIG_TARGETS_MAX];
} Opened;

_Static_assert(CONFIG_TARGETS_MAX <= PGCONN_OPENINGS_MAX,
			   "all targets can be connected to at once");

/*
 * Connects to all targets at once, but for those that are known to be away:
 * who stands in for them looks for them.
 */
static MUST_CHECK Rc
connect_targets(const Attempt *attempt, Opened *opened, Error *err)
{
	char labels[CONFIG_TARGETS_MAX][CONFIG_LABEL_SIZE];
	PgConnOptions options[CONFIG_TARGETS_MAX];
	PgConn *conns[CONFIG_TARGETS_MAX];
	Error errs[CONFIG_TARGETS_MAX] = {0};
	int targets[CONFIG_TARGETS_MAX];
	int count = 0;
	Rc rc;

	for (int i = 0; i < attempt->config->target_count; i++)
	{
		PostgresSinkOptions sink = sink_options(attempt, i, labels[i]);

		if (attempt->known[i].away)
			continue;
		options[count] = postgres_sink_connection(&sink);
		targets[count++] = i;
	}
	rc = pgconn_open_all(conns, options, count, errs, err);
	for (int i = 0; i < count && rc == RC_OK; i++)
	{
		opened->conns[targets[i]] = conns[i];
		opened->errs[targets[i]] = errs[i];
	}
	return rc;
}

/* Those that nobody has taken. */
static void
release_opened(Opened *opened)
{
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
	{
		pgconn_close(opened->conns[i]);
		error_reset(&opened->errs[i]);
	}
}

/* If nobody is known to be there, all are asked. */
static void
forget_if_all_are_away(const Attempt *attempt)
{
	int count = attempt->config->target_count;

	for (int i = 0; i < count; i++)
		if (!attempt->known[i].away)
			return;
	for (int i = 0; i < count; i++)
		attempt->known[i].away = false;
}

/* Sets up one of them, or what stands in for it. */
static MUST_CHECK Rc
open_or_stand_in(Attempt *attempt, int index, Opened *opened, Error *err)
{
	PgConn *conn = opened->conns[index];
	Lsn durable_lsn = attempt->confirmed_lsn;
	Rc rc = RC_FAIL;

	opened->conns[index] = NULL;
	if (attempt->known[index].away)
		log_info("follow", "target %d is still away", index + 1);
	else if (conn != NULL)
		rc = open_sink(attempt, index, conn, err);
	else
		error_take(err, &opened->errs[index]);
	if (rc == RC_OK)
		return rc;
	if (!attempt->known[index].away)
	{
		if (attempt->config->target_count == 1 || !absent_is_reason(err))
			return rc;
		say_away(attempt, index, durable_lsn, err);
	}
	attempt->sinks[index] = make_absent(attempt, index, durable_lsn);
	attempt->sink_count++;
	return RC_OK;
}

/*
 * A target that cannot be reached does not keep the others waiting, as long as
 * there are any.  What it has is at least what the slot was confirmed to.
 */
static MUST_CHECK Rc
open_sinks(Attempt *attempt, Error *err)
{
	Opened opened = {0};
	Error away = {0};
	bool present = false;
	Rc rc;

	forget_if_all_are_away(attempt);
	rc = connect_targets(attempt, &opened, err);
	for (int i = 0; i < attempt->config->target_count && rc == RC_OK; i++)
	{
		rc = open_or_stand_in(attempt, i, &opened, err);
		if (rc != RC_OK)
			break;
		present |= !attempt->sinks[i]->absent;
		if (err->code != ERR_NONE)
			error_take(&away, err);
	}
	release_opened(&opened);
	if (rc == RC_OK && !present)
	{
		error_take(err, &away);
		rc = RC_FAIL;
	}
	error_reset(&away);
	return rc;
}

/*
 * The directory is read where the least is applied: what comes before is placed
 * already, everywhere.
 */
static MUST_CHECK Rc
open_directory(Attempt *attempt, Error *err)
{
	int first = -1;

	for (int i = 0; i < attempt->sink_count; i++)
		if (!attempt->sinks[i]->absent &&
			(first < 0 ||
			 attempt->sinks[i]->start_lsn < attempt->sinks[first]->start_lsn))
			first = i;
	CHECK(first >= 0);
	return place_read_directory(attempt->config, first,
								attempt->sinks[first]->start_lsn,
								&attempt->directory, err);
}

/*
 * What no target that is there has a use for; one that is away is not given
 * anything by this attempt.
 */
static void
list_left_out(Attempt *attempt, Buf *list)
{
	const TableStates *states[CONFIG_TARGETS_MAX];
	int count = 0;

	attempt->start_lsn = UINT64_MAX;
	for (int i = 0; i < attempt->sink_count; i++)
	{
		if (attempt->sinks[i]->absent)
			continue;
		states[count++] = postgres_sink_table_states(attempt->sinks[i]);
		attempt->start_lsn = lsn_min(attempt->start_lsn,
									 attempt->sinks[i]->start_lsn);
	}
	table_states_append_left_out(list, states, count, attempt->start_lsn, NULL,
								 0);
}

static bool
is_as_told(const Attempt *attempt, const Buf *list)
{
	return list->length == attempt->left_out->length &&
		   (list->length == 0 ||
			memcmp(list->data, attempt->left_out->data, list->length) == 0);
}

/* The server may take a moment to notice that the slot is free. */
static MUST_CHECK Rc
reopen_stream(Attempt *attempt, Error *err)
{
	int64_t start_us = clock_monotonic_us();
	Rc rc;

	stream_close(attempt->stream);
	attempt->stream = NULL;
	for (;;)
	{
		rc = open_stream(attempt, err);
		if (rc != RC_FAIL || strcmp(err->sqlstate, SLOT_IN_USE_SQLSTATE) != 0 ||
			clock_monotonic_us() - start_us > REOPEN_WAIT_MAX_MS * 1000)
			return rc;
		error_reset(err);
		rc = interrupt_wait(-1, 0, REOPEN_PAUSE_MS, err);
		if (rc != RC_AGAIN)
			return rc;
	}
}

/*
 * The targets say what is to be left out, and they are claimed when the stream
 * is ours.  So it is begun anew if that turns out not to be what it was told;
 * the next attempt knows.
 */
static MUST_CHECK Rc
settle_left_out(Attempt *attempt, Error *err)
{
	Buf list;
	Rc rc = RC_OK;

	buf_init(&list, LEFT_OUT_MAX);
	list_left_out(attempt, &list);
	if (list.overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "more tables are left out than can be told to the "
					   "source");
	else if (!is_as_told(attempt, &list))
	{
		log_info("follow", list.length > 0
							   ? "the targets leave out tables: the stream "
								 "begins again, without their changes"
							   : "the targets leave out no tables any more: "
								 "the stream begins again, with all changes");
		buf_reset(attempt->left_out);
		buf_append(attempt->left_out, list.data, list.length);
		rc = reopen_stream(attempt, err);
	}
	buf_release(&list);
	return rc;
}

/* What a sink has applied is said as if there had been only one. */
static void
note_applied(Known *known, const Sink *sink)
{
	known->rows += sink->rows;
	known->transactions += sink->transactions;
}

/* For the pipeline: a sink has failed with *err. */
static Sink *
replace_sink(void *context, int index, Error *err)
{
	Attempt *attempt = context;

	Lsn durable_lsn = attempt->sinks[index]->durable_lsn;

	if (!absent_is_reason(err) || !has_other_target(attempt, index))
		return NULL;
	note_applied(&attempt->known[index], attempt->sinks[index]);
	say_away(attempt, index, durable_lsn, err);
	return make_absent(attempt, index, durable_lsn);
}

/* What the next attempt is to know of the targets. */
static void
note_targets(const Attempt *attempt)
{
	for (int i = 0; i < attempt->sink_count; i++)
	{
		const Sink *sink = attempt->sinks[i];
		Known *known = &attempt->known[i];

		note_applied(known, sink);
		if (sink->absent)
		{
			known->away = !absent_has_answered(sink);
			known->pause_ms = absent_pause_ms(sink);
		}
		else if (sink->durable_lsn > sink->start_lsn)
		{
			known->away = false;
			known->pause_ms = 0;
		}
	}
}

static void
close_attempt(Attempt *attempt)
{
	note_targets(attempt);
	keys_free(attempt->keys);
	for (int i = 0; i < attempt->sink_count; i++)
		sink_free(attempt->sinks[i]);
	stream_close(attempt->stream);
	pgconn_close(attempt->server);
	history_release(&attempt->source);
	place_release(&attempt->place);
	directory_free(attempt->directory);
}

static void
log_end(const Attempt *attempt)
{
	for (int i = 0; i < attempt->sink_count; i++)
	{
		char label[CONFIG_LABEL_SIZE];

		config_label_target(attempt->config, i, label);
		log_info("follow",
				 "stopped; %s has everything up to LSN " LSN_FORMAT
				 ", applied %" PRId64 " changes in %" PRId64 " transactions",
				 label, LSN_ARGS(attempt->sinks[i]->durable_lsn),
				 attempt->known[i].rows + attempt->sinks[i]->rows,
				 attempt->known[i].transactions +
					 attempt->sinks[i]->transactions);
	}
}

/* Tells one target what the follower does.  That it cannot be told is no news:
 * whatever keeps it is met, and said, where it matters. */
static void
say_to(const Config *config, int index, FollowerState state,
	   const char *message)
{
	PgConn *target = NULL;
	Error failure = {0};
	Rc rc = state == FOLLOWER_STOPPED
				? reach_target_within(config, index, SAY_END_MS_MAX, &target,
									  &failure)
				: reach_target_soon(config, index, &target, &failure);

	if (rc == RC_OK)
		rc = follower_table_write(target, config->name, state, message,
								  &failure);
	if (rc != RC_OK)
		error_reset(&failure);
	pgconn_close(target);
}

/* For "penstock status": see follower_table.h. */
static void
say(const Config *config, const Known *known, FollowerState state,
	const char *message)
{
	for (int i = 0; i < config->target_count; i++)
		if (!known[i].away)
			say_to(config, i, state, message);
}

/* The same when it ends, also where it was told to. */
static void
say_end(const Config *config, const Known *known, Rc rc, const Error *err)
{
	bool failed = rc == RC_FAIL && err->code != ERR_INTERRUPTED;

	interrupt_defer(true);
	say(config, known, FOLLOWER_STOPPED, failed ? err->message : NULL);
	interrupt_defer(false);
}

/* The pipeline's watch. */
static MUST_CHECK Rc
watch_keys(void *context, Lsn *endpos UNUSED, Error *err)
{
	return keys_step(context, err);
}

/* The first fence among the targets'; 0: there is none. */
static Lsn
find_fence(const Attempt *attempt)
{
	Lsn fence = 0;

	for (int i = 0; i < attempt->sink_count; i++)
	{
		Lsn lsn = attempt->sinks[i]->fence_lsn;

		if (lsn != 0 && (fence == 0 || lsn < fence))
			fence = lsn;
	}
	return fence;
}

/* The run has ended well. */
static void
note_end(Attempt *attempt, Lsn fence)
{
	Lsn endpos = attempt->config->endpos;

	for (int i = 0; i < attempt->sink_count && endpos != 0; i++)
		attempt->cut_short |= attempt->sinks[i]->durable_lsn < endpos;
	attempt->fenced = fence != 0 && (endpos == 0 || fence < endpos) &&
					  !interrupt_requested();
	attempt->fence_lsn = fence;
	if (attempt->fenced)
		log_info("follow", "holding at the fence, LSN " LSN_FORMAT,
				 LSN_ARGS(fence));
	else
		log_end(attempt);
}

/*
 * Whether what a target has applied last comes once more if the slot starts
 * before it, so that it can be the proof of the source's log: what is published
 * has not been changed meanwhile, nor what is left out.
 */
static bool
gets_the_same_again(const Attempt *attempt)
{
	return !attempt->config->set && !attempt->config->skip_missing &&
		   attempt->left_out->length == 0;
}

/*
 * The slot comes first: the server lets only one consumer have it, so whoever
 * claims the targets afterwards is the only one who does.
 */
static MUST_CHECK Rc
follow_once(Attempt *attempt, Error *err)
{
	Pipeline pipeline = {.name = attempt->config->name,
						 .endpos = attempt->config->endpos,
						 .placement = attempt->config->placement,
						 .node_count = attempt->config->node_count,
						 .verbose = true};
	Lsn fence;
	Rc rc = check_slot(attempt, err);

	if (rc == RC_OK)
		rc = open_stream(attempt, err);
	if (rc == RC_OK)
		rc = read_start(attempt, err);
	if (rc == RC_OK)
		rc = open_sinks(attempt, err);
	if (rc == RC_OK)
		rc = settle_left_out(attempt, err);
	if (rc == RC_OK)
		rc = open_directory(attempt, err);
	if (rc != RC_OK)
		return rc;
	pipeline.directory = attempt->directory;
	attempt->reached = REACHED_TARGETS;
	attempt->identity->change = false;
	fence = find_fence(attempt);
	if (fence != 0 && (pipeline.endpos == 0 || fence < pipeline.endpos))
		pipeline.endpos = fence;
	log_info("follow", "following with slot \"%s\", from LSN " LSN_FORMAT " on",
			 attempt->config->name, LSN_ARGS(attempt->start_lsn));
	say(attempt->config, attempt->known, FOLLOWER_FOLLOWING, NULL);
	pipeline.stream = attempt->stream;
	if (gets_the_same_again(attempt))
		pipeline.start_lsn = attempt->confirmed_lsn;
	pipeline.sinks = attempt->sinks;
	pipeline.sink_count = attempt->sink_count;
	for (int i = 0; i < attempt->sink_count; i++)
	{
		pipeline.rows_before += attempt->known[i].rows;
		pipeline.transactions_before += attempt->known[i].transactions;
	}
	pipeline.replace = replace_sink;
	pipeline.replace_context = attempt;
	pipeline.streaming = attempt->streaming;
	attempt->keys = keys_new(attempt->config, attempt->sinks);
	if (attempt->keys != NULL)
	{
		pipeline.watch = watch_keys;
		pipeline.watch_context = attempt->keys;
	}
	rc = pipeline_run(&pipeline, &attempt->progressed, err);
	if (rc == RC_OK)
	{
		keys_finish(attempt->keys);
		note_end(attempt, fence);
	}
	return rc;
}

/*
 * Waits until the fence that we hold at is gone from this target.  One that was
 * put up since is another: it is beyond this one, and waits for us to get
 * there.
 */
static MUST_CHECK Rc
wait_for_fence(const Config *config, int index, Lsn held, Error *err)
{
	PgConn *target = NULL;
	Lsn fence = 0;
	Rc rc = reach_target(config, index, &target, err);

	while (rc == RC_OK)
	{
		rc = fence_read(target, config->name, &fence, err);
		if (rc != RC_OK || fence != held)
			break;
		rc = interrupt_wait(-1, 0, FENCE_POLL_MS, err);
		if (rc == RC_AGAIN)
			rc = RC_OK;
	}
	pgconn_close(target);
	return rc;
}

/* A target that cannot be asked is left to the next attempt, which looks for
 * fences again. */
static MUST_CHECK Rc
wait_for_fences(const Config *config, Lsn held, Error *err)
{
	for (int i = 0; i < config->target_count; i++)
	{
		Rc rc = wait_for_fence(config, i, held, err);

		if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
			return rc;
		if (rc == RC_FAIL)
			error_reset(err);
	}
	log_info("follow", "the fence is gone");
	return RC_OK;
}

/* A target refused a transaction in progress: the next attempt is without. */
static void
hold_streaming(const Attempt *attempt, Error *err)
{
	uint32_t xid = 0;
	Lsn until_lsn = 0;

	for (int i = 0; i < attempt->sink_count; i++)
	{
		if (attempt->sinks[i]->refused_xid == 0)
			continue;
		xid = attempt->sinks[i]->refused_xid;
		until_lsn = attempt->sinks[i]->refused_until_lsn;
	}
	streaming_hold(attempt->streaming, xid, until_lsn, clock_monotonic_us());
	log_error(LOG_INFO, "follow", err);
	log_info("follow",
			 "the stream begins again, without transactions in progress: it is "
			 "applied when it has committed");
	error_reset(err);
}

/* Waits before the next attempt; longer each time. */
static MUST_CHECK Rc
pause_before_retry(int64_t *pause_ms, Error *err)
{
	Rc rc = interrupt_wait(-1, 0, *pause_ms, err);

	*pause_ms *= 2;
	if (*pause_ms > RETRY_PAUSE_MAX_MS)
		*pause_ms = RETRY_PAUSE_MAX_MS;
	return rc == RC_AGAIN ? RC_OK : rc;
}

static MUST_CHECK Rc
read_table_states(const Config *config, int index, TableStates **states,
				  Error *err)
{
	PgConn *target = NULL;
	Rc rc = reach_target(config, index, &target, err);

	if (rc == RC_OK)
		rc = table_states_read(states, target, config->name, err);
	pgconn_close(target);
	return rc;
}

/*
 * Whether tables are to be left out by now of which the stream was not told: a
 * command may have said so just before the source came to what it could not
 * send.  Not so if that cannot be told.
 */
static bool
is_told_otherwise(const Attempt *attempt)
{
	const Config *config = attempt->config;
	TableStates *states[CONFIG_TARGETS_MAX] = {NULL};
	Error ignored = {0};
	int count = 0;
	Buf list;
	bool changed;

	while (count < config->target_count &&
		   read_table_states(config, count, &states[count], &ignored) == RC_OK)
		count++;
	buf_init(&list, LEFT_OUT_MAX);
	table_states_append_left_out(&list, (const TableStates *const *) states,
								 count, attempt->start_lsn, NULL, 0);
	changed = count == config->target_count && !is_as_told(attempt, &list);
	buf_release(&list);
	for (int i = 0; i < count; i++)
		table_states_free(states[i]);
	error_reset(&ignored);
	return changed;
}

/* What is known from attempt to attempt. */
typedef struct Attempts
{
	const Config *config;
	int64_t start_us;
	int64_t progress_us; /* something was applied */
	Reached reached;     /* by the attempt before */
	bool had_slot;
	int64_t pause_ms;
	Known known[CONFIG_TARGETS_MAX];
} Attempts;

static int64_t
ms_since(int64_t begin_us)
{
	return (clock_monotonic_us() - begin_us) / 1000;
}

/* Whether a conflict is with a row that another source may take away. */
static bool
may_be_moving(const Attempts *attempts, const Error *err)
{
	return err->code == ERR_CONFLICT && attempts->config->source_count > 1;
}

/*
 * A slot that was never ours and stays in use is somebody else's.  One that was
 * ours may still be held by our own lost connection, until the server notices.
 */
static bool
is_worth_retrying(const Attempts *attempts, const Error *err)
{
	if (may_be_moving(attempts, err))
		return ms_since(attempts->progress_us) < OTHERS_WAIT_MAX_MS;
	if (!error_is_transient(err))
		return false;
	return attempts->had_slot ||
		   strcmp(err->sqlstate, SLOT_IN_USE_SQLSTATE) != 0 ||
		   ms_since(attempts->start_us) < SLOT_WAIT_MAX_MS;
}

static void
note_attempt(Attempts *attempts, const Attempt *attempt)
{
	attempts->had_slot = attempts->had_slot ||
						 attempt->reached >= REACHED_STREAM;
	if (attempt->progressed)
		attempts->progress_us = clock_monotonic_us();

	/* Something has healed: what keeps it now may do so soon as well. */
	if (attempt->progressed || attempt->reached > attempts->reached)
		attempts->pause_ms = RETRY_PAUSE_FIRST_MS;
	attempts->reached = attempt->reached;
}

/* An attempt has failed.  RC_OK: on to the next one. */
static MUST_CHECK Rc
prepare_next(Attempts *attempts, Error *err)
{
	if (!is_worth_retrying(attempts, err))
		return RC_FAIL;
	if (err->code == ERR_CHANGED)
	{
		log_info("follow", "%s: starting again", err->message);
		error_reset(err);
		return RC_OK;
	}
	log_error(LOG_WARNING, "follow", err);
	if (may_be_moving(attempts, err))
	{
		log_info("follow", "waiting for what other sources do to the row");
		if (attempts->pause_ms > OTHERS_PAUSE_MAX_MS)
			attempts->pause_ms = OTHERS_PAUSE_MAX_MS;
	}
	log_info("follow", "trying again in %" PRId64 " ms", attempts->pause_ms);
	say(attempts->config, attempts->known, FOLLOWER_RETRYING, err->message);
	error_reset(err);
	return pause_before_retry(&attempts->pause_ms, err);
}

/* It was to come to a position, and has not. */
static MUST_CHECK Rc
refuse_end(const Config *config, Error *err)
{
	return error_set(err, ERR_INTERRUPTED,
					 "stopped before LSN " LSN_FORMAT " was reached",
					 LSN_ARGS(config->endpos));
}

/* Until it is told to stop: that was while it waited. */
static MUST_CHECK Rc
accept_end(Error *err)
{
	log_info("follow", "stopped on request");
	error_reset(err);
	return RC_OK;
}

static MUST_CHECK Rc
follow_on(const Config *config, Buf *left_out, Error *err)
{
	int64_t now_us = clock_monotonic_us();
	Attempts attempts = {.config = config,
						 .start_us = now_us,
						 .progress_us = now_us,
						 .pause_ms = RETRY_PAUSE_FIRST_MS};
	Streaming streaming = {0};
	Identity identity = {.arena = arena_new(4 * KB), .change = config->set};
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = config_require_target(config, err);
	while (rc == RC_OK)
	{
		Attempt attempt = {
			.config = config,
			.identity = &identity,
			.streaming = &streaming,
			.known = attempts.known,
			.left_out = left_out,
		};

		rc = follow_once(&attempt, err);
		if (rc == RC_FAIL && err->code == ERR_STREAMING)
		{
			hold_streaming(&attempt, err);
			rc = RC_AGAIN;
		}
		close_attempt(&attempt);
		if (rc == RC_FAIL && err->code == ERR_CHANGED)
			identity.known = false;
		if (rc == RC_OK && attempt.fenced)
		{
			say(config, attempts.known, FOLLOWER_HELD, NULL);
			rc = wait_for_fences(config, attempt.fence_lsn, err);
			continue;
		}
		note_attempt(&attempts, &attempt);
		if (rc == RC_OK && attempt.cut_short)
			rc = refuse_end(config, err);
		if (rc == RC_OK || rc == RC_END)
			break;
		if (rc == RC_FAIL && err->code == ERR_SQL &&
			attempt.reached == REACHED_TARGETS && is_told_otherwise(&attempt))
		{
			log_error(LOG_INFO, "follow", err);
			log_info("follow", "other tables are left out by now: starting "
							   "again");
			error_reset(err);
			rc = RC_AGAIN;
		}
		rc = rc == RC_AGAIN ? RC_OK : prepare_next(&attempts, err);
	}
	say_end(config, attempts.known, rc, err);
	arena_free(identity.arena);
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
		rc = config->endpos != 0 ? refuse_end(config, err) : accept_end(err);
	return rc;
}

Rc
follow(const Config *config, Error *err)
{
	Buf left_out;
	Rc rc;

	buf_init(&left_out, LEFT_OUT_MAX);
	rc = follow_on(config, &left_out, err);
	buf_release(&left_out);
	return rc;
}
