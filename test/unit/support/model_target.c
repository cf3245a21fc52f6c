/*
 * model_target.c
 *    See model_target.h.
 */
#include "support/model_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "support/libpq_script.h"

#define SESSIONS_MAX   64
#define LOCKS_MAX      64
#define SAVEPOINTS_MAX 16
#define NAME_SIZE      64
#define TEXT_SIZE      256

/* Answers that are under way at once are fewer. */
#define TEXTS_MAX 4096

/* Bytes of the target's WAL for a commit. */
#define COMMIT_BYTES 0x10

/* Places of a progress statement's parameters, behind those of changes. */
enum
{
	PROGRESS_PIPELINE,
	PROGRESS_TOKEN,
	PROGRESS_COMMIT_LSN,
	PROGRESS_END_LSN,
	PROGRESS_TIME,
	PROGRESS_TRANSACTIONS,
	PROGRESS_ROWS,
	PROGRESS_BEFORE,
	PROGRESS_COUNTED,
};

typedef struct Lock
{
	int64_t key;
	bool shared; /* until the end of the transaction; else the session's */
} Lock;

typedef struct Savepoint
{
	char name[NAME_SIZE];
	int change_count;
} Savepoint;

typedef struct Session
{
	bool in_transaction;
	int changes[MODEL_CHANGES_MAX]; /* that are not committed */
	int change_count;
	Savepoint savepoints[SAVEPOINTS_MAX];
	int savepoint_count;
	bool moves; /* it has the lock of the progress row, and these are new */
	Lsn end_lsn;
	int64_t transactions;
	bool flushes;
	int64_t compared; /* the fingerprint that it has found to be so */
	Lock locks[LOCKS_MAX];
	int lock_count;
} Session;

static struct
{
	Session sessions[SESSIONS_MAX];
	Lsn end_lsns[MODEL_CHANGES_MAX]; /* 0: no such change */
	bool made[MODEL_CHANGES_MAX];
	int made_count;
	Lsn progress;
	int64_t transactions;
	int64_t lease;
	Lsn log;
	Lsn log_flushed;
	Lsn durable;
	Lsn commit_end; /* of the last commit, in the target's WAL */
	int64_t fingerprint;
	int statements;
	int lease_at;
	int alter_at;
	int refused;
	const char *refused_sqlstate;
	int lookups;
} model;

/* Of answers, in turn. */
static char texts[TEXTS_MAX][TEXT_SIZE];
static int text_next;

/* ---- the test's side ---------------------------------------------------- */

Lsn
model_target_progress(void)
{
	return model.progress;
}

int
model_target_changes(void)
{
	return model.made_count;
}

int64_t
model_target_transactions(void)
{
	return model.transactions;
}

int64_t
model_target_lease(void)
{
	return model.lease;
}

int
model_target_lookups(void)
{
	return model.lookups;
}

Lsn
model_target_durable(void)
{
	return model.durable;
}

void
model_target_take_lease_at(int n)
{
	model.lease_at = model.statements + n;
}

void
model_target_alter_at(int n)
{
	model.alter_at = model.statements + n;
}

void
model_target_refuse(int change, const char *sqlstate)
{
	model.refused = change;
	model.refused_sqlstate = sqlstate;
}

void
model_target_expect(int change, Lsn end_lsn)
{
	assert_in_range(change, 0, MODEL_CHANGES_MAX - 1);
	model.end_lsns[change] = end_lsn;
}

/* ---- answers ------------------------------------------------------------ */

static const char *keep_text(const char *format, ...) PRINTF_LIKE(1, 2);

/* A text for an answer, good until some more have been made. */
static const char *
keep_text(const char *format, ...)
{
	char *text = texts[text_next++ % TEXTS_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, TEXT_SIZE, format, args);
	va_end(args);
	return text;
}

static LibpqVerdict
answer_rows(LibpqStep *answer, const char *rows)
{
	*answer = (LibpqStep){.sql = "", .answer = LIBPQ_ROWS, .rows = rows};
	return LIBPQ_ANSWERED;
}

static LibpqVerdict
answer_command(LibpqStep *answer, const char *tag)
{
	*answer = (LibpqStep){.sql = "", .answer = LIBPQ_COMMAND, .tag = tag};
	return LIBPQ_ANSWERED;
}

static LibpqVerdict
answer_error(LibpqStep *answer, const char *sqlstate, const char *message)
{
	*answer = (LibpqStep){.sql = "",
						  .answer = LIBPQ_ERROR,
						  .sqlstate = sqlstate,
						  .message = message};
	return LIBPQ_ANSWERED;
}

static bool
has(const LibpqStatement *statement, const char *text)
{
	return strstr(statement->sql, text) != NULL;
}

static bool
begins(const LibpqStatement *statement, const char *text)
{
	return strncmp(statement->sql, text, strlen(text)) == 0;
}

static int64_t
number_param(const LibpqStatement *statement, int at)
{
	int64_t number = 0;

	assert_in_range(at, 0, statement->param_count - 1);
	assert_non_null(statement->values[at]);
	for (int i = 0; i < statement->lengths[at]; i++)
		number = (int64_t) (((uint64_t) number << 8) |
							(uint8_t) statement->values[at][i]);
	return number;
}

/* ---- changes ------------------------------------------------------------ */

/* A change may be found twice in a statement, as what a row is and was. */
static void
add_change(int64_t key, int *found, int *count)
{
	int64_t change = key - MODEL_KEY_FIRST;

	if (change < 0 || change >= MODEL_CHANGES_MAX)
		return;
	for (int i = 0; i < *count; i++)
		if (found[i] == (int) change)
			return;
	if (model.end_lsns[change] == 0)
		fail_msg("change %d is none", (int) change);
	found[(*count)++] = (int) change;
}

/* Keys in a value: as four bytes, or printed. */
static void
find_changes(const char *value, int length, int *found, int *count)
{
	for (int i = 0; i + 4 <= length; i++)
	{
		uint32_t number = 0;

		for (int b = 0; b < 4; b++)
			number = (number << 8) | (uint8_t) value[i + b];
		add_change(number, found, count);
	}
	for (int i = 0; i < length; i++)
		if (value[i] >= '0' && value[i] <= '9')
		{
			char *end;

			add_change(strtoll(value + i, &end, 10), found, count);
			i = (int) (end - value);
		}
}

static int
changes_of(const LibpqStatement *statement, int *found)
{
	int count = 0;

	for (int i = 0; i < statement->param_count; i++)
		if (statement->values[i] != NULL)
			find_changes(statement->values[i], statement->lengths[i], found,
						 &count);
	return count;
}

/* ---- transactions ------------------------------------------------------- */

static void
forget(Session *session)
{
	int kept = 0;

	for (int i = 0; i < session->lock_count; i++)
		if (!session->locks[i].shared)
			session->locks[kept++] = session->locks[i];
	session->lock_count = kept;
	session->in_transaction = false;
	session->change_count = 0;
	session->savepoint_count = 0;
	session->moves = false;
	session->transactions = 0;
	session->flushes = false;
	session->compared = 0;
}

/* What must be so of everything that is committed. */
static void
check_committed(void)
{
	for (int i = 0; i < MODEL_CHANGES_MAX; i++)
	{
		bool wanted = model.end_lsns[i] != 0 &&
					  model.end_lsns[i] <= model.progress;

		if (wanted != model.made[i])
			fail_msg("change %d, which ends at %X, is %s at progress %X", i,
					 (unsigned) model.end_lsns[i],
					 model.made[i] ? "made" : "missing",
					 (unsigned) model.progress);
	}
}

static void
flush(void)
{
	model.log_flushed = model.log;
	model.durable = model.progress;
}

static void
commit(Session *session)
{
	if (session->change_count > 0 && session->compared != model.fingerprint)
		fail_msg("a table that was altered is written to");
	for (int i = 0; i < session->change_count; i++)
	{
		int change = session->changes[i];

		if (model.made[change])
			fail_msg("change %d is made twice", change);
		model.made[change] = true;
		model.made_count++;
	}
	if (session->moves)
	{
		if (session->end_lsn < model.progress)
			fail_msg("progress goes back from %X to %X",
					 (unsigned) model.progress, (unsigned) session->end_lsn);
		model.progress = session->end_lsn;
		model.transactions += session->transactions;
	}
	model.log += COMMIT_BYTES;
	if (session->flushes)
		flush();
	check_committed();
	forget(session);
}

static int
find_savepoint(const Session *session, const char *name)
{
	for (int i = session->savepoint_count - 1; i >= 0; i--)
		if (strcmp(session->savepoints[i].name, name) == 0)
			return i;
	return -1;
}

static LibpqVerdict
run_savepoint(Session *session, const char *sql, LibpqStep *answer)
{
	const char *name = strrchr(sql, ' ') + 1;
	bool releases = strstr(sql, "RELEASE") != NULL;
	bool rolls_back = strstr(sql, "ROLLBACK") != NULL;
	int at = find_savepoint(session, name);

	if (!session->in_transaction)
		return answer_error(answer, "25P01", "no transaction");
	if ((releases || rolls_back) && at < 0)
		return answer_error(answer, "3B001", "savepoint does not exist");
	if (releases)
		session->savepoint_count = at;
	else if (rolls_back)
	{
		session->change_count = session->savepoints[at].change_count;
		session->savepoint_count = at + 1;
	}
	else
	{
		Savepoint *savepoint = &session->savepoints[session->savepoint_count++];

		assert_true(session->savepoint_count <= SAVEPOINTS_MAX);
		snprintf(savepoint->name, NAME_SIZE, "%s", name);
		savepoint->change_count = session->change_count;
	}
	return answer_command(answer, "SAVEPOINT");
}

static LibpqVerdict
run_transaction(Session *session, const char *sql, LibpqStep *answer)
{
	bool chains = strstr(sql, "AND CHAIN") != NULL;

	if (strstr(sql, "SAVEPOINT") != NULL)
		return run_savepoint(session, sql, answer);
	if (strncmp(sql, "BEGIN", 5) == 0)
	{
		session->in_transaction = true;
		return answer_command(answer, "BEGIN");
	}
	if (strncmp(sql, "COMMIT", 6) == 0)
	{
		if (!session->in_transaction)
			fail_msg("commit outside of a transaction");
		commit(session);
		session->in_transaction = chains;
		return answer_command(answer, "COMMIT");
	}
	forget(session);
	return answer_command(answer, "ROLLBACK");
}

/* ---- locks -------------------------------------------------------------- */

static bool
is_locked(const Session *self, int64_t key, bool shared)
{
	for (int s = 0; s < SESSIONS_MAX; s++)
	{
		const Session *session = &model.sessions[s];

		for (int i = 0; session != self && i < session->lock_count; i++)
			if (session->locks[i].key == key &&
				!(shared && session->locks[i].shared))
				return true;
	}
	return false;
}

static void
lock(Session *session, int64_t key, bool shared)
{
	assert_true(session->lock_count < LOCKS_MAX);
	session->locks[session->lock_count++] = (Lock){key, shared};
}

static LibpqVerdict
unlock(Session *session, int64_t key, LibpqStep *answer)
{
	for (int i = 0; i < session->lock_count; i++)
		if (session->locks[i].key == key && !session->locks[i].shared)
		{
			session->locks[i] = session->locks[--session->lock_count];
			return answer_rows(answer, "t\n");
		}
	fail_msg("a lock is given back that the session does not have");
	return LIBPQ_NOT_MINE;
}

static void
unlock_all(Session *session)
{
	int kept = 0;

	for (int i = 0; i < session->lock_count; i++)
		if (session->locks[i].shared)
			session->locks[kept++] = session->locks[i];
	session->lock_count = kept;
}

/* The first number of the key is the same for all. */
static LibpqVerdict
run_locks(Session *session, const LibpqStatement *statement, LibpqStep *answer)
{
	if (has(statement, "pg_advisory_unlock_all()"))
	{
		const char *taken = strstr(statement->sql, "pg_advisory_lock(");

		unlock_all(session);
		if (taken == NULL)
			return answer_rows(answer, "\n");
		taken = strchr(taken, ',') + 1;
		if (is_locked(session, strtoll(taken, NULL, 10), false))
			return LIBPQ_WAITS;
		lock(session, strtoll(taken, NULL, 10), false);
		return answer_rows(answer, "\n");
	}
	if (has(statement, "pg_advisory_unlock("))
		return unlock(session, number_param(statement, 1), answer);
	if (is_locked(session, number_param(statement, 1), true))
		return LIBPQ_WAITS;
	lock(session, number_param(statement, 1), true);
	if (!has(statement, "pg_advisory_lock($1, $3)"))
		return answer_rows(answer, "\n");
	if (is_locked(session, number_param(statement, 2), false))
		fail_msg("a turn that nobody can have is not free");
	lock(session, number_param(statement, 2), false);
	return answer_rows(answer, "|\n");
}

/* ---- progress ----------------------------------------------------------- */

static bool
is_moving(const Session *self)
{
	for (int s = 0; s < SESSIONS_MAX; s++)
		if (&model.sessions[s] != self && model.sessions[s].moves)
			return true;
	return false;
}

/* Parameters of progress are the last ones. */
static LibpqVerdict
move_progress(Session *session, const LibpqStatement *statement, bool from,
			  int count, LibpqStep *answer)
{
	int first = statement->param_count - count;
	Lsn stands = session->moves ? session->end_lsn : model.progress;
	Lsn end_lsn;

	if (is_moving(session))
		return LIBPQ_WAITS;
	assert_true(session->in_transaction);
	end_lsn = (Lsn) number_param(statement, first + PROGRESS_END_LSN);
	if (number_param(statement, first + PROGRESS_TOKEN) != model.lease ||
		(from &&
		 (Lsn) number_param(statement, first + PROGRESS_BEFORE) != stands))
		return answer_error(answer, "22012", "division by zero");
	session->moves = true;
	session->end_lsn = end_lsn;
	session->transactions += number_param(statement,
										  first + PROGRESS_TRANSACTIONS);
	return answer_rows(answer, "1\n");
}

static const char *
progress_row(void)
{
	return keep_text("77|1|" LSN_FORMAT "|" LSN_FORMAT
					 "|0|%lld|0|%lld|pid 1000, client local\n",
					 LSN_ARGS(model.progress), LSN_ARGS(model.progress),
					 (long long) model.transactions, (long long) model.lease);
}

static LibpqVerdict
run_position(LibpqStep *answer)
{
	answer_rows(answer,
				keep_text(LSN_FORMAT "|" LSN_FORMAT "|1000\n",
						  LSN_ARGS(model.log), LSN_ARGS(model.log_flushed)));

	/* Some time later it is on the disk. */
	flush();
	return LIBPQ_ANSWERED;
}

/* ---- rows --------------------------------------------------------------- */

/* Fingerprints that are compared are a list with one element. */
static bool
is_current(Session *session, const char *list)
{
	assert_int_equal(list[0], '{');
	if (strtoll(list + 1, NULL, 10) != model.fingerprint)
		return false;
	session->compared = model.fingerprint;
	return true;
}

/* The condition of a statement: see current_append_condition(). */
static bool
has_current_condition(Session *session, const LibpqStatement *statement)
{
	const char *call = strstr(statement->sql, "pg_temp.penstock_current(");

	if (call == NULL)
		return true;
	return is_current(session, strstr(call, ", '") + 3);
}

static LibpqVerdict
run_changes(Session *session, const LibpqStatement *statement,
			LibpqStep *answer)
{
	int found[MODEL_CHANGES_MAX];
	int count = changes_of(statement, found);

	if (has(statement, "penstock.progress"))
	{
		LibpqVerdict verdict = move_progress(session, statement, true, 8,
											 answer);

		if (verdict != LIBPQ_ANSWERED || answer->answer == LIBPQ_ERROR)
			return verdict;
	}
	if (!has_current_condition(session, statement))
		return answer_error(answer, "PN001", "a table has changed");
	for (int i = 0; i < count; i++)
		if (found[i] == model.refused)
			return answer_error(answer, model.refused_sqlstate, "refused");
	if (!session->in_transaction)
		fail_msg("changes outside of a transaction");
	assert_true(session->change_count + count <= MODEL_CHANGES_MAX);
	memcpy(session->changes + session->change_count, found,
		   (size_t) count * sizeof(int));
	session->change_count += count;
	*answer = (LibpqStep){.sql = "",
						  .answer = has(statement, "SELECT") ? LIBPQ_ROWS
															 : LIBPQ_COMMAND,
						  .rows = "1\n",
						  .tag = keep_text("INSERT 0 %d", count)};
	return LIBPQ_ANSWERED;
}

/* The rows of columns_sql in target_table.c, for a table (id int4, v text). */
#define COLUMN_SQL(name, type, array, text_like, key, uniques)                 \
	name "|" type "|" type "|f|f|" type "|" array "|,|" text_like              \
		 "|b(|)|b(|)|out|" array "|OPERATOR(pg_catalog.=)|\\N|\\N|t|" key      \
		 "|f|9000|9001|" uniques "|1|t|f|f|t|%lld|16384|16384\n"
#define TABLE_ROWS                                                             \
	COLUMN_SQL("id", "23", "1007", "f", "t", "1")                              \
	COLUMN_SQL("v", "25", "1009", "t", "f", "0")

/* What others do meanwhile. */
static void
let_others_work(void)
{
	bool written = false;

	model.statements++;
	if (model.statements == model.lease_at)
		model.lease++;
	if (model.alter_at == 0 || model.statements < model.alter_at)
		return;
	for (int s = 0; s < SESSIONS_MAX; s++)
		written |= model.sessions[s].change_count > 0;
	if (written)
		return;
	model.fingerprint++;
	model.alter_at = 0;
}

/* ---- statements --------------------------------------------------------- */

static LibpqVerdict
run(void *context UNUSED, const LibpqStatement *statement, LibpqStep *answer)
{
	Session *session = &model.sessions[statement->connection];
	bool is_progress = has(statement,
						   "UPDATE penstock.progress SET commit_lsn");

	let_others_work();
	if (begins(statement, "BEGIN") || begins(statement, "COMMIT") ||
		begins(statement, "ROLLBACK") || begins(statement, "RELEASE") ||
		begins(statement, "SAVEPOINT") || begins(statement, " SAVEPOINT"))
		return run_transaction(session, statement->sql, answer);
	if (has(statement, "synchronous_commit = local") &&
		begins(statement, "SET LOCAL"))
	{
		session->flushes = true;
		return answer_command(answer, "SET");
	}
	if (has(statement, "pg_advisory_"))
		return run_locks(session, statement, answer);
	if (has(statement, "pg_current_wal_insert_lsn()"))
		return run_position(answer);
	if (begins(statement, "WITH the_table"))
	{
		model.lookups++;
		return answer_rows(answer,
						   keep_text(TABLE_ROWS, (long long) model.fingerprint,
									 (long long) model.fingerprint));
	}
	if (has(statement, "has changed'") && statement->param_count == 2)
		return is_current(session, statement->values[1])
				   ? answer_rows(answer, "\\N\n")
				   : answer_error(answer, "22P02", "a table has changed");
	if (has(statement,
			"pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM ROWS"))
		return answer_rows(
			answer, is_current(session, statement->values[1]) ? "f\n" : "t\n");
	if (is_progress && has(statement, "penstock.rows"))
		return move_progress(session, statement, true, PROGRESS_COUNTED + 1,
							 answer);
	if (is_progress && begins(statement, "WITH moved"))
		return move_progress(session, statement, false, PROGRESS_BEFORE,
							 answer);
	if (has(statement, "SET lease_token = lease_token + 1"))
	{
		model.lease++;
		flush();
		return answer_rows(answer, progress_row());
	}
	if (has(statement, "FROM penstock.progress WHERE"))
		return answer_rows(answer, progress_row());
	if (begins(statement, "COPY"))
	{
		*answer = (LibpqStep){.sql = "", .answer = LIBPQ_COPY_IN};
		return LIBPQ_ANSWERED;
	}
	if (has(statement, "\"public\".\"rows\"") ||
		strcmp(statement->sql, LIBPQ_COPIED) == 0)
		return run_changes(session, statement, answer);
	return LIBPQ_NOT_MINE;
}

static void
end(void *context UNUSED, int connection)
{
	memset(&model.sessions[connection], 0, sizeof(Session));
}

/* What a session and those who look something up ask besides. */
static const LibpqStep anytime[] = {
	{.sql = "SET LOCAL statement_timeout = 0;",
	 .answer = LIBPQ_ROWS,
	 .rows = "1000\n"},
	{.sql = "SET datestyle", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "extname = 'citus'", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "SET plan_cache_mode"},
	{.sql = "SET session_replication_role"},
	{.sql = "origin_session_reset()", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "origin_create(", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "origin_session_setup(", .answer = LIBPQ_ROWS, .rows = "\n"},
	{.sql = "SELECT n FROM generate_series",
	 .answer = LIBPQ_ROWS,
	 .rows = "1\n"},
	{.sql = "bool_or(relname = 'progress')",
	 .answer = LIBPQ_ROWS,
	 .rows = "t|t|t|t\n"},
	{.sql = "to_regclass('penstock.progress')",
	 .answer = LIBPQ_ROWS,
	 .rows = "t|t|\\N|us\n"},
	{.sql = "to_regclass('penstock.",
	 .answer = LIBPQ_ROWS,
	 .rows = "f|f|\\N|us\n"},
	{.sql = "SELECT version", .answer = LIBPQ_ROWS, .rows = "12\n"},
	{.sql = "pg_terminate_backend(", .answer = LIBPQ_ROWS, .columns = 1},
	{.sql = "set_config('application_name'",
	 .answer = LIBPQ_ROWS,
	 .rows = "\n"},
	{.sql = "SET synchronous_commit = off"},
	{.sql = "search_path"},
	{.sql = "SET LOCAL"},
	{.sql = "CREATE OR REPLACE FUNCTION"},
	{.sql = "DEALLOCATE ALL"},
	{.sql = "PREPARE"},
	{0}};

static const LibpqStep no_steps[] = {{0}};

void
model_target_begin(Lsn progress_lsn)
{
	static const LibpqServer server = {.run = run, .end = end};

	memset(&model, 0, sizeof(model));
	model.progress = progress_lsn;
	model.durable = progress_lsn;
	model.lease = 5;
	model.log = 0x10000;
	model.log_flushed = model.log;
	model.fingerprint = 77;
	model.refused = -1;
	libpq_script_begin(no_steps);
	libpq_script_always(anytime);
	libpq_script_serve(&server);
}
