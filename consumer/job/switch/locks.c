/*
 * locks.c
 *    Locks the tables with LOCK TABLE, and tries again until it succeeds.
 */
#include "job/switch/locks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "job/switch/tables.h"
#include "net/sql.h"

/* Milliseconds that we wait for each lock at most, and for all locks of one try
 * together.  When the latter are over, a lock has to be free. */
#define LOCK_WAIT_MS 100
#define LOCK_ALL_MS  1000

/* Milliseconds that one statement of a try may take. */
#define STATEMENT_MS "2000"

/*
 * Shortest pause between two tries, and by how much it may be longer; to that
 * is added the time that the last try took, so often.  So the tries keep
 * writers waiting for a third of the time at most.
 */
#define PAUSE_MS_MIN    50
#define PAUSE_MS_CHANCE 350
#define PAUSE_TRIES     2

/*
 * After each such number of failed attempts, the sessions that hold the locks
 * are logged.
 */
#define TRIES_SAID 5

/* Maximum number of sessions that are named in such a message. */
#define HOLDERS_MAX_SQL "5"

/*
 * SHARE ROW EXCLUSIVE keeps out whoever writes, and it is what CREATE TRIGGER
 * takes, so that no lock has to be made stronger later.  An autovacuum, which
 * would be ended only after deadlock_timeout, is ended sooner where our role
 * may set that.
 */
static const char lock_mode_sql[] = " IN SHARE ROW EXCLUSIVE MODE";

/*
 * Who has locks of ours, or waits for a strong one before us, and how to end
 * that.  $1: names of the tables, as JSON; $2: the PID of our session.
 */
static const char holders_sql[] =
	"SELECT string_agg(h.text, '; ') FROM (SELECT CASE"
	" WHEN a.pid IS NULL THEN format('prepared transaction \"%s\" (to be ended"
	" with COMMIT PREPARED or ROLLBACK PREPARED)', coalesce(max(x.gid), '?'))"
	" WHEN a.query LIKE '%(to prevent wraparound)' THEN format('PID %s (%s: %s,"
	" which gives way to nobody)', a.pid, a.backend_type, left(a.query, 80))"
	" WHEN a.backend_type <> 'client backend' THEN format('PID %s (%s: %s)',"
	"  a.pid, a.backend_type, left(a.query, 60))"
	" ELSE format('PID %s (user \"%s\", application \"%s\", %s, transaction"
	" since %s)', a.pid, a.usename, a.application_name, a.state,"
	"  a.xact_start::timestamptz(0)) END || string_agg(DISTINCT format("
	"  ' %s %s on %s', CASE WHEN l.granted THEN 'has' ELSE 'waits for' END,"
	"  l.mode, l.relation::regclass), ',') AS text"
	" FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
	" LEFT JOIN pg_locks t ON l.pid IS NULL AND t.pid IS NULL"
	"  AND t.locktype = 'transactionid'"
	"  AND t.virtualtransaction = l.virtualtransaction"
	" LEFT JOIN pg_prepared_xacts x ON x.transaction = t.transactionid"
	" WHERE l.locktype = 'relation'"
	" AND l.database = (SELECT oid FROM pg_database"
	"  WHERE datname = current_database())"
	" AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'SIReadLock')"
	" AND (l.granted OR l.mode <> 'RowExclusiveLock')"
	" AND l.pid IS DISTINCT FROM $2::int"
	" AND l.relation IN (SELECT to_regclass(n)"
	"  FROM json_array_elements_text($1::json) n)"
	" GROUP BY a.pid, a.usename, a.application_name, a.state, a.xact_start,"
	"  a.backend_type, a.query, l.virtualtransaction"
	" ORDER BY a.xact_start LIMIT " HOLDERS_MAX_SQL ") h";

typedef struct Locking
{
	Switch *self;
	int *order; /* indexes of self->tables, in the order of locking */
	int count;
} Locking;

/* Whether the error says that a lock could not be taken in time. */
static bool
is_locked(const Error *err)
{
	static const char *const sqlstates[] = {
		"55P03", /* lock_not_available */
		"57014", /* query_canceled, by statement_timeout */
		"40P01", /* deadlock_detected */
	};

	for (size_t i = 0; i < LENGTH_OF(sqlstates); i++)
		if (strcmp(err->sqlstate, sqlstates[i]) == 0)
			return true;
	return false;
}

/* Sets deadlock_timeout, if the role may. */
static MUST_CHECK Rc
hurry_autovacuum(Switch *self, Error *err)
{
	Rc rc = pgconn_exec(self->source, "SET deadlock_timeout = '20ms'", NULL,
						err);

	if (rc != RC_FAIL || strcmp(err->sqlstate, "42501") != 0)
		return rc;
	error_reset(err);
	return RC_OK;
}

static MUST_CHECK Rc
begin(Switch *self, Error *err)
{
	return pgconn_exec(self->source,
					   "BEGIN ISOLATION LEVEL READ COMMITTED;"
					   "SET LOCAL synchronous_commit = on;"
					   "SET LOCAL statement_timeout = " STATEMENT_MS,
					   NULL, err);
}

/*
 * Appends the lock of one table.  What is left of LOCK_ALL_MS is computed by
 * the server, because statement_timeout would begin anew with each statement. A
 * lock_timeout of 0 would be none.
 */
static void
append_lock(Buf *sql, const char *table)
{
	buf_printf(sql,
			   "SELECT pg_catalog.set_config('lock_timeout', greatest(1,"
			   " least(%d, %d - 1000 * extract(epoch FROM"
			   " pg_catalog.clock_timestamp() - pg_catalog.now())))::int::text,"
			   " true); LOCK TABLE ONLY %s%s;",
			   LOCK_WAIT_MS, LOCK_ALL_MS, table, lock_mode_sql);
}

/* Sends one LOCK TABLE for each table, all at once. */
static MUST_CHECK Rc
send_locks(const Locking *locking, Error *err)
{
	const Switch *self = locking->self;
	Buf sql;
	Rc rc = RC_OK;

	buf_init(&sql, BUF_TEXT_MAX);
	for (int i = 0; i < locking->count; i++)
		append_lock(&sql, self->tables.tables[locking->order[i]].name);
	if (sql.overflowed)
		rc = error_set(err, ERR_LIMIT,
					   "cannot lock %d tables with one statement: their names "
					   "are too long",
					   locking->count);
	else if (!PQsendQuery(pgconn_raw(self->source), sql.data))
		rc = pgconn_connection_error(self->source, "could not send to", err);
	buf_release(&sql);
	return rc;
}

/*
 * Locks the tables in order.  *locked is set to the number of tables that were
 * locked before the first that could not be locked.
 */
static MUST_CHECK Rc
lock_tables(const Locking *locking, int *locked, Error *err)
{
	PgConn *conn = locking->self->source;
	Error failure = {0};
	Rc rc = send_locks(locking, err);
	Rc answer = RC_OK;

	*locked = 0;
	while (rc == RC_OK)
	{
		PGresult *result = NULL;

		rc = pgconn_get_result(conn, &result, err);
		if (rc != RC_OK || result == NULL)
			break;
		if (answer == RC_OK)
			answer = pgconn_check_result(conn, result, &failure);
		*locked += answer == RC_OK &&
				   PQresultStatus(result) == PGRES_COMMAND_OK;
		PQclear(result);
	}
	if (rc == RC_OK && answer == RC_FAIL)
		error_take(err, &failure);
	error_reset(&failure);
	return rc == RC_OK ? answer : rc;
}

/*
 * Puts the table that could not be locked to the front of the order.  Sessions
 * that write to it may wait for a table that we had locked before it.
 */
static void
bring_forward(Locking *locking, int failed)
{
	int table = locking->order[failed];

	memmove(&locking->order[1], &locking->order[0],
			(size_t) failed * sizeof(int));
	locking->order[0] = table;
}

/* Begins with the order of the tables' OIDs. */
static void
set_order(Locking *locking)
{
	locking->count = locking->self->tables.count;
	locking->order = arena_calloc(locking->self->arena, (size_t) locking->count,
								  sizeof(int));
	for (int i = 0; i < locking->count; i++)
		locking->order[i] = i;
}

static MUST_CHECK Rc
roll_back(Switch *self, Error *err)
{
	return pgconn_exec(self->source, "ROLLBACK", NULL, err);
}

/*
 * Tries once to lock all tables.  RC_AGAIN: a lock could not be taken, or the
 * source has other tables by now.
 */
static MUST_CHECK Rc
try(Locking *locking, Error *err)
{
	Switch *self = locking->self;
	bool same = true;
	int locked = 0;
	Rc rc;

	self->locked_us = clock_monotonic_us();
	rc = begin(self, err);
	if (rc == RC_OK)
		rc = lock_tables(locking, &locked, err);
	/* A comparison that takes too long is no lock that cannot be had. */
	if (rc == RC_OK)
	{
		rc = switch_tables_compare(self, &same, err);
		if (rc != RC_OK)
		{
			error_context(err, "looking at the tables again, with the locks");
			return rc;
		}
	}
	if (rc == RC_OK && same)
		return pgconn_exec(self->source,
						   "SET LOCAL statement_timeout = 0;"
						   "SET LOCAL lock_timeout = " STATEMENT_MS,
						   NULL, err);
	if (rc == RC_FAIL && !is_locked(err))
		return rc;
	if (rc == RC_FAIL && locked < locking->count)
		bring_forward(locking, locked);
	error_reset(err);
	rc = roll_back(self, err);
	if (rc == RC_OK && !same)
	{
		rc = switch_tables_read(self, err);
		set_order(locking);
	}
	return rc == RC_OK ? RC_AGAIN : rc;
}

/* Sets *holders to who has the locks, allocated in the arena; leaves it alone
 * if nobody has them now. */
static MUST_CHECK Rc
read_holders(Switch *self, const char **holders, Error *err)
{
	char pid[16];
	const char *params[2] = {NULL, pid};
	PGresult *result = NULL;
	Buf names;
	Rc rc;

	snprintf(pid, sizeof(pid), "%d", PQbackendPID(pgconn_raw(self->source)));
	buf_init(&names, BUF_TEXT_MAX);
	switch_tables_append_names(self, &names);
	params[0] = names.data;
	rc = pgconn_exec_params(self->aside, holders_sql, LENGTH_OF(params), params,
							&result, err);
	buf_release(&names);
	if (rc == RC_OK && !PQgetisnull(result, 0, 0))
		*holders = arena_strdup(self->arena, PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
give_up(const Switch *self, int limit_s, int tries, const char *holders,
		Error *err)
{
	Rc rc = error_set(err, ERR_LIMIT,
					  "could not lock the tables on %s within %d s, in %d "
					  "tries",
					  pgconn_label(self->source), limit_s, tries);

	if (holders != NULL)
		error_detail(err, "Conflicting locks: %s.", holders);
	error_hint(err,
			   "End these sessions, or wait longer with --%s, and run the same "
			   "again.",
			   self->ran_before ? "max-stall" : "max-wait");
	return rc;
}

/* A pause whose length nobody can foresee, after a try that took so long. */
static MUST_CHECK Rc
pause_by_chance(int64_t try_us, Error *err)
{
	int64_t ms = PAUSE_MS_MIN + PAUSE_TRIES * try_us / 1000 +
				 clock_monotonic_us() % PAUSE_MS_CHANCE;
	Rc rc = interrupt_wait(-1, 0, ms, err);

	return rc == RC_AGAIN ? RC_OK : rc;
}

Rc
switch_locks_take(Switch *self, Error *err)
{
	/* With a command of --before in force everybody waits already. */
	int limit_s = self->ran_before ? self->config.max_stall_s
								   : self->config.max_wait_s;
	int64_t end_us = clock_monotonic_us() + (int64_t) limit_s * 1000000;
	Locking locking = {.self = self};
	const char *holders = NULL;
	int tries = 0;
	Rc rc = hurry_autovacuum(self, err);

	set_order(&locking);
	while (rc == RC_OK)
	{
		int64_t try_us;

		rc = try(&locking, err);
		if (rc != RC_AGAIN)
			break;
		try_us = clock_monotonic_us() - self->locked_us;
		tries++;
		rc = read_holders(self, &holders, err);
		if (rc == RC_OK && tries % TRIES_SAID == 0 && holders != NULL)
			log_info("switch", "waiting for the locks: in the way: %s",
					 holders);
		if (rc == RC_OK && clock_monotonic_us() >= end_us)
			rc = give_up(self, limit_s, tries, holders, err);
		if (rc == RC_OK)
			rc = pause_by_chance(try_us, err);
	}
	if (rc != RC_OK)
		self->locked_us = 0;
	return rc;
}
