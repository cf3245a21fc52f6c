/*
 * roles.h
 *    Checks that the roles and tablespaces to which the source's objects refer
 *    exist on a target.  Roles and tablespaces belong to the cluster, so a dump
 *    of a database does not contain them, and pg_restore fails on the first
 *    object that refers to a missing one.
 */
#ifndef PENSTOCK_COPY_SCHEMA_ROLES_H
#define PENSTOCK_COPY_SCHEMA_ROLES_H

#include <stdbool.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "net/pgconn.h"

/* What pg_restore is to leave out. */
typedef struct RestoreLimits
{
	bool no_owner;
	bool no_privileges;
	bool no_tablespaces; /* create everything in the default tablespace */
	bool no_comments_on_extensions; /* only an extension's owner can write its
									 * comment */
} RestoreLimits;

/*
 * Fails if a role or a tablespace that pg_restore would use does not exist on
 * the target, or if the role that we are connected as cannot use it: it can
 * make a role the owner of an object only if it is a member of that role.
 * Blocks.
 */
MUST_CHECK Rc roles_check(const RestoreLimits *limits,
						  const CopyCatalog *catalog, PgConn *source,
						  PgConn *target, Error *err);

/* Sets the limits that depend on the role that we are connected to the target
 * as.  Blocks. */
MUST_CHECK Rc roles_read_limits(RestoreLimits *limits, PgConn *target,
								Error *err);

#endif /* PENSTOCK_COPY_SCHEMA_ROLES_H */
