/*
 * roles.h
 *    What a target lacks of the roles and tablespaces that the source's objects
 *    refer to.  They belong to the cluster and are not in a dump, and a restore
 *    fails on the first object that names one which does not exist.
 */
#ifndef PENSTOCK_COPY_SCHEMA_ROLES_H
#define PENSTOCK_COPY_SCHEMA_ROLES_H

#include <stdbool.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "net/pgconn.h"

/* What of a dump is not to be restored. */
typedef struct RestoreLimits
{
	bool no_owner;
	bool no_privileges;
	bool no_tablespaces; /* put everything into the default tablespace */
	bool no_comments_on_extensions; /* only their owners may write those */
} RestoreLimits;

/*
 * Fails if the target lacks a role or a tablespace that is to be restored.
 * The role that is connected there matters too: it can give an object only to a
 * role that it is a member of.
 */
MUST_CHECK Rc roles_check(const RestoreLimits *limits,
						  const CopyCatalog *catalog, PgConn *source,
						  PgConn *target, Error *err);

/* Sets those limits that depend on the role that is connected to the target. */
MUST_CHECK Rc roles_read_limits(RestoreLimits *limits, PgConn *target,
								Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_ROLES_H */
