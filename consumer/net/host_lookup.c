/*
 * host_lookup.c
 *    Calls getaddrinfo() in a thread for each name.
 *
 * A thread cannot be ended while it waits for a name server.  So what it writes
 * to belongs to all threads of a lookup and to the one who waits for them, and
 * the last of them frees it.
 */
#include "net/host_lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/xalloc.h"

/* Limit on the length of a list, in bytes. */
#define LIST_BYTES_MAX 65536

/* Stack of a thread: getaddrinfo() runs modules of other people (nsswitch). */
#define THREAD_STACK_BYTES (1024 * 1024)

typedef struct Lookups Lookups;

/* One entry of the list, and what became of it. */
typedef struct Lookup
{
	Lookups *all;
	char *host;
	char *hostaddr;
	char *port;
	bool is_name;     /* whether there is a thread for it */
	atomic_bool done; /* set by the thread, after `error` and `found` */
	int error;        /* of getaddrinfo() */
	struct addrinfo *found;
} Lookup;

struct Lookups
{
	atomic_int owners; /* threads that run, plus the one who waits */
	int event_fd;      /* each thread writes to it when it is done */
	int count;
	Lookup *entries;
};

void
host_list_release(HostList *list)
{
	free(list->host);
	free(list->hostaddr);
	free(list->port);
	*list = (HostList){0};
}

/* ---- lists -------------------------------------------------------------- */

static char *
copy_text(const char *text, size_t length)
{
	char *copy = xcalloc(length + 1, 1);

	memcpy(copy, text, length);
	return copy;
}

/*
 * Returns entry `number` of a list with commas, which the caller frees; "" if
 * there is none.
 */
static char *
list_entry(const char *list, int number)
{
	const char *at = list ? list : "";

	for (int i = 0; i < number; i++)
	{
		at += strcspn(at, ",");
		if (*at == '\0')
			return xstrdup("");
		at++;
	}
	return copy_text(at, strcspn(at, ","));
}

/* Number of entries; an empty list has none. */
static int
list_length(const char *list)
{
	int count = 1;

	if (list == NULL || list[0] == '\0')
		return 0;
	for (const char *at = list; (at = strchr(at, ',')) != NULL; at++)
		count++;
	return count;
}

/* Whether the lists fit each other.  If they do not, libpq says so. */
static bool
is_consistent(const HostList *list)
{
	int hosts = list_length(list->host);
	int addresses = list_length(list->hostaddr);
	int ports = list_length(list->port);

	if (hosts > 0 && addresses > 0 && hosts != addresses)
		return false;
	return ports <= 1 || ports == (addresses > 0 ? addresses : hosts);
}

/* libpq's rule: as many servers as `hostaddr` has entries, or else `host`. */
static int
count_servers(const HostList *list)
{
	int addresses = list_length(list->hostaddr);

	return addresses > 0 ? addresses : list_length(list->host);
}

/* Port of a server: one port alone is that of all servers. */
static char *
port_entry(const HostList *list, int number)
{
	return list_entry(list->port, list_length(list->port) > 1 ? number : 0);
}

static bool
is_address(const char *host)
{
	unsigned char binary[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, binary) == 1 ||
		   inet_pton(AF_INET6, host, binary) == 1;
}

/* Whether libpq looks up the host of a server; `hostaddr` spares it that. */
static bool
is_name(const char *host, const char *hostaddr)
{
	return hostaddr[0] == '\0' && host[0] != '\0' && host[0] != '/' &&
		   host[0] != '@' && !is_address(host);
}

bool
host_lookup_is_needed(const HostList *asked)
{
	int count = is_consistent(asked) ? count_servers(asked) : 0;
	bool needed = false;

	for (int i = 0; i < count && !needed; i++)
	{
		char *host = list_entry(asked->host, i);
		char *hostaddr = list_entry(asked->hostaddr, i);

		needed = is_name(host, hostaddr);
		free(host);
		free(hostaddr);
	}
	return needed;
}

/* ---- threads ------------------------------------------------------------ */

static void
leave(Lookups *self)
{
	if (atomic_fetch_sub(&self->owners, 1) > 1)
		return;
	for (int i = 0; i < self->count; i++)
	{
		free(self->entries[i].host);
		free(self->entries[i].hostaddr);
		free(self->entries[i].port);
		if (self->entries[i].found != NULL)
			freeaddrinfo(self->entries[i].found);
	}
	if (self->event_fd >= 0)
		close(self->event_fd);
	free(self->entries);
	free(self);
}

/* Start function of a thread. */
static void *
look_up(void *argument)
{
	static const struct addrinfo hints = {.ai_family = AF_UNSPEC,
										  .ai_socktype = SOCK_STREAM};
	Lookup *self = argument;
	Lookups *all = self->all;
	uint64_t one = 1;

	self->error = getaddrinfo(self->host, NULL, &hints, &self->found);
	if (self->error != 0)
		self->found = NULL;
	atomic_store(&self->done, true);
	CHECK(write(all->event_fd, &one, sizeof(one)) == sizeof(one));
	leave(all);
	return NULL;
}

/* Starts the thread of an entry.  Signals are for the main thread. */
static int
start_thread(Lookup *self)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_fetch_add(&self->all->owners, 1);
	error = pthread_create(&thread, &attributes, look_up, self);
	if (error != 0)
		atomic_fetch_sub(&self->all->owners, 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

static Lookups *
new_lookups(const HostList *asked)
{
	Lookups *self = xcalloc(1, sizeof(Lookups));

	atomic_init(&self->owners, 1);
	self->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	self->count = count_servers(asked);
	self->entries = xcalloc((size_t) self->count, sizeof(Lookup));
	for (int i = 0; i < self->count; i++)
	{
		Lookup *entry = &self->entries[i];

		entry->all = self;
		entry->host = list_entry(asked->host, i);
		entry->hostaddr = list_entry(asked->hostaddr, i);
		entry->port = port_entry(asked, i);
		entry->is_name = is_name(entry->host, entry->hostaddr);
	}
	return self;
}

static MUST_CHECK Rc
start_threads(Lookups *self, const char *label, Error *err)
{
	int error = self->event_fd < 0 ? errno : 0;

	for (int i = 0; i < self->count && error == 0; i++)
		if (self->entries[i].is_name)
			error = start_thread(&self->entries[i]);
	if (error != 0)
		return error_set(err, ERR_CONNECT,
						 "could not look up the hosts of %s: %s", label,
						 strerror(error));
	return RC_OK;
}

/* ---- waiting ------------------------------------------------------------ */

/*
 * Returns the number of names whose threads still run.  *known is set to
 * whether there is a server to connect to by what is known already.
 */
static int
count_pending(Lookups *self, bool *known)
{
	int pending = 0;

	*known = false;
	for (int i = 0; i < self->count; i++)
	{
		const Lookup *entry = &self->entries[i];

		if (entry->is_name && !atomic_load(&entry->done))
			pending++;
		else if (!entry->is_name || entry->found != NULL)
			*known = true;
	}
	return pending;
}

static int64_t
milliseconds_until(int64_t deadline_us)
{
	int64_t left_us = deadline_us - clock_monotonic_us();

	if (deadline_us == INT64_MAX)
		return -1;
	return left_us > 0 ? left_us / 1000 + 1 : 0;
}

/* Waits until all names are looked up, or until it is not worth it any more. */
static MUST_CHECK Rc
wait_for_threads(Lookups *self, int64_t deadline_us, Error *err)
{
	bool limited = false;
	bool known;

	while (count_pending(self, &known) > 0)
	{
		uint64_t count;
		Rc rc;

		if (known && !limited)
		{
			int64_t others_us = clock_monotonic_us() +
								HOST_LOOKUP_OTHERS_MS * INT64_C(1000);

			limited = true;
			if (others_us < deadline_us)
				deadline_us = others_us;
		}
		rc = interrupt_wait(self->event_fd, POLLIN,
							milliseconds_until(deadline_us), err);
		if (rc == RC_FAIL)
			return rc;
		if (rc == RC_AGAIN)
			return RC_OK;
		if (read(self->event_fd, &count, sizeof(count)) < 0)
			ASSERT(errno == EAGAIN);
	}
	return RC_OK;
}

/* ---- what is found ------------------------------------------------------ */

static void
append_entry(Buf *list, bool first, const char *entry)
{
	buf_printf(list, "%s%s", first ? "" : ",", entry);
}

typedef struct Found
{
	Buf host;
	Buf hostaddr;
	Buf port;
	int count;
} Found;

static void
append_server(Found *self, const Lookup *entry, const char *hostaddr)
{
	append_entry(&self->host, self->count == 0, entry->host);
	append_entry(&self->hostaddr, self->count == 0, hostaddr);
	append_entry(&self->port, self->count == 0, entry->port);
	self->count++;
}

static void
append_addresses(Found *self, const Lookup *entry)
{
	for (const struct addrinfo *a = entry->found; a != NULL; a = a->ai_next)
	{
		char text[NI_MAXHOST];

		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
						NI_NUMERICHOST) == 0)
			append_server(self, entry, text);
	}
}

static char *
take_text(Buf *buf)
{
	char *text = xstrdup(buf->data ? buf->data : "");

	buf_release(buf);
	return text;
}

/* Fills *found from the entries that are done; returns how many it has. */
static int
collect(const Lookups *self, HostList *found)
{
	Found all = {.count = 0};

	buf_init(&all.host, LIST_BYTES_MAX);
	buf_init(&all.hostaddr, LIST_BYTES_MAX);
	buf_init(&all.port, LIST_BYTES_MAX);
	for (int i = 0; i < self->count; i++)
	{
		const Lookup *entry = &self->entries[i];

		if (!entry->is_name)
			append_server(&all, entry, entry->hostaddr);
		else if (atomic_load(&entry->done))
			append_addresses(&all, entry);
	}
	found->host = take_text(&all.host);
	found->hostaddr = take_text(&all.hostaddr);
	found->port = take_text(&all.port);
	return all.count;
}

/* Error: no name has an address.  Tells of the first one. */
static Rc
nothing_found(const Lookups *self, const char *label, Error *err)
{
	const Lookup *entry = self->entries;

	while (!entry->is_name)
		entry++;
	if (!atomic_load(&entry->done))
		return error_set(err, ERR_CONNECT,
						 "could not connect to %s: no name server has told the "
						 "address of host \"%s\" in time",
						 label, entry->host);
	return error_set(err, ERR_CONNECT,
					 "could not connect to %s: could not translate host name "
					 "\"%s\" to address: %s",
					 label, entry->host,
					 entry->error != 0 ? gai_strerror(entry->error)
									   : "it has none");
}

Rc
host_lookup(const HostList *asked, const char *label, int64_t deadline_us,
			HostList *found, Error *err)
{
	Lookups *self;
	Rc rc;

	ASSERT(host_lookup_is_needed(asked));
	self = new_lookups(asked);
	rc = start_threads(self, label, err);
	if (rc == RC_OK)
		rc = wait_for_threads(self, deadline_us, err);
	if (rc == RC_OK && collect(self, found) == 0)
	{
		host_list_release(found);
		rc = nothing_found(self, label, err);
	}
	leave(self);
	return rc;
}
