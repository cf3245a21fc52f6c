/*
 * repair_table.h
 *    The table penstock.repair on a target, which records repaired rows.
 *
 * Each row that "penstock verify --repair" has inserted, updated or deleted has
 * a row here, written in the transaction that has changed it: its key, the row
 * that the target had before, both as JSON, and the LSN of the source as of
 * which it is repaired.  Penstock never removes rows from this table.
 */
#ifndef PENSTOCK_CONTROL_REPAIR_TABLE_H
#define PENSTOCK_CONTROL_REPAIR_TABLE_H

#include "base/buf.h"
#include "model/lsn.h"

typedef struct RepairNote
{
	const char *pipeline;
	Lsn lsn;
	const char *schema;
	const char *table;
	const char *operation; /* insert, update or delete */
	const char *key;       /* JSON */
	const char *before;    /* JSON; NULL: the target had no such row */
} RepairNote;

/* Appends an INSERT of one row, to run under any search_path, without a
 * semicolon. */
void repair_table_append(Buf *sql, const RepairNote *note);

#endif /* PENSTOCK_CONTROL_REPAIR_TABLE_H */
