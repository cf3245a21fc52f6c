/*
 * work_tables.h
 *    Reads and writes a clone's work list (see control/copy/work_list.h) for
 * the tables of a catalog.
 *
 * All functions with an Rc query the target and block.
 */
#ifndef PENSTOCK_COPY_ROWS_WORK_TABLES_H
#define PENSTOCK_COPY_ROWS_WORK_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "control/copy/work_list.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Writes the LSN at which the slot starts, and the catalog's tables, to the
 * list. */
MUST_CHECK Rc work_tables_set(PgConn *target, const char *pipeline,
							  Lsn start_lsn, const CopyCatalog *catalog,
							  Error *err);

/*
 * Writes to the list how many parts each table has that is not `done`.  The
 * number depends on `jobs`, the maximum number of copiers.
 */
MUST_CHECK Rc work_tables_set_parts(const CopyCatalog *catalog, PgConn *target,
									const char *pipeline, int jobs, Error *err);

/*
 * Sets `done`, `begun` and `rows` of the catalog's tables as the list says.
 * With `strict`, fails unless catalog and list have the same tables; without, a
 * table that is not in the list is neither done nor begun.
 */
MUST_CHECK Rc work_tables_match(CopyCatalog *catalog, PgConn *target,
								const char *pipeline, bool strict, Error *err);

/*
 * Empties the tables that are `begun`, and with `done_too` those that are
 * `done` as well, and marks them in the list as not done.
 */
MUST_CHECK Rc work_tables_empty(const CopyCatalog *catalog, PgConn *target,
								const char *pipeline, bool done_too,
								Error *err);

/* Empties one table, and marks it in the list as not done. */
MUST_CHECK Rc work_tables_empty_one(const CopyTable *table, PgConn *target,
									const char *pipeline, Error *err);

/*
 * Marks all tables that are `done` but not `noted` as done in the list, with
 * the watermark of `mark`.  Fails if another session has claimed the run.
 */
MUST_CHECK Rc work_tables_note(const CopyCatalog *catalog, PgConn *target,
							   const WorkMark *mark, Error *err);

/*
 * Writes to the list that a table, which is not done, is not to be copied,
 * because it does not exist as of the watermark of `mark`.
 */
MUST_CHECK Rc work_tables_give_up(PgConn *target, const WorkMark *mark,
								  const CopyTable *table, Error *err);

/* Appends the statements of work_list_append_mark() for a part of a table that
 * has `rows` rows. */
void work_tables_append_mark(Buf *sql, const WorkMark *mark,
							 const CopyTable *table, int64_t rows);

#endif /* PENSTOCK_COPY_ROWS_WORK_TABLES_H */
