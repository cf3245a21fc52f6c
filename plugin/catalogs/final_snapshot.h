/*
 * final_snapshot.h
 *		The catalogs as a transaction in progress has left them, when it has
 *		committed.
 *
 * The server gives no snapshot to the callback for the commit of a transaction
 * that was sent in pieces, and no last piece if nothing is left to send.
 */
#ifndef PENSTOCK_FINAL_SNAPSHOT_H
#define PENSTOCK_FINAL_SNAPSHOT_H

#include "replication/reorderbuffer.h"

/*
 * Calls `function` in a transaction of its own with a historic snapshot that
 * has all of `txn`, which has come in pieces and has committed.
 */
extern void penstock_final_snapshot_call(ReorderBufferTXN *txn,
										 void (*function)(void *arg),
										 void *arg);

#endif /* PENSTOCK_FINAL_SNAPSHOT_H */
