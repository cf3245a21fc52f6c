/*
 * publish.h
 *		What of a table is published, by the publications of the session.
 *
 * A table is published by those of the session's publications that contain it,
 * its schema, all tables, or one of its partitioned ancestors.  The rules are
 * those of the server's own plugin:
 *
 * - An operation is published if any of them publishes it.
 * - Under publish_via_partition_root a partition's rows are published as rows
 *	 of the topmost ancestor that any publication names; only the publications
 *	 that reach this far up then count for filters and columns.
 * - A row is published if any publication's filter accepts it; no filter
 *	 accepts all rows.  An update that takes a row into or out of what is
 *	 published becomes an insert or a delete.
 * - All publications must publish the same columns of a table.
 *
 * Nothing is published of a table that the reader leaves out (left_out.h).
 *
 * The catalogs are read as they were at the point of the WAL that is being
 * decoded: a publication counts from the moment it was committed.
 */
#ifndef PENSTOCK_PUBLISH_H
#define PENSTOCK_PUBLISH_H

#include "nodes/bitmapset.h"
#include "utils/relcache.h"

#include "session/session.h"

typedef enum PenstockOperation
{
	PENSTOCK_INSERT,
	PENSTOCK_UPDATE,
	PENSTOCK_DELETE,
	PENSTOCK_TRUNCATE,
} PenstockOperation;

#define PENSTOCK_OPERATIONS     (PENSTOCK_TRUNCATE + 1)
#define PENSTOCK_ROW_OPERATIONS (PENSTOCK_DELETE + 1)

/*
 * A row of the table as stored, taken apart into arrays as long as its columns.
 * The flags are hints that allow to skip a search: false means there are none.
 */
typedef struct PenstockRow
{
	Datum *values;
	bool *nulls;
	bool maybe_null;
	bool maybe_external; /* pointers to values that are not in the row */
} PenstockRow;

typedef struct PenstockPublications PenstockPublications;
typedef struct PenstockFilter PenstockFilter;

typedef struct PenstockPublish
{
	bool operations[PENSTOCK_OPERATIONS];

	/*
	 * The table as whose rows those of this table are sent: itself or an
	 * ancestor.
	 */
	Oid publish_as;

	/* Attribute numbers of publish_as that are published. */
	Bitmapset *columns;

	/*
	 * For each attribute of publish_as, where the value is in the table's own
	 * row; -1 for a dropped one.
	 */
	int *sources;

	/* The row filter; NULL: all rows are published. */
	PenstockFilter *filter;
} PenstockPublish;

/*
 * The publications of a session, by the names that its options hold.  They are
 * looked up when a table is first met, and again after any of them changed.
 */
extern PenstockPublications *penstock_publications_new(
	PenstockSession *session);

/*
 * Has the publications looked up again when they are needed next.  May be
 * called at any time, also in invalidation callbacks.
 */
extern void penstock_publications_invalidate(PenstockPublications *p);

/*
 * Whether any of the session's publications contains a table, its schema or an
 * ancestor of it.  A publication that does not exist contains nothing.
 */
extern bool penstock_publications_have(PenstockSession *session, Oid relid,
									   bool is_partition);

/*
 * Returns the operations that none of those publications publishes, as bits
 * 1 << PenstockOperation; 0 if none contains the table.
 */
extern uint32 penstock_publications_withhold(PenstockSession *session,
											 Oid relid, bool is_partition);

/*
 * Finds out what of a table is published, into *publish.  What that needs is
 * allocated in the current memory context, which must live as long.  Raises an
 * error if a publication does not exist, or if they do not agree on columns.
 */
extern void penstock_publish_resolve(PenstockSession *session,
									 Relation relation,
									 PenstockPublish *publish);

/*
 * The same for a heap into which a table is being rewritten, given that table:
 * its rows are always published as its own, whichever ancestor stands for it
 * otherwise.  Of that one, the row filter and the column list hold.
 */
extern void penstock_publish_resolve_rewrite(PenstockSession *session,
											 Relation relation,
											 PenstockPublish *publish);

/*
 * Whether a row passes the filter, and as what.  Of an insert there is only
 * new_row, of a delete only old_row; of an update old_row may be missing
 * (NULL).  An update may become an insert or a delete.  Values of the key that
 * are only in old_row are copied to new_row.
 */
extern bool penstock_filter_passes(PenstockFilter *filter,
								   PenstockOperation *operation,
								   const PenstockRow *old_row,
								   PenstockRow *new_row);

#endif /* PENSTOCK_PUBLISH_H */
