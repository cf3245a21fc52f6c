/*
 * settings.h
 *    Compares the settings of two databases: those of ALTER DATABASE … SET and
 *    ALTER ROLE … IN DATABASE … SET.
 *
 * A clone does not copy these settings, because whoever has created the
 * target's database decides on them.  But it reports those that are missing.
 */
#ifndef PENSTOCK_CATALOG_SETTINGS_H
#define PENSTOCK_CATALOG_SETTINGS_H

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Finds the settings of the source's database that the target's database does
 * not have; blocks.  Column 0 of *result has the statements that set them on
 * the target, including those for roles that do not exist there.  The caller
 * clears *result.
 */
MUST_CHECK Rc settings_read_missing(PgConn *source, PgConn *target,
									PGresult **result, Error *err);

#endif /* PENSTOCK_CATALOG_SETTINGS_H */
