/*
 * members.c
 *		Looks up tables of publications, schemas and partitioned tables; see
 *		members.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_rel.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "catalogs/rows.h"
#include "compat.h"
#include "schema/members.h"

/* Returns the OIDs of the tables whose parent is this one. */
static List *
list_children(Oid parent)
{
	PenstockCatalogKey key = {
		.catalog = InheritsRelationId,
		.index = InheritsParentIndexId,
		.attnums = {Anum_pg_inherits_inhparent},
		.values = {parent},
	};
	TupleDesc desc;
	List *children = NIL;
	ListCell *cell;

	foreach (cell, penstock_read_rows(key, &desc))
	{
		Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(
			(HeapTuple) lfirst(cell));

		children = lappend_oid(children, form->inhrelid);
	}
	return children;
}

void
penstock_members_mark_partitions(PenstockObjects *objects, Oid table)
{
	List *parents = list_make1_oid(table);

	while (parents != NIL)
	{
		Oid parent = linitial_oid(parents);
		List *children = get_rel_relkind(parent) == RELKIND_PARTITIONED_TABLE
							 ? list_children(parent)
							 : NIL;
		ListCell *cell;

		foreach (cell, children)
			penstock_objects_mark_relation(objects, lfirst_oid(cell));
		parents = list_concat(list_delete_first(parents), children);
	}
}

void
penstock_members_mark_table(PenstockObjects *objects, Oid table)
{
	penstock_objects_mark_relation(objects, table);
	penstock_members_mark_partitions(objects, table);
}

/*
 * Notes the tables that a row of pg_class is about, and their partitions,
 * unless these are met anyway, with all tables.
 */
static void
mark_found(PenstockObjects *objects, Form_pg_class form, bool all_tables)
{
	if ((form->relkind != RELKIND_RELATION &&
		 form->relkind != RELKIND_PARTITIONED_TABLE) ||
		penstock_leaves_out_relation(form))
		return;
	if (all_tables)
		penstock_objects_mark_relation(objects, form->oid);
	else
		penstock_members_mark_table(objects, form->oid);
}

/* Notes the tables of a schema, or of all if it is InvalidOid. */
static void
mark_tables_in(PenstockObjects *objects, Oid namespace)
{
	bool all_tables = !OidIsValid(namespace);
	Relation catalog = table_open(RelationRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_class_relnamespace, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(namespace));
	scan = systable_beginscan(catalog, InvalidOid, false, NULL,
							  all_tables ? 0 : 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		mark_found(objects, (Form_pg_class) GETSTRUCT(tuple), all_tables);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static bool
is_of_session(const PenstockObjects *objects, const char *publication)
{
	ListCell *cell;

	foreach (cell, objects->publications)
	{
		if (strcmp(lfirst(cell), publication) == 0)
			return true;
	}
	return false;
}

void
penstock_members_mark_schema_of(PenstockObjects *objects, Oid namespace,
								Oid publication)
{
	const char *name = get_publication_name(publication, true);

	if (name == NULL || is_of_session(objects, name))
		mark_tables_in(objects, namespace);
}

/* Notes the tables that a publication names, and their partitions. */
static void
mark_named(PenstockObjects *objects, Oid publication)
{
	Relation catalog = table_open(PublicationRelRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_publication_rel_prpubid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(publication));
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		penstock_members_mark_table(
			objects, ((Form_pg_publication_rel) GETSTRUCT(tuple))->prrelid);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

void
penstock_members_mark_publication(PenstockObjects *objects, Oid publication,
								  const char *name, bool all_tables)
{
	ListCell *cell;

	if (!is_of_session(objects, name))
		return;
	if (all_tables)
		mark_tables_in(objects, InvalidOid);
	mark_named(objects, publication);
	foreach (cell, publication_schemas_compat(publication))
		mark_tables_in(objects, lfirst_oid(cell));
}
