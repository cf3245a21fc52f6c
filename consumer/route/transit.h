/*
 * transit.h
 *    A row on its way from one node to another, of which the WAL does not have
 *    all values.
 *
 * It is made of the update that moves the row, waits until the sink of the node
 * where the row was has fetched the others (see model/moved.h), and then
 * consists of changes for both nodes.  All of it, the values included, is in a
 * frame of its own, so that limits on memory count what was fetched.
 */
#ifndef PENSTOCK_ROUTE_TRANSIT_H
#define PENSTOCK_ROUTE_TRANSIT_H

#include "model/change.h"
#include "sink/sink.h"

typedef struct Transit
{
	SinkFetch fetch;
	int from;             /* sink of the node where the row was */
	size_t change_index;  /* of the update in its frame */
	struct Transit *next; /* in the list of the frame's rows that wait */
	Frame *frame;         /* that the changes, and this, are in */

	/* Made by transit_arrive(). */
	const Change *arrival; /* an insert, for the node that it goes to */
	const Change *kept;    /* entries of penstock.moved, for the other */
	int kept_count;

	/* Of the values that are fetched: their columns. */
	int *wanted;
	int wanted_count;
} Transit;

typedef struct TransitOptions
{
	const char *pipeline; /* copied */
	TxnInfo txn;          /* without its origin */
	const Change *update; /* copied */
	int64_t number;       /* of the update in its transaction */
	size_t change_index;
	int from;
	const Value *row; /* the new one, with VALUE_UNCHANGED for what is not
						 known; copied */
} TransitOptions;

/* Free with transit_free(). */
Transit *transit_new(const TransitOptions *options);

/* All was fetched.  RC_FAIL with ERR_CONFIG: a column is not there. */
MUST_CHECK Rc transit_arrive(Transit *transit, Relation *moved, Error *err);

/* Gives back the frame, which lives on if sinks keep its changes.  Accepts
 * NULL. */
void transit_free(Transit *transit);

#endif /* PENSTOCK_ROUTE_TRANSIT_H */
