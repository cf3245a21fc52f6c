/*
 * router.h
 *    Which sink gets which change.
 *
 * A router hands every frame to its sinks.  A sink that already has a
 * transaction (its start_lsn is at or beyond the transaction's end) is left out
 * of it.  The sinks are borrowed.
 */
#ifndef PENSTOCK_ROUTE_ROUTER_H
#define PENSTOCK_ROUTE_ROUTER_H

#include "base/error.h"
#include "model/change.h"
#include "sink/sink.h"

typedef struct Router Router;

Router *router_new(Sink *const *sinks, int sink_count);

/* Accepts NULL.  Does not free the sinks. */
void router_free(Router *router);

/* Hands a frame on.  Borrows the frame; sinks that keep it hold references. */
MUST_CHECK Rc router_frame(Router *router, Frame *frame, Error *err);

/* Whether some sink wants nothing more for now. */
bool router_is_full(const Router *router);

/* The transaction that is open; meaningful between its first and last frame. */
const TxnInfo *router_transaction(const Router *router);

#endif /* PENSTOCK_ROUTE_ROUTER_H */
