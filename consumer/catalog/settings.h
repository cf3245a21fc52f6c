/*
 * settings.h
 *    What belongs to a database as such and is in no dump of what is in it:
 *    ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET.
 *
 * They are the business of whoever made the target's database, so they are not
 * copied; but they are told.
 */
#ifndef PENSTOCK_CATALOG_SETTINGS_H
#define PENSTOCK_CATALOG_SETTINGS_H

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Reads which of the source database's settings the target's database lacks, as
 * statements for the target, which the caller clears: column 0 of *result.
 * Those of roles that the target does not have are among them.  Waits.
 */
MUST_CHECK Rc settings_read_missing(PgConn *source, PgConn *target,
									PGresult **result, Error *err);

#endif /* PENSTOCK_CATALOG_SETTINGS_H */
