/*
 * listen.c
 *    getaddrinfo(), socket(), bind() and listen(), and what their errors mean.
 */
#include "base/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PORT_MAX 65535

/* Connections that may wait for being accepted. */
#define BACKLOG     64

#define UNIX_PREFIX "unix:"

static bool
parse_port(const char *text, int *port)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < 1 ||
		number > PORT_MAX)
		return false;
	*port = (int) number;
	return true;
}

/* Copies the host, without brackets.  It must not be empty or too long. */
static bool
parse_host(ListenAddress *address, const char *text, size_t length)
{
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
	{
		text++;
		length -= 2;
	}
	else if (memchr(text, ':', length) != NULL)
		return false;
	if (length == 0 || length > LISTEN_HOST_MAX)
		return false;
	memcpy(address->host, text, length);
	address->host[length] = '\0';
	return true;
}

bool
listen_parse(ListenAddress *address, const char *text)
{
	const char *colon = strrchr(text, ':');

	*address = (ListenAddress){.host = LISTEN_HOST_DEFAULT};
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
	{
		const char *path = text + strlen(UNIX_PREFIX);

		if (path[0] != '/' || strlen(path) > LISTEN_PATH_MAX)
			return false;
		address->is_unix = true;
		snprintf(address->path, sizeof(address->path), "%s", path);
		return true;
	}
	if (colon == NULL)
		return parse_port(text, &address->port);
	return parse_host(address, text, (size_t) (colon - text)) &&
		   parse_port(colon + 1, &address->port);
}

Rc
listen_shift(ListenAddress *address, int number, const char *name, Error *err)
{
	size_t length = strlen(address->path);

	if (!address->is_unix)
	{
		address->port += number;
		return address->port <= PORT_MAX
				   ? RC_OK
				   : error_set(err, ERR_CONFIG, "there is no port %d",
							   address->port);
	}
	if (length + 1 + strlen(name) > LISTEN_PATH_MAX)
		return error_set(err, ERR_CONFIG,
						 "path of a socket is too long: \"%s.%s\"",
						 address->path, name);
	snprintf(address->path + length, sizeof(address->path) - length, ".%s",
			 name);
	return RC_OK;
}

void
listen_append(const ListenAddress *address, Buf *buf)
{
	if (address->is_unix)
		buf_printf(buf, UNIX_PREFIX "%s", address->path);
	else if (strchr(address->host, ':') != NULL)
		buf_printf(buf, "http://[%s]:%d", address->host, address->port);
	else
		buf_printf(buf, "http://%s:%d", address->host, address->port);
}

static MUST_CHECK Rc
refuse(const ListenAddress *address, const char *why, Error *err)
{
	Rc rc;
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	listen_append(address, &text);
	rc = error_set(err, ERR_CONFIG, "could not listen at \"%s\": %s", text.data,
				   why);
	buf_release(&text);
	return rc;
}

/*
 * Lets everyone connect to a socket in the file system, whatever the umask: who
 * may get there is what the rights of its directory say.  Sets errno.
 */
static int
let_in(const ListenAddress *address)
{
	return address->is_unix ? chmod(address->path, 0666) : 0;
}

static MUST_CHECK Rc
open_at(const ListenAddress *address, const struct sockaddr *to,
		socklen_t length, int *fd, Error *err)
{
	int on = 1;
	Rc rc;

	*fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return refuse(address, strerror(errno), err);
	if (to->sa_family != AF_UNIX)
		setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(*fd, to, length) == 0 && let_in(address) == 0 &&
		listen(*fd, BACKLOG) == 0)
		return RC_OK;
	rc = refuse(address, strerror(errno), err);
	close(*fd);
	*fd = -1;
	return rc;
}

/*
 * Whether nobody listens at the socket.  A listener whose queue is full makes
 * connect() fail with EAGAIN.
 */
static bool
is_left(const struct sockaddr_un *to)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused;

	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *) to, sizeof(*to)) < 0 &&
			  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

/* Removes a socket that a process has left which was killed.  Fails if the path
 * is that of something else, which is left alone. */
static MUST_CHECK Rc
remove_left(const ListenAddress *address, const struct sockaddr_un *to,
			Error *err)
{
	struct stat status;

	if (lstat(to->sun_path, &status) < 0)
		return RC_OK;
	if (!S_ISSOCK(status.st_mode))
		return refuse(address, "the file exists and is no socket", err);
	if (is_left(to))
		unlink(to->sun_path);
	return RC_OK;
}

static MUST_CHECK Rc
open_path(const ListenAddress *address, int *fd, Error *err)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", address->path);
	*fd = -1;
	if (remove_left(address, &to, err) != RC_OK)
		return RC_FAIL;
	return open_at(address, (const struct sockaddr *) &to, sizeof(to), fd, err);
}

Rc
listen_open(const ListenAddress *address, int *fd, Error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
								   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char port[16];
	int failure;
	Rc rc;

	if (address->is_unix)
		return open_path(address, fd, err);
	snprintf(port, sizeof(port), "%d", address->port);
	failure = getaddrinfo(address->host, port, &hints, &found);
	if (failure != 0)
		return refuse(address, gai_strerror(failure), err);
	rc = open_at(address, found->ai_addr, found->ai_addrlen, fd, err);
	freeaddrinfo(found);
	return rc;
}

void
listen_close(const ListenAddress *address, int fd)
{
	if (fd < 0)
		return;
	if (address->is_unix)
		unlink(address->path);
	close(fd);
}
