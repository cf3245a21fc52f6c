/*
 * probe.h
 *    Trying whether the source lets this role decode with the plugin.
 */
#ifndef PENSTOCK_CHECK_PROBE_H
#define PENSTOCK_CHECK_PROBE_H

#include "check/context.h"
#include "check/query.h"

/* Seconds that the trial slot may take to be made. */
#define CHECK_PROBE_TIMEOUT_S 3

/*
 * Opens a replication connection and, if no error was found so far, makes a
 * temporary slot with the plugin.  To be called before any target is looked at.
 * RC_FAIL: `server` is lost, or a stop was asked for.
 */
MUST_CHECK Rc check_plugin(CheckContext *context, const CheckServer *server,
						   Error *err);

#endif /* PENSTOCK_CHECK_PROBE_H */
