/*
 * catalog_row.c
 *		Reads rows of catalogs; see catalog_row.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_init_privs.h"
#include "catalog/pg_largeobject.h"
#include "catalog/pg_largeobject_metadata.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_range.h"
#include "catalog/pg_replication_origin.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_seclabel.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_shdepend.h"
#include "catalog/pg_shdescription.h"
#include "catalog/pg_shseclabel.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_statistic_ext_data.h"
#include "catalog/pg_subscription_rel.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_config_map.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "schema/catalog_row.h"
#include "schema/members.h"

/* Whether two versions of a catalog row have the same value in a column. */
static bool
is_same(Relation catalog, HeapTuple a, HeapTuple b, AttrNumber attnum)
{
	TupleDesc desc = RelationGetDescr(catalog);
	Form_pg_attribute attr = TupleDescAttr(desc, attnum - 1);
	bool a_isnull;
	bool b_isnull;
	Datum a_value = heap_getattr(a, attnum, desc, &a_isnull);
	Datum b_value = heap_getattr(b, attnum, desc, &b_isnull);

	if (a_isnull || b_isnull)
		return a_isnull == b_isnull;
	return datumIsEqual(a_value, b_value, attr->attbyval, attr->attlen);
}

static bool
is_same_row(Relation catalog, HeapTuple a, HeapTuple b)
{
	for (AttrNumber i = 1; i <= RelationGetNumberOfAttributes(catalog); i++)
	{
		if (!is_same(catalog, a, b, i))
			return false;
	}
	return true;
}

static bool
has_value(Relation catalog, HeapTuple tuple, AttrNumber attnum)
{
	bool isnull;

	(void) heap_getattr(tuple, attnum, RelationGetDescr(catalog), &isnull);
	return !isnull;
}

/* The columns of a catalog that hold an object's owner and privileges. */
typedef struct OwnerColumns
{
	AttrNumber owner;
	AttrNumber privileges;
} OwnerColumns;

/*
 * Notes that the owner or the privileges of an object have changed, if they
 * have, and returns whether they have.  A command that changes these changes
 * nothing else of the object, so then there is no other change to look for.
 * `old` is NULL if the object is new.
 */
static bool
note_owner(PenstockObjects *objects, Relation catalog, HeapTuple old,
		   HeapTuple tuple, Oid oid, OwnerColumns columns)
{
	PenstockObjectKey key = {.catalog = RelationGetRelid(catalog), .oid = oid};
	bool noted = false;

	if (old == NULL)
	{
		key.part = PENSTOCK_PART_PRIVILEGES;
		if (has_value(catalog, tuple, columns.privileges))
			penstock_objects_mark_part(objects, key);
		return false;
	}
	if (!is_same(catalog, old, tuple, columns.owner))
	{
		key.part = PENSTOCK_PART_OWNER;
		penstock_objects_mark_part(objects, key);
		noted = true;
	}
	else if (!is_same(catalog, old, tuple, columns.privileges))
	{
		key.part = PENSTOCK_PART_PRIVILEGES;
		penstock_objects_mark_part(objects, key);
		noted = true;
	}
	return noted;
}

/*
 * Returns the qualified name from the row of a dropped object; NULL: objects of
 * its kind have no name.
 */
static char *
qualified_name(Relation catalog, HeapTuple tuple)
{
	Oid catalog_oid = RelationGetRelid(catalog);
	AttrNumber name_attnum;
	AttrNumber namespace_attnum;
	const char *schema = NULL;
	bool isnull;
	Datum name;

	if (!is_objectclass_supported(catalog_oid))
		return NULL;
	name_attnum = get_object_attnum_name(catalog_oid);
	namespace_attnum = get_object_attnum_namespace(catalog_oid);
	if (name_attnum == InvalidAttrNumber)
		return NULL;
	name = heap_getattr(tuple, name_attnum, RelationGetDescr(catalog), &isnull);
	if (namespace_attnum != InvalidAttrNumber)
		schema = get_namespace_name(DatumGetObjectId(heap_getattr(
			tuple, namespace_attnum, RelationGetDescr(catalog), &isnull)));
	return quote_qualified_identifier(schema, NameStr(*DatumGetName(name)));
}

/*
 * Whether two versions of a pg_class row differ in anything that the definition
 * of a table in the stream has.
 */
static bool
is_told_of_class(Relation catalog, HeapTuple old, HeapTuple tuple)
{
	Form_pg_class a = (Form_pg_class) GETSTRUCT(old);
	Form_pg_class b = (Form_pg_class) GETSTRUCT(tuple);

	return strcmp(NameStr(a->relname), NameStr(b->relname)) != 0 ||
		   a->relnamespace != b->relnamespace || a->reloftype != b->reloftype ||
		   a->relam != b->relam || a->relkind != b->relkind ||
		   a->relpersistence != b->relpersistence ||
		   a->relnatts != b->relnatts ||
		   a->relrowsecurity != b->relrowsecurity ||
		   a->relforcerowsecurity != b->relforcerowsecurity ||
		   a->relreplident != b->relreplident ||
		   a->relispartition != b->relispartition ||
		   !is_same(catalog, old, tuple, Anum_pg_class_reloptions) ||
		   !is_same(catalog, old, tuple, Anum_pg_class_relpartbound);
}

/*
 * Records what a row of pg_class says of a heap into which a table is being
 * rewritten; see the last fields of PenstockObject.
 */
static void
note_rewriting_heap(PenstockObject *object, HeapTuple old, HeapTuple tuple,
					PenstockRowEvent event)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	bool is_logged = form->relpersistence == RELPERSISTENCE_PERMANENT;

	object->rewritten_table = form->relrewrite;
	if (is_logged)
		object->was_logged = true;
	else if (old != NULL && ((Form_pg_class) GETSTRUCT(old))->relpersistence ==
								RELPERSISTENCE_PERMANENT)
		object->made_logged = true;
	if (event == PENSTOCK_ROW_DELETED &&
		ItemPointerEquals(&tuple->t_data->t_ctid, &tuple->t_self))
		object->ended_unlogged = !is_logged;
}

/*
 * Whether a relation has an owner of its own.  The owner of an index is that of
 * its table.
 */
static bool
has_owner(Form_pg_class form)
{
	return form->relkind != RELKIND_INDEX &&
		   form->relkind != RELKIND_PARTITIONED_INDEX;
}

static void
note_class(PenstockObjects *objects, Relation catalog, HeapTuple old,
		   HeapTuple tuple, PenstockRowEvent event)
{
	static const OwnerColumns columns = {Anum_pg_class_relowner,
										 Anum_pg_class_relacl};
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	PenstockObject *object;

	if (form->oid < FirstNormalObjectId)
		return;
	object = penstock_objects_note(objects, RelationRelationId, form->oid,
								   event);
	object->left_out = penstock_leaves_out_relation(form);
	object->namespace = form->relnamespace;
	object->relkind = form->relkind;
	object->row_type = form->reltype;
	if (OidIsValid(form->relrewrite))
		note_rewriting_heap(object, old, tuple, event);
	if (event == PENSTOCK_ROW_DELETED)
		object->name = qualified_name(catalog, tuple);
	if (object->left_out || event == PENSTOCK_ROW_REPLACED)
		return;
	if (event == PENSTOCK_ROW_DELETED ||
		(!(has_owner(form) &&
		   note_owner(objects, catalog, old, tuple, form->oid, columns)) &&
		 (old == NULL || is_told_of_class(catalog, old, tuple))))
		object->changed = true;
	if (old != NULL &&
		form->relnamespace != ((Form_pg_class) GETSTRUCT(old))->relnamespace)
		penstock_members_mark_partitions(objects, form->oid);
}

static void
note_attribute(PenstockObjects *objects, Relation catalog, HeapTuple old,
			   HeapTuple tuple)
{
	Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(tuple);
	PenstockObjectKey key = {.catalog = RelationRelationId,
							 .oid = form->attrelid,
							 .column = form->attnum,
							 .part = PENSTOCK_PART_PRIVILEGES};

	if (form->attnum <= 0)
		return;
	if (old != NULL && !is_same(catalog, old, tuple, Anum_pg_attribute_attacl))
		penstock_objects_mark_part(objects, key);
	else if (old == NULL || !is_same_row(catalog, old, tuple))
		penstock_objects_mark_relation(objects, form->attrelid);
}

static void
note_type(PenstockObjects *objects, Relation catalog, HeapTuple old,
		  HeapTuple tuple, PenstockRowEvent event)
{
	static const OwnerColumns columns = {Anum_pg_type_typowner,
										 Anum_pg_type_typacl};
	Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);
	PenstockObject *object;

	if (form->oid < FirstNormalObjectId || !penstock_is_type_of_its_own(form))
		return;
	object = penstock_objects_note(objects, TypeRelationId, form->oid, event);
	object->left_out = penstock_leaves_out_namespace(form->typnamespace);
	object->namespace = form->typnamespace;
	object->relkind = form->typtype;
	if (event == PENSTOCK_ROW_DELETED)
		object->name = qualified_name(catalog, tuple);
	if (object->left_out || event == PENSTOCK_ROW_REPLACED)
		return;
	if (event == PENSTOCK_ROW_DELETED ||
		!note_owner(objects, catalog, old, tuple, form->oid, columns))
		object->changed = true;
}

static void
note_namespace(PenstockObjects *objects, Relation catalog, HeapTuple old,
			   HeapTuple tuple, PenstockRowEvent event)
{
	static const OwnerColumns columns = {Anum_pg_namespace_nspowner,
										 Anum_pg_namespace_nspacl};
	Form_pg_namespace form = (Form_pg_namespace) GETSTRUCT(tuple);
	PenstockObject *object = penstock_objects_note(objects, NamespaceRelationId,
												   form->oid, event);

	object->left_out = penstock_leaves_out_schema(NameStr(form->nspname));
	if (object->left_out || event == PENSTOCK_ROW_REPLACED)
		return;
	if (event == PENSTOCK_ROW_DELETED ||
		!note_owner(objects, catalog, old, tuple, form->oid, columns))
		object->changed = true;
}

static void
note_depend(PenstockObjects *objects, HeapTuple tuple)
{
	Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

	if (form->deptype == DEPENDENCY_EXTENSION)
		penstock_objects_get(objects, form->classid, form->objid)
			->member = true;

	/*
	 * The server has made the object for another one, as it makes the
	 * constructor functions of a range type.
	 */
	else if (form->deptype == DEPENDENCY_INTERNAL &&
			 (form->classid == ProcedureRelationId ||
			  form->classid == CastRelationId))
		penstock_objects_get(objects, form->classid, form->objid)
			->internal = true;

	/* A sequence has become owned by a column. */
	else if (form->classid == RelationRelationId && form->objsubid == 0 &&
			 form->refclassid == RelationRelationId && form->refobjsubid > 0)
		penstock_objects_mark_relation(objects, form->objid);
}

/*
 * Records a change of a comment or security label.  The catalogs of comments
 * and labels have rows about objects of all other catalogs.
 */
static void
note_comment(PenstockObjects *objects, Oid catalog, Oid oid, int32 column,
			 PenstockPart part)
{
	penstock_objects_mark_part(objects, (PenstockObjectKey){.catalog = catalog,
															.oid = oid,
															.column = column,
															.part = part});
}

/*
 * Returns the schema of an object, from the row that stands for the object;
 * InvalidOid: objects of its kind are in no schema.
 */
static Oid
namespace_of(Relation catalog, HeapTuple tuple)
{
	Oid catalog_oid = RelationGetRelid(catalog);
	AttrNumber attnum = InvalidAttrNumber;
	bool isnull;

	if (is_objectclass_supported(catalog_oid))
		attnum = get_object_attnum_namespace(catalog_oid);
	if (attnum == InvalidAttrNumber)
		return InvalidOid;
	return DatumGetObjectId(
		heap_getattr(tuple, attnum, RelationGetDescr(catalog), &isnull));
}

static char *
name_of_gone(Relation catalog, HeapTuple tuple, Oid relation)
{
	char *name = qualified_name(catalog, tuple);
	const char *relation_name = get_rel_name(relation);

	if (name == NULL || relation_name == NULL)
		return name;
	return psprintf(
		"%s on %s", name,
		quote_qualified_identifier(
			get_namespace_name(get_rel_namespace(relation)), relation_name));
}

/*
 * Records a row of a catalog for which this file has no function of its own.
 * The changed object is the one that the row's OID stands for; if the catalog
 * has no OIDs, it is the catalog as a whole.
 */
static void
note_other(PenstockObjects *objects, Relation catalog, HeapTuple tuple,
		   PenstockRowEvent event, Oid relation)
{
	TupleDesc desc = RelationGetDescr(catalog);
	Oid oid = InvalidOid;
	PenstockObject *object;

	if (strcmp(NameStr(TupleDescAttr(desc, 0)->attname), "oid") == 0)
	{
		bool isnull;

		oid = DatumGetObjectId(heap_getattr(tuple, 1, desc, &isnull));
		if (oid < FirstNormalObjectId)
			return;
		object = penstock_objects_note(objects, RelationGetRelid(catalog), oid,
									   event);
		object->namespace = namespace_of(catalog, tuple);
		object->left_out = penstock_leaves_out_namespace(object->namespace);
		if (object->removed)
			object->name = name_of_gone(catalog, tuple, relation);
	}
	else
		object = penstock_objects_get(objects, RelationGetRelid(catalog), oid);
	object->relation = relation;
	object->changed = true;
}

static void
note_rule(PenstockObjects *objects, Relation catalog, HeapTuple tuple,
		  PenstockRowEvent event)
{
	Form_pg_rewrite form = (Form_pg_rewrite) GETSTRUCT(tuple);

	if (strcmp(NameStr(form->rulename), "_RETURN") == 0)
		penstock_objects_mark_relation(objects, form->ev_class);
	else
		note_other(objects, catalog, tuple, event, form->ev_class);
}

/*
 * Whether a publication may have taken the place of one that had other tables:
 * it was created, has got its name, or was for all tables.  As long as there is
 * none of a name, no rows are sent, so that nothing is told when one is
 * dropped.
 */
static bool
has_new_tables(HeapTuple old, Form_pg_publication form)
{
	Form_pg_publication was;

	if (old == NULL)
		return true;
	was = (Form_pg_publication) GETSTRUCT(old);
	return was->puballtables ||
		   strcmp(NameStr(was->pubname), NameStr(form->pubname)) != 0;
}

/* Records a publication; what it publishes may be of other kinds now. */
static void
note_publication(PenstockObjects *objects, Relation catalog, HeapTuple old,
				 HeapTuple tuple, PenstockRowEvent event)
{
	Form_pg_publication form = (Form_pg_publication) GETSTRUCT(tuple);
	PenstockObjectKey key = {.catalog = RelationGetRelid(catalog),
							 .oid = form->oid,
							 .part = PENSTOCK_PART_OWNER};

	if (event == PENSTOCK_ROW_REPLACED)
		penstock_objects_note(objects, RelationGetRelid(catalog), form->oid,
							  event);
	else if (old != NULL &&
			 !is_same(catalog, old, tuple, Anum_pg_publication_pubowner))
		penstock_objects_mark_part(objects, key);
	else
	{
		note_other(objects, catalog, tuple, event, InvalidOid);
		if (event == PENSTOCK_ROW_INSERTED)
			penstock_members_mark_publication(
				objects, form->oid, NameStr(form->pubname),
				form->puballtables || has_new_tables(old, form));
	}
}

/* Records that a publication has got a table, has it no more, or differently.
 */
static void
note_published_table(PenstockObjects *objects, Relation catalog,
					 HeapTuple tuple, PenstockRowEvent event)
{
	Oid table = ((Form_pg_publication_rel) GETSTRUCT(tuple))->prrelid;

	penstock_members_mark_table(objects, table);
	note_other(objects, catalog, tuple, event, table);
}

/*
 * Records a row of a catalog that is not one of those above: that a publication
 * has got a schema, or has it no more, or any other object.
 */
static void
note_schema_publication_or_other(PenstockObjects *objects, Relation catalog,
								 HeapTuple tuple, PenstockRowEvent event)
{
	Oid publication;
	Oid schema;

	if (read_schema_publication_compat(RelationGetRelid(catalog), tuple,
									   &publication, &schema))
		penstock_members_mark_schema_of(objects, schema, publication);
	note_other(objects, catalog, tuple, event, InvalidOid);
}

/*
 * Whether the rows of a catalog are ignored: they are data rather than
 * definitions, or repeat what rows of another catalog say.
 */
bool
penstock_catalog_is_passed_over(Oid catalog)
{
	switch (catalog)
	{
		case SharedDependRelationId:
		case StatisticRelationId:
		case StatisticExtDataRelationId:
		case InitPrivsRelationId:
		case LargeObjectRelationId:
		case LargeObjectMetadataRelationId:
		case ReplicationOriginRelationId:
		case SubscriptionRelRelationId:
			return true;
		default:
			/* A table that has user_catalog_table set is no catalog. */
			return catalog >= FirstNormalObjectId;
	}
}

#define FIELD(type, field) (((type) GETSTRUCT(tuple))->field)

/* Records which object a row is about, and what of the object has changed. */
void
penstock_catalog_row_note(PenstockObjects *objects, Relation catalog,
						  HeapTuple old, HeapTuple tuple,
						  PenstockRowEvent event)
{
	switch (RelationGetRelid(catalog))
	{
		case RelationRelationId:
			note_class(objects, catalog, old, tuple, event);
			break;
		case AttributeRelationId:
			if (event != PENSTOCK_ROW_REPLACED)
				note_attribute(objects, catalog, old, tuple);
			break;
		case AttrDefaultRelationId:
			penstock_objects_mark_relation(objects,
										   FIELD(Form_pg_attrdef, adrelid));
			break;
		case IndexRelationId:
			penstock_objects_mark_relation(objects,
										   FIELD(Form_pg_index, indrelid));
			break;
		case InheritsRelationId:
			penstock_members_mark_table(objects,
										FIELD(Form_pg_inherits, inhrelid));
			break;
		case SequenceRelationId:
			penstock_objects_mark_relation(objects,
										   FIELD(Form_pg_sequence, seqrelid));
			break;
		case PartitionedRelationId:
			penstock_objects_mark_relation(
				objects, FIELD(Form_pg_partitioned_table, partrelid));
			break;
		case ForeignTableRelationId:
			penstock_objects_mark_relation(
				objects, FIELD(Form_pg_foreign_table, ftrelid));
			break;
		case ConstraintRelationId:
			penstock_objects_mark_relation(objects,
										   FIELD(Form_pg_constraint, conrelid));
			penstock_objects_mark_type(objects,
									   FIELD(Form_pg_constraint, contypid));
			break;
		case TypeRelationId:
			note_type(objects, catalog, old, tuple, event);
			break;
		case EnumRelationId:
			penstock_objects_mark_type(objects, FIELD(Form_pg_enum, enumtypid));
			break;
		case RangeRelationId:
			penstock_objects_mark_type(objects, FIELD(Form_pg_range, rngtypid));
			break;
		case NamespaceRelationId:
			note_namespace(objects, catalog, old, tuple, event);
			break;
		case DependRelationId:
			note_depend(objects, tuple);
			break;
		case DescriptionRelationId:
			note_comment(objects, FIELD(Form_pg_description, classoid),
						 FIELD(Form_pg_description, objoid),
						 FIELD(Form_pg_description, objsubid),
						 PENSTOCK_PART_COMMENT);
			break;
		case SharedDescriptionRelationId:
			note_comment(objects, FIELD(Form_pg_shdescription, classoid),
						 FIELD(Form_pg_shdescription, objoid), 0,
						 PENSTOCK_PART_COMMENT);
			break;
		case SecLabelRelationId:
			note_comment(objects, FIELD(FormData_pg_seclabel *, classoid),
						 FIELD(FormData_pg_seclabel *, objoid),
						 FIELD(FormData_pg_seclabel *, objsubid),
						 PENSTOCK_PART_SECURITY_LABEL);
			break;
		case SharedSecLabelRelationId:
			note_comment(objects, FIELD(Form_pg_shseclabel, classoid),
						 FIELD(Form_pg_shseclabel, objoid), 0,
						 PENSTOCK_PART_SECURITY_LABEL);
			break;
		case RewriteRelationId:
			note_rule(objects, catalog, tuple, event);
			break;
		case TriggerRelationId:
			if (!FIELD(Form_pg_trigger, tgisinternal))
				note_other(objects, catalog, tuple, event,
						   FIELD(Form_pg_trigger, tgrelid));
			break;
		case PolicyRelationId:
			note_other(objects, catalog, tuple, event,
					   FIELD(Form_pg_policy, polrelid));
			break;
		case PublicationRelRelationId:
			note_published_table(objects, catalog, tuple, event);
			break;
		case PublicationRelationId:
			note_publication(objects, catalog, old, tuple, event);
			break;
		case AggregateRelationId:
			penstock_objects_mark(objects, ProcedureRelationId,
								  FIELD(Form_pg_aggregate, aggfnoid));
			break;
		case AccessMethodOperatorRelationId:
			penstock_objects_mark(objects, OperatorFamilyRelationId,
								  FIELD(Form_pg_amop, amopfamily));
			break;
		case AccessMethodProcedureRelationId:
			penstock_objects_mark(objects, OperatorFamilyRelationId,
								  FIELD(Form_pg_amproc, amprocfamily));
			break;
		case TSConfigMapRelationId:
			penstock_objects_mark(objects, TSConfigRelationId,
								  FIELD(Form_pg_ts_config_map, mapcfg));
			break;
		default:
			note_schema_publication_or_other(objects, catalog, tuple, event);
	}
}

/*
 * Whether both versions of an updated row are needed.  In these catalogs an
 * update often changes only what the stream does not tell of, or tells of
 * separately, such as owners.
 */
bool
penstock_catalog_needs_old(Oid catalog)
{
	return catalog == RelationRelationId || catalog == AttributeRelationId ||
		   catalog == TypeRelationId || catalog == NamespaceRelationId ||
		   catalog == PublicationRelationId;
}
