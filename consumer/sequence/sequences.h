/*
 * sequences.h
 *    Sets all sequences of a target once, for a clone and other commands.
 *
 * Sequences are neither transactional nor in the stream of changes, so their
 * current values are read, not those of a snapshot.  While a pipeline is
 * followed, pipeline/beside/sequences.h keeps them up to date.
 */
#ifndef PENSTOCK_SEQUENCE_SEQUENCES_H
#define PENSTOCK_SEQUENCE_SEQUENCES_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "model/sequence.h"
#include "net/pgconn.h"

/*
 * Sets the sequences of the target to the values of the source's: if a
 * publication is FOR ALL TABLES, all sequences of the database, else those that
 * the catalog's relations own or use.  Logs a warning for each that does not
 * exist on the target.  *copied is the number of sequences that were set.
 * Waits for both servers.
 */
MUST_CHECK Rc sequences_copy(const CopyCatalog *catalog, PgConn *source,
							 PgConn *target, int *copied, Error *err);

/*
 * Checks that our role may read these sequences on the source; otherwise
 * RC_FAIL with ERR_CONFIG.  Waits for the source.
 */
MUST_CHECK Rc sequences_check_readable(const CopyCatalog *catalog,
									   PgConn *source, Error *err);

/*
 * Sets only sequences that are further on the source than on the target, or
 * that do not return the values of the stride (NULL: none).  `warn_missing`:
 * log a warning for each that does not exist on the target.  *advanced is the
 * number of sequences that were set.  Waits for both servers.
 */
MUST_CHECK Rc sequences_advance(const CopyCatalog *catalog,
								const SequenceStride *stride, PgConn *source,
								PgConn *target, bool warn_missing,
								int *advanced, Error *err);

/*
 * Like sequences_advance(), but sets sequences beyond the source's by a margin
 * (sequence_margin()), because sessions of the source may still draw values.
 * Fails if that is not possible for a sequence which both servers have.
 */
MUST_CHECK Rc sequences_advance_beyond(const CopyCatalog *catalog,
									   const SequenceStride *stride,
									   PgConn *source, PgConn *target,
									   int *advanced, Error *err);

#endif /* PENSTOCK_SEQUENCE_SEQUENCES_H */
