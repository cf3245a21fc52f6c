/*
 * pgconn_open.h
 *    Opens a connection to a PostgreSQL server.
 *
 * Opening waits for the socket and for a request to stop at the same time, and
 * no longer than connect_timeout of the connection string.
 */
#ifndef PENSTOCK_NET_PGCONN_OPEN_H
#define PENSTOCK_NET_PGCONN_OPEN_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Seconds that a connection attempt may take if the connection string has no
 * connect_timeout.
 */
#define PGCONN_CONNECT_TIMEOUT_S 10

typedef enum PgConnKind
{
	/*
	 * An ordinary session.  It must always be the same session of the server:
	 * see pooler.h.  We override settings of the role or the database that
	 * would change the text of values or stop our work (formats, timeouts,
	 * search_path, row_security, default_transaction_read_only).
	 */
	PGCONN_DATA,

	/*
	 * A walsender session that is connected to the database, with the same
	 * settings overridden.
	 */
	PGCONN_REPLICATION,

	/* An ordinary session in which we set nothing. */
	PGCONN_PROBE,
} PgConnKind;

typedef struct PgConnOptions
{
	const char *conninfo; /* connection string: keywords or URI, as for libpq */
	const char *label;    /* name of the server in messages: source, target "x";
						   * copied */
	const char *application_name;
	PgConnKind kind;
	bool is_again;  /* Whether such a connection was open before, so that we
					 * need not check for a pooler, which takes a second
					 * connection. */
	bool impatient; /* Whether each answer, too, may take no longer than
					 * connecting. */
	int at_most_ms; /* If greater than 0: milliseconds that connecting and each
					 * answer may take, if that is less than connect_timeout. */
} PgConnOptions;

/*
 * Opens a connection, with client_encoding UTF8 whatever the connection string
 * says.  Fails with ERR_CONNECT, or with ERR_CONFIG if another attempt cannot
 * help.  On success *conn belongs to the caller, who closes it.
 */
MUST_CHECK Rc pgconn_open(PgConn **conn, const PgConnOptions *options,
						  Error *err);

#endif /* PENSTOCK_NET_PGCONN_OPEN_H */
