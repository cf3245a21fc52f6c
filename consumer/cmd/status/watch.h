/*
 * watch.h
 *    penstock status --watch: the state of a pipeline in a terminal, again and
 *    again, with graphs of the last minutes.
 */
#ifndef PENSTOCK_CMD_STATUS_WATCH_H
#define PENSTOCK_CMD_STATUS_WATCH_H

#include "base/error.h"
#include "config/config.h"

/*
 * Shows the state until q or a request to stop, which is the ordinary end:
 * RC_OK.  Sessions with the servers are kept; a server that cannot be reached
 * is tried again each time.  Fails if standard output is no terminal.
 */
MUST_CHECK Rc status_watch(const Config *config, Error *err);

#endif /* PENSTOCK_CMD_STATUS_WATCH_H */
