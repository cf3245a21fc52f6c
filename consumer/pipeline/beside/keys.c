/*
 * keys.c
 *    Runs one statement at a time on each target.
 */
#include "pipeline/beside/keys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "control/copy/postponed_key.h"
#include "net/pgconn_open.h"
#include "sink/postgres/postgres_sink.h"

/*
 * lock_timeout of a statement: shorter than deadlock_timeout usually is, so
 * that in a deadlock our statement fails and not one of the follower.
 */
#define LOCK_TIMEOUT "500ms"

/* Shortest and longest pause after a failure. */
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS   600000

/* Violations are logged as a warning when the pause has become this long. */
#define PAUSE_WARN_MS 60000

/*
 * Milliseconds between two checks in keys_finish() whether all targets are
 * done.
 */
#define FINISH_CHECK_MS 20

typedef enum KeyState
{
	KEY_OPEN,
	KEY_FAILED, /* its statement failed; tried again after the pause */
	KEY_DONE,
} KeyState;

/* The foreign keys of one target. */
typedef struct KeyWork
{
	PgConn *conn;     /* session of the statement that runs; NULL: none runs */
	int current;      /* index of the key whose statement runs */
	KeyState *states; /* state of each key; NULL: the target's keys are not
					   * known yet */
	int64_t due_us;   /* time at which the pause ends */
	Backoff backoff;
	bool warned;
} KeyWork;

struct Keys
{
	const Config *config;
	Sink *const *sinks;
	KeyWork *works; /* array with one element for each target */
};


/* ---- One target ---- */

static bool
has_any(const Config *config, Sink *const *sinks)
{
	for (int i = 0; i < config->target_count; i++)
		if (!sinks[i]->report->unreachable &&
			postgres_sink_keys(sinks[i])->count > 0)
			return true;
	return false;
}

Keys *
keys_new(const Config *config, Sink *const *sinks)
{
	Keys *keys;

	if (!has_any(config, sinks))
		return NULL;
	keys = xcalloc(1, sizeof(Keys));
	keys->config = config;
	keys->sinks = sinks;
	keys->works = xcalloc((size_t) config->target_count, sizeof(KeyWork));
	for (int i = 0; i < config->target_count; i++)
		keys->works[i].backoff = (Backoff){.first_ms = PAUSE_FIRST_MS,
										   .max_ms = PAUSE_MAX_MS};
	return keys;
}

void
keys_free(Keys *keys)
{
	if (keys == NULL)
		return;
	for (int i = 0; i < keys->config->target_count; i++)
	{
		pgconn_close(keys->works[i].conn);
		free(keys->works[i].states);
	}
	free(keys->works);
	free(keys);
}

static void
stop_work(KeyWork *work)
{
	pgconn_close(work->conn);
	work->conn = NULL;
}

/* Returns the next key in a state that can be validated; -1: none. */
static int
find_next(const KeyWork *work, const PostponedKeys *list, KeyState state,
		  Lsn durable_lsn)
{
	ASSERT(work->states != NULL);
	for (int i = 0; i < list->count; i++)
		if (work->states[i] == state && list->keys[i].not_before <= durable_lsn)
			return i;
	return -1;
}

static MUST_CHECK Rc
send_statement(const Keys *keys, KeyWork *work, const PostponedKey *key,
			   Error *err)
{
	Buf sql;
	int sent;

	ASSERT(work->conn != NULL);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "BEGIN; SET LOCAL lock_timeout = '" LOCK_TIMEOUT "'; %s;",
			   key->statement);
	postponed_key_append_done(&sql, keys->config->name, key);
	buf_append_string(&sql, "COMMIT");
	CHECK(!sql.overflowed);
	sent = PQsendQuery(pgconn_raw(work->conn), sql.data);
	buf_release(&sql);
	if (!sent)
		return pgconn_connection_error(work->conn, "lost the connection to",
									   err);
	return RC_OK;
}

static MUST_CHECK Rc
start(const Keys *keys, int target, const PostponedKey *key, Error *err)
{
	KeyWork *work = &keys->works[target];
	const PgConnOptions options = {
		.conninfo = keys->config->targets[target],
		.label = keys->sinks[target]->report->label,
		.application_name = "penstock",
		.kind = PGCONN_DATA,
		.impatient = true,
	};
	Rc rc = pgconn_open(&work->conn, &options, err);

	if (rc == RC_OK)
		rc = send_statement(keys, work, key, err);
	return rc;
}

/* duplicate_object: another session has added the key */
#define ADDED_SQLSTATE "42710"

/*
 * Whether the error says that the key or its table was dropped or renamed, or
 * that the key was added meanwhile.
 */
static bool
has_become_moot(const Error *err)
{
	static const char *const sqlstates[] = {
		"42704", /* undefined_object: the key was dropped */
		"42P01", /* undefined_table */
		"3F000", /* invalid_schema_name */
		ADDED_SQLSTATE,
	};

	for (size_t i = 0; i < LENGTH_OF(sqlstates); i++)
		if (strcmp(err->sqlstate, sqlstates[i]) == 0)
			return true;
	return false;
}

/* Removes the entry of a key for which there is nothing left to do. */
static MUST_CHECK Rc
forget(const Keys *keys, KeyWork *work, const PostponedKey *key, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	do
	{
		PQclear(result);
		rc = pgconn_get_result(work->conn, &result, err);
	} while (rc == RC_OK && result != NULL);
	if (rc == RC_OK)
		rc = pgconn_exec(work->conn, "ROLLBACK", NULL, err);
	buf_init(&sql, BUF_TEXT_MAX);
	postponed_key_append_done(&sql, keys->config->name, key);
	if (rc == RC_OK)
		rc = pgconn_exec(work->conn, sql.data, NULL, err);
	buf_release(&sql);
	return rc;
}

static void
say_failure(KeyWork *work, const PostponedKey *key, Error *err)
{
	bool violated = strcmp(err->sqlstate, "23503") == 0;

	ASSERT(err->code != ERR_NONE);
	error_context(err, "checking foreign key %s of table %s", key->name,
				  key->table);
	if (error_is_transient(err) ||
		(violated && backoff_ms(&work->backoff) < PAUSE_WARN_MS))
		log_debug("follow", "%s", err->message);
	else if (!work->warned)
	{
		error_hint(err,
				   "The follower will try again from time to time, and not log "
				   "it.  To do it by hand, run on the target: %s",
				   key->statement);
		log_error(LOG_WARNING, "follow.key-failed", err);
		work->warned = true;
	}
}

/*
 * Marks the current key as failed, and begins a pause.  If the connection
 * failed, all keys have failed.
 */
static void
put_off(KeyWork *work, const PostponedKeys *list, Error *err)
{
	ASSERT(work->current >= 0 && work->current < list->count);
	ASSERT(work->conn == NULL && work->states != NULL);
	for (int i = 0; i < list->count; i++)
		if (i == work->current ||
			(err->code != ERR_SQL && work->states[i] == KEY_OPEN))
			work->states[i] = KEY_FAILED;
	say_failure(work, &list->keys[work->current], err);
	error_reset(err);
	work->due_us = clock_monotonic_us() + backoff_take(&work->backoff) * 1000;
}

/* Logs that a key is not validated any more. */
static void
say_moot(const Sink *sink, const PostponedKey *key, bool added)
{
	if (added)
		log_info("follow",
				 "foreign key %s of table %s on %s was postponed, and is there "
				 "by now",
				 key->name, key->table, sink->report->label);
	else
		log_warning("follow.key-not-completed",
					"foreign key %s of table %s on %s was postponed, and is "
					"not completed: it, or a table that it names, was dropped "
					"or renamed.  What was to be run: %s",
					key->name, key->table, sink->report->label, key->statement);
}

/* Reads the results of the statement.  RC_AGAIN: it has not ended. */
static MUST_CHECK Rc
take(const Keys *keys, int target, const PostponedKey *key, Error *err)
{
	KeyWork *work = &keys->works[target];
	int64_t ignored;
	Rc rc = pgconn_take_ended(work->conn, &ignored, err);

	if (rc == RC_OK)
		log_info("follow", "foreign key %s of table %s on %s is valid",
				 key->name, key->table, keys->sinks[target]->report->label);
	if (rc == RC_FAIL && has_become_moot(err))
	{
		bool added = strcmp(err->sqlstate, ADDED_SQLSTATE) == 0;

		error_reset(err);
		rc = forget(keys, work, key, err);
		if (rc == RC_OK)
			say_moot(keys->sinks[target], key, added);
	}
	return rc;
}

/* Starts the statement of a key that can be validated, if there is one. */
static MUST_CHECK Rc
start_next(const Keys *keys, int target, const PostponedKeys *list, Error *err)
{
	KeyWork *work = &keys->works[target];
	Lsn durable_lsn = keys->sinks[target]->report->durable_lsn;
	int next = find_next(work, list, KEY_OPEN, durable_lsn);

	ASSERT(work->conn == NULL);
	if (next < 0 && clock_monotonic_us() >= work->due_us)
		next = find_next(work, list, KEY_FAILED, durable_lsn);
	if (next < 0)
		return RC_OK;
	work->current = next;
	return start(keys, target, &list->keys[next], err);
}

/* Forgets the states of the keys of a target that is unreachable. */
static void
forget_target(KeyWork *work)
{
	stop_work(work);
	free(work->states);
	work->states = NULL;
}

/* Works on one target.  *busy is set if a statement runs or can be started. */
static MUST_CHECK Rc
step_target(Keys *keys, int target, bool *busy, Error *err)
{
	KeyWork *work = &keys->works[target];
	const PostponedKeys *list;
	Rc rc = RC_OK;

	if (keys->sinks[target]->report->unreachable)
	{
		forget_target(work);
		return RC_OK;
	}
	list = postgres_sink_keys(keys->sinks[target]);
	if (list->count == 0)
		return RC_OK;
	if (work->states == NULL)
		work->states = xcalloc((size_t) list->count, sizeof(KeyState));
	if (work->conn != NULL)
	{
		rc = take(keys, target, &list->keys[work->current], err);
		if (rc == RC_OK)
			work->states[work->current] = KEY_DONE;
		if (rc != RC_AGAIN)
			stop_work(work);
	}
	if (rc == RC_OK)
		rc = start_next(keys, target, list, err);
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
		return rc;
	if (rc == RC_FAIL)
	{
		stop_work(work);
		put_off(work, list, err);
	}
	*busy |= work->conn != NULL ||
			 find_next(work, list, KEY_OPEN,
					   keys->sinks[target]->report->durable_lsn) >= 0;
	return RC_OK;
}

static MUST_CHECK Rc
step_targets(Keys *keys, bool *busy, Error *err)
{
	Rc rc = RC_OK;

	*busy = false;
	for (int i = 0; i < keys->config->target_count && rc == RC_OK; i++)
		rc = step_target(keys, i, busy, err);
	return rc;
}

Rc
keys_step(Keys *keys, Error *err)
{
	bool busy;

	return step_targets(keys, &busy, err);
}

void
keys_finish(Keys *keys)
{
	Error err = {0};
	bool busy = keys != NULL;

	while (busy)
	{
		Rc rc = step_targets(keys, &busy, &err);

		if (rc == RC_OK && busy)
			rc = interrupt_wait(-1, 0, FINISH_CHECK_MS, &err);
		busy = busy && rc != RC_FAIL;
	}
	error_reset(&err);
}
