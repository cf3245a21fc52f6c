/*
 * statistics.c
 *    ANALYZE, one statement a table so that none holds what another needs.
 */
#include "copy/statistics.h"

#include "copy/sql.h"

Rc
statistics_gather(const CopyCatalog *catalog, PgConn *target, Error *err)
{
	for (int i = 0; i < catalog->table_count; i++)
	{
		Buf sql;
		Rc rc;

		buf_init(&sql, BUF_TEXT_MAX);
		buf_printf(&sql, "ANALYZE %s", catalog->tables[i].qualified);
		rc = sql_run(target, &sql, NULL, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}
