/*
 * service.h
 *    Tells a service manager what this process does: the protocol of
 *    sd_notify(3), which is one datagram a message.
 *
 * Nothing is sent unless the manager has asked for it (NOTIFY_SOCKET), and a
 * message that cannot be sent is lost: the manager is not needed.
 */
#ifndef PENSTOCK_BASE_SERVICE_H
#define PENSTOCK_BASE_SERVICE_H

#include <stdbool.h>

/* Says that the service has started, at the first call. */
void service_ready(void);

/* Says in a line what it does; shown by "systemctl status". */
void service_status(const char *status);

/* Says that it is well: without this for the time of WatchdogSec the manager
 * ends the process. */
void service_ping(void);

/*
 * Says whether pings have to be expected.  They need not while something is
 * done that may take any time.
 */
void service_expect_pings(bool expected);

/*
 * From now on nothing is said: a process that another one has started, which
 * says what there is to say.
 */
void service_leave(void);

#endif /* PENSTOCK_BASE_SERVICE_H */
