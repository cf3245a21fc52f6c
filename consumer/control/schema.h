/*
 * schema.h
 *    The schema penstock on a target: its tables, and its version.
 *
 * What Penstock keeps on a target is in tables of this schema.  They are made
 * all at once, by the first command that writes one.  Each table has a module
 * of its own that reads and writes it: progress_table.h, table_state.h and so
 * on. No SQL outside of this directory names one of them.
 *
 * The schema has one version, in penstock.version.  A command that is about to
 * write brings an older schema up to date first.  One that only reads takes an
 * older schema as it is: what is not there yet is empty.  A schema of a newer
 * version is refused by all, because nobody can know what it relies on.  The
 * version is a number of its own, which changes only when a table does.
 */
#ifndef PENSTOCK_CONTROL_SCHEMA_H
#define PENSTOCK_CONTROL_SCHEMA_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/* Version 1 had no table of that name, and made the others one by one. */
#define CONTROL_VERSION 5

/*
 * Whether the schema has that table.  Fails with ERR_CONFIG if the schema is of
 * a newer version, or the role may not read the table.  Waits for the target.
 */
MUST_CHECK Rc control_has(PgConn *target, const char *table, bool *exists,
						  Error *err);

/*
 * Makes the schema and its tables, as far as they are not there, and brings
 * them up to date.  Waits for the target, and for others that do the same
 * there.  Must not be called in a transaction.
 */
MUST_CHECK Rc control_create(PgConn *target, Error *err);

/* Does the same where there is a schema already, and else nothing. */
MUST_CHECK Rc control_upgrade(PgConn *target, Error *err);

/*
 * Removes a pipeline's rows from all tables, in the current transaction, if
 * there is one.  Conflicts that were noted stay; so does the work list of a
 * clone, see work_list_remove().
 */
MUST_CHECK Rc control_forget(PgConn *target, const char *pipeline, Error *err);

/*
 * Drops the tables, and the schema if nothing else is in it, unless one of them
 * has a row; in the current transaction, if there is one.  Noted conflicts
 * keep only their table and the version.  Nothing is dropped if there are
 * tables that the role does not own.
 */
MUST_CHECK Rc control_tidy(PgConn *target, Error *err);

/*
 * A query whose rows say what the role lacks to make the tables, or to use
 * those that are there.  Its columns are severity, object, message, and the
 * statements that fix it.
 */
extern const char control_privileges_sql[];

#endif /* PENSTOCK_CONTROL_SCHEMA_H */
