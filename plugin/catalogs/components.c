/*
 * components.c
 *		Looks types up without a lock; see components.h.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/typcache.h"

#include "catalogs/components.h"
#include "compat.h"

/*
 * Returns the columns of a composite type, and puts them into the server's
 * cache.  Borrowed.  It does what the cache does by itself, but takes no lock.
 * The number that distinguishes versions of the columns is one that the server
 * gives out for nothing else.
 */
static TupleDesc
get_columns(Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, 0);
	Relation relation;

	if (entry->tupDesc != NULL)
		return entry->tupDesc;
	Assert(OidIsValid(entry->typrelid));
	relation = RelationIdGetRelation(entry->typrelid);
	if (!RelationIsValid(relation))
		elog(ERROR, "could not open relation with OID %u", entry->typrelid);
	entry->tupDesc = RelationGetDescr(relation);
	entry->tupDesc->tdrefcount++;
	entry->tupDesc_identifier = assign_record_type_identifier(RECORDOID, -1);
	RelationClose(relation);
	return entry->tupDesc;
}

static void
add_type(List **types, Oid type)
{
	if (type >= FirstNormalObjectId)
		*types = list_append_unique_oid(*types, type);
}

static void
add_columns(List **types, Oid type)
{
	TupleDesc columns = get_columns(type);

	for (int i = 0; i < columns->natts; i++)
	{
		if (!TupleDescAttr(columns, i)->attisdropped)
			add_type(types, TupleDescAttr(columns, i)->atttypid);
	}
}

List *
penstock_components_list(Oid type)
{
	List *types = list_make1_oid(type);

	Assert(OidIsValid(type));

	/* The list grows while it is read. */
	for (int i = 0; i < list_length(types); i++)
	{
		Oid base = getBaseType(list_nth_oid(types, i));
		Assert(OidIsValid(base));

		lfirst_oid(list_nth_cell(types, i)) = base;
		switch (get_typtype(base))
		{
			case TYPTYPE_COMPOSITE:
				add_columns(&types, base);
				break;
			case TYPTYPE_RANGE:
				add_type(&types, get_range_subtype(base));
				break;
			default:
				add_type(&types, get_element_type(base));
				add_type(&types, range_of_multirange_compat(base));
				break;
		}
	}
	return types;
}

void
penstock_components_load(Oid type)
{
	if (type >= FirstNormalObjectId)
		list_free(penstock_components_list(type));
}

bool
penstock_components_have_rows(Oid type)
{
	List *types = penstock_components_list(type);
	ListCell *cell;

	foreach (cell, types)
	{
		if (get_typtype(lfirst_oid(cell)) == TYPTYPE_COMPOSITE)
			return true;
	}
	return false;
}
