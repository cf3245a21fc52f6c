/*
 * repair_table.c
 *    SQL on penstock.repair.
 */
#include "control/repair_table.h"

#include <stddef.h>

void
repair_table_append(Buf *sql, const RepairNote *note)
{
	const char *const texts[] = {note->pipeline, note->schema, note->table,
								 note->operation, note->key};

	ASSERT(note->operation != NULL && note->key != NULL);
	buf_append_string(sql, "INSERT INTO penstock.repair (pipeline, schema_name,"
						   " table_name, operation, row_key, target_row,"
						   " source_lsn) VALUES (");
	for (size_t i = 0; i < LENGTH_OF(texts); i++)
	{
		buf_append_literal(sql, texts[i]);
		buf_append_string(sql, ", ");
	}
	if (note->before != NULL)
		buf_append_literal(sql, note->before);
	else
		buf_append_string(sql, "NULL");
	buf_printf(sql, ", '" LSN_FORMAT "')", LSN_ARGS(note->lsn));
}
