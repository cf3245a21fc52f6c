/*
 * tables.h
 *    The tables whose writes are moved, and whether they can be moved.
 */
#ifndef PENSTOCK_JOB_SWITCH_TABLES_H
#define PENSTOCK_JOB_SWITCH_TABLES_H

#include "base/buf.h"
#include "base/error.h"
#include "job/switch/state.h"

/*
 * Reads the published tables (self->catalog) and the tables to move
 * (self->tables) from the source, in place of what was read before; blocks.
 */
MUST_CHECK Rc switch_tables_read(Switch *self, Error *err);

/*
 * Sets *same to whether the source still has the same tables to move; blocks.
 */
MUST_CHECK Rc switch_tables_compare(Switch *self, bool *same, Error *err);

/*
 * Checks both servers: RC_FAIL with ERR_CONFIG if a table cannot be moved as it
 * is; the detail names all that were found, up to a limit.  Reports objects
 * that stay bound to the tables of the source.  Blocks.
 */
MUST_CHECK Rc switch_tables_check(Switch *self, Error *err);

/* Do the parts of switch_tables_check() that check one server; block. */
MUST_CHECK Rc switch_tables_check_source(const Switch *self, Error *err);
MUST_CHECK Rc switch_tables_check_target(const Switch *self, Error *err);

/* Appends the names of the tables as a JSON array. */
void switch_tables_append_names(const Switch *self, Buf *buf);

#endif /* PENSTOCK_JOB_SWITCH_TABLES_H */
