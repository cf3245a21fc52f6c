/*
 * as_matched.h
 *    Makes sure that rows in binary format enter columns of the same types.
 *
 * match_target() looks at the target's columns once, and a copy of many tables
 * may come to one of them much later.  Somebody may alter the type of a column
 * meanwhile.  COPY in text format takes the values as the new type.  COPY in
 * binary format takes the bytes of another type for its own if their number
 * fits, such as those of bigint for double precision.
 *
 * So the types are compared twice in the transaction of the COPY.  The
 * comparison before the COPY saves the rows from being sent in vain.  The one
 * after it is the proof: the COPY has locked the table by then, so nobody has
 * altered it since the COPY began.
 */
#ifndef PENSTOCK_COPY_ROWS_AS_MATCHED_H
#define PENSTOCK_COPY_ROWS_AS_MATCHED_H

#include "base/buf.h"
#include "catalog/catalog.h"

/*
 * Appends a statement, which ends with a semicolon, and fails if a column of
 * the target's table has another type than the source's.  Appends nothing if
 * the table is copied in text format.
 *
 * The error is a serialization_failure, because the copy succeeds when it is
 * begun again, with another call of match_target().
 */
void as_matched_append_check(Buf *sql, const CopyTable *table);

#endif /* PENSTOCK_COPY_ROWS_AS_MATCHED_H */
