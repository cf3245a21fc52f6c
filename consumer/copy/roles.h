/*
 * roles.h
 *    What a target lacks of the roles and tablespaces that the source's objects
 *    refer to.  They belong to the cluster and are not in a dump, and a restore
 *    fails on the first object that names one which is not there.
 */
#ifndef PENSTOCK_COPY_ROLES_H
#define PENSTOCK_COPY_ROLES_H

#include <stdbool.h>

#include "base/error.h"
#include "copy/catalog.h"
#include "net/pgconn.h"

typedef struct RestoreLimits
{
	bool no_owner;       /* leave out owners and privileges */
	bool no_tablespaces; /* put everything into the default tablespace */
	bool no_comments_on_extensions; /* only their owners may write those */
} RestoreLimits;

/*
 * Compares source and target, and warns, if `warn` is set, about what a restore
 * must leave out.
 * The role that is connected to the target matters too: it can give an object
 * only to a role that it is a member of.
 */
MUST_CHECK Rc roles_read_limits(RestoreLimits *limits,
								const CopyCatalog *catalog, PgConn *source,
								PgConn *target, bool warn, Error *err);

#endif /* PENSTOCK_COPY_ROLES_H */
