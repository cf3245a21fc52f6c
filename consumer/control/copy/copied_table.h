/*
 * copied_table.h
 *    The table penstock.copied on a target: which tables of the source a
 *    pipeline has copied.
 *
 * Only a copied table can be followed.  A table that was left out of the copy,
 * or was published later, has rows that the target does not have; creating a
 * table of that name on the target does not change that.  There is one
 * exception.  If all tables are published, a table that was created after the
 * copy has all its rows in the stream, and is followed if the target has it
 * when its first row arrives.
 *
 * A table of the source is identified by its OID or its name: a renamed table
 * is the same table, and a table that has taken the name of another one
 * replaces it on the target.  If two copied tables have exchanged their names
 * only on the source, the target has their rows under the former names.  This
 * is recognized with target_oid, the OID that the target's table had at the
 * time of the copy.
 *
 * A row without a name holds for all tables that have no row.  A pipeline from
 * an older version has no rows; all its tables count as copied.
 */
#ifndef PENSTOCK_CONTROL_COPY_COPIED_TABLE_H
#define PENSTOCK_CONTROL_COPY_COPIED_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "control/copy/table_state.h"
#include "control/progress_table.h"
#include "model/definition.h"
#include "model/relation.h"
#include "net/pgconn.h"

/* A table of the source, and whether it was copied. */
typedef struct CopiedTable
{
	TableName name; /* name at the time of the copy */
	uint32_t oid;
	bool copied;
	uint32_t target_oid; /* OID of the target's table at the time of the copy;
						  * only set by reading; 0: not known */
} CopiedTable;

/*
 * SQL condition: pipeline $1 has copied the table with these names.  The table
 * penstock.copied must exist.
 */
#define COPIED_TABLE_HAS_SQL(schema, name)                                     \
	"EXISTS (SELECT FROM penstock.copied k WHERE k.pipeline = $1"              \
	" AND k.copied AND k.schema_name = " schema " AND k.table_name = " name    \
	")"

/*
 * SQL after tables c (pg_class) and n (pg_namespace) of a target's table: joins
 * k, with a row and the column `pipeline` for each pipeline that applies
 * changes to it.  The table penstock.copied must exist.
 */
#define COPIED_TABLE_WRITERS_SQL                                               \
	" JOIN penstock.copied k ON k.schema_name = n.nspname"                     \
	" AND k.table_name = c.relname AND k.copied"                               \
	" JOIN penstock.progress p ON p.pipeline = k.pipeline"                     \
	" AND coalesce(p.lease_holder, '') NOT IN ('" PROGRESS_PROMOTED            \
	"', '" PROGRESS_SWITCHED "')"

/* The rows of one pipeline at the time they were read. */
typedef struct CopiedTables CopiedTables;

/*
 * Begins an empty list for a pipeline, in place of an existing list, in the
 * current transaction; waits.  `newer_may_come`: all tables are published.
 */
MUST_CHECK Rc copied_table_begin(PgConn *target, const char *pipeline,
								 bool newer_may_come, Error *err);

/* Adds tables to the list if it exists, in the current transaction; waits. */
MUST_CHECK Rc copied_table_add(PgConn *target, const char *pipeline,
							   const CopiedTable *tables, int count,
							   Error *err);

/*
 * Updates the list after a schema change that was applied to the target, in the
 * current transaction; waits.  Tables that the list has by their OIDs get their
 * new names, other tables are added, and tables in `gone` are removed.  A table
 * with `copied` false is not followed from then on; true has no effect on a
 * table that the list has.  Without a list, nothing is done.
 */
MUST_CHECK Rc copied_table_follow(PgConn *target, const char *pipeline,
								  const CopiedTable *tables, int count,
								  const uint32_t *gone, int gone_count,
								  Error *err);

/*
 * Whether a table was copied, so that it may be followed: tables[0] itself, or
 * else all its partitions, which are the rest of the array.  Waits.
 */
MUST_CHECK Rc copied_table_look(PgConn *target, const char *pipeline,
								const CopiedTable *tables, int count,
								bool *copied, Error *err);

/* Whether the list has a table with that name, copied or not.  Waits. */
MUST_CHECK Rc copied_table_names(PgConn *target, const char *pipeline,
								 const TableName *table, bool *named,
								 Error *err);

/*
 * Reads the source OIDs of the tables that were copied, into the arena; empty
 * if there is no list.  Waits.
 */
MUST_CHECK Rc copied_table_oids(PgConn *target, const char *pipeline,
								Arena *arena, OidList *oids, Error *err);

/*
 * Reads a pipeline's list; waits.  *tables is owned by the caller; NULL if
 * there is no list.
 */
MUST_CHECK Rc copied_tables_read(CopiedTables **tables, PgConn *target,
								 const char *pipeline, Error *err);

/* Accepts NULL. */
void copied_tables_free(CopiedTables *tables);

/*
 * Whether the list has a table with that source OID; *copied says whether it
 * was copied.
 */
bool copied_tables_find(const CopiedTables *tables, uint32_t oid, bool *copied);

/* Whether all tables are published, so that those that are made join. */
bool copied_tables_are_all(const CopiedTables *tables);

/* What the list says about a relation in the stream. */
typedef enum CopiedVerdict
{
	COPIED_YES,     /* the relation was copied, or needs no copy: follow it */
	COPIED_RENAMED, /* copied under another name, and the target does not have
					 * the new name */
	COPIED_SWAPPED, /* copied under another name, and the target has another
					 * table with the new name */
	COPIED_NEWER,   /* created after the copy: follow it as soon as the target
					 * has it */
	COPIED_NO,
} CopiedVerdict;

/*
 * Decides with the list, and with the tables that the target had when the list
 * was read.  *table is set to the entry of the relation, or to NULL; borrowed.
 */
CopiedVerdict copied_tables_judge(const CopiedTables *tables,
								  const Relation *relation,
								  const CopiedTable **table);

#endif /* PENSTOCK_CONTROL_COPY_COPIED_TABLE_H */
