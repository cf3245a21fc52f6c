/*
 * service.c
 *    Sends datagrams to the socket that the environment names.
 */
#include "base/service.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/xalloc.h"

/* As good as no limit: a year, in microseconds. */
#define NO_WATCHDOG_US (INT64_C(365) * 24 * 3600 * 1000000)

static bool left;

static void
notify(const char *message)
{
	const char *path = left ? NULL : getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t length = path != NULL ? strlen(path) : 0;
	int fd;

	if (length < 2 || length >= sizeof(to.sun_path) ||
		(path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, length);
	/* A name in the abstract namespace is written with an @. */
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	(void) sendto(
		fd, message, strlen(message), MSG_NOSIGNAL,
		(const struct sockaddr *) &to,
		(socklen_t) (offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

void
service_ready(void)
{
	static bool said;

	if (!said)
		notify("READY=1");
	said = true;
}

void
service_status(const char *status)
{
	char *message = xasprintf("STATUS=%s", status);

	notify(message);
	free(message);
}

void
service_ping(void)
{
	notify("WATCHDOG=1");
}

void
service_expect_pings(bool expected)
{
	static int64_t usual_us = -1;
	char message[64];

	if (usual_us < 0)
	{
		const char *text = getenv("WATCHDOG_USEC");

		usual_us = text != NULL ? strtoll(text, NULL, 10) : 0;
	}
	if (usual_us <= 0)
		return;
	snprintf(message, sizeof(message), "WATCHDOG_USEC=%" PRId64,
			 expected ? usual_us : NO_WATCHDOG_US);
	notify(message);
	notify("WATCHDOG=1");
}

void
service_leave(void)
{
	left = true;
}
