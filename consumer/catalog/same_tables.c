/*
 * same_tables.c
 *    Compares the published tables of two sources.
 */
#include "catalog/same_tables.h"

#include <string.h>

/* FirstNormalObjectId: smaller OIDs are assigned by PostgreSQL itself. */
#define FIRST_OWN_OID 16384

/* Whether two columns differ in type.  Types that users have created have other
 * OIDs on each server, so two of them count as equal. */
static bool
is_other_type(const CopyColumn *a, const CopyColumn *b)
{
	return a->type_oid != b->type_oid &&
		   (a->type_oid < FIRST_OWN_OID || b->type_oid < FIRST_OWN_OID);
}

static MUST_CHECK Rc
check_columns(const CopyTable *table, const CopyTable *theirs,
			  const SameTablesSide *other, Error *err)
{
	ASSERT(strcmp(table->qualified, theirs->qualified) == 0);
	for (int i = 0; i < table->column_count; i++)
	{
		const CopyColumn *column = &table->columns[i];
		const CopyColumn *found = catalog_find_column(theirs, column->name);

		if (found == NULL)
			return error_set(err, ERR_CONFIG,
							 "column \"%s\" of table %s is not there, or not "
							 "published, on %s",
							 column->name, table->qualified, other->label);
		if (is_other_type(column, found))
			return error_set(err, ERR_CONFIG,
							 "column \"%s\" of table %s has another type on %s",
							 column->name, table->qualified, other->label);
	}
	return RC_OK;
}

/* Checks that each table of `one` whose rows come from both sources is
 * published by `other`, too. */
static MUST_CHECK Rc
check_tables(const SameTablesSide *one, const SameTablesSide *other, Error *err)
{
	ASSERT(one->catalog != other->catalog);
	for (int i = 0; i < one->catalog->table_count; i++)
	{
		const CopyTable *table = &one->catalog->tables[i];
		const PlacementRule *rule = placement_find(one->placement,
												   table->schema, table->name);
		const CopyTable *theirs = catalog_find_table(other->catalog,
													 table->qualified);
		Rc rc;

		if (rule == NULL || !rule->shared)
			continue;
		rc = theirs != NULL
				 ? check_columns(table, theirs, other, err)
				 : error_set(err, ERR_CONFIG,
							 "table %s is published by %s, and not by %s",
							 table->qualified, one->label, other->label);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

Rc
same_tables_check(const SameTablesSide *first, const SameTablesSide *other,
				  Error *err)
{
	Rc rc = check_tables(first, other, err);

	return rc == RC_OK ? check_tables(other, first, err) : rc;
}
