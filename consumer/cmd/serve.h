/*
 * serve.h
 *    Serves metrics while a command runs, if --metrics-listen is given.
 */
#ifndef PENSTOCK_CMD_SERVE_H
#define PENSTOCK_CMD_SERVE_H

#include "base/error.h"
#include "config/config.h"
#include "http/server.h"

/*
 * Begins the numbers of this process (metrics/metrics.h), and serves them:
 * *server is the caller's, and NULL if nothing is to be served.  Fails if the
 * address cannot be listened at.  Each of several sources has an address of its
 * own: the next port, or the path with the source's name after it.
 */
MUST_CHECK Rc serve_begin(const Config *config, HttpServer **server,
						  Error *err);

#endif /* PENSTOCK_CMD_SERVE_H */
