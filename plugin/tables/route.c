/*
 * route.c
 *		Computes distribution hashes; see route.h.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/hash.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "partitioning/partbounds.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalogs/components.h"
#include "catalogs/lookup.h"
#include "catalogs/newest.h"
#include "session/table_lists.h"
#include "tables/route.h"


/* ---- a table ---- */

static void
raise_no_column(const PenstockRelInfo *info, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\", by which table %s is distributed, is not "
					"published or does not exist",
					column, info->name),
			 errhint("If it was renamed, give both names: NEW formerly OLD.")));
}

/* The column with the attnum has, at this position, none of the names. */
static void
raise_other_name(const PenstockRelInfo *info, const char *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the column by which table %s is distributed has the name "
					"\"%s\", which is not one of those given",
					info->name, other),
			 errhint("Give it as well, newer names first: NEW formerly OLD.")));
}

static void
raise_two_columns(const PenstockRelInfo *info, const char *one,
				  const char *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_COLUMN),
			 errmsg("by which of the columns \"%s\" and \"%s\" table %s is "
					"distributed cannot be told",
					one, other, info->name),
			 errhint("Leave out the name of the other one.")));
}

/* The extended hash function that PARTITION BY HASH would use for a type. */
static Oid
find_hash_function(const PenstockRelInfo *info, const char *column, Oid type)
{
	Oid opclass = GetDefaultOpClass(type, HASH_AM_OID);
	Oid function = InvalidOid;

	if (OidIsValid(opclass))
	{
		Oid input_type = get_opclass_input_type(opclass);

		function = get_opfamily_proc(get_opclass_family(opclass), input_type,
									 input_type, HASHEXTENDED_PROC);
	}
	if (!OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("column \"%s\", by which table %s is distributed, "
						"cannot be hashed",
						column, info->name),
				 errdetail("Its type %s has no default operator class for hash "
						   "with an extended hash function.",
						   format_type_be(type))));
	return function;
}

static bool
has_name(const List *names, const char *name)
{
	ListCell *cell;

	foreach (cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

/* Fills in the column of the route with that index: column `i` of the table's
 * shape, whose attribute is `attr`. */
static void
init_column(PenstockRoute *route, int index, const PenstockRelInfo *info, int i,
			Form_pg_attribute attr)
{
	Assert(index < route->ncolumns && i < info->full.ncolumns);
	route->columns[index] = info->full.columns[i];
	route->attnums[index] = attr->attnum;
	route->collations[index] = attr->attcollation;
	fmgr_info_cxt(
		find_hash_function(info, NameStr(attr->attname), attr->atttypid),
		&route->functions[index], CurrentMemoryContext);
}

/*
 * Finds the column, by its attnum if that is told for this table, and by its
 * names otherwise, and fills it in.
 */
static void
find_column(PenstockRoute *route, int index, const PenstockRelInfo *info,
			const PenstockDistributionColumn *column, uint32 wanted,
			Relation target)
{
	TupleDesc desc = RelationGetDescr(target);
	Form_pg_attribute found = NULL;
	int attnum = -1;

	Assert(column->names != NIL);
	for (int i = 0; i < info->full.ncolumns; i++)
	{
		Form_pg_attribute attr;

		attnum = bms_next_member(info->publish.columns, attnum);
		Assert(attnum > 0 && attnum <= desc->natts);
		attr = TupleDescAttr(desc, attnum - 1);
		if (wanted != 0 ? (uint32) attnum != wanted
						: !has_name(column->names, NameStr(attr->attname)))
			continue;
		if (!has_name(column->names, NameStr(attr->attname)))
			raise_other_name(info, NameStr(attr->attname));
		if (found != NULL)
			raise_two_columns(info, NameStr(found->attname),
							  NameStr(attr->attname));
		init_column(route, index, info, i, attr);
		found = attr;
	}
	if (found == NULL)
		raise_no_column(info, linitial(column->names));
}

/* What a table's route is made from; and the route. */
typedef struct RouteLookup
{
	const PenstockDistribution *distribution;
	const PenstockRelInfo *info;
	Relation target;
	PenstockRoute *route;
} RouteLookup;

static void
init_columns(void *arg)
{
	RouteLookup *lookup = arg;
	bool is_meant = lookup->distribution->oid ==
					RelationGetRelid(lookup->target);
	ListCell *cell;

	Assert(list_length(lookup->distribution->columns) ==
		   lookup->route->ncolumns);
	foreach (cell, lookup->distribution->columns)
	{
		const PenstockDistributionColumn *column = lfirst(cell);

		find_column(lookup->route, foreach_current_index(cell), lookup->info,
					column, is_meant ? column->attnum : 0, lookup->target);
	}
}

PenstockRoute *
penstock_route_new(PenstockSession *session, const PenstockRelInfo *info,
				   Relation target)
{
	const List *distributions = session->options.distribution;
	const PenstockDistribution *distribution;
	PenstockName name;
	RouteLookup lookup = {.info = info, .target = target};
	PenstockRoute *route;
	Size n;

	if (distributions == NIL)
		return NULL;
	name = penstock_newest_name(session, RelationRelationId,
								RelationGetRelid(target));
	distribution = name.schema == NULL
					   ? NULL
					   : penstock_find_distribution(distributions, name.schema,
													name.name);
	if (distribution == NULL)
		return NULL;

	n = (Size) list_length(distribution->columns);
	Assert(n > 0 && n <= PARTITION_MAX_KEYS);
	route = palloc0(sizeof(PenstockRoute));
	route->ncolumns = (int) n;
	route->columns = palloc0(n * sizeof(PenstockColumn *));
	route->attnums = palloc0(n * sizeof(int));
	route->functions = palloc0(n * sizeof(FmgrInfo));
	route->collations = palloc0(n * sizeof(Oid));
	route->values = palloc0(n * sizeof(Datum));
	route->nulls = palloc0(n * sizeof(bool));
	lookup.distribution = distribution;
	lookup.route = route;
	penstock_lookup(init_columns, &lookup);
	return route;
}

const char *
penstock_route_column_outside_key(const PenstockRoute *route)
{
	Assert(route->ncolumns > 0);
	for (int i = 0; i < route->ncolumns; i++)
	{
		if (!route->columns[i]->key)
			return route->columns[i]->writer.column;
	}
	return NULL;
}


/* ---- a row ---- */

static bool
is_unchanged(const PenstockRow *row, const PenstockColumn *column)
{
	return row->maybe_external && column->typlen == -1 &&
		   !row->nulls[column->source] &&
		   VARATT_IS_EXTERNAL_ONDISK(
			   DatumGetPointer(row->values[column->source]));
}

/* The values that are hashed are in the route already. */
typedef struct HashLookup
{
	const PenstockRoute *route;
	uint64 hash;
} HashLookup;

static void
hash_values(void *arg)
{
	HashLookup *lookup = arg;
	const PenstockRoute *route = lookup->route;

	Assert(route->ncolumns > 0);
	for (int i = 0; i < route->ncolumns; i++)
		penstock_components_load(route->columns[i]->writer.type);
	lookup->hash = compute_partition_hash_value(
		route->ncolumns, route->functions, route->collations, route->values,
		route->nulls);
}

uint64
penstock_route_hash(const PenstockRoute *route, const PenstockRow *row,
					const PenstockRow *old_row)
{
	HashLookup lookup = {.route = route};

	Assert(row != NULL);
	for (int i = 0; i < route->ncolumns; i++)
	{
		const PenstockColumn *column = route->columns[i];
		const PenstockRow *from = row;

		if (unlikely(is_unchanged(row, column)))
		{
			/* It is in the key, and such a key is in the WAL as a whole. */
			if (old_row == NULL || is_unchanged(old_row, column))
				elog(ERROR,
					 "value of column \"%s\" of table %s is not in the WAL",
					 column->writer.column, column->writer.table);
			from = old_row;
		}
		Assert(from != NULL);
		route->values[i] = from->values[column->source];
		route->nulls[i] = from->nulls[column->source];
	}
	penstock_lookup(hash_values, &lookup);
	return lookup.hash;
}
