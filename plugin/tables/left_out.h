/*
 * left_out.h
 *		Tables that the reader has no use for, now or ever.
 *
 * What cannot be represented is an error, and ends the session: an update of a
 * table without a replica identity, say.  The next session comes to the same
 * place of the WAL, with the catalogs as they were there, so that nothing that
 * is done about the table afterwards helps.  Unless the reader can do without
 * the table's changes, as they are: it has given the table up, or has copied it
 * anew since.  It says so with the option `leave_out`, a list of
 *
 *	 schema.table, schema.table LSN, ...
 *
 * with names quoted as in SQL, each table once.  The tables are those that
 * appear in the stream: under publish_via_partition_root the partitioned one.
 * Of such a table nothing is sent; with an LSN, nothing of the transactions
 * whose end_lsn is at or below it.  A name that no table has changes nothing.
 *
 * Of a transaction in progress it is not known where it ends.  So none is
 * handed out until all LSNs in the list have been passed.
 */
#ifndef PENSTOCK_LEFT_OUT_H
#define PENSTOCK_LEFT_OUT_H

#include "access/xlogdefs.h"

#include "session/session.h"

typedef struct PenstockLeftOut PenstockLeftOut;

/*
 * What a session leaves out, by its options; NULL: nothing.  Allocated in the
 * current memory context.
 */
extern PenstockLeftOut *penstock_left_out_new(PenstockSession *session);

/*
 * A transaction begins that is not in progress any more.  True if another set
 * of tables is left out of it than of the one before: then the caller has what
 * is known of tables worked out anew.
 */
extern bool penstock_left_out_begin(PenstockSession *session,
									XLogRecPtr end_lsn);

/* Whether what the current transaction does to a table is left out. */
extern bool penstock_left_out_has(PenstockSession *session, Oid relid);

#endif /* PENSTOCK_LEFT_OUT_H */
