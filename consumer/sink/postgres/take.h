/*
 * take.h
 *    The PostgreSQL sink takes what the router delivers.
 *
 * The functions are those of the interfaces in sink/sink.h.  They keep what is
 * to be applied, and ask no server.
 */
#ifndef PENSTOCK_SINK_POSTGRES_TAKE_H
#define PENSTOCK_SINK_POSTGRES_TAKE_H

#include "sink/postgres/sink_state.h"

/*
 * Sets `full` when enough is held: two full batches, or a single large row that
 * takes as much; and the same of open transactions.  After the commit of an
 * open transaction, everything has to wait for it.
 */
void take_update_full(PostgresSink *self);

Rc take_begin(Sink *sink, const TxnInfo *txn, Error *err);

Rc take_change(Sink *sink, Frame *frame, const Change *change, Error *err);

Rc take_commit(Sink *sink, const TxnInfo *txn, Error *err);

Rc take_open_change(Sink *sink, Frame *frame, const Change *change, Error *err);

Rc take_open_commit(Sink *sink, const TxnInfo *txn, Error *err);

Rc take_open_abort(Sink *sink, uint32_t xid, uint32_t subxid, Error *err);

/* Adds a fetch to the end of the queue. */
void take_fetch(Sink *sink, SinkFetch *fetch);

#endif
