/*
 * index_builds.c
 *    Runs CREATE INDEX CONCURRENTLY.
 */
#include "pipeline/beside/index_builds.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "control/copy/index_build.h"
#include "net/pgconn_open.h"

#define ARENA_BLOCK_BYTES (2 * KB)

/* Shortest and longest pause after a failure. */
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS   600000

/* Pause before we look again for an index that another session builds. */
#define OTHER_PAUSE_MS 2000

struct IndexBuilder
{
	const Config *config;
	Sink *const *sinks;
	int target;
	bool pending;   /* whether the last look has left an index to be built */
	Lsn looked_lsn; /* index_build_lsn of the sink's report at the last look */
	int64_t due_us; /* time at which the pause after a failure ends */
	Backoff backoff;
	bool failing; /* whether the present failure was logged */
};

IndexBuilder *
index_builders_new(const Config *config, Sink *const *sinks)
{
	IndexBuilder *builders = xcalloc((size_t) config->target_count,
									 sizeof(IndexBuilder));

	for (int i = 0; i < config->target_count; i++)
		builders[i] = (IndexBuilder){
			.config = config,
			.sinks = sinks,
			.target = i,
			.backoff = {.first_ms = PAUSE_FIRST_MS, .max_ms = PAUSE_MAX_MS}};
	return builders;
}

IndexBuilder *
index_builder_at(IndexBuilder *builders, int target)
{
	ASSERT(target >= 0 && target < builders[0].config->target_count);
	return &builders[target];
}


/* ---- One index ---- */

/* Removes what a build that failed has left. */
static MUST_CHECK Rc
drop_invalid(PgConn *target, const IndexBuild *build, Error *err)
{
	Buf sql;
	Rc rc;

	ASSERT(pgconn_can_be_outside(target));
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "DROP INDEX CONCURRENTLY ");
	buf_append_identifier(&sql, build->schema);
	buf_append_char(&sql, '.');
	buf_append_identifier(&sql, build->name);
	rc = pgconn_exec(target, sql.data, NULL, err);
	buf_release(&sql);
	return rc;
}

/*
 * Settings of a session whose statement is to run to its end without us.  The
 * second one does not exist in every version of PostgreSQL.
 */
static const char lasting_sql[] =
	"SET application_name = '" INDEX_BUILD_SESSION "';"
	"SELECT pg_catalog.set_config(name, '0', false)"
	" FROM pg_catalog.pg_settings"
	" WHERE name = 'client_connection_check_interval'";

/*
 * Creates the index.  If we end or lose the connection meanwhile, the server
 * goes on, and the session still holds the index's advisory lock.
 */
static MUST_CHECK Rc
create(PgConn *target, const IndexBuild *build, Error *err)
{
	int64_t start_us = clock_monotonic_us();
	Rc rc = pgconn_exec(target, lasting_sql, NULL, err);

	ASSERT(rc != RC_OK || pgconn_can_be_outside(target));
	if (rc != RC_OK)
		return rc;
	log_info("indexes", "building on %s: %s", pgconn_label(target),
			 build->statement);
	pgconn_set_lasting(target, true);
	rc = pgconn_exec(target, build->statement, NULL, err);
	if (rc != RC_FAIL || err->code != ERR_INTERRUPTED)
		pgconn_set_lasting(target, false);
	if (rc == RC_OK)
		log_info("indexes", "built index \"%s\".\"%s\" on %s in %.1f s",
				 build->schema, build->name, pgconn_label(target),
				 (double) (clock_monotonic_us() - start_us) / 1e6);
	return rc;
}

/* Builds an index whose advisory lock the session holds. */
static MUST_CHECK Rc
build_held(PgConn *target, const char *pipeline, const IndexBuild *build,
		   Error *err)
{
	IndexFound found;
	Rc rc = index_build_find(target, build, &found, err);

	ASSERT(build->index_oid != 0);
	if (rc == RC_OK && found == INDEX_INVALID)
		rc = drop_invalid(target, build, err);
	if (rc == RC_OK && found == INDEX_VALID)
		log_info("indexes", "%s has an index \"%s\".\"%s\" already",
				 pgconn_label(target), build->schema, build->name);
	else if (rc == RC_OK)
		rc = create(target, build, err);
	if (rc == RC_OK)
		rc = index_build_remove(target, pipeline, build->index_oid, err);
	return rc;
}

/* Names the index of a build that failed, and says how to go on without it. */
static void
explain(const PgConn *target, const char *pipeline, const IndexBuild *build,
		Error *err)
{
	Buf removal;

	buf_init(&removal, BUF_TEXT_MAX);
	index_build_append_removal(pipeline, build->index_oid, &removal);
	error_context(err, "building index \"%s\".\"%s\" on %s", build->schema,
				  build->name, pgconn_label(target));
	error_hint(err,
			   "To build it by hand: %s.  To do without it, on the target: %s.",
			   build->statement, removal.data);
	buf_release(&removal);
}

/*
 * Takes an index's advisory lock.  RC_AGAIN, without `wait`: another session
 * builds the index.
 */
static MUST_CHECK Rc
hold(PgConn *target, const char *pipeline, const IndexBuild *build, bool wait,
	 IndexNeed *need, Error *err)
{
	bool said = false;

	for (;;)
	{
		Rc rc = index_build_hold(target, pipeline, build->index_oid, need, err);

		if (rc != RC_AGAIN || !wait)
			return rc;
		if (!said)
			log_info("indexes",
					 "waiting for index \"%s\".\"%s\", which another session "
					 "builds on %s",
					 build->schema, build->name, pgconn_label(target));
		said = true;
		rc = interrupt_wait(-1, 0, OTHER_PAUSE_MS, err);
		if (rc != RC_AGAIN)
			return rc;
	}
}

/*
 * Builds an index.  RC_AGAIN, without `wait`: another session builds it, or its
 * table is being copied; that is not waited for, because the command that
 * copies it may have ended in the middle.  After an error, the session may
 * still hold the advisory lock.
 */
static MUST_CHECK Rc
build_index(PgConn *target, const char *pipeline, const IndexBuild *build,
			bool wait, Error *err)
{
	IndexNeed need;
	Rc rc = hold(target, pipeline, build, wait, &need, err);

	if (rc != RC_OK)
		return rc;
	if (need == INDEX_NEEDED)
		rc = build_held(target, pipeline, build, err);
	if (rc == RC_OK)
		rc = index_build_release(target, pipeline, build->index_oid, err);
	if (rc == RC_OK && need == INDEX_AFTER && !wait)
		return RC_AGAIN;
	if (rc == RC_OK)
		return RC_OK;
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
		explain(target, pipeline, build, err);
	return rc;
}

/*
 * Has the next index built after one that the target has refused.  Returns
 * RC_FAIL if the session is not good for it.  The error of the first index that
 * was refused is kept in *first.
 */
static MUST_CHECK Rc
go_on(PgConn *target, const char *pipeline, const IndexBuild *build,
	  Error *first, Error *err)
{
	ASSERT(err->code != ERR_NONE);
	if (err->code != ERR_SQL || error_is_transient(err))
		return RC_FAIL;
	if (first->code == ERR_NONE)
		error_take(first, err);
	error_reset(err);
	return index_build_release(target, pipeline, build->index_oid, err);
}

/*
 * Builds the indexes of a target.  One that the target refuses does not keep
 * the others from being built.  *pending is set if one is left, which another
 * session builds.
 */
static MUST_CHECK Rc
build_all(PgConn *target, const char *pipeline, bool wait, bool *pending,
		  Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Error first = {0};
	IndexBuilds builds;
	Rc rc = index_builds_read(target, pipeline, arena, &builds, err);

	*pending = false;
	for (int i = 0; i < builds.count && rc == RC_OK; i++)
	{
		const IndexBuild *build = &builds.builds[i];

		rc = build_index(target, pipeline, build, wait, err);
		if (rc == RC_FAIL)
			rc = go_on(target, pipeline, build, &first, err);
		else if (rc == RC_AGAIN)
		{
			*pending = true;
			rc = RC_OK;
		}
	}
	arena_free(arena);
	if (rc == RC_OK && first.code != ERR_NONE)
	{
		error_take(err, &first);
		rc = RC_FAIL;
	}
	error_reset(&first);
	return rc;
}

Rc
index_builds_finish(PgConn *target, const char *pipeline, Error *err)
{
	bool pending;

	return build_all(target, pipeline, true, &pending, err);
}


/* ---- While the pipeline follows ---- */

/* Whether there may be an index to build; its row is visible when the sink has
 * applied the transaction. */
static bool
is_wanted(const IndexBuilder *self, const SinkReport *report)
{
	if (report->unreachable || clock_monotonic_us() < self->due_us)
		return false;
	return self->pending || (report->index_build_lsn > self->looked_lsn &&
							 report->applied_lsn >= report->index_build_lsn);
}

static MUST_CHECK Rc
work(IndexBuilder *self, const char *label, Error *err)
{
	const PgConnOptions options = {
		.conninfo = self->config->targets[self->target],
		.label = label,
		.application_name = INDEX_BUILD_SESSION,
		.kind = PGCONN_DATA,
		.is_again = true};
	PgConn *target = NULL;
	Rc rc = pgconn_open(&target, &options, err);

	if (rc == RC_OK)
		rc = build_all(target, self->config->name, false, &self->pending, err);
	pgconn_close(target);
	return rc;
}

/* Logs a failure, and begins a pause. */
static void
put_off(IndexBuilder *self, Error *err)
{
	int64_t pause_us = backoff_take(&self->backoff) * 1000;

	ASSERT(err->code != ERR_NONE);
	/* query_canceled: mostly by a schema change of the table. */
	if (strcmp(err->sqlstate, "57014") == 0)
		log_info("indexes", "a build was cancelled, and begins again: %s",
				 err->message);
	else if (!self->failing)
	{
		error_context(err, "the follower will try again from time to time");
		log_error(LOG_WARNING, "indexes.build-failed", err);
	}
	self->failing = strcmp(err->sqlstate, "57014") != 0;
	error_reset(err);
	self->pending = true;
	self->due_us = clock_monotonic_us() + pause_us;
}

Rc
index_builder_step(void *context, Error *err)
{
	IndexBuilder *self = context;
	const SinkReport *report = self->sinks[self->target]->report;
	char label[CONFIG_LABEL_SIZE];
	Lsn lsn = report->index_build_lsn;
	Rc rc;

	if (!is_wanted(self, report))
		return RC_OK;
	config_label_target(self->config, self->target, label);
	rc = work(self, label, err);
	self->looked_lsn = lsn;
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
		return rc;
	if (rc == RC_FAIL)
	{
		put_off(self, err);
		return RC_OK;
	}
	self->failing = false;
	backoff_reset(&self->backoff);
	if (self->pending)
		self->due_us = clock_monotonic_us() + OTHER_PAUSE_MS * INT64_C(1000);
	return RC_OK;
}
