/*
 * objects.c
 *		Collects objects, and says which the stream tells of; see objects.h.
 *
 * Of which kind a relation is, its row in pg_class says: as it is at the
 * position that is being decoded or, if the relation was dropped, as it was
 * then.  An object that was made and dropped since the stream told of changes
 * last is not mentioned.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "schema/objects.h"
#include "session/session.h"

static const char *const part_names[] = {
	[PENSTOCK_PART_ALL] = NULL,
	[PENSTOCK_PART_OWNER] = "owner",
	[PENSTOCK_PART_PRIVILEGES] = "privileges",
	[PENSTOCK_PART_COMMENT] = "comment",
	[PENSTOCK_PART_SECURITY_LABEL] = "security label",
};

void
penstock_objects_init(PenstockObjects *objects)
{
	HASHCTL control = {
		.keysize = sizeof(PenstockObjectKey),
		.entrysize = sizeof(PenstockObject),
		.hcxt = CurrentMemoryContext,
	};

	memset(objects, 0, sizeof(*objects));
	objects->hash = hash_create("penstock schema objects", 64, &control,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static PenstockObject *
find_object(PenstockObjects *objects, PenstockObjectKey key)
{
	bool found;
	PenstockObject *object = hash_search(objects->hash, &key, HASH_ENTER,
										 &found);

	if (!found)
	{
		memset(object, 0, sizeof(*object));
		object->key = key;
		objects->list = lappend(objects->list, object);
	}
	object->lsn = objects->lsn;
	object->xid = objects->xid;
	return object;
}

PenstockObject *
penstock_objects_get(PenstockObjects *objects, Oid catalog, Oid oid)
{
	return find_object(objects,
					   (PenstockObjectKey){.catalog = catalog, .oid = oid});
}

/*
 * Ignores objects that came with the server, which have OIDs below
 * FirstNormalObjectId.
 */
void
penstock_objects_mark(PenstockObjects *objects, Oid catalog, Oid oid)
{
	if (oid >= FirstNormalObjectId)
		penstock_objects_get(objects, catalog, oid)->changed = true;
}

void
penstock_objects_mark_part(PenstockObjects *objects, PenstockObjectKey key)
{
	PenstockObject *object;

	if (key.oid < FirstNormalObjectId && key.oid != InvalidOid &&
		key.catalog != NamespaceRelationId)
		return;
	object = find_object(objects, key);
	object->changed = true;
	if (key.catalog == RelationRelationId)
		object->relation = key.oid;
}

/*
 * Records the row that stands for an object itself, such as that in pg_class
 * for a table.
 */
PenstockObject *
penstock_objects_note(PenstockObjects *objects, Oid catalog, Oid oid,
					  PenstockRowEvent event)
{
	PenstockObject *object = penstock_objects_get(objects, catalog, oid);

	if (!object->known)
		object->created = event == PENSTOCK_ROW_INSERTED;
	object->known = true;
	object->removed = event == PENSTOCK_ROW_DELETED;
	return object;
}

static int
compare_oids(Oid a, Oid b)
{
	return a < b ? -1 : a > b;
}

static int
compare_objects(const ListCell *a, const ListCell *b)
{
	const PenstockObjectKey *left = &((const PenstockObject *) lfirst(a))->key;
	const PenstockObjectKey *right = &((const PenstockObject *) lfirst(b))->key;

	if (left->catalog != right->catalog)
		return compare_oids(left->catalog, right->catalog);
	if (left->oid != right->oid)
		return compare_oids(left->oid, right->oid);
	if (left->column != right->column)
		return left->column - right->column;
	return (int) left->part - (int) right->part;
}

void
penstock_objects_sort(PenstockObjects *objects)
{
	list_sort(objects->list, compare_objects);
}

bool
penstock_leaves_out_schema(const char *schema_name)
{
	return strncmp(schema_name, "pg_", 3) == 0 ||
		   strcmp(schema_name, "information_schema") == 0 ||
		   strcmp(schema_name, PENSTOCK_OWN_SCHEMA) == 0;
}

/*
 * The name of a schema that was dropped is not known here.  The row of the
 * schema itself has it, and may be read later.
 */
bool
penstock_leaves_out_namespace(Oid namespace)
{
	const char *name = OidIsValid(namespace) ? get_namespace_name(namespace)
											 : NULL;

	return name != NULL && penstock_leaves_out_schema(name);
}

bool
penstock_leaves_out_relation(Form_pg_class form)
{
	return form->relpersistence == RELPERSISTENCE_TEMP ||
		   OidIsValid(form->relrewrite) || form->oid < FirstNormalObjectId ||
		   form->relkind == RELKIND_TOASTVALUE ||
		   penstock_leaves_out_namespace(form->relnamespace);
}

bool
penstock_is_type_of_its_own(Form_pg_type form)
{
	switch (form->typtype)
	{
		case TYPTYPE_ENUM:
		case TYPTYPE_DOMAIN:
		case TYPTYPE_RANGE:
			return true;
		case TYPTYPE_BASE:
			return !OidIsValid(form->typelem) || form->typlen != -1;
		default:
			return false;
	}
}

/* ---- from what was found to what is told ---- */

static PenstockObject *
find_relation(PenstockObjects *objects, Oid oid)
{
	PenstockObjectKey key = {.catalog = RelationRelationId, .oid = oid};

	return hash_search(objects->hash, &key, HASH_FIND, NULL);
}

/*
 * Marks the table of an index that has changed: an index is described with its
 * table.
 */
static void
mark_table_of_index(PenstockObjects *objects, const PenstockObject *object)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID,
									  ObjectIdGetDatum(object->key.oid));

	if (!HeapTupleIsValid(tuple))
		return;
	objects->lsn = object->lsn;
	objects->xid = object->xid;
	penstock_objects_mark_relation(
		objects, ((Form_pg_index) GETSTRUCT(tuple))->indrelid);
	ReleaseSysCache(tuple);
}

/*
 * Reads the kind of a relation, and whether it is left out, from its row in
 * pg_class; false: it has no row any more.
 */
static bool
look_up_relation(PenstockObject *object)
{
	HeapTuple tuple = SearchSysCache1(RELOID,
									  ObjectIdGetDatum(object->key.oid));
	Form_pg_class form;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	object->relkind = form->relkind;
	object->row_type = form->reltype;
	object->left_out = penstock_leaves_out_relation(form);
	ReleaseSysCache(tuple);
	return true;
}

static void
tell(List **told, const PenstockObject *object, PenstockSchemaForm form)
{
	PenstockSchemaObject *result = palloc0(sizeof(PenstockSchemaObject));

	result->form = form;
	result->catalog = object->key.catalog;
	result->oid = object->key.oid;
	result->column = object->key.column;
	result->part = part_names[object->key.part];
	result->name = object->name;
	result->gone = object->removed;
	result->lsn = object->lsn;
	result->xid = object->xid;
	*told = lappend(*told, result);
}

/*
 * Whether an object was dropped in the same transaction as its schema, which
 * the stream never tells of.
 */
static bool
is_gone_with_schema(PenstockObjects *objects, const PenstockObject *object)
{
	PenstockObjectKey key = {.catalog = NamespaceRelationId,
							 .oid = object->namespace};
	const PenstockObject *schema;

	if (!object->removed || !OidIsValid(object->namespace))
		return false;
	schema = hash_search(objects->hash, &key, HASH_FIND, NULL);
	return schema != NULL && schema->left_out;
}

/*
 * Whether the stream says nothing of an object: it is of no interest, belongs
 * to an extension, or was made and dropped since the stream told of changes
 * last.
 */
static bool
is_left_out(PenstockObjects *objects, const PenstockObject *object)
{
	if (object->left_out || object->member ||
		is_gone_with_schema(objects, object))
		return true;
	if (object->created && object->removed)
		return true;
	return !object->removed && OidIsValid(object->key.oid) &&
		   OidIsValid(
			   getExtensionOfObject(object->key.catalog, object->key.oid));
}

static void
tell_of_relation(PenstockObjects *objects, PenstockObject *object, List **told)
{
	if (object->left_out)
		return;
	object->removed = !look_up_relation(object);
	if (is_left_out(objects, object))
		return;
	switch (object->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_SEQUENCE:
		case '\0': /* the row of the relation itself was not found, and the
					* relation was dropped */
			tell(told, object,
				 object->removed ? PENSTOCK_SCHEMA_GONE
								 : PENSTOCK_SCHEMA_DEFINED);
			break;
		case RELKIND_COMPOSITE_TYPE:
			object->key.catalog = TypeRelationId;
			object->key.oid = object->row_type;
			tell(told, object,
				 object->removed ? PENSTOCK_SCHEMA_GONE
								 : PENSTOCK_SCHEMA_DEFINED);
			break;
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			mark_table_of_index(objects, object);
			break;
		default:
			tell(told, object, PENSTOCK_SCHEMA_UNTRANSLATED);
	}
}

static void
tell_of_type(PenstockObjects *objects, PenstockObject *object, List **told)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID,
									  ObjectIdGetDatum(object->key.oid));

	object->removed = !HeapTupleIsValid(tuple);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);

		object->relkind = form->typtype;
		object->left_out = penstock_leaves_out_namespace(form->typnamespace) ||
						   !penstock_is_type_of_its_own(form);
		ReleaseSysCache(tuple);
	}
	if (is_left_out(objects, object))
		return;
	if (object->relkind == TYPTYPE_RANGE || object->relkind == TYPTYPE_BASE)
		tell(told, object, PENSTOCK_SCHEMA_UNTRANSLATED);
	else
		tell(told, object,
			 object->removed ? PENSTOCK_SCHEMA_GONE : PENSTOCK_SCHEMA_DEFINED);
}

static void
tell_of_namespace(PenstockObjects *objects, PenstockObject *object, List **told)
{
	const char *name = get_namespace_name(object->key.oid);

	object->removed = name == NULL;
	if (name != NULL)
		object->left_out = penstock_leaves_out_schema(name);
	if (!is_left_out(objects, object))
		tell(told, object,
			 object->removed ? PENSTOCK_SCHEMA_GONE : PENSTOCK_SCHEMA_DEFINED);
}

/*
 * Whether an object, such as a trigger, is on a relation that the stream never
 * tells of, or that was dropped with it.
 */
static bool
is_on_relation_left_out(PenstockObjects *objects, const PenstockObject *object)
{
	PenstockObject *relation;
	PenstockObject copy = {.key = {.oid = object->relation}};

	if (!OidIsValid(object->relation))
		return false;
	relation = find_relation(objects, object->relation);
	if (relation != NULL && relation->known)
		return relation->left_out || relation->removed;
	return !look_up_relation(&copy) || copy.left_out;
}

/*
 * Whether a change of an owner, privilege, comment or label comes from dropping
 * the object, or is of one that the stream never tells of.
 */
static bool
is_part_of_gone(PenstockObjects *objects, const PenstockObject *object)
{
	PenstockObjectKey key = {.catalog = object->key.catalog,
							 .oid = object->key.oid};
	const PenstockObject *whole = hash_search(objects->hash, &key, HASH_FIND,
											  NULL);

	return object->key.part != PENSTOCK_PART_ALL && whole != NULL &&
		   (whole->removed || whole->left_out || whole->member);
}

static void
tell_of_other(PenstockObjects *objects, PenstockObject *object, List **told)
{
	if (!object->internal && !is_on_relation_left_out(objects, object) &&
		!is_part_of_gone(objects, object) && !is_left_out(objects, object))
		tell(told, object, PENSTOCK_SCHEMA_UNTRANSLATED);
}

/*
 * Tells of a relation, type or schema, which have definitions in the stream.
 * False if the object is of another kind.
 */
static bool
tell_of_described(PenstockObjects *objects, PenstockObject *object, List **told)
{
	switch (object->key.catalog)
	{
		case RelationRelationId:
			tell_of_relation(objects, object, told);
			return true;
		case TypeRelationId:
			tell_of_type(objects, object, told);
			return true;
		case NamespaceRelationId:
			tell_of_namespace(objects, object, told);
			return true;
		default:
			return false;
	}
}

List *
penstock_objects_tell(PenstockObjects *objects)
{
	List *told = NIL;

	/* Iterate by index: telling of an index appends its table to the list. */
	for (int i = 0; i < list_length(objects->list); i++)
	{
		PenstockObject *object = list_nth(objects->list, i);

		if (!object->changed)
			continue;
		if (object->key.part != PENSTOCK_PART_ALL ||
			!tell_of_described(objects, object, &told))
			tell_of_other(objects, object, &told);
	}
	return told;
}
