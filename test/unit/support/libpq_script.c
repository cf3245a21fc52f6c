/*
 * libpq_script.c
 *    See libpq_script.h.
 *
 * All that is sent is answered at once, so nothing is ever busy, unless there
 * is a server whose statements wait.  The socket is one that always has a byte
 * to read, and room to write.
 */
#include "support/libpq_script.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/macros.h"
#include "base/xalloc.h"

#define CONNECTIONS_MAX 64
#define ANSWERS_MAX     4096
#define COLUMNS_MAX     64
#define VALUE_SIZE      4096
#define PREPARED_MAX    256
#define NAME_SIZE       64
#define CONNINFO_SIZE   256
#define PARAMS_MAX      16

/* Of a replication stream. */
#define STREAM_MESSAGES_MAX 64

/* Looks at a server in which nothing moves: then all wait for each other. */
#define LOOKS_MAX 100000

/* PostgreSQL 15.20, as PG_VERSION_NUM. */
#define SERVER_VERSION_NUM 150020

typedef struct Answer
{
	const LibpqStep *step; /* NULL: a pipeline's end */
	bool ends;             /* behind it PQgetResult() returns NULL once */
} Answer;

typedef struct Prepared
{
	char name[NAME_SIZE];
	char *sql;
} Prepared;

typedef enum PendingKind
{
	PENDING_QUERY,
	PENDING_PREPARE,
	PENDING_PREPARED, /* one is to be run */
	PENDING_SYNC,
} PendingKind;

/* What a server has not run yet. */
typedef struct Pending
{
	struct Pending *next;
	PendingKind kind;
	const char *text; /* SQL, or a prepared statement's name */
	const char *sql;  /* of PENDING_PREPARE */
	int count;
	const char **values;
	int *lengths;
} Pending;

/* Stands for a PGconn. */
typedef struct FakeConn
{
	bool open;
	bool lost;
	bool in_pipeline;
	bool skipping;             /* in a pipeline, behind an error */
	bool null_due;             /* the NULL between results */
	const LibpqStep *copying;  /* in COPY; NULL: not */
	const char *copy_position; /* in its rows */
	LibpqStep copied;          /* the end of one into the server */
	PGTransactionStatusType transaction;
	char conninfo[CONNINFO_SIZE];
	int fds[2];
	Answer answers[ANSWERS_MAX];
	int first;
	int count;
	Prepared prepared[PREPARED_MAX];
	int prepared_count;
	Pending *pending; /* of a server */
	Pending *pending_last;
	bool dead;   /* the server's end is gone; `lost` is when we notice */
	bool asleep; /* the byte is not there */
	Buf copy;
} FakeConn;

typedef struct StreamMessage
{
	const char *bytes;
	size_t length;
} StreamMessage;

/* What real results do not let us set. */
typedef struct Made
{
	const PGresult *result;
	const LibpqStep *step;
} Made;

static struct
{
	const LibpqStep *steps;
	const LibpqStep *always;
	int next;
	int statements;
	int commits;
	char params[PARAMS_MAX][NAME_SIZE]; /* of the last statement with some */
	int fail_at;
	bool fail_on; /* and each one behind it */
	LibpqStep failure;
	const char *refusal;
	bool stalled; /* connecting takes its time */
	bool sleeps;  /* sessions with something to do fall asleep */
	Made made[ANSWERS_MAX];
	int made_count;
	Buf copied;
	LibpqServer server; /* `run` is NULL: there is none */
	unsigned seed;      /* 0: it does not dawdle */
	int looks;          /* since something moved */
	Arena *arena;       /* of what is pending, and of answers */
	StreamMessage messages[STREAM_MESSAGES_MAX]; /* of a replication stream */
	int message_count;
	int message_read;            /* that libpq has taken from the socket … */
	int message_next;            /* … and handed out */
	const LibpqStep *stream_end; /* NULL: it goes on */
} script;

/* Each is set up when it is opened. */
static FakeConn connections[CONNECTIONS_MAX];

#define BACKEND_PID 1000

const LibpqStep libpq_script_connecting[] = {
	{.sql = "SET LOCAL statement_timeout = 0;",
	 .answer = LIBPQ_ROWS,
	 .rows = "1000\n"},
	{.sql = "SET datestyle", .answer = LIBPQ_ROWS, .columns = 1},
	{0}};

static const LibpqStep copy_done = {.sql = "", .answer = LIBPQ_COMMAND};
static const LibpqStep skipped = {.sql = "", .answer = LIBPQ_COMMAND};
static const LibpqStep rolled_back = {
	.sql = "", .answer = LIBPQ_COMMAND, .tag = "ROLLBACK"};
static const LibpqStep in_failed_transaction = {
	.sql = "",
	.answer = LIBPQ_ERROR,
	.sqlstate = "25P02",
	.message = "current transaction is aborted"};


/* ---- The test's side ---- */

static void
close_pipes(void)
{
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].open)
		{
			close(connections[i].fds[0]);
			close(connections[i].fds[1]);
			connections[i].open = false;
		}
}

void
libpq_script_begin(const LibpqStep *steps)
{
	close_pipes();
	buf_release(&script.copied);
	arena_free(script.arena);
	memset(&script, 0, sizeof(script));
	buf_init(&script.copied, BUF_TEXT_MAX);
	script.arena = arena_new(KB);
	script.steps = steps;
}

void
libpq_script_steps(const LibpqStep *steps)
{
	script.steps = steps;
	script.next = 0;
}

void
libpq_script_always(const LibpqStep *steps)
{
	script.always = steps;
}

void
libpq_script_fail_at(int n, LibpqAnswer answer, const char *sqlstate)
{
	script.fail_at = n;
	script.failure = (LibpqStep){.sql = "",
								 .answer = answer,
								 .sqlstate = sqlstate,
								 .message = "made to fail"};
}

void
libpq_script_fail_from(int n, LibpqAnswer answer, const char *sqlstate)
{
	libpq_script_fail_at(n, answer, sqlstate);
	script.fail_on = true;
}

/* Whether the statement that has just been counted is to fail. */
static bool
is_to_fail(void)
{
	return script.fail_at > 0 &&
		   (script.statements == script.fail_at ||
			(script.fail_on && script.statements > script.fail_at));
}

int
libpq_script_statements(void)
{
	return script.statements;
}

const char *
libpq_script_param(int number)
{
	assert_in_range(number, 0, PARAMS_MAX - 1);
	return script.params[number];
}

int
libpq_script_commits(void)
{
	return script.commits;
}

int
libpq_script_prepared(const char *text)
{
	int count = 0;

	for (int i = 0; i < CONNECTIONS_MAX; i++)
		for (int p = 0; p < connections[i].prepared_count; p++)
			count += strstr(connections[i].prepared[p].sql, text) != NULL;
	return count;
}

int
libpq_script_connections(void)
{
	int count = 0;

	for (int i = 0; i < CONNECTIONS_MAX; i++)
		count += connections[i].open ? 1 : 0;
	return count;
}

void
libpq_script_end(void)
{
	if (script.steps != NULL && script.steps[script.next].sql != NULL)
		fail_msg("this statement has not come: %s",
				 script.steps[script.next].sql);
	assert_int_equal(libpq_script_connections(), 0);
	buf_release(&script.copied);
	buf_init(&script.copied, BUF_TEXT_MAX);
	arena_free(script.arena);
	script.arena = NULL;
}

const char *
libpq_script_copied(size_t *length)
{
	*length = script.copied.length;
	return script.copied.data != NULL ? script.copied.data : "";
}

void
libpq_script_stream(const void *message, size_t length)
{
	assert_true(script.message_count < STREAM_MESSAGES_MAX);
	script.messages[script.message_count++] = (StreamMessage){
		.bytes = arena_dup(script.arena, message, length), .length = length};
}

void
libpq_script_stream_end(const LibpqStep *answer)
{
	script.stream_end = answer;
}

void
libpq_script_refuse(const char *message)
{
	script.refusal = message;
}

void
libpq_script_stall(bool stalled)
{
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		if (script.stalled && !stalled && connections[i].open)
			assert_int_equal(write(connections[i].fds[1], "x", 1), 1);
	script.stalled = stalled;
}


/* ---- Statements and answers ---- */

static FakeConn *
fake(const PGconn *conn)
{
	return (FakeConn *) (uintptr_t) conn;
}

static const LibpqStep *
find_always(const char *sql)
{
	for (const LibpqStep *step = script.always;
		 step != NULL && step->sql != NULL; step++)
		if (strstr(sql, step->sql) != NULL)
			return step;
	return NULL;
}

static const LibpqStep *
find_step(const char *sql)
{
	const LibpqStep *step = script.steps != NULL ? &script.steps[script.next]
												 : NULL;

	bool expected = step != NULL && step->sql != NULL &&
					strstr(sql, step->sql) != NULL;

	if (expected)
		script.next++;
	script.statements++;
	if (is_to_fail())
		return &script.failure;
	if (expected)
		return step;
	if (find_always(sql) != NULL)
		return find_always(sql);
	fail_msg("unexpected statement: %s\nexpected: %s", sql,
			 step != NULL && step->sql != NULL ? step->sql : "none");
	return NULL;
}

static bool
begins_with(const char *sql, const char *word)
{
	return strncmp(sql, word, strlen(word)) == 0;
}

static bool
is_end(const char *sql)
{
	return begins_with(sql, "COMMIT") ||
		   (begins_with(sql, "ROLLBACK") && !begins_with(sql, "ROLLBACK TO"));
}

/* What becomes of the answer, and of the transaction. */
static const LibpqStep *
follow_transaction(FakeConn *conn, const char *sql, const LibpqStep *step)
{
	bool failed = conn->transaction == PQTRANS_INERROR;

	if (is_end(sql))
	{
		conn->transaction = strstr(sql, "AND CHAIN") != NULL ? PQTRANS_INTRANS
															 : PQTRANS_IDLE;
		if (begins_with(sql, "COMMIT") && step->answer == LIBPQ_COMMAND)
		{
			script.commits += failed ? 0 : 1;
			return failed ? &rolled_back : step;
		}
		return step;
	}
	if (begins_with(sql, "ROLLBACK TO"))
		conn->transaction = PQTRANS_INTRANS;
	else if (failed)
		return &in_failed_transaction;
	if (step->answer == LIBPQ_ERROR)
	{
		if (conn->transaction == PQTRANS_INTRANS)
			conn->transaction = PQTRANS_INERROR;
	}
	else if (begins_with(sql, "BEGIN"))
		conn->transaction = PQTRANS_INTRANS;
	return step;
}

static void
add_answer(FakeConn *conn, const LibpqStep *step, bool ends)
{
	assert_true(conn->count < ANSWERS_MAX);
	conn->answers[(conn->first + conn->count++) % ANSWERS_MAX] = (Answer){
		.step = step, .ends = ends};
}

static void
forget_prepared(FakeConn *conn)
{
	for (int i = 0; i < conn->prepared_count; i++)
		free(conn->prepared[i].sql);
	conn->prepared_count = 0;
}

/* That of the newest of this name. */
static const char *
sql_of(const FakeConn *conn, const char *name)
{
	for (int i = conn->prepared_count - 1; i >= 0; i--)
		if (strcmp(conn->prepared[i].name, name) == 0)
			return conn->prepared[i].sql;
	fail_msg("prepared statement \"%s\" does not exist", name);
	return "";
}

static int
send_statement(PGconn *pg, const char *sql)
{
	FakeConn *conn = fake(pg);
	const LibpqStep *step;

	assert_true(conn->open);
	if (conn->lost)
		return 0;
	if (strcmp(sql, "DEALLOCATE ALL") == 0)
		forget_prepared(conn);
	if (conn->skipping)
	{
		add_answer(conn, &skipped, true);
		return 1;
	}
	step = follow_transaction(conn, sql, find_step(sql));
	conn->skipping = conn->in_pipeline && step->answer == LIBPQ_ERROR;
	add_answer(conn, step, true);
	return 1;
}

static const LibpqStep *
step_of(const PGresult *result)
{
	for (int i = script.made_count - 1;
		 i >= 0 && i > script.made_count - ANSWERS_MAX; i--)
		if (script.made[i % ANSWERS_MAX].result == result)
			return script.made[i % ANSWERS_MAX].step;
	return NULL;
}

static int
count_columns(const LibpqStep *step)
{
	int count = 1;

	if (step->rows == NULL || step->rows[0] == '\0')
		return step->columns;
	for (const char *c = step->rows; *c != '\n'; c++)
		count += *c == '|' ? 1 : 0;
	return count;
}

static void
fill_rows(PGresult *result, const LibpqStep *step)
{
	PGresAttDesc columns[COLUMNS_MAX] = {{0}};
	static char name[] = "?column?";
	int count = count_columns(step);
	const char *c = step->rows != NULL ? step->rows : "";

	assert_true(count <= COLUMNS_MAX);
	for (int i = 0; i < count; i++)
		columns[i].name = name;
	assert_true(PQsetResultAttrs(result, count, columns));
	for (int row = 0; *c != '\0'; row++)
		for (int i = 0; i < count; i++)
		{
			char value[VALUE_SIZE];
			size_t length = strcspn(c, "|\n");

			assert_true(length < sizeof(value));
			memcpy(value, c, length);
			value[length] = '\0';
			assert_true(
				PQsetvalue(result, row, i, value,
						   strcmp(value, "\\N") == 0 ? -1 : (int) length));
			c += length + 1;
		}
}

static PGresult *
make_result(const LibpqStep *step)
{
	static const ExecStatusType statuses[] = {
		[LIBPQ_COMMAND] = PGRES_COMMAND_OK,
		[LIBPQ_ROWS] = PGRES_TUPLES_OK,
		[LIBPQ_ERROR] = PGRES_FATAL_ERROR,
		[LIBPQ_LOST] = PGRES_FATAL_ERROR,
		[LIBPQ_COPY_IN] = PGRES_COPY_IN,
		[LIBPQ_COPY_OUT] = PGRES_COPY_OUT,
		[LIBPQ_COPY_BOTH] = PGRES_COPY_BOTH,
		[LIBPQ_LOST_AFTER] = PGRES_FATAL_ERROR};
	PGresult *result = PQmakeEmptyPGresult(
		NULL, step == NULL       ? PGRES_PIPELINE_SYNC
			  : step == &skipped ? PGRES_PIPELINE_ABORTED
								 : statuses[step->answer]);

	assert_non_null(result);
	if (step != NULL && step->answer == LIBPQ_ROWS)
		fill_rows(result, step);
	script.made[script.made_count++ % ANSWERS_MAX] = (Made){.result = result,
															.step = step};
	return result;
}


/* ---- A server ---- */

static int
number_of(const FakeConn *conn)
{
	return (int) (conn - connections);
}

/* The server's end of a connection. */
static void
end_session(FakeConn *conn)
{
	if (script.server.run == NULL || conn->dead)
		return;
	conn->dead = true;
	conn->pending = NULL;
	conn->pending_last = NULL;
	script.server.end(script.server.context, number_of(conn));
}

static void
add_pending(FakeConn *conn, const Pending *described)
{
	Pending *pending = arena_dup(script.arena, described, sizeof(*pending));

	if (conn->pending_last != NULL)
		conn->pending_last->next = pending;
	else
		conn->pending = pending;
	conn->pending_last = pending;
}

/* The same with a copy of what it points to. */
static int
send_pending(FakeConn *conn, PendingKind kind, const char *text, int count,
			 const char *const *values, const int *lengths)
{
	Pending pending = {
		.kind = kind,
		.text = text != NULL ? arena_strdup(script.arena, text) : NULL,
		.count = count,
		.values = arena_calloc(script.arena, (size_t) count + 1,
							   sizeof(char *)),
		.lengths = arena_calloc(script.arena, (size_t) count + 1, sizeof(int)),
	};

	assert_true(conn->open);
	if (conn->lost)
		return 0;
	if (conn->dead)
		return 1;
	for (int i = 0; i < count; i++)
	{
		size_t length;
		char *copy;

		if (values[i] == NULL)
			continue;
		length = lengths != NULL ? (size_t) lengths[i] : strlen(values[i]);
		copy = arena_calloc(script.arena, length + 1, 1);
		memcpy(copy, values[i], length);
		pending.lengths[i] = (int) length;
		pending.values[i] = copy;
	}
	add_pending(conn, &pending);
	return 1;
}

/* The answer of the server, or of those that may come at any time. */
static LibpqVerdict
ask_server(FakeConn *conn, const LibpqStatement *statement, LibpqStep *answer)
{
	LibpqVerdict verdict = script.server.run(script.server.context, statement,
											 answer);

	if (verdict != LIBPQ_NOT_MINE)
		return verdict;
	if (find_always(statement->sql) == NULL)
		fail_msg("unexpected statement on connection %d: %s", number_of(conn),
				 statement->sql);
	*answer = *find_always(statement->sql);
	return LIBPQ_ANSWERED;
}

/* Takes the first statement as run. */
static void
take_pending(FakeConn *conn)
{
	conn->pending = conn->pending->next;
	if (conn->pending == NULL)
		conn->pending_last = NULL;
}

static void
add_copy(FakeConn *conn, const LibpqStep *answer)
{
	add_answer(conn, arena_dup(script.arena, answer, sizeof(*answer)), true);
}

/* Runs one statement, if it need not wait. */
static bool
run_statement(FakeConn *conn, const LibpqStatement *statement)
{
	bool failed = conn->transaction == PQTRANS_INERROR;
	bool counted = script.statements + 1 == script.fail_at ||
				   (script.fail_on && script.statements >= script.fail_at);
	bool fails = script.fail_at > 0 && counted;
	LibpqStep answer = script.failure;
	LibpqStatement run = *statement;
	const LibpqStep *followed;

	if (failed && begins_with(run.sql, "COMMIT"))
		run.sql = "ROLLBACK";
	if (failed && !is_end(run.sql) && !begins_with(run.sql, "ROLLBACK TO"))
		answer = in_failed_transaction;
	else if (!fails || script.failure.answer == LIBPQ_LOST_AFTER)
		if (ask_server(conn, &run, &answer) == LIBPQ_WAITS)
			return false;
	if (fails && script.failure.answer == LIBPQ_LOST_AFTER)
		answer = script.failure;
	script.statements++;
	if (strcmp(run.sql, "DEALLOCATE ALL") == 0)
		forget_prepared(conn);
	followed = follow_transaction(conn, statement->sql, &answer);
	conn->skipping = conn->in_pipeline && followed->answer == LIBPQ_ERROR;
	take_pending(conn);
	add_copy(conn, followed);
	if (answer.answer == LIBPQ_LOST || answer.answer == LIBPQ_LOST_AFTER)
		end_session(conn);
	return true;
}

static void
prepare(FakeConn *conn, const Pending *pending)
{
	Prepared *prepared = &conn->prepared[conn->prepared_count];

	assert_true(conn->prepared_count < PREPARED_MAX);
	assert_true(strlen(pending->text) < NAME_SIZE);
	memcpy(prepared->name, pending->text, strlen(pending->text) + 1);
	prepared->sql = xstrdup(pending->sql);
	conn->prepared_count++;
}

/* Runs the first of what is pending; false if it waits, or there is none. */
static bool
run_pending(FakeConn *conn)
{
	Pending *pending = conn->pending;
	LibpqStatement statement;

	if (!conn->open || conn->dead || pending == NULL)
		return false;
	if (pending->kind == PENDING_SYNC)
	{
		conn->skipping = false;
		take_pending(conn);
		add_answer(conn, NULL, false);
		return true;
	}
	if (conn->skipping)
	{
		take_pending(conn);
		add_answer(conn, &skipped, true);
		return true;
	}
	if (pending->kind == PENDING_PREPARE)
		prepare(conn, pending);
	statement = (LibpqStatement){
		.connection = number_of(conn),
		.sql = pending->kind == PENDING_PREPARE    ? "PREPARE"
			   : pending->kind == PENDING_PREPARED ? sql_of(conn, pending->text)
												   : pending->text,
		.param_count = pending->count,
		.values = pending->values,
		.lengths = pending->lengths};
	return run_statement(conn, &statement);
}

static unsigned
next_random(void)
{
	script.seed = script.seed * 1664525U + 1013904223U;
	return script.seed >> 16;
}

/* A session that has something to do; NULL: none has. */
static FakeConn *
pick_session(void)
{
	FakeConn *busy[CONNECTIONS_MAX] = {0};
	unsigned count = 0;

	for (int i = 0; i < CONNECTIONS_MAX; i++)
		if (connections[i].open && connections[i].pending != NULL)
			busy[count++] = &connections[i];
	return count > 0 ? busy[next_random() % count] : NULL;
}

/* One of them does something, up to a few statements. */
static bool
run_one_session(void)
{
	FakeConn *conn = pick_session();
	bool moved = false;

	for (unsigned n = 1 + next_random() % 3;
		 conn != NULL && n > 0 && run_pending(conn); n--)
		moved = true;
	return moved;
}

static bool
run_all_sessions(void)
{
	bool moved = false;

	for (int i = 0; i < CONNECTIONS_MAX; i++)
		while (run_pending(&connections[i]))
			moved = true;
	return moved;
}

static void
run_server(void)
{
	bool moved = false;

	if (script.server.run == NULL)
		return;
	if (script.seed != 0)
		moved = run_one_session();
	else
		while (run_all_sessions())
			moved = true;
	script.looks = moved || pick_session() == NULL ? 0 : script.looks + 1;
	if (script.looks > LOOKS_MAX)
		fail_msg("all sessions wait");
}

void
libpq_script_serve(const LibpqServer *server)
{
	script.server = *server;
}

void
libpq_script_dawdle(unsigned seed)
{
	script.seed = seed;
}

void
libpq_script_wake(void)
{
	for (int i = 0; i < CONNECTIONS_MAX; i++)
	{
		FakeConn *conn = &connections[i];

		if (conn->open && conn->asleep)
			assert_int_equal(write(conn->fds[1], "x", 1), 1);
		conn->asleep = false;
	}
}

void
libpq_script_sleep(bool sleeps)
{
	script.sleeps = sleeps;
	if (!sleeps)
		libpq_script_wake();
}

static void
fall_asleep(FakeConn *conn)
{
	char byte;

	if (!conn->asleep)
		assert_int_equal(read(conn->fds[0], &byte, 1), 1);
	conn->asleep = true;
}

void
libpq_script_lose(int connection)
{
	FakeConn *conn = &connections[connection];
	static const LibpqStep lost = {.sql = "", .answer = LIBPQ_LOST};

	if (!conn->open || conn->dead)
		return;
	end_session(conn);
	add_answer(conn, &lost, true);
}


/* From here on what libpq has, with parameters by names of our own. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

/* ---- Connections ---- */

PGconn *
PQconnectStartParams(const char *const *keywords, const char *const *values,
					 int expand UNUSED)
{
	for (int i = 0; i < CONNECTIONS_MAX; i++)
	{
		FakeConn *conn = &connections[i];

		if (conn->open)
			continue;
		memset(conn, 0, sizeof(*conn));
		conn->open = true;
		for (int k = 0; keywords[k] != NULL; k++)
			if (strcmp(keywords[k], "dbname") == 0)
				snprintf(conn->conninfo, sizeof(conn->conninfo), "%s",
						 values[k]);
		buf_init(&conn->copy, BUF_TEXT_MAX);
		conn->lost = script.refusal != NULL;
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, conn->fds), 0);
		if (!script.stalled)
			assert_int_equal(write(conn->fds[1], "x", 1), 1);
		if (script.sleeps)
			fall_asleep(conn);
		return (PGconn *) conn;
	}
	fail_msg("more than %d connections are open", CONNECTIONS_MAX);
	return NULL;
}

PostgresPollingStatusType
PQconnectPoll(PGconn *conn)
{
	if (script.stalled)
		return PGRES_POLLING_READING;
	return fake(conn)->lost ? PGRES_POLLING_FAILED : PGRES_POLLING_OK;
}

void
PQfinish(PGconn *conn)
{
	if (conn == NULL)
		return;
	assert_true(fake(conn)->open);
	end_session(fake(conn));
	fake(conn)->open = false;
	buf_release(&fake(conn)->copy);
	forget_prepared(fake(conn));
	close(fake(conn)->fds[0]);
	close(fake(conn)->fds[1]);
}

ConnStatusType
PQstatus(const PGconn *conn)
{
	return fake(conn)->lost ? CONNECTION_BAD : CONNECTION_OK;
}

char *
PQerrorMessage(const PGconn *conn)
{
	static char lost[] = "server closed the connection unexpectedly\n";
	static char none[] = "";

	if (script.refusal != NULL)
		return (char *) (uintptr_t) script.refusal;
	return fake(conn)->lost ? lost : none;
}

int
PQsocket(const PGconn *conn)
{
	FakeConn *self = fake(conn);

	if (script.sleeps && self->count == 0 && self->pending != NULL)
		fall_asleep(self);
	return self->fds[0];
}

int
PQbackendPID(const PGconn *conn UNUSED)
{
	return BACKEND_PID;
}

int
PQserverVersion(const PGconn *conn UNUSED)
{
	return SERVER_VERSION_NUM;
}

const char *
PQparameterStatus(const PGconn *conn UNUSED, const char *name UNUSED)
{
	return NULL;
}

PGTransactionStatusType
PQtransactionStatus(const PGconn *conn)
{
	return fake(conn)->lost ? PQTRANS_UNKNOWN : fake(conn)->transaction;
}

PQconninfoOption *
PQconninfo(PGconn *conn)
{
	return PQconninfoParse(fake(conn)->conninfo, NULL);
}

PGVerbosity
PQsetErrorVerbosity(PGconn *conn UNUSED, PGVerbosity verbosity)
{
	return verbosity;
}

int
PQsetnonblocking(PGconn *conn UNUSED, int arg UNUSED)
{
	return 0;
}

int
PQconnectionNeedsPassword(const PGconn *conn UNUSED)
{
	return 0;
}

PGcancel *
PQgetCancel(PGconn *conn UNUSED)
{
	return NULL;
}

static char *
no_text(void)
{
	static char text[] = "script";

	return text;
}

char *
PQdb(const PGconn *conn UNUSED)
{
	return no_text();
}

char *
PQuser(const PGconn *conn UNUSED)
{
	return no_text();
}

char *
PQhost(const PGconn *conn UNUSED)
{
	return no_text();
}

char *
PQport(const PGconn *conn UNUSED)
{
	return no_text();
}

char *
PQpass(const PGconn *conn UNUSED)
{
	return NULL;
}


/* ---- Sending ---- */

int
PQsendQuery(PGconn *conn, const char *sql)
{
	if (script.server.run != NULL)
		return send_pending(fake(conn), PENDING_QUERY, sql, 0, NULL, NULL);
	return send_statement(conn, sql);
}

int
PQsendQueryParams(PGconn *conn, const char *sql, int count,
				  const Oid *types UNUSED, const char *const *values,
				  const int *lengths, const int *formats UNUSED,
				  int format UNUSED)
{
	if (script.server.run != NULL)
		return send_pending(fake(conn), PENDING_QUERY, sql, count, values,
							lengths);
	for (int i = 0; i < count && i < PARAMS_MAX; i++)
		snprintf(script.params[i], NAME_SIZE, "%s",
				 values[i] != NULL ? values[i] : "");
	return send_statement(conn, sql);
}

/* One that is skipped is not prepared. */
int
PQsendPrepare(PGconn *conn, const char *name, const char *sql, int count UNUSED,
			  const Oid *types UNUSED)
{
	FakeConn *self = fake(conn);
	Prepared *prepared = &self->prepared[self->prepared_count];

	if (script.server.run != NULL)
	{
		int sent = send_pending(self, PENDING_PREPARE, name, 0, NULL, NULL);

		if (self->pending_last != NULL)
			self->pending_last->sql = arena_strdup(script.arena, sql);
		return sent;
	}
	if (!self->lost && !self->skipping)
	{
		assert_true(self->prepared_count < PREPARED_MAX);
		assert_true(strlen(name) < NAME_SIZE);
		memcpy(prepared->name, name, strlen(name) + 1);
		prepared->sql = xstrdup(sql);
		self->prepared_count++;
	}
	return send_statement(conn, "PREPARE");
}

int
PQsendQueryPrepared(PGconn *conn, const char *name, int count,
					const char *const *values, const int *lengths,
					const int *formats UNUSED, int format UNUSED)
{
	if (script.server.run != NULL)
		return send_pending(fake(conn), PENDING_PREPARED, name, count, values,
							lengths);
	if (fake(conn)->lost || fake(conn)->skipping)
		return send_statement(conn, name);
	return send_statement(conn, sql_of(fake(conn), name));
}

int
PQenterPipelineMode(PGconn *conn)
{
	fake(conn)->in_pipeline = true;
	return 1;
}

int
PQexitPipelineMode(PGconn *conn)
{
	fake(conn)->in_pipeline = false;
	return 1;
}

int
PQpipelineSync(PGconn *conn)
{
	if (fake(conn)->lost)
		return 0;
	if (script.server.run != NULL)
		return send_pending(fake(conn), PENDING_SYNC, NULL, 0, NULL, NULL);
	fake(conn)->skipping = false;
	add_answer(fake(conn), NULL, false);
	return 1;
}

int
PQflush(PGconn *conn)
{
	return fake(conn)->lost ? -1 : 0;
}


/* ---- Receiving ---- */

static bool
is_lost(const LibpqStep *step)
{
	return step != NULL &&
		   (step->answer == LIBPQ_LOST || step->answer == LIBPQ_LOST_AFTER);
}

int
PQconsumeInput(PGconn *conn)
{
	FakeConn *self = fake(conn);

	run_server();
	script.message_read = script.message_count;
	if (self->count > 0)
		self->lost |= is_lost(self->answers[self->first].step);
	return self->lost ? 0 : 1;
}

int
PQisBusy(PGconn *conn)
{
	FakeConn *self = fake(conn);

	/* What is waited for is not there at once, or nobody would. */
	if (script.sleeps && self->count == 0 && self->pending != NULL &&
		next_random() % 2 == 0)
		return 1;
	if (self->count == 0)
		run_server();
	return self->count == 0 && self->pending != NULL && !self->null_due;
}

PGresult *
PQgetResult(PGconn *conn)
{
	FakeConn *self = fake(conn);
	Answer answer;

	if (self->null_due || self->count == 0)
	{
		self->null_due = false;
		return NULL;
	}
	answer = self->answers[self->first];
	self->first = (self->first + 1) % ANSWERS_MAX;
	self->count--;
	self->null_due = answer.ends;
	if (is_lost(answer.step))
	{
		self->lost = true;
		self->count = 0;
	}
	else if (answer.step != NULL && answer.step->answer >= LIBPQ_COPY_IN)
	{
		self->copying = answer.step;
		self->copy_position = answer.step->rows;
		self->null_due = false;
	}
	return make_result(answer.step);
}

char *
PQresultErrorField(const PGresult *result, int code)
{
	const LibpqStep *step = step_of(result);
	const char *text = NULL;

	if (step == NULL || step->answer != LIBPQ_ERROR)
		return NULL;
	if (code == PG_DIAG_MESSAGE_HINT)
		text = step->hint;
	else if (code == PG_DIAG_SQLSTATE)
		text = step->sqlstate != NULL ? step->sqlstate : "XX000";
	else if (code == PG_DIAG_MESSAGE_PRIMARY)
		text = step->message != NULL ? step->message : "made to fail";
	return (char *) (uintptr_t) text;
}

char *
PQcmdStatus(PGresult *result)
{
	const LibpqStep *step = step_of(result);

	return (char *) (uintptr_t) (step != NULL && step->tag != NULL ? step->tag
																   : "");
}

/* The number behind the last blank of a command's tag. */
char *
PQcmdTuples(PGresult *result)
{
	const LibpqStep *step = step_of(result);
	const char *number = step != NULL && step->tag != NULL
							 ? strrchr(step->tag, ' ')
							 : NULL;

	return (char *) (uintptr_t) (number != NULL ? number + 1 : "");
}

int
PQputCopyData(PGconn *conn, const char *data, int length)
{
	if (fake(conn)->lost)
		return -1;
	assert_non_null(fake(conn)->copying);
	buf_append(&script.copied, data, (size_t) length);
	buf_append(&fake(conn)->copy, data, (size_t) length);
	return 1;
}

/* The server runs what was copied as a statement. */
static int
send_copied(FakeConn *conn)
{
	const char *const values[] = {conn->copy.data};
	const int lengths[] = {(int) conn->copy.length};
	int sent;

	buf_append_char(&conn->copy, '\0');
	sent = send_pending(conn, PENDING_QUERY, LIBPQ_COPIED, 1, values, lengths);
	conn->copying = NULL;
	buf_reset(&conn->copy);
	return sent;
}

int
PQputCopyEnd(PGconn *conn, const char *message UNUSED)
{
	if (fake(conn)->lost)
		return -1;
	assert_non_null(fake(conn)->copying);
	if (script.server.run != NULL)
		return send_copied(fake(conn));
	fake(conn)->copied = (LibpqStep){
		.sql = "", .answer = LIBPQ_COMMAND, .tag = fake(conn)->copying->tag};
	fake(conn)->copying = NULL;
	add_answer(fake(conn), &fake(conn)->copied, true);
	return 1;
}

static int
give_copy(const char *bytes, size_t length, char **copy)
{
	*copy = malloc(length + 1); /* NOLINT: PQfreemem() is free() */
	assert_non_null(*copy);
	memcpy(*copy, bytes, length);
	(*copy)[length] = '\0';
	return (int) length;
}

/* Messages that have come are handed out also when the connection is lost. */
static int
get_message(FakeConn *conn, char **copy)
{
	const StreamMessage *message = &script.messages[script.message_next];

	if (script.message_next < script.message_read)
	{
		script.message_next++;
		return give_copy(message->bytes, message->length, copy);
	}
	if (conn->lost || script.stream_end == NULL ||
		script.message_read < script.message_count)
		return 0;
	conn->copying = NULL;
	add_answer(conn, script.stream_end, true);
	return -1;
}

/* Ends, where there are no more lines, with the statement's success. */
int
PQgetCopyData(PGconn *conn, char **line, int async UNUSED)
{
	FakeConn *self = fake(conn);
	size_t length;

	*line = NULL;
	if (self->copying != NULL && self->copying->answer == LIBPQ_COPY_BOTH)
		return get_message(self, line);
	if (self->lost)
		return -2;
	if (self->copying == NULL)
		return -1;
	if (self->copy_position == NULL || *self->copy_position == '\0')
	{
		self->copying = NULL;
		add_answer(self, &copy_done, true);
		return -1;
	}
	length = strcspn(self->copy_position, "\n") + 1;
	self->copy_position += length;
	return give_copy(self->copy_position - length, length, line);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
