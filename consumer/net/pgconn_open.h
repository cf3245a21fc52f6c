/*
 * pgconn_open.h
 *    Opening a connection to a PostgreSQL server.
 *
 * Opening waits, but for the socket and a stop request at once, and for no
 * longer than the connection string's connect_timeout says.
 */
#ifndef PENSTOCK_NET_PGCONN_OPEN_H
#define PENSTOCK_NET_PGCONN_OPEN_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Seconds that a connection attempt may take where the connection string does
 * not say otherwise. */
#define PGCONN_CONNECT_TIMEOUT_S 10

typedef enum PgConnKind
{
	/*
	 * An ordinary session, which must be ours alone: see pooler.h.  Settings of
	 * the role or database that would bend values or stop the work (formats,
	 * timeouts, search_path, row security, read only) are overridden.
	 */
	PGCONN_DATA,

	/* A walsender session of the database, with the same overrides. */
	PGCONN_REPLICATION,

	/* A session as the server gives it. */
	PGCONN_PROBE,
} PgConnKind;

typedef struct PgConnOptions
{
	const char *conninfo; /* keywords or URI, as everywhere in libpq */
	const char *label;    /* for messages: source, target "x"; copied */
	const char *application_name;
	PgConnKind kind;
	bool is_again;  /* there was one like it, so that no pooler is asked
					 * whether it keeps sessions, which takes a second
					 * one */
	bool impatient; /* an answer may take no longer than connecting */
	int at_most_ms; /* impatient, and each may take no longer than this; 0:
					 * than the connection string says */
} PgConnOptions;

/*
 * Opens a connection.  client_encoding is UTF8 whatever else is said.  Fails
 * with ERR_CONNECT, or with ERR_CONFIG if trying again cannot help.  On success
 * *conn is the caller's, to be closed.
 */
MUST_CHECK Rc pgconn_open(PgConn **conn, const PgConnOptions *options,
						  Error *err);

#endif /* PENSTOCK_NET_PGCONN_OPEN_H */
