/*
 * router.c
 *    Every change to every sink that does not have it.
 */
#include "route/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct Router
{
	Sink **sinks;
	int sink_count;
	TxnInfo txn;      /* the open transaction */
	char *txn_origin; /* owned copy of its string, which outlives its frame */
};

Router *
router_new(Sink *const *sinks, int sink_count)
{
	Router *router = xcalloc(1, sizeof(Router));

	router->sinks = xcalloc((size_t) sink_count, sizeof(Sink *));
	memcpy(router->sinks, sinks, (size_t) sink_count * sizeof(Sink *));
	router->sink_count = sink_count;
	return router;
}

void
router_free(Router *router)
{
	if (router == NULL)
		return;
	free(router->sinks);
	free(router->txn_origin);
	free(router);
}

bool
router_is_full(const Router *router)
{
	for (int i = 0; i < router->sink_count; i++)
		if (router->sinks[i]->full)
			return true;
	return false;
}

const TxnInfo *
router_transaction(const Router *router)
{
	return &router->txn;
}

static void
remember_transaction(Router *router, const TxnInfo *txn)
{
	free(router->txn_origin);
	router->txn_origin = xstrdup(txn->origin);
	router->txn = *txn;
	router->txn.origin = router->txn_origin;
}

static MUST_CHECK Rc
route_changes(Sink *sink, Frame *frame, Error *err)
{
	for (size_t i = 0; i < frame->change_count; i++)
	{
		Rc rc = sink_change(sink, frame, &frame->changes[i], err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* One frame to one sink. */
static MUST_CHECK Rc
route_frame(Router *router, Sink *sink, Frame *frame, Error *err)
{
	bool outside = !frame->begins && !sink->in_transaction &&
				   frame->change_count > 0 &&
				   frame->changes[0].kind == CHANGE_MESSAGE &&
				   !frame->changes[0].message->transactional;
	Rc rc = RC_OK;

	if (frame->begins && frame->txn.end_lsn > sink->start_lsn)
		rc = sink_begin(sink, &router->txn, err);
	if (rc == RC_OK && (sink->in_transaction || outside))
		rc = route_changes(sink, frame, err);
	if (rc == RC_OK && frame->commits && sink->in_transaction)
		rc = sink_commit(sink, &router->txn, err);
	return rc;
}

Rc
router_frame(Router *router, Frame *frame, Error *err)
{
	if (frame->begins)
		remember_transaction(router, &frame->txn);
	for (int i = 0; i < router->sink_count; i++)
	{
		Rc rc = route_frame(router, router->sinks[i], frame, err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}
