/*
 * sample.c
 *    Reads the state of source and targets twice.
 *
 * In each round the source is read before the targets, and the end of its WAL
 * before the positions that the follower has reported.  A position that is read
 * later can only be higher, so a pipeline that keeps up shows no lag.
 */
#include "cmd/status/sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/xalloc.h"
#include "control/fence.h"
#include "net/pgconn_open.h"
#include "net/sql.h"
#include "net/target_name.h"

#define ARENA_BLOCK_BYTES (4 * KB)

static Rc
parse_lsn(const PGresult *result, int column, const PgConn *conn, Lsn *lsn,
		  Error *err)
{
	*lsn = 0;
	if (PQgetisnull(result, 0, column))
		return RC_OK;
	if (!lsn_parse(PQgetvalue(result, 0, column), lsn))
		return error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from %s",
						 PQgetvalue(result, 0, column), pgconn_label(conn));
	return RC_OK;
}

static Rc
read_log(PgConn *source, SourceSample *sample, Error *err)
{
	static const char sql[] =
		"SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
		" ELSE pg_current_wal_flush_lsn() END,"
		" (extract(epoch FROM clock_timestamp()"
		"  - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint";
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source, sql, &result, err);

	if (rc != RC_OK)
		return rc;
	rc = parse_lsn(result, 0, source, &sample->lsn, err);
	sample->now_us = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
	PQclear(result);
	return rc;
}

/*
 * Reads the positions that the follower has reported to its walsender.  For a
 * role that may not see other roles' sessions, they are null.
 */
static Rc
read_walsender(PgConn *source, SourceSample *sample, Error *err)
{
	char pid[16];
	const char *params[] = {pid};
	PGresult *result = NULL;
	Rc rc;

	snprintf(pid, sizeof(pid), "%d", sample->slot.active_pid);
	rc = pgconn_exec_params(source,
							"SELECT write_lsn, replay_lsn, state IS NULL"
							" FROM pg_stat_replication WHERE pid = $1::int",
							1, params, &result, err);
	if (rc != RC_OK)
		return rc;
	if (PQntuples(result) > 0)
	{
		sample->following = true;
		sample->positions_hidden = PQgetvalue(result, 0, 2)[0] == 't';
		rc = parse_lsn(result, 0, source, &sample->received_lsn, err);
		if (rc == RC_OK)
			rc = parse_lsn(result, 1, source, &sample->replayed_lsn, err);

		/* The WAL may have grown since its end was read. */
		sample->lsn = lsn_max(sample->lsn, sample->received_lsn);
	}
	PQclear(result);
	return rc;
}

static Rc
sample_source(PgConn *source, const char *name, SourceSample *sample,
			  Error *err)
{
	Rc rc;

	*sample = (SourceSample){0};
	rc = read_log(source, sample, err);
	if (rc == RC_OK)
		rc = slot_read(source, name, &sample->slot, err);
	if (rc == RC_OK && sample->slot.active_pid != 0)
		rc = read_walsender(source, sample, err);
	return rc;
}

#define JSON_ROWS_SQL(object, from)                                            \
	"(SELECT coalesce(json_agg(json_build_object(" object                      \
	")), '[]') FROM " from " p JOIN pg_stat_activity a USING (pid)"            \
	" WHERE a.application_name LIKE 'penstock clone%'"                         \
	" AND p.datname = current_database())"

/*
 * Reads the current activity of a clone's sessions on the target from the
 * server's progress views, as JSON.
 */
static Rc
read_running(PgConn *target, char **running, Error *err)
{
	static const char copying_sql[] = JSON_ROWS_SQL(
		"'table', p.relid::regclass::text, 'rows', p.tuples_processed,"
		" 'bytes', p.bytes_processed",
		"pg_stat_progress_copy");
	static const char building_sql[] = JSON_ROWS_SQL(
		"'table', p.relid::regclass::text, 'phase', p.phase,"
		" 'tuples', p.tuples_done, 'tuples_total', p.tuples_total,"
		" 'blocks', p.blocks_done, 'blocks_total', p.blocks_total",
		"pg_stat_progress_create_index");
	bool has_copy = pgconn_server_version_num(target) >=
					PROGRESS_COPY_VERSION_NUM;
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "SELECT json_build_object('copying', %s, 'building', %s)",
			   has_copy ? copying_sql : "json '[]'", building_sql);
	rc = pgconn_exec(target, sql.data, &result, err);
	buf_release(&sql);
	if (rc == RC_OK)
		*running = xstrdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

/* Reads an unfinished clone, running or interrupted. */
static Rc
sample_clone(TargetSample *sample, PgConn *target, const char *name,
			 Arena *lasting, Error *err)
{
	Arena *arena = arena_new(KB);
	bool running = false;
	Rc rc = work_list_read(&sample->clone, target, name, arena, err);

	if (rc == RC_OK && sample->clone.exists)
		rc = cloning_read(&sample->cloning, target, name, lasting, err);
	if (rc == RC_OK && sample->clone.exists)
		rc = work_list_is_running(target, name, &running, err);
	if (rc == RC_OK && running)
		rc = read_running(target, &sample->clone_running, err);
	if (rc == RC_OK)
		snprintf(sample->clone_text, sizeof(sample->clone_text),
				 "clone %s: %d of %d tables are copied, %" PRId64
				 " rows, about %d %%",
				 running ? "runs" : "was interrupted",
				 sample->clone.tables_done, sample->clone.table_count,
				 sample->cloning.rows, cloning_percent(&sample->cloning));
	sample->clone.options = NULL;
	sample->clone.started_at = NULL;
	arena_free(arena);
	return rc;
}

static Rc
sample_target(PgConn *target, const Config *config, TargetSample *sample,
			  Arena *arena, Error *err)
{
	const char *name = config->name;
	const char *clone = config->name_of_clone != NULL ? config->name_of_clone
													  : name;
	PGresult *result = NULL;
	Rc rc;

	*sample = (TargetSample){0};
	rc = progress_table_read(target, name, &sample->progress, err);
	if (rc == RC_OK && !sample->progress.exists)
		rc = sample_clone(sample, target, clone, arena, err);
	if (rc == RC_OK)
		rc = pgconn_exec(target,
						 "SELECT pg_current_wal_insert_lsn(),"
						 " pg_current_wal_flush_lsn()",
						 &result, err);
	if (rc != RC_OK)
		return rc;
	rc = parse_lsn(result, 0, target, &sample->insert_lsn, err);
	if (rc == RC_OK)
		rc = parse_lsn(result, 1, target, &sample->flush_lsn, err);
	PQclear(result);
	sample->taken_us = clock_monotonic_us();
	return rc;
}

static Rc
open_server(PgConn **conn, const char *conninfo, const char *label, Error *err)
{
	return pgconn_open(conn,
					   &(PgConnOptions){
						   .conninfo = conninfo,
						   .label = label,
						   .application_name = "penstock status",
						   .kind = PGCONN_DATA,
					   },
					   err);
}

/*
 * Leaves a failure in *failure, where the report shows it, and returns RC_OK;
 * only a stop request is passed on.
 */
static Rc
keep_failure(Rc rc, bool *reached, Error *failure, Error *err)
{
	*reached = rc == RC_OK;
	if (rc == RC_OK || failure->code != ERR_INTERRUPTED)
		return RC_OK;
	error_take(err, failure);
	return RC_FAIL;
}

static Rc
take_source(SourceStatus *source, const Config *config, Arena *arena,
			Error *err)
{
	Rc rc = RC_OK;

	if (source->conn == NULL)
		rc = open_server(&source->conn, config->source, "source",
						 &source->failure);
	if (rc == RC_OK)
		rc = slot_read_system_identifier(
			source->conn, source->system_identifier, &source->failure);
	if (rc == RC_OK)
		rc = sample_source(source->conn, config->name, &source->sample,
						   &source->failure);
	if (rc == RC_OK)
		rc = switch_table_read(source->conn, config->name, arena, &source->move,
							   &source->failure);
	return keep_failure(rc, &source->reached, &source->failure, err);
}

/* Reads one target; `sample` is its first or its second sample. */
static Rc
take_target(TargetStatus *target, PgConn *source, const Config *config,
			int index, TargetSample *sample, Arena *arena, Error *err)
{
	const char *conninfo = config->targets[index];
	Lsn fence_lsn = 0;
	Rc rc = RC_OK;

	if (target->conn == NULL)
	{
		char *name = target_name(conninfo);

		target->address = config->target_names[index] != NULL
							  ? xstrdup(config->target_names[index])
							  : target_address(conninfo);
		rc = open_server(&target->conn, conninfo, name, &target->failure);
		free(name);
	}
	if (rc == RC_OK)
		rc = sample_target(target->conn, config, sample, arena,
						   &target->failure);
	if (rc == RC_OK)
		rc = status_tables_read(&target->tables, target->conn, source,
								config->name, &target->failure);
	postponed_keys_release(&target->keys);
	if (rc == RC_OK)
		rc = postponed_keys_read(&target->keys, target->conn, config->name,
								 &target->failure);
	if (rc == RC_OK)
		rc = index_builds_read(target->conn, config->name, arena,
							   &target->builds, &target->failure);
	if (rc == RC_OK)
		rc = pipeline_table_read(target->conn, config->name, arena,
								 &target->memory, &target->failure);
	if (rc == RC_OK)
		rc = follower_table_read(target->conn, config->name, arena,
								 &target->follower, &target->failure);
	if (rc == RC_OK)
		rc = fence_read(target->conn, config->name, &fence_lsn,
						&target->failure);
	target->held = rc == RC_OK && fence_lsn != 0;
	return keep_failure(rc, &target->reached, &target->failure, err);
}

/*
 * Takes one sample of each server.  The second round leaves out servers that
 * were unreachable in the first.
 */
static Rc
take_round(PipelineStatus *status, const Config *config, bool is_first,
		   Error *err)
{
	Rc rc = RC_OK;

	if (is_first || status->source.reached)
		rc = take_source(&status->source, config, status->arena, err);
	for (int i = 0; i < status->target_count && rc == RC_OK; i++)
	{
		TargetStatus *target = &status->targets[i];

		if (is_first || target->reached)
			rc = take_target(
				target, status->source.reached ? status->source.conn : NULL,
				config, i, is_first ? &target->first : &target->second,
				status->arena, err);
	}
	return rc;
}

/* ---- history ------------------------------------------------------------ */

/*
 * Reads the history of the source's timelines, for which a role needs
 * REPLICATION.  Without it, only the ends of WAL can be compared.
 */
static MUST_CHECK Rc
read_history(SourceStatus *source, const Config *config, Error *err)
{
	const PgConnOptions options = {
		.conninfo = config->source,
		.label = "source",
		.application_name = "penstock status",
		.kind = PGCONN_REPLICATION,
	};
	PgConn *replication = NULL;
	Error failure = {0};
	Rc rc = pgconn_open(&replication, &options, &failure);

	if (rc == RC_OK)
		rc = slot_read_history(replication, &source->history, &failure);
	pgconn_close(replication);
	if (rc == RC_FAIL && failure.code == ERR_INTERRUPTED)
	{
		error_take(err, &failure);
		return rc;
	}
	if (rc == RC_FAIL)
		history_release(&source->history);
	error_reset(&failure);
	return RC_OK;
}

static void
prove_target(const SourceHistory *history, TargetStatus *target,
			 const Config *config)
{
	const ProgressRow *row = &target->second.progress;
	SourceHistory known = *history;

	/*
	 * If the source's timeline is not known, it is assumed to be the target's.
	 */
	if (known.identity.timeline == 0)
		known.identity = row->source;
	if (history_prove(&known,
					  &(HistoryPoint){
						  .source = &row->source,
						  .lsn = row->end_lsn,
						  .label = target->address,
						  .pipeline = config->name,
					  },
					  &target->mismatch) == RC_OK)
		return;
	target->mismatch_text = target->mismatch.code == ERR_CONNECT
								? "is ahead of the source, a standby that lags"
								: "has changes that are not in the source's "
								  "history";
}

/*
 * Checks for each target whether its progress is in the source's history.  The
 * source is read after the targets, because their positions move meanwhile.
 */
static MUST_CHECK Rc
prove_targets(PipelineStatus *status, const Config *config, Error *err)
{
	SourceStatus *source = &status->source;
	Rc rc = RC_OK;

	if (!source->reached)
		return RC_OK;
	/* A session outlives a change of the timeline only on a standby. */
	if (source->history.identity.timeline == 0 || source->history.is_standby)
	{
		history_release(&source->history);
		rc = read_history(source, config, err);
	}
	if (rc == RC_OK)
		rc = slot_read_log_end(source->conn, &source->history,
							   &source->failure);
	if (rc == RC_FAIL)
		return err->message != NULL
				   ? rc
				   : keep_failure(rc, &source->reached, &source->failure, err);
	for (int i = 0; i < status->target_count; i++)
	{
		TargetStatus *target = &status->targets[i];

		if (target->reached && target->second.progress.exists &&
			!status_is_foreign(source, target))
			prove_target(&source->history, target, config);
	}
	return RC_OK;
}

/* Takes both samples into a status that has nothing but sessions. */
static MUST_CHECK Rc
take_samples(PipelineStatus *status, const Config *config, Error *err)
{
	Rc rc = take_round(status, config, true, err);

	if (rc != RC_OK)
		return rc;
	if (status->target_count == 0)
		return RC_OK;
	rc = interrupt_wait(-1, 0, STATUS_INTERVAL_MS, err);
	if (rc == RC_FAIL)
		return rc;
	rc = take_round(status, config, false, err);
	if (rc == RC_OK)
		rc = prove_targets(status, config, err);
	return rc;
}

static PipelineStatus
empty_status(const Config *config)
{
	return (PipelineStatus){.arena = arena_new(ARENA_BLOCK_BYTES),
							.target_count = config->target_count};
}

Rc
status_take(PipelineStatus *status, const Config *config, Error *err)
{
	*status = empty_status(config);
	return take_samples(status, config, err);
}

/* Moves the sessions that work, with what is known of their servers. */
static void
move_sessions(PipelineStatus *to, PipelineStatus *from)
{
	if (from->source.reached)
	{
		to->source.conn = from->source.conn;
		to->source.history = from->source.history;
		from->source.conn = NULL;
		from->source.history = (SourceHistory){0};
	}
	for (int i = 0; i < from->target_count; i++)
	{
		if (!from->targets[i].reached)
			continue;
		to->targets[i].conn = from->targets[i].conn;
		to->targets[i].address = from->targets[i].address;
		from->targets[i].conn = NULL;
		from->targets[i].address = NULL;
	}
}

/* What a target had counted at the end of the last look. */
typedef struct Counted
{
	bool known;
	int64_t rows;
	int64_t transactions;
	int64_t taken_us;
} Counted;

static Counted
counted_by(const TargetStatus *target)
{
	const ProgressRow *progress = &target->second.progress;

	return (Counted){.known = target->reached && progress->exists,
					 .rows = progress->rows,
					 .transactions = progress->transactions,
					 .taken_us = target->second.taken_us};
}

/* Has the rates tell of the time since the last look, not of its end alone. */
static void
count_since(TargetStatus *target, const Counted *last)
{
	if (!last->known || !target->reached || !target->first.progress.exists)
		return;
	target->first.progress.rows = last->rows;
	target->first.progress.transactions = last->transactions;
	target->first.taken_us = last->taken_us;
}

Rc
status_take_again(PipelineStatus *status, const Config *config, Error *err)
{
	PipelineStatus next = empty_status(config);
	Counted counted[CONFIG_TARGETS_MAX];
	int count = status->target_count;
	Rc rc;

	for (int i = 0; i < count; i++)
		counted[i] = counted_by(&status->targets[i]);
	move_sessions(&next, status);
	status_release(status);
	*status = next;
	rc = take_samples(status, config, err);
	for (int i = 0; i < count && i < status->target_count; i++)
		count_since(&status->targets[i], &counted[i]);
	return rc;
}

void
status_release(PipelineStatus *status)
{
	for (int i = 0; i < status->target_count; i++)
	{
		TargetStatus *target = &status->targets[i];

		status_tables_release(&target->tables);
		postponed_keys_release(&target->keys);
		pgconn_close(target->conn);
		free(target->address);
		free(target->first.clone_running);
		free(target->second.clone_running);
		error_reset(&target->failure);
		error_reset(&target->mismatch);
	}
	history_release(&status->source.history);
	pgconn_close(status->source.conn);
	error_reset(&status->source.failure);
	arena_free(status->arena);
	*status = (PipelineStatus){0};
}

/*
 * Returns the position up to which changes are durable on a target; 0: not
 * known.  The progress of a sample is durable once the target has flushed its
 * WAL up to the end that was read right after.
 */
static Lsn
durable_lsn(const TargetStatus *target)
{
	Lsn flush_lsn = target->second.flush_lsn;

	if (flush_lsn >= target->second.insert_lsn)
		return target->second.progress.end_lsn;
	if (flush_lsn >= target->first.insert_lsn)
		return target->first.progress.end_lsn;
	return 0;
}

/*
 * Returns a rate per second; negative if the count has decreased, because the
 * pipeline was cloned again in between.
 */
static double
rate(int64_t first, int64_t second, int64_t interval_us)
{
	if (interval_us <= 0 || second < first)
		return -1;
	return (double) (second - first) * 1e6 / (double) interval_us;
}

static void
derive_lag(TargetPosition *position, const SourceSample *source,
		   const ProgressRow *progress)
{
	int64_t lag_us = source->now_us - progress->commit_time_us;

	position->has_lag = true;
	if (position->applied_lsn >= source->lsn)
		return;
	position->lag_bytes = source->lsn - position->applied_lsn;
	position->lag_seconds = -1;
	if (progress->has_commit_time)
		position->lag_seconds = lag_us > 0 ? (double) lag_us / 1e6 : 0;
}

bool
status_is_foreign(const SourceStatus *source, const TargetStatus *target)
{
	const SourceIdentity *identity = &target->second.progress.source;

	return source->reached && source->system_identifier[0] != '\0' &&
		   strcmp(source->system_identifier, identity->system_identifier) != 0;
}

static bool
slot_is_ours(const SlotInfo *slot)
{
	return slot->is_logical && strcmp(slot->plugin, SLOT_PLUGIN) == 0;
}

bool
status_is_passed(const SourceStatus *source, const TargetStatus *target)
{
	const SlotInfo *slot = &source->sample.slot;

	return source->reached && slot_is_ours(slot) &&
		   target->second.progress.end_lsn < slot->confirmed_lsn;
}

/*
 * Raises a target's positions to those that the follower has reported, which
 * hold for every target.
 */
static void
add_reported(TargetPosition *position, const SourceSample *source)
{
	Lsn confirmed_lsn = source->slot.confirmed_lsn;

	position->durable_lsn = lsn_max(position->durable_lsn, confirmed_lsn);
	position->applied_lsn = lsn_max(position->applied_lsn, confirmed_lsn);
	position->applied_lsn = lsn_max(position->applied_lsn,
									source->replayed_lsn);
}

TargetPosition
status_position(const SourceStatus *source, const TargetStatus *target)
{
	const ProgressRow *before = &target->first.progress;
	const ProgressRow *progress = &target->second.progress;
	const SourceSample *sample = &source->sample;
	int64_t interval_us = target->second.taken_us - target->first.taken_us;
	TargetPosition position = {
		.applied_lsn = progress->end_lsn,
		.durable_lsn = durable_lsn(target),
		.transactions_per_s = rate(before->transactions, progress->transactions,
								   interval_us),
		.rows_per_s = rate(before->rows, progress->rows, interval_us),
	};

	ASSERT(target->reached);
	ASSERT(progress->exists);
	if (!source->reached)
		return position;
	if (slot_is_ours(&sample->slot))
		add_reported(&position, sample);
	derive_lag(&position, sample, progress);
	return position;
}
