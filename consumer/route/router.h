/*
 * router.h
 *    Which sink gets which change.
 *
 * Without a placement a router hands every frame to all sinks.  With one, the
 * sinks are the targets that its rules number, and each gets what is placed
 * there: of a transaction that has nothing for it, not even the begin.  A row
 * that moves from one node to another is a delete for the one and an insert
 * for the other.  What the WAL does not have of such a row is fetched from the
 * sink where it was (see model/moved.h); the router waits for that, and takes
 * nothing else meanwhile.
 *
 * A sink that already has a transaction (its start_lsn is at or beyond the
 * transaction's end) is left out of it.  The sinks are borrowed.
 */
#ifndef PENSTOCK_ROUTE_ROUTER_H
#define PENSTOCK_ROUTE_ROUTER_H

#include "base/error.h"
#include "model/change.h"
#include "model/placement.h"
#include "route/directory.h"
#include "sink/sink.h"

typedef struct Router Router;

typedef struct RouterOptions
{
	Sink *const *sinks; /* copied */
	int sink_count;
	const Placement *placement; /* borrowed; NULL: everything everywhere */
	int node_count;             /* sinks that hashed tables are spread over */
	Directory *directory;       /* borrowed; NULL: nothing is placed by one */
	const char *pipeline;       /* name; borrowed; with a placement */
} RouterOptions;

Router *router_new(const RouterOptions *options);

/* Accepts NULL.  Does not free the sinks. */
void router_free(Router *router);

/*
 * Hands a frame on.  Borrows the frame, to which it may add memory; sinks that
 * keep it hold references.  RC_AGAIN: it is not through, because it waits for a
 * sink; it is kept, and router_go_on() is to be called until that says RC_OK.
 */
MUST_CHECK Rc router_frame(Router *router, Frame *frame, Error *err);
MUST_CHECK Rc router_go_on(Router *router, Error *err);

/* Whether the router has a frame of which not all changes were handed over; and
 * whether router_go_on() could hand over more of it now. */
bool router_is_inside(const Router *router);
bool router_can_go_on(const Router *router);

/* The sink that it waits for; NULL: none. */
const Sink *router_waits_for(const Router *router);

/* The open transaction that it refused, when it fails with
 * ERR_OPEN_TXN; 0: none. */
uint32_t router_refused_xid(const Router *router);

/* From here on another sink gets what was for this one. */
void router_replace_sink(Router *router, int index, Sink *sink);

/* Whether some sink wants nothing more for now. */
bool router_is_full(const Router *router);

/* The transaction that is open; meaningful between its first and last frame. */
const TxnInfo *router_transaction(const Router *router);

#endif /* PENSTOCK_ROUTE_ROUTER_H */
