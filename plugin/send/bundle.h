/*
 * bundle.h
 *		Finished transactions that are held back, to be sent in one message.
 *
 * To send a message costs more than to decode a small transaction.  So with the
 * option bundle, as long as the server has more of its WAL at hand, the frames
 * of small transactions are collected and go out together.  What a reader sees
 * of it is said in penstock.proto, under "Bundles"; why nothing that is held
 * can be confirmed, or has to wait, in bundle.c.
 *
 * Calls do not depend on the session's memory contexts.
 */
#ifndef PENSTOCK_BUNDLE_H
#define PENSTOCK_BUNDLE_H

#include "lib/stringinfo.h"
#include "replication/reorderbuffer.h"

#include "session/session.h"

typedef struct PenstockBundle PenstockBundle;

/*
 * Makes the bundle of a session, in the current memory context, and puts
 * itself between the decoding context and its reader of the WAL.  NULL if this
 * server is not known well enough for that.  Raises an error if the context is
 * not a walsender's.
 */
extern PenstockBundle *penstock_bundle_new(PenstockSession *session);

/*
 * A transaction has ended, and `frame` is all there is of it: holds it, or
 * sends it at once.  Only in the commit callback, and if the session has a
 * bundle.
 */
extern void penstock_bundle_add(PenstockSession *session, StringInfo frame);

/*
 * Sends what is held, and holds nothing from here on.  To be called before
 * anything else is sent, and before what may take long.
 */
extern void penstock_bundle_end_holding(PenstockSession *session);

/* Does it before a transaction is handed out that has many changes. */
extern void penstock_bundle_before(PenstockSession *session,
								   ReorderBufferTXN *txn);

/*
 * Calls a function, and sends what is held before an error that it raises goes
 * on; such an error ends the session.
 */
extern void penstock_bundle_protect(PenstockSession *session,
									void (*function)(PenstockSession *session,
													 void *arg),
									void *arg);

#endif /* PENSTOCK_BUNDLE_H */
