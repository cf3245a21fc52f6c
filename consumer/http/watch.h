/*
 * watch.h
 *    What a follower serves by HTTP: a page for people, metrics, and whether it
 *    is well.
 */
#ifndef PENSTOCK_HTTP_WATCH_H
#define PENSTOCK_HTTP_WATCH_H

#include "http/server.h"

/*
 *     /          a page for a browser; page.css, page.js and state.json are its
 *                parts
 *     /metrics   the numbers, as OpenMetrics or in Prometheus's older format
 *     /healthz   status 200 as long as the process runs
 *     /readyz    status 200 if it follows and lags less than the limit, or
 *                nothing has to be done; else 503, and why
 *
 * The table ends with a row whose path is NULL.
 */
extern const HttpPath watch_paths[];

#endif /* PENSTOCK_HTTP_WATCH_H */
