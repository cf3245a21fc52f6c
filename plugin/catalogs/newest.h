/*
 * newest.h
 *		The catalogs as the reader of the stream knows them.
 *
 * The server shows a transaction the catalogs as they were when it made its
 * changes, as far as it has taken snapshots since.  But transactions are sent
 * in the order of their commits: when the changes of one are sent, the reader
 * has been told of all that others have committed before its end, also of what
 * they have done to the objects that it has changed itself.  Not every change
 * locks its object.
 *
 * A snapshot made here sees what all have committed up to where the server
 * reads the WAL, which is the end of the transaction at hand, or of the piece
 * of it; and of the transaction itself what it had done where the change is.
 */
#ifndef PENSTOCK_NEWEST_H
#define PENSTOCK_NEWEST_H

#include "utils/snapshot.h"

#include "session/session.h"

/*
 * Makes such a snapshot from the one that is active, in the current memory
 * context.
 */
extern Snapshot penstock_newest_make(PenstockSession *session, Snapshot active);

/*
 * To be called when a transaction begins to be handed out.  If its snapshot
 * sees less than the newest, the server's caches get rows that are out of date.
 * Not every server forgets these when the transaction ends; so that is noted,
 * as caches_mixed in session.h.
 */
extern void penstock_newest_begin(PenstockSession *session);

/*
 * Makes such a snapshot the active one and returns the one that was; NULL if it
 * would not see anything else.  The server's caches are emptied before, if they
 * may have anything older, and by penstock_newest_leave() if there is something
 * to leave.  That costs more than to describe a table of 15 columns.
 */
extern Snapshot penstock_newest_enter(PenstockSession *session);
extern void penstock_newest_leave(Snapshot outer);

typedef struct PenstockName
{
	char *schema;
	char *name; /* both NULL: there is no such object */
} PenstockName;

/*
 * How a table or type is called, by the OID of its catalog and its own: as such
 * a snapshot has it, for a reader that is told of schema changes; else as the
 * server says.  In the current memory context.
 *
 * Writing rows does not lock what their table's partitions belong to, nor the
 * types of columns, nor schemas.  So these may have got another name since.
 */
extern PenstockName penstock_newest_name(PenstockSession *session, Oid catalog,
										 Oid oid);

#endif /* PENSTOCK_NEWEST_H */
