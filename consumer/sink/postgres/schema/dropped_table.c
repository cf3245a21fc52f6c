/*
 * dropped_table.c
 *    Queries the target for the partitions of a table.
 */
#include "sink/postgres/schema/dropped_table.h"

#include <inttypes.h>
#include <string.h>

/* Columns of the partitions that are read. */
enum
{
	PARTITION_SCHEMA,
	PARTITION_NAME,
	PARTITION_SQL, /* its name in SQL */
	PARENT_SQL,    /* name of its partitioned table in SQL */
};

static const char partitions_sql[] =
	"SELECT n.nspname, c.relname, t.relid::pg_catalog.text,"
	" t.parentrelid::pg_catalog.text"
	" FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) t"
	" JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.relid"
	" JOIN pg_catalog.pg_namespace n"
	"  ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
	" WHERE t.level OPERATOR(pg_catalog.>) 0"
	" ORDER BY t.level, n.nspname, c.relname";

static bool
is_called(const Definition *table, const char *schema, const char *name)
{
	return strcmp(table->schema, schema) == 0 && strcmp(table->name, name) == 0;
}

/* Whether a table that stays has that name, or had it: a rename may not have
 * been followed. */
static bool
stays(const DefinitionSet *known, const DefinitionSet *after,
	  const char *schema, const char *name)
{
	for (size_t i = 0; i < definition_set_count(known); i++)
	{
		const Definition *was = definition_set_at(known, i);
		const Definition *is;

		if (was->kind != DEFINITION_TABLE)
			continue;
		is = definition_set_find(after, DEFINITION_IN_CLASS, was->oid);
		if (is != NULL &&
			(is_called(was, schema, name) || is_called(is, schema, name)))
			return true;
	}
	return false;
}

static MUST_CHECK Rc
refuse(const PgConn *target, const DdlStatement *statement,
	   const PGresult *partitions, int row, const TxnInfo *txn, Error *err)
{
	const char *label = pgconn_label(target);
	const char *partition = PQgetvalue(partitions, row, PARTITION_SQL);
	Rc rc = error_set(err, ERR_CONFIG,
					  "transaction %" PRIu32 ", which ends at " LSN_FORMAT
					  ", has dropped table %s, of which %s on %s is a "
					  "partition, but the source still has that table",
					  txn->xid, LSN_ARGS(txn->end_lsn), statement->object,
					  partition, label);

	error_detail(err, "DROP TABLE would drop it, too.  Nothing of the "
					  "transaction was applied.");
	error_hint(err,
			   "On %s, run \"ALTER TABLE %s DETACH PARTITION %s\", and follow "
			   "again.",
			   label, PQgetvalue(partitions, row, PARENT_SQL), partition);
	return rc;
}

Rc
dropped_table_check(PgConn *target, const DdlStatement *statement,
					const DefinitionSet *known, const DefinitionSet *after,
					const TxnInfo *txn, Error *err)
{
	const char *params[] = {statement->object};
	PGresult *result = NULL;
	Rc rc;

	if (statement->kind != DDL_DROP ||
		statement->catalog != DEFINITION_IN_CLASS ||
		definition_set_find(after, DEFINITION_IN_CLASS, statement->oid) != NULL)
		return RC_OK;
	rc = pgconn_exec_params(target, partitions_sql, LENGTH_OF(params), params,
							&result, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
		if (stays(known, after, PQgetvalue(result, i, PARTITION_SCHEMA),
				  PQgetvalue(result, i, PARTITION_NAME)))
			rc = refuse(target, statement, result, i, txn, err);
	PQclear(result);
	return rc;
}
