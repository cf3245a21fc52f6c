/*
 * probe.h
 *    Checks whether the role can decode with the plugin on the source, by
 *    creating a temporary slot.
 */
#ifndef PENSTOCK_CHECK_PROBE_H
#define PENSTOCK_CHECK_PROBE_H

#include "check/context.h"
#include "check/query.h"

/* Maximum time, in seconds, that creating the temporary slot may take. */
#define CHECK_PROBE_TIMEOUT_S 3

/*
 * Opens a replication connection and, if no check has found an error so far,
 * creates a temporary slot with the plugin; adds the findings.  Blocks.  To be
 * called before the targets are checked.  Returns RC_FAIL if the connection of
 * `server` is lost, or the user has asked us to stop.
 */
MUST_CHECK Rc check_plugin(CheckContext *context, const CheckServer *server,
						   Error *err);

#endif /* PENSTOCK_CHECK_PROBE_H */
