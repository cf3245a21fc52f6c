/*
 * sequences.h
 *    Carries the sequences' positions over.
 *
 * Sequences are not part of a transaction and not in the stream of changes, so
 * they are read as they are now rather than under the snapshot.  A follower
 * takes them along: see pipeline/sequences.h.
 */
#ifndef PENSTOCK_SEQUENCE_SEQUENCES_H
#define PENSTOCK_SEQUENCE_SEQUENCES_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "model/sequence.h"
#include "net/pgconn.h"

/*
 * Sets the sequences on the target as they are on the source: all of the
 * database if a publication is FOR ALL TABLES, else those that the catalog's
 * relations own or use.  Warns about each that the target does not have.
 * *copied says how many were set.
 */
MUST_CHECK Rc sequences_copy(const CopyCatalog *catalog, PgConn *source,
							 PgConn *target, int *copied, Error *err);

/* Fails if the role may not read all of those. */
MUST_CHECK Rc sequences_check_readable(const CopyCatalog *catalog,
									   PgConn *source, Error *err);

/*
 * Sets only those that have come farther on the source than on the target, or
 * do not give out the values of this stride (NULL: there is none).
 * `warn_absent`: about each that the target does not have.  *advanced says how
 * many were set.
 */
MUST_CHECK Rc sequences_advance(const CopyCatalog *catalog,
								const SequenceStride *stride, PgConn *source,
								PgConn *target, bool warn_absent, int *advanced,
								Error *err);

#endif /* PENSTOCK_SEQUENCE_SEQUENCES_H */
