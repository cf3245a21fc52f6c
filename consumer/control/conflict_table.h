/*
 * conflict_table.h
 *    The table penstock.conflict on a target, which records conflicts.
 *
 * A conflict with policy skip or overwrite gets a row, written in the
 * transaction that applies the change.  The row has the change as the source
 * made it, and the row that the target had, both as JSON; for an insert also
 * the name of the unique index or exclusion constraint that the row violated.
 * Columns whose contents are not known are null.  Penstock never removes rows
 * from this table.
 */
#ifndef PENSTOCK_CONTROL_CONFLICT_TABLE_H
#define PENSTOCK_CONTROL_CONFLICT_TABLE_H

/*
 * The beginning of an INSERT of conflicts, which VALUES or a query must follow.
 * Its columns are pipeline, xid, commit_lsn, schema_name, table_name,
 * operation, policy, source_new, source_old, target_row and target_index.
 */
extern const char conflict_table_insert_sql[];

#endif /* PENSTOCK_CONTROL_CONFLICT_TABLE_H */
