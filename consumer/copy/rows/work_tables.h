/*
 * work_tables.h
 *    A clone's work list (see work_list.h), by the tables of its catalog.
 */
#ifndef PENSTOCK_COPY_ROWS_WORK_TABLES_H
#define PENSTOCK_COPY_ROWS_WORK_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "control/work_list.h"
#include "model/lsn.h"
#include "net/pgconn.h"

/* Notes where the slot starts, and the tables. */
MUST_CHECK Rc work_tables_set(PgConn *target, const char *pipeline,
							  Lsn start_lsn, const CopyCatalog *catalog,
							  Error *err);

/*
 * Notes of how many parts the tables consist that are not done; `jobs` as for
 * data_copy().
 */
MUST_CHECK Rc work_tables_set_parts(const CopyCatalog *catalog, PgConn *target,
									const char *pipeline, int jobs, Error *err);

/*
 * Tells which of the catalog's tables are done, and how many rows those have,
 * and which are done in part.  Fails, if `strict` is set, unless catalog and
 * list have the same tables.
 */
MUST_CHECK Rc work_tables_match(CopyCatalog *catalog, PgConn *target,
								const char *pipeline, bool strict, Error *err);

/*
 * Empties the tables of which only some parts are done, or those that are done
 * as well.
 */
MUST_CHECK Rc work_tables_empty(const CopyCatalog *catalog, PgConn *target,
								const char *pipeline, bool done_too,
								Error *err);

/* Empties one table, and notes that nothing of it is done. */
MUST_CHECK Rc work_tables_empty_one(const CopyTable *table, PgConn *target,
									const char *pipeline, Error *err);

/*
 * Notes of all tables that are done, and not `noted`, that they are, with the
 * mark's position.  Fails if somebody else has taken the run over.
 */
MUST_CHECK Rc work_tables_note(const CopyCatalog *catalog, PgConn *target,
							   const WorkMark *mark, Error *err);

/*
 * Notes that a table, which is not done, is not to be copied: there is nothing
 * of it as of the mark's position.
 */
MUST_CHECK Rc work_tables_give_up(PgConn *target, const WorkMark *mark,
								  const CopyTable *table, Error *err);

/* See work_list_append_mark(). */
void work_tables_append_mark(Buf *sql, const WorkMark *mark,
							 const CopyTable *table, int64_t rows);

#endif /* PENSTOCK_COPY_ROWS_WORK_TABLES_H */
