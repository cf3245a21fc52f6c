/*
 * host_lookup.h
 *    Looks up the names of hosts in threads, so that a name server that does
 *    not answer makes nobody wait but who wants to connect.
 *
 * libpq looks up names itself, in PQconnectStart() and PQconnectPoll(), which
 * do not return before the name server has answered: seconds, or half a minute.
 * It does not if it gets addresses, in `hostaddr`.  It still gets the names,
 * for TLS certificates, Kerberos and the password file.
 */
#ifndef PENSTOCK_NET_HOST_LOOKUP_H
#define PENSTOCK_NET_HOST_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Milliseconds that we go on waiting for other names when the address of one is
 * known.
 */
#define HOST_LOOKUP_OTHERS_MS 2000

/*
 * The parameters `host`, `hostaddr` and `port` of libpq: lists with commas, an
 * entry for each server that libpq tries, in this order.  NULL is empty.
 * The texts belong to whoever has made the struct.
 */
typedef struct HostList
{
	char *host;
	char *hostaddr;
	char *port;
} HostList;

/* Frees the texts.  Accepts a zeroed list. */
void host_list_release(HostList *list);

/*
 * Whether libpq would have to ask for the address of a name.  It need not for
 * the directories of sockets, for addresses, and where `hostaddr` has one.
 */
bool host_lookup_is_needed(const HostList *asked);

/*
 * Sets *found, which the caller releases, to `asked` with the addresses of all
 * names; a name that has several becomes as many entries.  A name that nobody
 * knows is left out if there are others.  Waits in interrupt_wait(), not beyond
 * `deadline_us` (monotonic; INT64_MAX: no limit).  Fails with ERR_CONNECT;
 * `label` is the server in the message.
 */
MUST_CHECK Rc host_lookup(const HostList *asked, const char *label,
						  int64_t deadline_us, HostList *found, Error *err);

#endif /* PENSTOCK_NET_HOST_LOOKUP_H */
