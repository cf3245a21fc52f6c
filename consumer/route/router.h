/*
 * router.h
 *    Decides which sink gets which change.
 *
 * Without a placement the router passes every frame to all sinks.
 *
 * With a placement, sink i is the target with index i in its rules, and each
 * sink gets only the changes of tables and rows that the rules assign to it.
 * If a transaction has no changes for a sink, the sink does not get its begin
 * either.  If an update moves a row from one target to another, the old target
 * gets a delete and the new one an insert.  If the WAL does not have all values
 * of the row (unchanged TOAST values), the sink of the old target fetches them
 * (see model/moved.h); the router waits for them, and accepts no other frame
 * meanwhile.
 *
 * Before the first row of a table that is placed by columns, each sink gets
 * inserts into penstock.placed_column, unless its target has them.  The router
 * refuses rows that are placed by other columns than before.
 *
 * A sink whose start_lsn is at or after the transaction's end has applied the
 * transaction already and does not get it.  The sinks are borrowed.
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
	Sink *const *sinks; /* array of sink_count sinks; copied */
	int sink_count;
	const Placement *placement; /* borrowed; NULL: every sink gets every change
								 */

	/*
	 * For each sink the columns by which rows of its target were placed when it
	 * was opened (model/placed_columns.h); NULL for a sink whose target is
	 * unreachable.  Borrowed; NULL: no sink takes such columns.
	 */
	const PlacedColumnsList *const *noted;
	int node_count;       /* number of sinks, the first ones, that share
						   * the rows of tables placed by hash */
	Directory *directory; /* borrowed; NULL: no rule places rows by a
						   * directory */
	const char *pipeline; /* name of the pipeline; borrowed; needed with a
						   * placement */
} RouterOptions;

Router *router_new(const RouterOptions *options);

/* Frees the router, not the sinks.  Accepts NULL. */
void router_free(Router *router);

/*
 * Passes a frame to the sinks.  Borrows the frame, and may allocate in its
 * arena; sinks that keep it hold references.  RC_AGAIN: the router waits for a
 * sink and has not passed on all changes yet.  It keeps a reference to the
 * frame, and the caller calls router_go_on() until it returns RC_OK.  The
 * router waits for no sink with an open transaction.
 */
MUST_CHECK Rc router_frame(Router *router, Frame *frame, Error *err);
MUST_CHECK Rc router_go_on(Router *router, Error *err);

/*
 * Whether the router has not passed on all changes of a frame; and whether
 * router_go_on() could continue now.
 */
bool router_is_inside(const Router *router);
bool router_can_go_on(const Router *router);

/* Returns the sink that the router waits for; NULL: none. */
const Sink *router_waits_for(const Router *router);

/*
 * Returns the xid of the open transaction that the router refused, when it
 * failed with ERR_OPEN_TXN; 0: none.
 */
uint32_t router_refused_xid(const Router *router);

/* Replaces the sink with index `index` by another one. */
void router_replace_sink(Router *router, int index, Sink *sink);

/* Whether a sink is full and wants no more changes for now. */
bool router_is_full(const Router *router);

/*
 * Returns the current transaction; valid between its first and its last frame.
 */
const TxnInfo *router_transaction(const Router *router);

#endif /* PENSTOCK_ROUTE_ROUTER_H */
