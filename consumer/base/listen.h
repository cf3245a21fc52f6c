/*
 * listen.h
 *    The address of a socket that others connect to: PORT, HOST:PORT, or
 *    unix:PATH.
 */
#ifndef PENSTOCK_BASE_LISTEN_H
#define PENSTOCK_BASE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Longest path of a unix socket: sun_path of sockaddr_un, without the NUL. */
#define LISTEN_PATH_MAX 107

/* Longest name of a host (RFC 1035), and its size with the NUL. */
#define LISTEN_HOST_MAX  253
#define LISTEN_HOST_SIZE (LISTEN_HOST_MAX + 1)

/* Where to listen if only a port is given. */
#define LISTEN_HOST_DEFAULT "127.0.0.1"

typedef struct ListenAddress
{
	bool is_unix;
	char host[LISTEN_HOST_SIZE]; /* name or number; without the brackets that
								  * are around an IPv6 address */
	int port;
	char path[LISTEN_PATH_MAX + 1];
} ListenAddress;

/* Reads an address.  Returns false if it is not valid. */
bool listen_parse(ListenAddress *address, const char *text);

/*
 * Makes the address of one of several processes: the `number`-th port after
 * that one, or the path with a dot and the name after it.  Fails if there is no
 * such address.
 */
MUST_CHECK Rc listen_shift(ListenAddress *address, int number, const char *name,
						   Error *err);

/*
 * Opens a socket that listens there.  A unix socket that nobody listens at any
 * more is removed first.  The descriptor is closed by exec() and does not
 * block.
 */
MUST_CHECK Rc listen_open(const ListenAddress *address, int *fd, Error *err);

/* Closes the socket, and removes that of a path. */
void listen_close(const ListenAddress *address, int fd);

/* Appends the address as people write it: http://127.0.0.1:9187. */
void listen_append(const ListenAddress *address, Buf *buf);

#endif /* PENSTOCK_BASE_LISTEN_H */
