/*
 * libpq_script.h
 *    A stand-in for libpq: servers that answer as a test has written down.
 *
 * A test that calls libpq_script_begin() is linked with the functions of libpq
 * that take a PGconn from here, and with those on results from the real
 * library. So code under test runs as it is, and no server is needed.
 *
 * A script is a list of steps: the statement that is expected next, on whatever
 * connection, and its answer.  A statement that is not the one expected fails
 * the test.  Statements named by libpq_script_always() may come at any time, as
 * often as they like.  A prepared statement that is run is known by its text.
 *
 * Transactions are as on a server: after an error one can only be rolled back,
 * and in a pipeline what was sent behind an error is not run, up to the sync.
 *
 * To see what happens when something fails, libpq_script_fail_at() has the n-th
 * statement of a test fail, whatever it is: run the same thing once for each n.
 *
 * Instead of a script a test may have a server of its own, which keeps what was
 * written and lets sessions wait for each other; see LibpqServer.
 */
#ifndef PENSTOCK_TEST_SUPPORT_LIBPQ_SCRIPT_H
#define PENSTOCK_TEST_SUPPORT_LIBPQ_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum LibpqAnswer
{
	LIBPQ_COMMAND,    /* it has run; `tag` may say more */
	LIBPQ_ROWS,       /* `rows`, or none of `columns` columns */
	LIBPQ_ERROR,      /* the server refuses it: `sqlstate`, `message` */
	LIBPQ_LOST,       /* the connection is lost before the statement is run */
	LIBPQ_COPY_IN,    /* COPY FROM STDIN begins */
	LIBPQ_COPY_OUT,   /* COPY TO STDOUT begins: `rows` are its lines */
	LIBPQ_COPY_BOTH,  /* a replication stream begins: see libpq_script_stream()
					   */
	LIBPQ_LOST_AFTER, /* the statement is run, and then the connection is lost;
					   * of a server's, and for libpq_script_fail_at() */
} LibpqAnswer;

typedef struct LibpqStep
{
	const char *sql; /* the statement has this text in it; NULL: it ends the
					  * script */
	LibpqAnswer answer;
	const char *rows; /* values with | between, \n behind each row; \N: NULL */
	int columns;      /* where there are no rows */
	const char *tag;  /* such as "UPDATE 1"; of a COPY, that of its end */
	const char *sqlstate;
	const char *message;
	const char *hint;
} LibpqStep;

/*
 * Begins a test.  The steps end with one without `sql`; they are not copied.
 * What an earlier test left is forgotten.
 */
void libpq_script_begin(const LibpqStep *steps);

/* Goes on with these steps, in place of those that have not come. */
void libpq_script_steps(const LibpqStep *steps);

/* Answers to statements that may come at any time; as above. */
void libpq_script_always(const LibpqStep *steps);

/* What pgconn_open() asks, for libpq_script_always(). */
extern const LibpqStep libpq_script_connecting[];

/* Has the n-th statement, from 1, end like this instead: LIBPQ_ERROR, with this
 * sqlstate, LIBPQ_LOST or LIBPQ_LOST_AFTER.  0: none. */
void libpq_script_fail_at(int n, LibpqAnswer answer, const char *sqlstate);

/* From then on all statements fail like this, not only that one. */
void libpq_script_fail_from(int n, LibpqAnswer answer, const char *sqlstate);

/* Statements that have come. */
int libpq_script_statements(void);

/* Of the last statement with parameters, the one of this number, from 0; "" for
 * a null. */
const char *libpq_script_param(int number);

/* Transactions that were committed. */
int libpq_script_commits(void);

/* Statements with this text in them that the sessions have prepared, and not
 * deallocated. */
int libpq_script_prepared(const char *text);

/* Connections that are open. */
int libpq_script_connections(void);

/* Fails the test unless all steps have come and no connection is open. */
void libpq_script_end(void);

/* Has a replication stream bring a message, or several, one after the other. */
void libpq_script_stream(const void *message, size_t length);

/* Has it end after those, with this answer, which is not copied. */
void libpq_script_stream_end(const LibpqStep *answer);

/* What was put into COPYs, one behind the other; ends with a zero byte. */
const char *libpq_script_copied(size_t *length);

/* Has connecting fail from now on, with this message of libpq; NULL: not. */
void libpq_script_refuse(const char *message);

/* Has connecting take until it is told that it need not any more. */
void libpq_script_stall(bool stalled);


/* ---- a server ---- */

/* What a server has to run. */
typedef struct LibpqStatement
{
	int connection; /* its number; that of a closed one is used again */
	const char *sql;
	int param_count;
	const char *const *values; /* NULL: a null */
	const int *lengths;
} LibpqStatement;

/* The `sql` of what was put into a COPY, which is the only parameter. */
#define LIBPQ_COPIED "what was copied"

typedef enum LibpqVerdict
{
	LIBPQ_ANSWERED, /* the answer is set; its strings live as long as the test
					 */
	LIBPQ_NOT_MINE, /* libpq_script_always() has the answer */
	LIBPQ_WAITS,    /* for another session: it is to be run again later */
} LibpqVerdict;

/*
 * Statements are run one after the other on each connection, and not at all
 * behind an error, as above.  A COMMIT of a transaction that has failed is run
 * as ROLLBACK.
 */
typedef struct LibpqServer
{
	LibpqVerdict (*run)(void *context, const LibpqStatement *statement,
						LibpqStep *answer);

	/* The connection was closed or lost. */
	void (*end)(void *context, int connection);
	void *context;
} LibpqServer;

/* Has statements run by this server, which is copied. */
void libpq_script_serve(const LibpqServer *server);

/* Has a server take its time, and take sessions in an order that depends on
 * this number; 0: each statement is run as soon as it can be. */
void libpq_script_dawdle(unsigned seed);

/*
 * From now on a connection has nothing to read until libpq_script_wake() is
 * called, if it is to wait for its server or for being connected.  For what is
 * waited for in a task; whoever waits by itself waits for ever.
 */
void libpq_script_sleep(bool sleeps);
void libpq_script_wake(void);

/* The connection of this number is lost. */
void libpq_script_lose(int connection);

#endif /* PENSTOCK_TEST_SUPPORT_LIBPQ_SCRIPT_H */
