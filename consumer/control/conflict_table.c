/*
 * conflict_table.c
 *    SQL on penstock.conflict.
 */
#include "control/conflict_table.h"

const char conflict_table_insert_sql[] =
	"INSERT INTO penstock.conflict (pipeline, xid, commit_lsn, schema_name,"
	" table_name, operation, policy, source_new, source_old, target_row,"
	" target_index)";
