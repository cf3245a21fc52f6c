/*
 * tables.h
 *    What is to be compared: the tables of a pipeline, as they are in the
 *    snapshots of an anchor.
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

/* A column that the table had in the snapshot. */
typedef struct TableAttribute
{
	const char *name;
	int number; /* attnum */
	uint32_t type_oid;
	int type_modifier;
	const char *type;    /* with its modifier */
	const char *read_as; /* the same without domains, if it is built in */
	bool is_key;         /* of the primary key, or else the replica identity */
} TableAttribute;

/* The table on one server. */
typedef struct TableEnd
{
	char kind;          /* pg_class.relkind; 0: it is not there */
	CopyTable relation; /* what guard.h needs to know: name, OID, partitioned */
	int attribute_count;
	TableAttribute *attributes; /* by number */
} TableEnd;

/* A table, and what there is of it on a target. */
typedef struct ComparedTarget
{
	TableVerdict *verdict; /* NULL: it is not for this target */
	TableEnd end;
} ComparedTarget;

typedef struct ComparedTable
{
	const CopyTable *table; /* of the catalog */
	const PlacedTable *placed;
	TableEnd source;
	ComparedTarget *targets; /* one for each of the configuration */
	VerifyTable statements;
} ComparedTable;

typedef struct ComparedTables
{
	CopyCatalog *catalog;
	Placed *placed;
	int count;
	ComparedTable *tables; /* largest first */
	Arena *arena;          /* of all that is not the catalog's */
} ComparedTables;

/*
 * Reads them, and decides on the verdict of those that cannot be compared, or
 * differ already.  *tables is zeroed, and to be released also after a failure.
 * Waits.
 */
MUST_CHECK Rc compared_tables_read(ComparedTables *tables, const Anchor *anchor,
								   Verdict *verdict, Error *err);

void compared_tables_release(ComparedTables *tables);

/* Whether a table is still to be compared with any target. */
bool compared_table_is_pending(const ComparedTable *table, int target_count);

#endif /* PENSTOCK_JOB_VERIFY_TABLES_H */
