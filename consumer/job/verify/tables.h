/*
 * tables.h
 *    The tables of a pipeline that are to be compared, as the snapshots of an
 *    anchor show them.
 */
#ifndef PENSTOCK_JOB_VERIFY_TABLES_H
#define PENSTOCK_JOB_VERIFY_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/placed.h"
#include "config/config.h"
#include "job/verify/anchor.h"
#include "verify/table.h"
#include "verify/verdict.h"

/* A column of a table, as a snapshot shows it. */
typedef struct TableAttribute
{
	const char *name;
	int number; /* pg_attribute.attnum */

	/* OID and modifier of the type or, of a domain, of its base type: a server
	 * describes the columns of a result by these. */
	uint32_t type_oid;
	int type_modifier;
	const char *type;    /* name of the type, with its modifier */
	const char *read_as; /* name of the type or, of a domain, of its base type;
						  * NULL if that is not a built-in type */
	bool is_key;         /* whether the column is in the primary key or, if
						  * there is none, in the replica identity */
} TableAttribute;

/* A table on one server. */
typedef struct TableEnd
{
	char kind;          /* pg_class.relkind; 0: the table does not exist */
	CopyTable relation; /* the table for guard.h: its names, OID and partitioned
						 * are set */
	int attribute_count;
	TableAttribute *attributes; /* columns, sorted by number */
} TableEnd;

/* A table on a target, and the verdict on it. */
typedef struct ComparedTarget
{
	TableVerdict *verdict; /* NULL: the table does not belong on this target */
	TableEnd end;
} ComparedTarget;

typedef struct ComparedTable
{
	const CopyTable *table; /* the table in the catalog */
	const PlacedTable *placed;
	TableEnd source;
	ComparedTarget *targets; /* one for each target of the configuration */
	VerifyTable statements;
} ComparedTable;

typedef struct ComparedTables
{
	CopyCatalog *catalog;
	Placed *placed;
	int count;
	ComparedTable *tables; /* largest first */
	Arena *arena;          /* holds `tables` and all that they point to, apart
							* from the catalog */
} ComparedTables;

/*
 * Reads the tables; blocks.  Sets the verdict of tables that cannot be
 * compared, or that differ in their definition.  *tables must be zeroed; the
 * caller releases it, after a failure too.
 */
MUST_CHECK Rc compared_tables_read(ComparedTables *tables, const Anchor *anchor,
								   Verdict *verdict, Error *err);

void compared_tables_release(ComparedTables *tables);

/* The sides of a table for verify/statements.h; borrow from the table. */
VerifySide compared_table_source_side(const ComparedTable *table,
									  const Config *config);
VerifySide compared_table_target_side(const ComparedTable *table, int number);

/* Whether the verdict on a table is still pending for a target. */
bool compared_table_is_pending(const ComparedTable *table, int target_count);

#endif /* PENSTOCK_JOB_VERIFY_TABLES_H */
