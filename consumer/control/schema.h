/*
 * schema.h
 *    The schema penstock on a target: its tables, and its version.
 *
 * Everything that Penstock stores on a target is in tables of this schema.
 * They are created together, by the first command that writes one.  Each table
 * has a module that reads and writes it: progress_table.h, table_state.h and so
 * on.  SQL outside of this directory does not use these tables.
 *
 * The schema has one version, in penstock.version.  A command that writes
 * upgrades an older schema first.  A command that only reads accepts an older
 * schema; tables that it lacks count as empty.  A newer schema is refused by
 * all commands.  The version is independent of the program's version, and
 * changes only when a table does.
 */
#ifndef PENSTOCK_CONTROL_SCHEMA_H
#define PENSTOCK_CONTROL_SCHEMA_H

#include <stdbool.h>

#include "base/error.h"
#include "net/pgconn.h"

/*
 * Current version.  Version 1 had no table penstock.version, and created the
 * other tables one by one.
 */
#define CONTROL_VERSION 12

/*
 * Whether the schema has that table.  RC_FAIL with ERR_CONFIG: the schema is
 * newer, or our role may not read the table.  Waits.
 */
MUST_CHECK Rc control_has(PgConn *target, const char *table, bool *exists,
						  Error *err);

/*
 * Creates the schema and missing tables, and upgrades existing ones.  Waits for
 * the target, and for other processes that do the same.  Must not be called in
 * a transaction.
 */
MUST_CHECK Rc control_create(PgConn *target, Error *err);

/*
 * Upgrades existing tables as control_create() does; creates nothing if the
 * schema has no tables.
 */
MUST_CHECK Rc control_upgrade(PgConn *target, Error *err);

/*
 * Removes a pipeline's rows from all tables, in the current transaction if
 * there is one.  Recorded conflicts and repairs stay, and so does the work list
 * of a clone (see work_list_remove()).  Waits.
 */
MUST_CHECK Rc control_forget(PgConn *target, const char *pipeline, Error *err);

/*
 * Drops the tables if none has a row, and the schema if nothing else is in it;
 * in the current transaction if there is one.  Recorded conflicts and
 * repairs keep only their tables and the version from being dropped.  Nothing
 * is dropped if there are tables that our role does not own.  Waits.
 */
MUST_CHECK Rc control_tidy(PgConn *target, Error *err);

/*
 * A query for privileges that our role needs to create or use the tables, and
 * does not have.  Columns: severity, object, message, statements that fix it.
 */
extern const char control_privileges_sql[];

#endif /* PENSTOCK_CONTROL_SCHEMA_H */
