/*
 * schema.c
 *		Reads which catalog rows a transaction has written; see schema.h.
 *
 * The rows
 * --------
 *
 * For each row of a catalog that a transaction inserts or removes, the server
 * has an entry with the file, the place in it, and the position in the log; an
 * update has two in a row, of the old and the new version.  The rows themselves
 * are still there: the slot keeps the server from removing what it may have to
 * see.  So each is fetched, whether or not it is visible to anybody.  What was
 * not written by this transaction, or was by a subtransaction that was rolled
 * back, is passed over: the place may have been used again.
 *
 * The entry also says which of the two it was: one with a command that removed
 * the row is about that, else it is about its insertion.  An old version points
 * to the new one.  From that follows what was created and what is gone, and
 * what is both leaves no trace.  Of the catalogs that also have what is not
 * told (owners, privileges, the file of a table), both versions are compared.
 *
 * From row to object there are a few steps: a column's row is about its table,
 * an index's too, and so on.  What kind a relation is, its row in pg_class
 * says, as it is at the position or, if it is gone, as it was removed.
 *
 *
 * Catalogs that were rewritten
 * ----------------------------
 *
 * VACUUM FULL of a catalog puts its rows elsewhere, and the places that were
 * noted before are good for nothing.  Then the transaction is looked at with
 * less precision: it has a list of what it invalidates in caches, and that
 * names tables; types and schemas by a hash.  All of them are told of when it
 * ends, when they are locked by it, so that nothing that another transaction
 * has done since can be undone; before its changes only those that have rows of
 * its own in pg_class or pg_attribute.  That may tell more than has changed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
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
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "relinfo.h"
#include "schema.h"

struct PenstockSchema
{
	MemoryContext context; /* of all of it */
	ReorderBufferTXN *txn;

	/*
	 * The last entry that was looked at, and its position.  The entry is valid
	 * until the piece of a transaction in progress ends.
	 */
	dlist_node *last;
	XLogRecPtr last_lsn;

	XLogRecPtr next_lsn; /* of the next; the greatest of all: there is none */

	/* The transaction and its subtransactions, sorted. */
	TransactionId *xids;
	int xid_count;

	bool blind;      /* entries could not be used */
	List *rewritten; /* OIDs of heaps */
};

/* What of an object has changed. */
typedef enum Part
{
	PART_ALL,
	PART_OWNER,
	PART_PRIVILEGES,
	PART_COMMENT,
	PART_SECURITY_LABEL,
} Part;

static const char *const part_names[] = {
	[PART_ALL] = NULL,
	[PART_OWNER] = "owner",
	[PART_PRIVILEGES] = "privileges",
	[PART_COMMENT] = "comment",
	[PART_SECURITY_LABEL] = "security label",
};

typedef struct ObjectKey
{
	Oid catalog;
	Oid oid;
	int32 column;
	Part part;
} ObjectKey;

/* An object of which rows were found. */
typedef struct Object
{
	ObjectKey key;
	XLogRecPtr lsn;
	TransactionId xid;

	bool touched;  /* something of it that is told */
	bool member;   /* of an extension that comes or goes with it */
	bool internal; /* made by the server for another object */
	Oid relation;  /* the table or view that it is on, if it is one of those */

	/* If a row of its own was found. */
	bool known;
	bool created;  /* it was not there before */
	bool removed;  /* it is not there any more */
	Oid namespace; /* InvalidOid: it is in none */
	bool left_out; /* a schema or relation of which nothing is told */
	char *name;    /* if it is removed and cannot be described */

	/* Of a relation. */
	char relkind;
	Oid row_type;
} Object;

/* A walk over entries. */
typedef struct Walk
{
	PenstockSchema *schema;
	HTAB *hash;
	List *objects; /* in the order in which they were found */

	/* Of the row that is looked at. */
	XLogRecPtr lsn;
	TransactionId xid;

	/* Catalogs that are open, by file; NULL where there is none. */
	List *catalogs;

	/* The version of a row that the next one replaces; NULL: none. */
	Oid old_catalog;
	HeapTuple old;
} Walk;

typedef struct OpenCatalog
{
	RelFileCompat file;
	Relation relation; /* NULL: the file is not that of a catalog any more */
} OpenCatalog;

/* What happened to a row. */
typedef enum Event
{
	EVENT_INSERTED, /* or it is the new version of an old one */
	EVENT_REPLACED, /* a new version follows */
	EVENT_DELETED,
} Event;

#define NO_LSN PG_UINT64_MAX

/* ---- what is known of a transaction ---- */

static int
compare_xids(const void *a, const void *b)
{
	TransactionId left = *(const TransactionId *) a;
	TransactionId right = *(const TransactionId *) b;

	return left < right ? -1 : left > right;
}

static void
collect_xids(PenstockSchema *schema)
{
	ReorderBufferTXN *txn = schema->txn;
	Size count = 1;
	dlist_iter iter;

	dlist_foreach (iter, &txn->subtxns)
	{
		count++;
	}
	if (schema->xids != NULL)
		pfree(schema->xids);
	schema->xids = MemoryContextAlloc(schema->context,
									  sizeof(TransactionId) * count);
	schema->xid_count = 0;
	schema->xids[schema->xid_count++] = txn->xid;
	dlist_foreach (iter, &txn->subtxns)
	{
		const ReorderBufferTXN *subtxn = dlist_container(ReorderBufferTXN, node,
														 iter.cur);

		schema->xids[schema->xid_count++] = subtxn->xid;
	}
	qsort(schema->xids, (Size) schema->xid_count, sizeof(TransactionId),
		  compare_xids);
}

static bool
is_own(const PenstockSchema *schema, TransactionId xid)
{
	return bsearch(&xid, schema->xids, (Size) schema->xid_count,
				   sizeof(TransactionId), compare_xids) != NULL;
}

static inline const ReorderBufferChange *
entry_of(dlist_node *node)
{
	return dlist_container(ReorderBufferChange, node, node);
}

/* The entry after the last one; NULL: there is none. */
static dlist_node *
next_entry(const PenstockSchema *schema)
{
	dlist_head *entries = &schema->txn->tuplecids;

	if (schema->last != NULL)
		return dlist_has_next(entries, schema->last)
				   ? dlist_next_node(entries, schema->last)
				   : NULL;
	return dlist_is_empty(entries) ? NULL : dlist_head_node(entries);
}

static void
set_next(PenstockSchema *schema)
{
	dlist_node *next = next_entry(schema);

	schema->next_lsn = next != NULL ? entry_of(next)->lsn : NO_LSN;
}

PenstockSchema *
penstock_schema_new(PenstockSession *session, ReorderBufferTXN *txn)
{
	MemoryContext context;
	PenstockSchema *schema;

	if (!session->options.schema_changes || dlist_is_empty(&txn->tuplecids))
		return NULL;
	context = AllocSetContextCreate(session->context, "penstock schema",
									PENSTOCK_SMALL_CONTEXT_SIZES);
	schema = MemoryContextAllocZero(context, sizeof(PenstockSchema));
	schema->context = context;
	schema->txn = txn;
	set_next(schema);
	return schema;
}

void
penstock_schema_free(PenstockSchema *schema)
{
	if (schema != NULL)
		MemoryContextDelete(schema->context);
}

void
penstock_schema_resume(PenstockSchema *schema, ReorderBufferTXN *txn)
{
	dlist_iter iter;

	schema->txn = txn;
	schema->last = NULL;
	dlist_foreach (iter, &txn->tuplecids)
	{
		if (entry_of(iter.cur)->lsn > schema->last_lsn)
			break;
		schema->last = iter.cur;
	}
	if (schema->xids != NULL)
		collect_xids(schema);
	set_next(schema);
}

void
penstock_schema_restart(PenstockSchema *schema)
{
	schema->last_lsn = InvalidXLogRecPtr;
}

bool
penstock_schema_has_news(const PenstockSchema *schema, XLogRecPtr lsn)
{
	return schema->next_lsn <= lsn;
}

bool
penstock_schema_note_rewrite(PenstockSchema *schema, Oid heap)
{
	MemoryContext outer;

	if (schema->rewritten != NIL && (linitial_oid(schema->rewritten) == heap ||
									 list_member_oid(schema->rewritten, heap)))
		return false;
	outer = MemoryContextSwitchTo(schema->context);
	schema->rewritten = lcons_oid(heap, schema->rewritten);
	MemoryContextSwitchTo(outer);
	return true;
}

/* ---- objects ---- */

static Object *
find_object(Walk *walk, ObjectKey key)
{
	bool found;
	Object *object = hash_search(walk->hash, &key, HASH_ENTER, &found);

	if (!found)
	{
		memset(object, 0, sizeof(*object));
		object->key = key;
		walk->objects = lappend(walk->objects, object);
	}
	object->lsn = walk->lsn;
	object->xid = walk->xid;
	return object;
}

static Object *
get_object(Walk *walk, Oid catalog, Oid oid)
{
	return find_object(walk, (ObjectKey){.catalog = catalog, .oid = oid});
}

/* The system's own are not told of. */
static void
touch(Walk *walk, Oid catalog, Oid oid)
{
	if (oid >= FirstNormalObjectId)
		get_object(walk, catalog, oid)->touched = true;
}

static inline void
touch_relation(Walk *walk, Oid oid)
{
	touch(walk, RelationRelationId, oid);
}

static inline void
touch_type(Walk *walk, Oid oid)
{
	touch(walk, TypeRelationId, oid);
}

static void
touch_part(Walk *walk, ObjectKey key)
{
	Object *object;

	if (key.oid < FirstNormalObjectId && key.oid != InvalidOid &&
		key.catalog != NamespaceRelationId)
		return;
	object = find_object(walk, key);
	object->touched = true;
	if (key.catalog == RelationRelationId)
		object->relation = key.oid;
}

/* A row of its own was found of an object. */
static Object *
note_object(Walk *walk, Oid catalog, Oid oid, Event event)
{
	Object *object = get_object(walk, catalog, oid);

	if (!object->known)
		object->created = event == EVENT_INSERTED;
	object->known = true;
	object->removed = event == EVENT_DELETED;
	return object;
}

bool
penstock_schema_leaves_out(const char *schema_name)
{
	return strncmp(schema_name, "pg_", 3) == 0 ||
		   strcmp(schema_name, "information_schema") == 0 ||
		   strcmp(schema_name, PENSTOCK_OWN_SCHEMA) == 0;
}

/* Not if it is gone; then its own row says so, which may come later. */
static bool
leaves_out_namespace(Oid namespace)
{
	const char *name = OidIsValid(namespace) ? get_namespace_name(namespace)
											 : NULL;

	return name != NULL && penstock_schema_leaves_out(name);
}

static bool
leaves_out_relation(Form_pg_class form)
{
	return form->relpersistence == RELPERSISTENCE_TEMP ||
		   OidIsValid(form->relrewrite) || form->oid < FirstNormalObjectId ||
		   form->relkind == RELKIND_TOASTVALUE ||
		   leaves_out_namespace(form->relnamespace);
}

/* ---- rows ---- */

/* Whether a column has the same value in both versions. */
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

/* Where a catalog keeps whose an object is, and what is granted on it. */
typedef struct OwnerColumns
{
	AttrNumber owner;
	AttrNumber privileges;
} OwnerColumns;

/*
 * Notes that the owner or the privileges have changed.  No command changes
 * anything else of the object at the same time: false if it may have.
 */
static bool
note_owner(Walk *walk, Relation catalog, HeapTuple old, HeapTuple tuple,
		   Oid oid, OwnerColumns columns)
{
	ObjectKey key = {.catalog = RelationGetRelid(catalog), .oid = oid};
	bool noted = false;

	if (old == NULL)
	{
		key.part = PART_PRIVILEGES;
		if (has_value(catalog, tuple, columns.privileges))
			touch_part(walk, key);
		return false;
	}
	if (!is_same(catalog, old, tuple, columns.owner))
	{
		key.part = PART_OWNER;
		touch_part(walk, key);
		noted = true;
	}
	else if (!is_same(catalog, old, tuple, columns.privileges))
	{
		key.part = PART_PRIVILEGES;
		touch_part(walk, key);
		noted = true;
	}
	return noted;
}

/* What there is to be said of something that is gone. */
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

/* Whether a new version of a row differs in what is told of a relation. */
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

/* An index belongs to whom its table does. */
static bool
has_owner(Form_pg_class form)
{
	return form->relkind != RELKIND_INDEX &&
		   form->relkind != RELKIND_PARTITIONED_INDEX;
}

static void
note_class(Walk *walk, Relation catalog, HeapTuple old, HeapTuple tuple,
		   Event event)
{
	static const OwnerColumns columns = {Anum_pg_class_relowner,
										 Anum_pg_class_relacl};
	Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
	Object *object;

	if (form->oid < FirstNormalObjectId)
		return;
	object = note_object(walk, RelationRelationId, form->oid, event);
	object->left_out = leaves_out_relation(form);
	object->namespace = form->relnamespace;
	object->relkind = form->relkind;
	object->row_type = form->reltype;
	if (event == EVENT_DELETED)
		object->name = qualified_name(catalog, tuple);
	if (object->left_out || event == EVENT_REPLACED)
		return;
	if (event == EVENT_DELETED ||
		(!(has_owner(form) &&
		   note_owner(walk, catalog, old, tuple, form->oid, columns)) &&
		 (old == NULL || is_told_of_class(catalog, old, tuple))))
		object->touched = true;
}

static void
note_attribute(Walk *walk, Relation catalog, HeapTuple old, HeapTuple tuple)
{
	Form_pg_attribute form = (Form_pg_attribute) GETSTRUCT(tuple);
	ObjectKey key = {.catalog = RelationRelationId,
					 .oid = form->attrelid,
					 .column = form->attnum,
					 .part = PART_PRIVILEGES};

	if (form->attnum <= 0)
		return;
	if (old != NULL && !is_same(catalog, old, tuple, Anum_pg_attribute_attacl))
		touch_part(walk, key);
	else if (old == NULL || !is_same_row(catalog, old, tuple))
		touch_relation(walk, form->attrelid);
}

/* A row type's is told of with its table, as a composite type's is. */
static bool
is_type_of_its_own(Form_pg_type form)
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

static void
note_type(Walk *walk, Relation catalog, HeapTuple old, HeapTuple tuple,
		  Event event)
{
	static const OwnerColumns columns = {Anum_pg_type_typowner,
										 Anum_pg_type_typacl};
	Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);
	Object *object;

	if (form->oid < FirstNormalObjectId || !is_type_of_its_own(form))
		return;
	object = note_object(walk, TypeRelationId, form->oid, event);
	object->left_out = leaves_out_namespace(form->typnamespace);
	object->namespace = form->typnamespace;
	object->relkind = form->typtype;
	if (event == EVENT_DELETED)
		object->name = qualified_name(catalog, tuple);
	if (object->left_out || event == EVENT_REPLACED)
		return;
	if (event == EVENT_DELETED ||
		!note_owner(walk, catalog, old, tuple, form->oid, columns))
		object->touched = true;
}

static void
note_namespace(Walk *walk, Relation catalog, HeapTuple old, HeapTuple tuple,
			   Event event)
{
	static const OwnerColumns columns = {Anum_pg_namespace_nspowner,
										 Anum_pg_namespace_nspacl};
	Form_pg_namespace form = (Form_pg_namespace) GETSTRUCT(tuple);
	Object *object = note_object(walk, NamespaceRelationId, form->oid, event);

	object->left_out = penstock_schema_leaves_out(NameStr(form->nspname));
	if (object->left_out || event == EVENT_REPLACED)
		return;
	if (event == EVENT_DELETED ||
		!note_owner(walk, catalog, old, tuple, form->oid, columns))
		object->touched = true;
}

static void
note_depend(Walk *walk, HeapTuple tuple)
{
	Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

	if (form->deptype == DEPENDENCY_EXTENSION)
		get_object(walk, form->classid, form->objid)->member = true;

	/* Constructors of range types, say. */
	else if (form->deptype == DEPENDENCY_INTERNAL &&
			 (form->classid == ProcedureRelationId ||
			  form->classid == CastRelationId))
		get_object(walk, form->classid, form->objid)->internal = true;

	/* Whose a sequence is. */
	else if (form->classid == RelationRelationId && form->objsubid == 0 &&
			 form->refclassid == RelationRelationId && form->refobjsubid > 0)
		touch_relation(walk, form->objid);
}

/* A row of a catalog that says something of an object of any other. */
static void
note_comment(Walk *walk, Oid catalog, Oid oid, int32 column, Part part)
{
	touch_part(walk, (ObjectKey){.catalog = catalog,
								 .oid = oid,
								 .column = column,
								 .part = part});
}

/* The schema that an object of any kind is in; InvalidOid: it is in none. */
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

/* A row of any catalog, as far as it has OIDs. */
static void
note_other(Walk *walk, Relation catalog, HeapTuple tuple, Event event,
		   Oid relation)
{
	TupleDesc desc = RelationGetDescr(catalog);
	Oid oid = InvalidOid;
	Object *object;

	if (strcmp(NameStr(TupleDescAttr(desc, 0)->attname), "oid") == 0)
	{
		bool isnull;

		oid = DatumGetObjectId(heap_getattr(tuple, 1, desc, &isnull));
		if (oid < FirstNormalObjectId)
			return;
		object = note_object(walk, RelationGetRelid(catalog), oid, event);
		object->namespace = namespace_of(catalog, tuple);
		object->left_out = leaves_out_namespace(object->namespace);
		if (object->removed)
			object->name = name_of_gone(catalog, tuple, relation);
	}
	else
		object = get_object(walk, RelationGetRelid(catalog), oid);
	object->relation = relation;
	object->touched = true;
}

static void
note_rule(Walk *walk, Relation catalog, HeapTuple tuple, Event event)
{
	Form_pg_rewrite form = (Form_pg_rewrite) GETSTRUCT(tuple);

	if (strcmp(NameStr(form->rulename), "_RETURN") == 0)
		touch_relation(walk, form->ev_class);
	else
		note_other(walk, catalog, tuple, event, form->ev_class);
}

/* Rows of which nothing is told, or which others tell more of. */
static bool
is_passed_over(Oid catalog)
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
			/* Tables that are used as catalogs are tables. */
			return catalog >= FirstNormalObjectId;
	}
}

#define FIELD(type, field) (((type) GETSTRUCT(tuple))->field)

/* `old` is the version that the row replaces, of the catalogs that need it. */
static void
note_row(Walk *walk, Relation catalog, HeapTuple old, HeapTuple tuple,
		 Event event)
{
	switch (RelationGetRelid(catalog))
	{
		case RelationRelationId:
			note_class(walk, catalog, old, tuple, event);
			break;
		case AttributeRelationId:
			if (event != EVENT_REPLACED)
				note_attribute(walk, catalog, old, tuple);
			break;
		case AttrDefaultRelationId:
			touch_relation(walk, FIELD(Form_pg_attrdef, adrelid));
			break;
		case IndexRelationId:
			touch_relation(walk, FIELD(Form_pg_index, indrelid));
			break;
		case InheritsRelationId:
			touch_relation(walk, FIELD(Form_pg_inherits, inhrelid));
			break;
		case SequenceRelationId:
			touch_relation(walk, FIELD(Form_pg_sequence, seqrelid));
			break;
		case PartitionedRelationId:
			touch_relation(walk, FIELD(Form_pg_partitioned_table, partrelid));
			break;
		case ForeignTableRelationId:
			touch_relation(walk, FIELD(Form_pg_foreign_table, ftrelid));
			break;
		case ConstraintRelationId:
			touch_relation(walk, FIELD(Form_pg_constraint, conrelid));
			touch_type(walk, FIELD(Form_pg_constraint, contypid));
			break;
		case TypeRelationId:
			note_type(walk, catalog, old, tuple, event);
			break;
		case EnumRelationId:
			touch_type(walk, FIELD(Form_pg_enum, enumtypid));
			break;
		case RangeRelationId:
			touch_type(walk, FIELD(Form_pg_range, rngtypid));
			break;
		case NamespaceRelationId:
			note_namespace(walk, catalog, old, tuple, event);
			break;
		case DependRelationId:
			note_depend(walk, tuple);
			break;
		case DescriptionRelationId:
			note_comment(walk, FIELD(Form_pg_description, classoid),
						 FIELD(Form_pg_description, objoid),
						 FIELD(Form_pg_description, objsubid), PART_COMMENT);
			break;
		case SharedDescriptionRelationId:
			note_comment(walk, FIELD(Form_pg_shdescription, classoid),
						 FIELD(Form_pg_shdescription, objoid), 0, PART_COMMENT);
			break;
		case SecLabelRelationId:
			note_comment(walk, FIELD(FormData_pg_seclabel *, classoid),
						 FIELD(FormData_pg_seclabel *, objoid),
						 FIELD(FormData_pg_seclabel *, objsubid),
						 PART_SECURITY_LABEL);
			break;
		case SharedSecLabelRelationId:
			note_comment(walk, FIELD(Form_pg_shseclabel, classoid),
						 FIELD(Form_pg_shseclabel, objoid), 0,
						 PART_SECURITY_LABEL);
			break;
		case RewriteRelationId:
			note_rule(walk, catalog, tuple, event);
			break;
		case TriggerRelationId:
			if (!FIELD(Form_pg_trigger, tgisinternal))
				note_other(walk, catalog, tuple, event,
						   FIELD(Form_pg_trigger, tgrelid));
			break;
		case PolicyRelationId:
			note_other(walk, catalog, tuple, event,
					   FIELD(Form_pg_policy, polrelid));
			break;
		case PublicationRelRelationId:
			touch_relation(walk, FIELD(Form_pg_publication_rel, prrelid));
			note_other(walk, catalog, tuple, event,
					   FIELD(Form_pg_publication_rel, prrelid));
			break;
		case AggregateRelationId:
			touch(walk, ProcedureRelationId,
				  FIELD(Form_pg_aggregate, aggfnoid));
			break;
		case AccessMethodOperatorRelationId:
			touch(walk, OperatorFamilyRelationId,
				  FIELD(Form_pg_amop, amopfamily));
			break;
		case AccessMethodProcedureRelationId:
			touch(walk, OperatorFamilyRelationId,
				  FIELD(Form_pg_amproc, amprocfamily));
			break;
		case TSConfigMapRelationId:
			touch(walk, TSConfigRelationId,
				  FIELD(Form_pg_ts_config_map, mapcfg));
			break;
		default:
			note_other(walk, catalog, tuple, event, InvalidOid);
	}
}

/* ---- entries ---- */

/*
 * The catalog whose file it is; NULL: none has it any more, or its rows are
 * passed over.
 */
static Relation
get_catalog(Walk *walk, const RelFileCompat *file)
{
	ListCell *cell;
	OpenCatalog *open;
	bool is_moved;
	Oid oid;

	foreach (cell, walk->catalogs)
	{
		open = lfirst(cell);
		if (relfile_equals_compat(&open->file, file))
			return open->relation;
	}

	open = palloc0(sizeof(OpenCatalog));
	open->file = *file;
	walk->catalogs = lappend(walk->catalogs, open);
	oid = relid_by_relfile_compat(file);
	walk->schema->blind |= !OidIsValid(oid);
	if (!OidIsValid(oid) || is_passed_over(oid))
		return NULL;
	open->relation = table_open(oid, AccessShareLock);
	is_moved = !relfile_equals_compat(relation_file_compat(open->relation),
									  file);
	if (is_moved || open->relation->rd_rel->relkind != RELKIND_RELATION)
	{
		table_close(open->relation, AccessShareLock);
		open->relation = NULL;
	}

	/* Catalogs are opened where they are now. */
	walk->schema->blind |= is_moved;
	return open->relation;
}

static void
close_catalogs(Walk *walk)
{
	ListCell *cell;

	foreach (cell, walk->catalogs)
	{
		const OpenCatalog *open = lfirst(cell);

		if (open->relation != NULL)
			table_close(open->relation, AccessShareLock);
	}
}

/* Of these both versions of a row are looked at together. */
static bool
compares_versions(Oid catalog)
{
	return catalog == RelationRelationId || catalog == AttributeRelationId ||
		   catalog == TypeRelationId || catalog == NamespaceRelationId;
}

static void
forget_old(Walk *walk)
{
	if (walk->old != NULL)
		heap_freetuple(walk->old);
	walk->old = NULL;
}

/* Looks at a row that the transaction has inserted. */
static void
visit_inserted(Walk *walk, Relation catalog, HeapTuple tuple)
{
	HeapTuple old = NULL;

	walk->xid = HeapTupleHeaderGetRawXmin(tuple->t_data);
	if (!is_own(walk->schema, walk->xid))
		return;
	if (walk->old != NULL && walk->old_catalog == RelationGetRelid(catalog) &&
		ItemPointerEquals(&walk->old->t_data->t_ctid, &tuple->t_self))
		old = walk->old;
	note_row(walk, catalog, old, tuple, EVENT_INSERTED);
}

/* Looks at a row that the transaction has deleted or replaced. */
static void
visit_removed(Walk *walk, Relation catalog, HeapTuple tuple)
{
	walk->xid = HeapTupleHeaderGetUpdateXid(tuple->t_data);
	if (!is_own(walk->schema, walk->xid))
		return;
	if (ItemPointerEquals(&tuple->t_data->t_ctid, &tuple->t_self))
	{
		note_row(walk, catalog, NULL, tuple, EVENT_DELETED);
		return;
	}
	note_row(walk, catalog, NULL, tuple, EVENT_REPLACED);
	if (compares_versions(RelationGetRelid(catalog)))
	{
		forget_old(walk);
		walk->old_catalog = RelationGetRelid(catalog);
		walk->old = heap_copytuple(tuple);
	}
}

static void
visit_entry(Walk *walk, const ReorderBufferChange *entry)
{
	Relation catalog = get_catalog(walk, tuplecid_file_compat(entry));
	HeapTupleData tuple;
	Buffer buffer = InvalidBuffer;

	if (catalog == NULL)
		return;
	walk->lsn = entry->lsn;
	tuple.t_self = entry->data.tuplecid.tid;
	if (!heap_fetch_compat(catalog, &tuple, &buffer))
		return;
	if (entry->data.tuplecid.cmax == InvalidCommandId)
	{
		visit_inserted(walk, catalog, &tuple);
		forget_old(walk);
	}
	else
		visit_removed(walk, catalog, &tuple);
	ReleaseBuffer(buffer);
}

/* ---- without entries ---- */

/* Whether a row of the relation is one that the transaction has written. */
static bool
has_own_row(const PenstockSchema *schema, HeapTuple class_tuple)
{
	Form_pg_class form = (Form_pg_class) GETSTRUCT(class_tuple);

	if (is_own(schema, HeapTupleHeaderGetRawXmin(class_tuple->t_data)))
		return true;
	for (AttrNumber i = 1; i <= form->relnatts; i++)
	{
		HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(form->oid),
										  Int16GetDatum(i));
		bool own;

		if (!HeapTupleIsValid(tuple))
			continue;
		own = is_own(schema, HeapTupleHeaderGetRawXmin(tuple->t_data));
		ReleaseSysCache(tuple);
		if (own)
			return true;
	}
	return false;
}

static void
guess_relation(Walk *walk, Oid oid, bool at_end)
{
	HeapTuple tuple;
	bool touched;

	if (oid < FirstNormalObjectId)
		return;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
	touched = at_end;
	if (HeapTupleIsValid(tuple))
	{
		touched |= has_own_row(walk->schema, tuple);
		ReleaseSysCache(tuple);
	}
	if (touched)
		touch_relation(walk, oid);
}

/* Touches the rows of a catalog whose key has one of the hash values. */
static void
guess_by_hash(Walk *walk, Oid catalog_oid, Oid index, int cache)
{
	const ReorderBufferTXN *txn = walk->schema->txn;
	Relation catalog = table_open(catalog_oid, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, index, true, NULL, 0, NULL);
	HeapTuple tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;
		Datum oid = heap_getattr(tuple, 1, RelationGetDescr(catalog), &isnull);
		uint32 hash = GetSysCacheHashValue1(cache, oid);

		for (uint32 i = 0; i < txn->ninvalidations; i++)
		{
			const SharedInvalidationMessage *message = &txn->invalidations[i];

			if (message->id == cache && message->cc.hashValue == hash)
			{
				touch(walk, catalog_oid, DatumGetObjectId(oid));
				break;
			}
		}
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/* See the top of the file. */
static void
guess_objects(Walk *walk, XLogRecPtr lsn, bool at_end)
{
	const ReorderBufferTXN *txn = walk->schema->txn;

	walk->lsn = lsn;
	walk->xid = txn->xid;
	for (uint32 i = 0; i < txn->ninvalidations; i++)
	{
		const SharedInvalidationMessage *message = &txn->invalidations[i];

		if (message->id == SHAREDINVALRELCACHE_ID)
			guess_relation(walk, message->rc.relId, at_end);
	}
	if (!at_end)
		return;
	guess_by_hash(walk, TypeRelationId, TypeOidIndexId, TYPEOID);
	guess_by_hash(walk, NamespaceRelationId, NamespaceOidIndexId, NAMESPACEOID);
}

/* ---- from what was found to what is told ---- */

static Object *
find_relation(Walk *walk, Oid oid)
{
	ObjectKey key = {.catalog = RelationRelationId, .oid = oid};

	return hash_search(walk->hash, &key, HASH_FIND, NULL);
}

/* The table of an index that was touched. */
static void
touch_table_of_index(Walk *walk, const Object *object)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID,
									  ObjectIdGetDatum(object->key.oid));

	if (!HeapTupleIsValid(tuple))
		return;
	walk->lsn = object->lsn;
	walk->xid = object->xid;
	touch_relation(walk, ((Form_pg_index) GETSTRUCT(tuple))->indrelid);
	ReleaseSysCache(tuple);
}

/* Notes what the catalogs say of a relation; false if it is not there. */
static bool
look_up_relation(Object *object)
{
	HeapTuple tuple = SearchSysCache1(RELOID,
									  ObjectIdGetDatum(object->key.oid));
	Form_pg_class form;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	object->relkind = form->relkind;
	object->row_type = form->reltype;
	object->left_out = leaves_out_relation(form);
	ReleaseSysCache(tuple);
	return true;
}

static void
tell(List **told, const Object *object, PenstockSchemaForm form)
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

/* Whether it went with its schema, of which nothing is told. */
static bool
is_gone_with_schema(Walk *walk, const Object *object)
{
	ObjectKey key = {.catalog = NamespaceRelationId, .oid = object->namespace};
	const Object *schema;

	if (!object->removed || !OidIsValid(object->namespace))
		return false;
	schema = hash_search(walk->hash, &key, HASH_FIND, NULL);
	return schema != NULL && schema->left_out;
}

/* Whether nothing is told of it. */
static bool
is_left_out(Walk *walk, const Object *object)
{
	if (object->left_out || object->member || is_gone_with_schema(walk, object))
		return true;
	if (object->created && object->removed)
		return true;
	return !object->removed && OidIsValid(object->key.oid) &&
		   OidIsValid(
			   getExtensionOfObject(object->key.catalog, object->key.oid));
}

static void
tell_of_relation(Walk *walk, Object *object, List **told)
{
	if (object->left_out)
		return;
	object->removed = !look_up_relation(object);
	if (is_left_out(walk, object))
		return;
	switch (object->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_SEQUENCE:
		case '\0': /* it was looked for and is gone */
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
			touch_table_of_index(walk, object);
			break;
		default:
			tell(told, object, PENSTOCK_SCHEMA_UNTRANSLATED);
	}
}

static void
tell_of_type(Walk *walk, Object *object, List **told)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID,
									  ObjectIdGetDatum(object->key.oid));

	object->removed = !HeapTupleIsValid(tuple);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);

		object->relkind = form->typtype;
		object->left_out = leaves_out_namespace(form->typnamespace) ||
						   !is_type_of_its_own(form);
		ReleaseSysCache(tuple);
	}
	if (is_left_out(walk, object))
		return;
	if (object->relkind == TYPTYPE_RANGE || object->relkind == TYPTYPE_BASE)
		tell(told, object, PENSTOCK_SCHEMA_UNTRANSLATED);
	else
		tell(told, object,
			 object->removed ? PENSTOCK_SCHEMA_GONE : PENSTOCK_SCHEMA_DEFINED);
}

static void
tell_of_namespace(Walk *walk, Object *object, List **told)
{
	const char *name = get_namespace_name(object->key.oid);

	object->removed = name == NULL;
	if (name != NULL)
		object->left_out = penstock_schema_leaves_out(name);
	if (!is_left_out(walk, object))
		tell(told, object,
			 object->removed ? PENSTOCK_SCHEMA_GONE : PENSTOCK_SCHEMA_DEFINED);
}

/* What is on a relation of which nothing is told, or that is gone as well. */
static bool
is_on_relation_left_out(Walk *walk, const Object *object)
{
	Object *relation;
	Object copy = {.key = {.oid = object->relation}};

	if (!OidIsValid(object->relation))
		return false;
	relation = find_relation(walk, object->relation);
	if (relation != NULL && relation->known)
		return relation->left_out || relation->removed;
	return !look_up_relation(&copy) || copy.left_out;
}

/* Whether what a comment or privilege is about is gone with it. */
static bool
is_part_of_gone(Walk *walk, const Object *object)
{
	ObjectKey key = {.catalog = object->key.catalog, .oid = object->key.oid};
	const Object *whole = hash_search(walk->hash, &key, HASH_FIND, NULL);

	return object->key.part != PART_ALL && whole != NULL &&
		   (whole->removed || whole->left_out || whole->member);
}

static void
tell_of_other(Walk *walk, Object *object, List **told)
{
	if (!object->internal && !is_on_relation_left_out(walk, object) &&
		!is_part_of_gone(walk, object) && !is_left_out(walk, object))
		tell(told, object, PENSTOCK_SCHEMA_UNTRANSLATED);
}

static List *
tell_of_all(Walk *walk)
{
	List *told = NIL;

	/* The list grows meanwhile. */
	for (int i = 0; i < list_length(walk->objects); i++)
	{
		Object *object = list_nth(walk->objects, i);

		if (!object->touched)
			continue;
		if (object->key.part != PART_ALL)
			tell_of_other(walk, object, &told);
		else if (object->key.catalog == RelationRelationId)
			tell_of_relation(walk, object, &told);
		else if (object->key.catalog == TypeRelationId)
			tell_of_type(walk, object, &told);
		else if (object->key.catalog == NamespaceRelationId)
			tell_of_namespace(walk, object, &told);
		else
			tell_of_other(walk, object, &told);
	}
	return told;
}

static HTAB *
create_hash(void)
{
	HASHCTL control = {
		.keysize = sizeof(ObjectKey),
		.entrysize = sizeof(Object),
		.hcxt = CurrentMemoryContext,
	};

	return hash_create("penstock schema objects", 64, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

List *
penstock_schema_take(PenstockSchema *schema, XLogRecPtr lsn, bool at_end)
{
	Walk walk = {.schema = schema};
	bool was_blind = schema->blind;
	dlist_node *node;

	if (schema->xids == NULL)
		collect_xids(schema);
	walk.hash = create_hash();
	schema->blind = false;
	while ((node = next_entry(schema)) != NULL)
	{
		const ReorderBufferChange *entry = entry_of(node);

		if (!at_end && entry->lsn > lsn)
			break;
		schema->last = node;
		schema->last_lsn = entry->lsn;
		visit_entry(&walk, entry);
	}
	set_next(schema);
	close_catalogs(&walk);
	if (schema->blind || (at_end && was_blind))
		guess_objects(&walk, lsn, at_end);
	schema->blind |= was_blind;
	return tell_of_all(&walk);
}
