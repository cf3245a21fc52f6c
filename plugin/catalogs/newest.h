/*
 * newest.h
 *		The catalogs as the reader of the stream knows them.
 *
 * The server shows a transaction the catalogs as they were when it made its
 * changes.  But transactions are sent in the order of their commits.  When the
 * changes of a transaction are sent, the reader has been told of all that other
 * transactions have committed before its end.  That includes changes of the
 * same objects, because not every change locks its object.
 *
 * A snapshot made here, called the newest, sees all changes that other
 * transactions have committed up to where the server reads the WAL.  That is
 * the end of the transaction that is handed out, or of the piece of it.  Of the
 * transaction itself, the snapshot sees what it had done where the change is.
 */
#ifndef PENSTOCK_NEWEST_H
#define PENSTOCK_NEWEST_H

#include "utils/snapshot.h"

#include "session/session.h"

/*
 * Makes the newest snapshot from the active one, in the current memory context.
 */
extern Snapshot penstock_newest_make(PenstockSession *session, Snapshot active);

/*
 * To be called when the server begins to hand out a transaction.  If the
 * snapshot of the transaction sees less than the newest one, the server's
 * caches get outdated rows, and not every server version forgets these when the
 * transaction ends.  So this is recorded in PenstockSession.caches_mixed.
 */
extern void penstock_newest_begin(PenstockSession *session);

/*
 * Makes the newest snapshot the active one, and returns the one that was
 * active; NULL: both would see the same, and nothing was done.  Before, the
 * server's caches are emptied if they may have older rows.
 * penstock_newest_leave() makes the former snapshot active again, unless it is
 * NULL, and empties the caches again.  That costs more than to describe a table
 * of 15 columns.
 */
extern Snapshot penstock_newest_enter(PenstockSession *session);
extern void penstock_newest_leave(Snapshot outer);

typedef struct PenstockName
{
	char *schema;
	char *name; /* both NULL: there is no such object */
} PenstockName;

/*
 * Returns the name of a table or type, by the OID of its catalog and its own.
 * If the reader is told of schema changes, it is the name that the newest
 * snapshot sees; otherwise, the one in the server's caches.  Allocated in the
 * current memory context.  Writing rows locks neither the ancestors of their
 * table, nor the types of columns, nor schemas.  So these may have been renamed
 * since.
 */
extern PenstockName penstock_newest_name(PenstockSession *session, Oid catalog,
										 Oid oid);

#endif /* PENSTOCK_NEWEST_H */
