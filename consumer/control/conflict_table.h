/*
 * conflict_table.h
 *    The table penstock.conflict on the target: every conflict that was skipped
 *    or overwritten.
 *
 * It has one row per conflict, written in the transaction that the conflict is
 * about: the change as the source made it, and the row that the target had,
 * both as JSON; of an insert also the unique index or exclusion constraint by
 * which that row was in the way.  Both are null where it is not known.  Rows
 * are never removed by us.
 */
#ifndef PENSTOCK_CONTROL_CONFLICT_TABLE_H
#define PENSTOCK_CONTROL_CONFLICT_TABLE_H

/*
 * The beginning of a statement that adds a row, up to its values or query.  The
 * columns are pipeline, xid, commit_lsn, schema_name, table_name, operation,
 * policy, source_new, source_old, target_row and target_index.
 */
extern const char conflict_table_insert_sql[];

#endif /* PENSTOCK_CONTROL_CONFLICT_TABLE_H */
