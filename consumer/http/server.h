/*
 * server.h
 *    Answers HTTP requests for a few texts, in a thread of its own.
 *
 * The texts are about the process, and are made by functions that the caller
 * gives, in the server's thread.  The rest of the program has one thread and
 * may wait for a database server meanwhile: an answer never depends on it.
 *
 * Whoever reaches the socket may read: there is no secret in what we serve, and
 * nothing can be changed.  Against a page in somebody's browser that pretends
 * to be from here (DNS rebinding), the host that a request names has to be an
 * IP address, localhost, the name of this machine, or the one that we listen
 * at.
 *
 * Number of connections, their time and the size of requests are limited.
 */
#ifndef PENSTOCK_HTTP_SERVER_H
#define PENSTOCK_HTTP_SERVER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/listen.h"

/* Connections at a time; further ones wait, and are refused after the backlog.
 */
#define HTTP_CONNECTIONS_MAX 32

/* Seconds after which an idle connection is closed. */
#define HTTP_IDLE_MAX_S 10

/* Bytes of a request with its headers, and of what is needed to answer it. */
#define HTTP_REQUEST_BYTES_MAX (16 * KB)

/* Largest answer in bytes. */
#define HTTP_ANSWER_MAX (4 * MB)

/* A request that has come. */
typedef struct HttpRequest
{
	bool accepts_openmetrics; /* whether the header Accept names it */
} HttpRequest;

/* What is answered. */
typedef struct HttpAnswer
{
	unsigned status;  /* 200 */
	const char *type; /* content type; a constant */
	Buf body;         /* initialised; the function appends to it */
} HttpAnswer;

/*
 * Makes an answer.  Runs in the server's thread: must not use what belongs to
 * another thread.
 */
typedef void (*HttpFunction)(const HttpRequest *request, HttpAnswer *answer);

/* A path, such as "/metrics", and the function for it. */
typedef struct HttpPath
{
	const char *path;
	HttpFunction function;
} HttpPath;

typedef struct HttpServer HttpServer;

/*
 * Starts the thread.  `paths` ends with a row whose path is NULL, and is
 * borrowed as long as the server exists.
 */
MUST_CHECK Rc http_server_open(HttpServer **server,
							   const ListenAddress *address,
							   const HttpPath *paths, Error *err);

/* Ends the thread and closes the socket.  Accepts NULL. */
void http_server_close(HttpServer *server);

/*
 * Whether a request may name this host: the value of the header Host, with or
 * without a port.  NULL: there is none, which HTTP/1.1 does not allow.
 */
bool http_host_is_ours(const ListenAddress *address, const char *host);

#endif /* PENSTOCK_HTTP_SERVER_H */
