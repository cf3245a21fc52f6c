/*
 * server.c
 *    libmicrohttpd, with one thread that polls all connections.
 */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/xalloc.h"

struct HttpServer
{
	ListenAddress address;
	const HttpPath *paths;
	int fd;
	struct MHD_Daemon *daemon;
};

/* What every answer says to a browser: nothing from elsewhere, no guessing of
 * types, no frames, nothing kept. */
static const struct
{
	const char *name;
	const char *value;
} headers[] = {
	{MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
	{"Content-Security-Policy",
	 "default-src 'none'; style-src 'self'; script-src 'self'; connect-src "
	 "'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
	 "frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
};

/* ---- which host is ours ------------------------------------------------- */

/* Copies the host without its port and, of an IPv6 address, without brackets.
 * Returns false if it is too long. */
static bool
take_host(char name[static LISTEN_HOST_SIZE], const char *host)
{
	size_t length;

	if (host[0] == '[')
	{
		host++;
		length = strcspn(host, "]");
	}
	else
		length = strcspn(host, ":");
	if (length > LISTEN_HOST_MAX)
		return false;
	memcpy(name, host, length);
	name[length] = '\0';
	return true;
}

static bool
is_number(const char *name)
{
	unsigned char binary[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, binary) == 1 ||
		   inet_pton(AF_INET6, name, binary) == 1;
}

static bool
is_this_machine(const char *name)
{
	char machine[LISTEN_HOST_SIZE] = "";

	return gethostname(machine, sizeof(machine) - 1) == 0 &&
		   strcasecmp(machine, name) == 0;
}

bool
http_host_is_ours(const ListenAddress *address, const char *host)
{
	char name[LISTEN_HOST_SIZE];

	if (address->is_unix)
		return true;
	if (host == NULL || !take_host(name, host))
		return false;
	return is_number(name) || strcasecmp(name, "localhost") == 0 ||
		   strcasecmp(name, address->host) == 0 || is_this_machine(name);
}

/* ---- answers ------------------------------------------------------------ */

static enum MHD_Result
send_answer(struct MHD_Connection *connection, HttpAnswer *answer)
{
	struct MHD_Response *response = NULL;
	enum MHD_Result result = MHD_NO;

	if (!answer->body.overflowed)
		response = MHD_create_response_from_buffer(
			answer->body.length, answer->body.data, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
								   answer->type);
	for (size_t i = 0; i < LENGTH_OF(headers); i++)
		(void) MHD_add_response_header(response, headers[i].name,
									   headers[i].value);
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
									   "GET, HEAD");
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static void
refuse(HttpAnswer *answer, unsigned status, const char *why)
{
	answer->status = status;
	buf_printf(&answer->body, "%s\n", why);
}

static const HttpPath *
find_path(const HttpServer *server, const char *path)
{
	for (const HttpPath *each = server->paths; each->path != NULL; each++)
		if (strcmp(each->path, path) == 0)
			return each;
	return NULL;
}

static void
make_answer(const HttpServer *server, struct MHD_Connection *connection,
			const char *method, const char *path, HttpAnswer *answer)
{
	const HttpPath *found = find_path(server, path);
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
												   MHD_HTTP_HEADER_HOST);
	const char *accept = MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	const HttpRequest request = {
		.accepts_openmetrics = accept != NULL &&
							   strstr(accept, "application/openmetrics-text") !=
								   NULL};

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
		strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		refuse(answer, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is answered");
	else if (!http_host_is_ours(&server->address, host))
		refuse(answer, MHD_HTTP_FORBIDDEN,
			   "the request names a host that is not this one: use its "
			   "address, or let --metrics-listen have the name");
	else if (found == NULL)
		refuse(answer, MHD_HTTP_NOT_FOUND, "there is nothing here");
	else
		found->function(&request, answer);
}

/* libmicrohttpd calls this for each request, in the server's thread. */
static enum MHD_Result
handle_request(void *context, struct MHD_Connection *connection,
			   const char *path, const char *method, const char *version UNUSED,
			   const char *upload UNUSED, size_t *upload_size,
			   void **request UNUSED)
{
	HttpAnswer answer = {.status = MHD_HTTP_OK,
						 .type = "text/plain; charset=utf-8"};
	enum MHD_Result result;

	/* Nobody has anything to send us: the connection is closed. */
	if (*upload_size != 0)
		return MHD_NO;
	buf_init(&answer.body, HTTP_ANSWER_MAX);
	make_answer(context, connection, method, path, &answer);
	result = send_answer(connection, &answer);
	buf_release(&answer.body);
	return result;
}

/* ---- the thread --------------------------------------------------------- */

/*
 * Starts the thread with all signals blocked, so that they keep coming to the
 * thread of the loop.
 */
static void
start_daemon(HttpServer *server)
{
	sigset_t all;
	sigset_t before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	server->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL,
		handle_request, server, MHD_OPTION_LISTEN_SOCKET, server->fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned) HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) HTTP_IDLE_MAX_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HTTP_REQUEST_BYTES_MAX,
		MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

Rc
http_server_open(HttpServer **server, const ListenAddress *address,
				 const HttpPath *paths, Error *err)
{
	HttpServer *self = xcalloc(1, sizeof(HttpServer));
	Rc rc;

	self->address = *address;
	self->paths = paths;
	rc = listen_open(address, &self->fd, err);
	if (rc == RC_OK)
	{
		start_daemon(self);
		if (self->daemon == NULL)
		{
			rc = error_set(err, ERR_IO, "could not start a thread: %s",
						   strerror(errno));
			listen_close(address, self->fd);
		}
	}
	if (rc == RC_OK)
		*server = self;
	else
		free(self);
	return rc;
}

void
http_server_close(HttpServer *server)
{
	if (server == NULL)
		return;
	/* This closes the socket, too. */
	MHD_stop_daemon(server->daemon);
	if (server->address.is_unix)
		unlink(server->address.path);
	free(server);
}
