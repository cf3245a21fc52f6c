/*
 * attempt.c
 *    The steps from the slot to the main loop, in the order in which each
 *    needs the one before.
 */
#include "pipeline/attempt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/service.h"
#include "catalog/publications.h"
#include "check/rules.h"
#include "log/description.h"
#include "log/timelines.h"
#include "metrics/metrics.h"
#include "net/citus.h"
#include "net/pgconn_open.h"
#include "pipeline/begin.h"
#include "pipeline/beside/reach.h"
#include "pipeline/log/fed_sink.h"
#include "pipeline/remember.h"
#include "pipeline/run.h"
#include "pipeline/targets.h"
#include "sink/postgres/postgres_sink.h"
#include "sink/unreachable.h"
#include "source/log/log_source.h"

/* First version of PostgreSQL that can send open transactions. */
#define STREAMING_VERSION_MIN 140000

/*
 * Milliseconds that we wait, after closing a stream, until its slot is free for
 * the next one; and the pause between two tries.
 */
#define REOPEN_WAIT_MAX_MS 5000
#define REOPEN_PAUSE_MS    20

#define ARENA_BLOCK_BYTES  (4 * KB)

/*
 * Checks the options given and those stored on the targets, before anything is
 * logged or written about them.
 */
static MUST_CHECK Rc
check_rules(const Attempt *attempt, const Words *remembered, Error *err)
{
	Config *config = &attempt->identity->config;
	Rc rc = memory_recall(
		config, remembered,
		attempt->identity->change ? MEMORY_REPLACE : MEMORY_REFUSE, err);

	if (rc == RC_OK && attempt->server != NULL)
		rc = rules_check(config, remembered, true, attempt->server, err);
	*config = *attempt->config;
	return rc;
}

/*
 * Whether the log can be recorded although no target answers: it says what is
 * in it.
 */
static bool
is_recorded_alone(const Attempt *attempt, const Error *err)
{
	return *attempt->recording != NULL &&
		   recording_is_described(*attempt->recording) &&
		   unreachable_is_reason(err);
}

/*
 * Uses the options with which the log is recorded, until a target answers,
 * which has those of the pipeline.
 */
static MUST_CHECK Rc
use_log_description(Attempt *attempt, Error *err)
{
	const LogDescription *description = recording_description(
		*attempt->recording);
	Identity *identity = attempt->identity;

	log_error(LOG_WARNING, "follow.target-unreachable", err);
	error_reset(err);
	identity->config.publications = description->publications;
	identity->config.origin = description->origin;
	attempt->config = &identity->config;
	return publications_words(&identity->publications,
							  description->publications, identity->arena, err);
}

/*
 * Reads the pipeline's options that are stored on the targets, unless an
 * earlier attempt has read them and no target has reported newer ones since.
 * If the user changes options, all targets are asked: a target that was
 * unreachable during an earlier change may be the only one that answers now,
 * with old options.
 */
static MUST_CHECK Rc
learn_identity(Attempt *attempt, Error *err)
{
	Identity *identity = attempt->identity;
	PipelineMemory memory = {0};
	int order = identity->change ? REMEMBER_ALL_TARGETS : identity->target;
	Rc rc = RC_OK;

	ASSERT(attempt->server != NULL ||
		   config_source_log(attempt->config) != NULL);
	if (!identity->known)
	{
		identity->config = *attempt->config;
		rc = remember_read(attempt->config, attempt->config->name, order,
						   identity->arena, &memory, err);
		identity->target = REMEMBER_ANY_TARGET;
		if (rc == RC_FAIL && is_recorded_alone(attempt, err))
			return use_log_description(attempt, err);
		if (rc == RC_OK && memory.revision > identity->memory.revision)
			identity->memory = memory;
		if (rc == RC_OK)
			rc = check_rules(attempt, &identity->memory.words, err);
		if (rc == RC_OK)
			rc = remember_decide(&identity->config, identity->change,
								 identity->arena, &identity->memory, err);
		if (rc == RC_OK)
			rc = publications_words(&identity->publications,
									identity->config.publications,
									identity->arena, err);
	}
	identity->known = rc == RC_OK;
	if (identity->known)
		attempt->config = &identity->config;
	return rc;
}

/*
 * With skip_missing, the plugin skips a publication in WAL that is older than
 * the publication.  The publication has to exist now, because a misspelt name
 * would be skipped for ever.  Publications that are about to be stored have to
 * exist, too.
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
		log_warning("follow.publications-skipped",
					"where a publication does not exist in the WAL, nothing is "
					"published by it: copy its tables anew with \"penstock "
					"table resync\", and follow without "
					"--skip-missing-publications afterwards");
	return rc;
}

/* undefined_object: what the source answers if there is no slot to stream from
 */
#define NO_SLOT_SQLSTATE "42704"

static MUST_CHECK Rc
check_slot(Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;
	PgConnOptions options = {.conninfo = config->source,
							 .label = "source",
							 .application_name = "penstock",
							 .kind = PGCONN_DATA};
	SlotInfo info = {.exists = true};
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
	if (rc == RC_FAIL && err->code == ERR_CONFIG && !info.exists)
		reach_explain_no_slot(config, err);
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

/* Prepares the log beside the targets for the stream. */
static MUST_CHECK Rc
begin_log(Attempt *attempt, const SlotInfo *slot, Error *err)
{
	Recording *recording = *attempt->recording;
	PGresult *result = NULL;
	const char *database;
	Rc rc = pgconn_exec(attempt->server, "SELECT pg_catalog.current_database()",
						&result, err);

	if (rc != RC_OK)
		return rc;
	database = PQgetvalue(result, 0, 0);
	rc = recording_check(recording, &attempt->source, slot, database, err);
	if (rc == RC_OK)
		rc = recording_begin(recording, &attempt->source, slot, database, err);
	PQclear(result);
	return rc;
}

/*
 * Reads the confirmed position of the slot.  It is read only now that we use
 * the slot: before, another walsender may have moved it, such as one of ours
 * that had not yet read its last report.
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
	if (rc == RC_OK && *attempt->recording != NULL)
		rc = begin_log(attempt, &info, err);
	pgconn_close(attempt->server);
	attempt->server = NULL;
	return rc;
}

/*
 * Whether the plugin is asked for open transactions.  It is not if a conflict
 * policy other than CONFLICT_STOP is used: a conflict is recorded with the
 * commit LSN of the transaction, which is not known while the transaction is
 * open.
 */
static bool
wants_streaming(const Attempt *attempt)
{
	const Placement *placement = attempt->config->placement;

	/* They are put together in the log. */
	if (attempt->config->log != NULL)
		return attempt->config->streaming && attempt->can_stream;

	/*
	 * Which target the directory has for a key is known only at the commit, so
	 * a pipeline with a directory does without open transactions.
	 */
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
	WireOptions wire = {.publications = config->publications,
						.origin = config->origin,
						.bundle = config->bundle,
						.compression = config->compression,
						.binary = true,
						.skip_missing = config->skip_missing,
						.messages = config->log != NULL,
						.schema_changes = config->log != NULL ||
										  config_schema_policy(config) !=
											  SCHEMA_OFF,
						.streaming = wants_streaming(attempt)};
	PgConn *replication = NULL;
	Rc rc = pgconn_open(&replication, &conn_options, err);

	if (attempt->left_out->length > 0)
		wire.leave_out = attempt->left_out->data;
	if (attempt->place.distribution.length > 0)
		wire.distribution = attempt->place.distribution.data;
	if (rc != RC_OK)
		return rc;
	rc = slot_read_history(replication, &attempt->source, err);
	if (rc != RC_OK)
	{
		pgconn_close(replication);
		return rc;
	}
	rc = begin_stream(&attempt->stream, replication, config->name, &wire, err);
	if (rc == RC_OK)
		attempt->reached = REACHED_STREAM;
	return rc;
}

/*
 * Reads the directory from the target that has applied least: changes before
 * its position were placed on all targets already.
 */
static MUST_CHECK Rc
open_directory(Attempt *attempt, Error *err)
{
	int first = -1;
	Rc rc;

	if (attempt->config->placement == NULL)
		return RC_OK;
	for (int i = 0; i < attempt->sink_count; i++)
		if (!attempt->sinks[i]->report->unreachable &&
			(first < 0 || attempt->sinks[i]->report->start_lsn <
							  attempt->sinks[first]->report->start_lsn))
			first = i;
	CHECK(first >= 0);
	CHECK(attempt->sinks[first]->report->start_lsn >= attempt->start_lsn);
	rc = place_read_directory(attempt->config, first,
							  attempt->sinks[first]->report->start_lsn,
							  &attempt->directory, err);
	if (rc == RC_OK && attempt->directory != NULL)
		directory_set_oid(attempt->directory, attempt->place.directory_oid);
	return rc;
}

/*
 * Makes the list of tables whose changes no reachable target needs.
 * Unreachable targets get no changes from this attempt.
 */
static void
list_left_out(Attempt *attempt, Buf *list)
{
	const TableStates *states[CONFIG_TARGETS_MAX];
	int count = 0;

	attempt->start_lsn = UINT64_MAX;
	for (int i = 0; i < attempt->sink_count; i++)
	{
		if (attempt->sinks[i]->report->unreachable)
			continue;
		states[count++] = postgres_sink_table_states(attempt->sinks[i]);
		attempt->start_lsn = lsn_min(attempt->start_lsn,
									 attempt->sinks[i]->report->start_lsn);
	}
	CHECK(count > 0 && attempt->start_lsn != UINT64_MAX);
	table_states_append_left_out(list, states, count, attempt->start_lsn, NULL,
								 0);
}

bool
attempt_leaves_out(const Attempt *attempt, const Buf *list)
{
	return list->length == attempt->left_out->length &&
		   (list->length == 0 ||
			memcmp(list->data, attempt->left_out->data, list->length) == 0);
}

/*
 * Opens the stream again.  The server may need a moment to notice that the slot
 * is free.
 */
static MUST_CHECK Rc
reopen_stream(Attempt *attempt, Error *err)
{
	int64_t start_us = clock_monotonic_us();
	Rc rc;

	source_close(attempt->stream);
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
 * Takes from the targets by which columns rows are placed.  *learnt tells
 * whether the source has to be told.
 */
static MUST_CHECK Rc
learn_columns(Attempt *attempt, bool *learnt, Error *err)
{
	Rc rc;

	for (int i = 0; i < attempt->sink_count; i++)
	{
		if (attempt->sinks[i]->report->unreachable)
			continue;
		postgres_sink_take_columns(attempt->sinks[i], &attempt->columns[i]);
		attempt->noted[i] = &attempt->columns[i];
	}
	rc = place_learn(&attempt->place, attempt->config, attempt->noted,
					 attempt->sink_count, learnt, err);
	if (rc == RC_OK && *learnt)
		log_info("follow", "the targets know by which columns rows are placed, "
						   "whatever their names: the stream begins again, and "
						   "the source is told");
	return rc;
}

/*
 * Tells the source which tables to leave out of the stream, and by which
 * columns rows are placed.  That comes from the targets, which we claim only
 * after the stream was opened.  So if it differs from what the stream was
 * opened with, the stream is opened again; the next attempt begins with the new
 * list of tables.
 */
static MUST_CHECK Rc
settle_stream(Attempt *attempt, Error *err)
{
	bool learnt;
	Buf list;
	Rc rc = learn_columns(attempt, &learnt, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&list, LEFT_OUT_MAX);
	list_left_out(attempt, &list);
	if (list.overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "more tables are left out than can be told to the "
					   "source");
	else if (!attempt_leaves_out(attempt, &list))
	{
		log_info("follow", list.length > 0
							   ? "the targets leave out tables: the stream "
								 "begins again, without their changes"
							   : "the targets leave out no tables any more: "
								 "the stream begins again, with all changes");
		buf_reset(attempt->left_out);
		buf_append(attempt->left_out, list.data, list.length);
		learnt = true;
	}
	if (rc == RC_OK && learnt)
		rc = reopen_stream(attempt, err);
	buf_release(&list);
	return rc;
}

void
attempt_close(Attempt *attempt)
{
	targets_note(attempt);
	keys_free(attempt->keys);
	sequences_detach(attempt->sequences);
	large_objects_detach(attempt->large_objects);
	free(attempt->index_builders);
	targets_close(attempt);
	source_close(attempt->stream);
	pgconn_close(attempt->server);
	history_release(&attempt->source);
	place_release(&attempt->place);
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
		placed_columns_release(&attempt->columns[i]);
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
				 label, LSN_ARGS(attempt->sinks[i]->report->durable_lsn),
				 attempt->known[i].rows + attempt->sinks[i]->report->rows,
				 attempt->known[i].transactions +
					 attempt->sinks[i]->report->transactions);
	}
}

/*
 * The function Pipeline.watch of a follower: validates postponed foreign keys.
 */
static MUST_CHECK Rc
watch_keys(void *context, Lsn *endpos UNUSED, Error *err)
{
	return keys_step(context, err);
}

/* Returns the least LSN of the targets' fences; 0: there is none. */
static Lsn
find_fence(const Attempt *attempt)
{
	Lsn fence = 0;

	for (int i = 0; i < attempt->sink_count; i++)
	{
		Lsn lsn = attempt->sinks[i]->report->fence_lsn;

		if (lsn != 0 && (fence == 0 || lsn < fence))
			fence = lsn;
	}
	return fence;
}

/*
 * Returns the index of a target of which nobody knows how far it is; -1: there
 * is none.  A stand-in says that its target has what is confirmed.  That holds
 * if all targets have to have it before it is confirmed; with a log, the log
 * alone has to.
 */
static int
find_unknown(const Attempt *attempt)
{
	for (int i = 0; i < attempt->sink_count && attempt->config->log != NULL;
		 i++)
		if (attempt->sinks[i]->report->unreachable)
			return i;
	return -1;
}

/* Whether a sink is known to have everything up to `endpos`. */
static bool
has_all(const Attempt *attempt, int index, Lsn endpos)
{
	const SinkReport *report = attempt->sinks[index]->report;

	return report->durable_lsn >= endpos &&
		   !(attempt->config->log != NULL && report->unreachable);
}

/*
 * Records how the run ended, after a run that did not fail.  Fails, with what
 * another attempt can mend, if it is not known whether a target has got to
 * where the run was to end.
 */
static MUST_CHECK Rc
note_end(Attempt *attempt, Lsn fence, Error *err)
{
	Lsn endpos = attempt->config->endpos;
	int unknown = find_unknown(attempt);
	char label[CONFIG_LABEL_SIZE];

	if (unknown >= 0 && (endpos != 0 || fence != 0) && !interrupt_requested())
	{
		config_label_target(attempt->config, unknown, label);
		return error_set(err, ERR_CONNECT,
						 "%s is unreachable, so it is not known whether it has "
						 "everything up to LSN " LSN_FORMAT,
						 label, LSN_ARGS(fence != 0 ? fence : endpos));
	}
	for (int i = 0; i < attempt->sink_count && endpos != 0; i++)
		attempt->cut_short |= !has_all(attempt, i, endpos);
	attempt->fenced = fence != 0 && (endpos == 0 || fence < endpos) &&
					  !interrupt_requested();
	attempt->fence_lsn = fence;
	if (attempt->fenced)
		log_info("follow", "holding at the fence, LSN " LSN_FORMAT,
				 LSN_ARGS(fence));
	else
		log_end(attempt);
	return RC_OK;
}

static void
follow_sequences(Attempt *attempt, Pipeline *pipeline)
{
	if (!config_follows_sequences(attempt->config))
		return;
	sequences_attach(attempt->sequences, attempt->config, attempt->sinks);
	CHECK(pipeline->beside_count < PIPELINE_BESIDE_MAX);
	pipeline->beside[pipeline->beside_count++] = (Beside){
		.step = sequences_step,
		.context = attempt->sequences,
		.interval_ms = attempt->config->sequence_interval_s * INT64_C(1000)};
}

static void
follow_large_objects(Attempt *attempt, Pipeline *pipeline)
{
	if (!config_follows_large_objects(attempt->config))
		return;
	large_objects_attach(attempt->large_objects, attempt->config,
						 attempt->sinks);
	CHECK(pipeline->beside_count < PIPELINE_BESIDE_MAX);
	pipeline->beside[pipeline->beside_count++] = (Beside){
		.step = large_objects_step,
		.context = attempt->large_objects,
		.interval_ms = attempt->config->large_object_interval_s *
					   INT64_C(1000)};
}

static void
watch_over(Attempt *attempt, Pipeline *pipeline)
{
	heartbeat_note_reached(attempt->heartbeat);
	CHECK(pipeline->beside_count < PIPELINE_BESIDE_MAX);
	pipeline->beside[pipeline->beside_count++] = (Beside){
		.step = heartbeat_step,
		.context = attempt->heartbeat,
		.interval_ms = attempt->config->heartbeat_s * INT64_C(1000)};
	pipeline->beside[pipeline->beside_count++] = (Beside){
		.step = watchdog_step,
		.step_after = watchdog_ping,
		.context = attempt->watchdog,
		.interval_ms = watchdog_interval_ms(attempt->config)};
}

static void
build_indexes(Attempt *attempt, Pipeline *pipeline)
{
	attempt->index_builders = index_builders_new(attempt->config,
												 attempt->sinks);
	for (int i = 0; i < attempt->config->target_count; i++)
	{
		CHECK(pipeline->beside_count < PIPELINE_BESIDE_MAX);
		pipeline->beside[pipeline->beside_count++] = (Beside){
			.step = index_builder_step,
			.context = index_builder_at(attempt->index_builders, i),
			.interval_ms = INDEX_BUILDS_INTERVAL_MS};
	}
}

/* Builds the indexes that are left to be built. */
static MUST_CHECK Rc
finish_indexes(const Config *config, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
	{
		PgConn *target = NULL;

		rc = reach_target(config, i, &target, err);
		if (rc == RC_OK)
			rc = index_builds_finish(target, config->name, err);
		pgconn_close(target);
	}
	return rc;
}

Rc
attempt_finish(const Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;
	Rc rc = RC_OK;

	if (config->endpos == 0 || attempt->fenced || attempt->cut_short)
		return RC_OK;
	if (config_follows_sequences(config))
		rc = sequences_finish(attempt->sequences, err);
	if (rc == RC_OK && config_follows_large_objects(config))
		rc = large_objects_finish(attempt->large_objects, err);
	if (rc == RC_OK)
		rc = finish_indexes(config, err);
	return rc;
}

/*
 * Whether the source will send the last transaction of a target again if the
 * slot starts before it, so that it can prove that the WAL is the same
 * (progress/proof.h).  It may not if publications or the tables left out have
 * changed since.
 */
static bool
gets_the_same_again(const Attempt *attempt)
{
	return !attempt->config->set && !attempt->config->skip_missing &&
		   attempt->left_out->length == 0;
}

/* ---- from a log --------------------------------------------------------- */

static MUST_CHECK Rc
refuse_no_schema_changes(Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "a log has schema changes, and the pipeline's --ddl is "
					  "off");

	error_hint(err, "Run \"penstock follow --set --ddl=stop\" with the source "
					"itself, and without a log, before.");
	return rc;
}

/* Refuses what takes a connection to the source, or other contents of the log.
 */
static MUST_CHECK Rc
check_log_will_do(const Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;
	Rc rc = RC_OK;

	if (config->placement != NULL)
		rc = error_set(err, ERR_CONFIG,
					   "tables cannot be placed on several targets from a log");
	else if (config->set)
		rc = error_set(err, ERR_CONFIG,
					   "--set takes a connection to the "
					   "source");
	else if (config_schema_policy(config) == SCHEMA_OFF)
		rc = refuse_no_schema_changes(err);
	return rc;
}

static bool
has_word(const Words *words, const char *word)
{
	for (int i = 0; i < words->count; i++)
		if (strcmp(words->words[i], word) == 0)
			return true;
	return false;
}

/* Whether two lists have the same words in any order. */
static bool
have_the_same(const Words *a, const Words *b)
{
	for (int i = 0; i < a->count; i++)
		if (!has_word(b, a->words[i]))
			return false;
	for (int i = 0; i < b->count; i++)
		if (!has_word(a, b->words[i]))
			return false;
	return true;
}

static MUST_CHECK Rc
refuse_log(const Attempt *attempt, const char *path, const char *option,
		   const char *log, const char *pipeline, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "log \"%s\" has --%s=%s, and pipeline \"%s\" has "
					  "--%s=%s",
					  path, option, log, attempt->config->name, option,
					  pipeline);

	error_detail(err, "The target would get other changes than from the slot.");
	error_hint(err, "Use a log that was recorded with the options of the "
					"pipeline.");
	return rc;
}

/* Refuses a log that was recorded with other options than the pipeline has. */
static MUST_CHECK Rc
check_log_contents(const Attempt *attempt, const char *path,
				   const LogDescription *description, Error *err)
{
	const Config *config = attempt->config;
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Words recorded = {0};
	Rc rc = publications_words(&recorded, description->publications, arena,
							   err);

	if (rc == RC_OK &&
		!have_the_same(&recorded, &attempt->identity->publications))
		rc = refuse_log(attempt, path, "publications",
						description->publications, config->publications, err);
	if (rc == RC_OK && strcmp(description->origin, config->origin) != 0)
		rc = refuse_log(attempt, path, "origin", description->origin,
						config->origin, err);
	arena_free(arena);
	return rc;
}

static MUST_CHECK Rc
check_source_log(const Attempt *attempt, Error *err)
{
	const char *path = config_source_log(attempt->config);
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	LogDescription description = {0};
	Rc rc = log_description_find(&description, path, arena, err);

	if (rc == RC_OK)
		rc = check_log_contents(attempt, path, &description, err);
	arena_free(arena);
	return rc;
}

/* Does without what is not in the log. */
static void
leave_out_counters(Attempt *attempt)
{
	Config *config = &attempt->identity->config;

	if (config_follows_sequences(config) ||
		config_follows_large_objects(config))
		log_info("follow", "sequences and large objects are not in a log: they "
						   "stay as they are");
	config->sequences = "off";
	config->large_objects = "off";
}

/*
 * Returns the LSN from which on the log is read: where the target is that has
 * applied least, or before its last transaction, if the log has that.  It comes
 * again then, which proves that the log is of the WAL that the target has
 * followed (progress/proof.h).
 */
static Lsn
log_start(const Attempt *attempt, Lsn first_lsn)
{
	Lsn start_lsn = UINT64_MAX;

	for (int i = 0; i < attempt->sink_count; i++)
	{
		const SinkReport *report = attempt->sinks[i]->report;

		if (report->unreachable)
			continue;
		start_lsn = lsn_min(start_lsn, report->start_lsn);
		if (report->last_commit_lsn >= first_lsn &&
			report->last_commit_lsn != 0)
			start_lsn = lsn_min(start_lsn, report->last_commit_lsn);
	}
	return start_lsn;
}

/* Returns the LSN that the target has reached which has applied most. */
static Lsn
reached_by_all(const Attempt *attempt)
{
	Lsn reached = 0;

	for (int i = 0; i < attempt->sink_count; i++)
		if (!attempt->sinks[i]->report->unreachable)
			reached = lsn_max(reached, attempt->sinks[i]->report->start_lsn);
	return reached;
}

/*
 * Opens the log at the position of the target that has applied least.  Targets
 * come first, because only they know that position.
 */
static MUST_CHECK Rc
begin_from_log(Attempt *attempt, Error *err)
{
	const char *path = config_source_log(attempt->config);
	LogSourceOptions options = {.path = path};
	Lsn first_lsn = 0;
	Buf left_out;
	Rc rc = RC_OK;

	if (attempt->config->log != NULL)
		rc = error_set(err, ERR_USAGE,
					   "a pipeline that follows from a log has no other one");
	if (rc == RC_OK)
		rc = log_timelines_read(path, &attempt->source, &first_lsn, err);
	if (rc == RC_OK)
		rc = learn_identity(attempt, err);
	if (rc == RC_OK)
		rc = check_log_will_do(attempt, err);
	if (rc == RC_OK)
		rc = check_source_log(attempt, err);
	if (rc != RC_OK)
		return rc;
	leave_out_counters(attempt);
	attempt->reached = REACHED_STREAM;
	rc = targets_open(attempt, err);
	if (rc != RC_OK)
		return rc;
	buf_init(&left_out, LEFT_OUT_MAX);
	list_left_out(attempt, &left_out);
	buf_release(&left_out);
	options.from = log_start(attempt, first_lsn);
	options.reached = reached_by_all(attempt);
	options.timeline = attempt->source.identity.timeline;
	attempt->log_from = options.from;
	return log_source_open(&attempt->stream, &options, err);
}

/* ---- with a log beside the targets -------------------------------------- */

static MUST_CHECK Rc
open_log(const Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;

	if (config->log == NULL || *attempt->recording != NULL)
		return RC_OK;
	return recording_open(attempt->recording, config->log,
						  config->segment_bytes, err);
}

/* Compares the log with the pipeline, or says of what it is if it is new. */
static MUST_CHECK Rc
check_log(const Attempt *attempt, Error *err)
{
	const Config *config = attempt->config;
	Recording *recording = *attempt->recording;
	const LogDescription *description;

	if (recording == NULL)
		return RC_OK;
	if (config->placement != NULL)
		return error_set(err, ERR_CONFIG,
						 "tables cannot be placed on several targets with a "
						 "log");
	if (attempt->identity->known && config_schema_policy(config) == SCHEMA_OFF)
		return refuse_no_schema_changes(err);
	if (!recording_is_described(recording))
	{
		recording_describe(recording, config->name, config->publications,
						   config->origin);
		return RC_OK;
	}
	description = recording_description(recording);
	if (strcmp(description->slot, config->name) != 0)
		return error_set(err, ERR_CONFIG,
						 "log \"%s\" is of slot \"%s\", not \"%s\"",
						 config->log, description->slot, config->name);
	return check_log_contents(attempt, config->log, description, err);
}

/*
 * Puts before the sink of each target one that feeds it from the log, and
 * appends the log's own.
 */
static void
join_log(Attempt *attempt)
{
	const Config *config = attempt->config;
	Recording *recording = *attempt->recording;
	Sink *log = recording_sink(recording);
	const FedSinkOptions options = {
		.path = config->log,
		.log = log->report,
		.first_lsn = recording_first(recording),
		.start_lsn = attempt->confirmed_lsn,
		.timeline = attempt->source.identity.timeline,
		.queue_bytes = config->memory_bytes / (size_t) config->target_count / 2,
	};

	attempt->start_lsn = attempt->confirmed_lsn;
	for (int i = 0; i < attempt->sink_count; i++)
	{
		if (attempt->sinks[i]->report->unreachable)
			continue;
		attempt->start_lsn = lsn_min(attempt->start_lsn,
									 attempt->sinks[i]->report->start_lsn);
		attempt->sinks[i] = fed_sink_new(attempt->sinks[i], &options);
	}
	attempt->sinks[attempt->sink_count] = log;
}

static MUST_CHECK Rc
begin_from_slot(Attempt *attempt, Error *err)
{
	Rc rc = open_log(attempt, err);

	if (rc == RC_OK)
		rc = check_slot(attempt, err);
	if (rc == RC_OK)
		rc = check_log(attempt, err);
	if (rc == RC_OK)
		rc = open_stream(attempt, err);
	if (rc == RC_FAIL && strcmp(err->sqlstate, NO_SLOT_SQLSTATE) == 0)
		reach_explain_no_slot(attempt->config, err);
	if (rc == RC_OK)
		rc = read_start(attempt, err);
	if (rc == RC_OK)
		rc = targets_open(attempt, err);
	if (rc == RC_OK && *attempt->recording != NULL)
		join_log(attempt);
	else if (rc == RC_OK)
		rc = settle_stream(attempt, err);
	return rc;
}

static void
say_following(const Attempt *attempt)
{
	const char *path = config_source_log(attempt->config);

	log_info("follow", "following with %s \"%s\", from LSN " LSN_FORMAT " on",
			 path != NULL ? "log" : "slot",
			 path != NULL ? path : attempt->config->name,
			 LSN_ARGS(attempt->start_lsn));
}

Rc
attempt_run(Attempt *attempt, Error *err)
{
	Pipeline pipeline = {.name = attempt->config->name,
						 .endpos = attempt->config->endpos,
						 .placement = attempt->config->placement,
						 .noted = attempt->noted,
						 .node_count = attempt->config->node_count,
						 .verbose = true,
						 .counted = true};
	Lsn fence;
	bool from_log = config_source_log(attempt->config) != NULL;
	Rc rc = from_log ? begin_from_log(attempt, err)
					 : begin_from_slot(attempt, err);

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
	say_following(attempt);
	targets_say_following(attempt);
	pipeline.source = attempt->stream;
	pipeline.from_log = from_log;
	pipeline.start_lsn = from_log ? attempt->log_from : attempt->confirmed_lsn;
	pipeline.may_lack = !from_log && !gets_the_same_again(attempt);
	pipeline.sinks = attempt->sinks;
	pipeline.keeps_log = *attempt->recording != NULL;
	pipeline.sink_count = attempt->sink_count + (pipeline.keeps_log ? 1 : 0);
	for (int i = 0; i < attempt->sink_count; i++)
	{
		pipeline.rows_before += attempt->known[i].rows;
		pipeline.transactions_before += attempt->known[i].transactions;
	}
	pipeline.replace = targets_replace;
	pipeline.replace_context = attempt;
	pipeline.streaming = from_log || pipeline.keeps_log ? NULL
														: attempt->streaming;
	attempt->keys = keys_new(attempt->config, attempt->sinks);
	if (attempt->keys != NULL)
	{
		pipeline.watch = watch_keys;
		pipeline.watch_context = attempt->keys;
	}
	watch_over(attempt, &pipeline);
	follow_sequences(attempt, &pipeline);
	follow_large_objects(attempt, &pipeline);
	build_indexes(attempt, &pipeline);
	metrics_enter(METRICS_FOLLOWING, clock_monotonic_us());
	/* What is done before and after a run may take any time: it waits for
	 * transactions, validates foreign keys, builds indexes. */
	service_expect_pings(true);
	service_ready();
	service_status("following");
	rc = pipeline_run(&pipeline, &attempt->progressed, err);
	service_expect_pings(false);
	if (rc == RC_OK)
	{
		keys_finish(attempt->keys);
		rc = note_end(attempt, fence, err);
	}
	return rc;
}
