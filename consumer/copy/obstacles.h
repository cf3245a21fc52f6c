/*
 * obstacles.h
 *    What would make a clone fail half way, found before anything is written.
 */
#ifndef PENSTOCK_COPY_OBSTACLES_H
#define PENSTOCK_COPY_OBSTACLES_H

#include "base/error.h"
#include "copy/catalog.h"
#include "copy/roles.h"
#include "net/pgconn.h"

/* Fails if the role may not read all of each table. */
MUST_CHECK Rc obstacles_check_source(const CopyCatalog *catalog, PgConn *source,
									 Error *err);

/*
 * Fails if the target has something of what is to be created, or lacks
 * extensions, roles or tablespaces for it.
 */
MUST_CHECK Rc obstacles_check_target(const CopyCatalog *catalog,
									 const RestoreLimits *limits,
									 PgConn *source, PgConn *target,
									 Error *err);

#endif /* PENSTOCK_COPY_OBSTACLES_H */
