/*
 * relinfo.c
 *		Builds and invalidates what is known of tables; see relinfo.h.
 *
 * Invalidation
 * ------------
 *
 * The server calls back when a catalog row changes that its caches hold: while
 * it replays a transaction that changed the catalogs, and also in the middle of
 * any lookup of ours.  The callbacks cannot be unregistered.  So they are
 * registered once in a process, find the cache through a static pointer, which
 * a memory context callback clears when the cache goes away, and do nothing but
 * mark entries as not valid.  Entries are rebuilt when next looked up.  An
 * entry is marked valid before it is built, so that an invalidation that comes
 * in between is not lost.
 *
 * What invalidates what:
 *
 *	 a table				its entry; all entries if it stands for partitions,
 *							because they contain what its record says
 *	 a publication, a table or schema in one, a schema's name
 *							all entries
 *	 a type					all entries, but only if its name was used: each
 *							CREATE TABLE, temporary ones too, makes new types
 *	 a piece of a transaction in progress that changed the catalogs
 *							all entries and the server's own caches; see frame.c
 *
 * A record is the reader's from the frame on that carried it, whatever becomes
 * of the transaction in which it was sent: so if that was in progress and
 * aborts, the table's next record differs from what the reader has, and is
 * sent.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "catalogs/newest.h"
#include "compat.h"
#include "tables/relinfo.h"
#include "tables/route.h"
#include "wire/wire.h"

/* Entries that may be there before it is worth looking for invalid ones. */
#define INFOS_MIN 1024

/* The cache to which invalidations go; NULL if there is none. */
static PenstockRelations *live_relations = NULL;

static void
invalidate_all(PenstockRelations *relations)
{
	HASH_SEQ_STATUS scan;
	PenstockRelInfo *info;

	hash_seq_init(&scan, relations->infos);
	while ((info = hash_seq_search(&scan)) != NULL)
		info->valid = false;
	relations->changed = true;
}

static void
relation_changed(Datum arg, Oid relid)
{
	PenstockRelInfo *info;
	PenstockPublished *published;

	(void) arg;
	if (live_relations == NULL)
		return;
	if (!OidIsValid(relid))
	{
		invalidate_all(live_relations);
		return;
	}

	info = hash_search(live_relations->infos, &relid, HASH_FIND, NULL);
	if (info != NULL)
	{
		info->valid = false;
		live_relations->changed = true;
	}
	published = hash_search(live_relations->published, &relid, HASH_FIND, NULL);
	if (published != NULL && published->is_ancestor)
		invalidate_all(live_relations);
}

static void
publication_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	if (live_relations == NULL)
		return;
	penstock_publications_invalidate(live_relations->publications);
	invalidate_all(live_relations);
}

static void
schema_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	if (live_relations != NULL)
		invalidate_all(live_relations);
}

static void
type_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	if (live_relations == NULL)
		return;
	if (hashvalue == 0 ||
		hash_search(live_relations->types, &hashvalue, HASH_FIND, NULL) != NULL)
		invalidate_all(live_relations);
}

void
penstock_relations_invalidate(PenstockRelations *relations)
{
	penstock_publications_invalidate(relations->publications);
	invalidate_all(relations);
}

static void
register_callbacks(void)
{
	static bool registered = false;

	if (registered)
		return;
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PUBLICATIONOID, publication_changed,
								  (Datum) 0);
	CacheRegisterSyscacheCallback(PUBLICATIONRELMAP, publication_changed,
								  (Datum) 0);
	register_schema_publication_callback_compat(publication_changed);
	CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, type_changed, (Datum) 0);
	registered = true;
}

/*
 * The cache is about to be freed.  After an error a later session may have made
 * its own by now, which then stays.
 */
static void
relations_gone(void *arg)
{
	if (live_relations == arg)
		live_relations = NULL;
}

static HTAB *
create_hash(const char *name, MemoryContext context, Size key_size,
			Size entry_size)
{
	HASHCTL control = {
		.keysize = key_size,
		.entrysize = entry_size,
		.hcxt = context,
	};

	return hash_create(name, 128, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

PenstockRelations *
penstock_relations_new(PenstockSession *session)
{
	MemoryContext context;
	PenstockRelations *relations;
	MemoryContextCallback *callback;

	Assert(session->publications != NULL);
	context = AllocSetContextCreate(session->ctx->context, "penstock relations",
									PENSTOCK_CONTEXT_SIZES);
	relations = MemoryContextAllocZero(context, sizeof(PenstockRelations));
	relations->context = context;
	relations->publications = session->publications;
	relations->infos = create_hash("penstock relations", context, sizeof(Oid),
								   sizeof(PenstockRelInfo));
	relations->published = create_hash("penstock published relations", context,
									   sizeof(Oid), sizeof(PenstockPublished));
	relations->types = create_hash("penstock types", context, sizeof(uint32),
								   sizeof(uint32));
	relations->infos_max = INFOS_MIN;

	callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	callback->func = relations_gone;
	callback->arg = relations;
	MemoryContextRegisterResetCallback(context, callback);

	live_relations = relations;
	register_callbacks();
	return relations;
}

/* A table's schema and name, quoted as in SQL. */
static char *
qualified_name(Relation relation)
{
	return quote_qualified_identifier(
		get_namespace_name(RelationGetNamespace(relation)),
		RelationGetRelationName(relation));
}

/*
 * The type's name after its schema's and a dot.  There, keywords need no
 * quotes; which words are keywords differs between servers, and the names of
 * built-in types must not.
 */
static const char *
quote_type_name(const char *name)
{
	if (name[0] >= '0' && name[0] <= '9')
		return quote_identifier(name);
	for (const char *p = name; *p != '\0'; p++)
	{
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
			  *p == '_'))
			return quote_identifier(name);
	}
	return name;
}

/*
 * The qualified name of a column's type for the Relation record.  Remembers
 * that the type's name was used, so that a change of the type invalidates
 * entries.
 */
static char *
qualified_type_name(PenstockSession *session, Oid type)
{
	PenstockName name = penstock_newest_name(session, TypeRelationId, type);

	if (name.schema == NULL)
		elog(ERROR, "cache lookup failed for type %u", type);
	if (type >= FirstGenbkiObjectId)
	{
		uint32 hash = GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(type));

		(void) hash_search(session->relations->types, &hash, HASH_ENTER, NULL);
	}
	return psprintf("%s.%s", quote_identifier(name.schema),
					quote_type_name(name.name));
}

static PenstockReplicaIdentity
identity_of(Relation relation)
{
	switch (relation->rd_rel->relreplident)
	{
		case REPLICA_IDENTITY_NOTHING:
			return PENSTOCK_REPLICA_IDENTITY_NOTHING;
		case REPLICA_IDENTITY_FULL:
			return PENSTOCK_REPLICA_IDENTITY_FULL;
		case REPLICA_IDENTITY_INDEX:
			return PENSTOCK_REPLICA_IDENTITY_INDEX;
		default:
			return PENSTOCK_REPLICA_IDENTITY_DEFAULT;
	}
}

static inline bool
is_identity_member(int attnum, const Bitmapset *identity)
{
	return bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, identity);
}

/* Whether a column belongs to the replica identity of the published table. */
static bool
is_key(const PenstockRelInfo *info, Form_pg_attribute attr,
	   const Bitmapset *identity)
{
	return info->identity == PENSTOCK_REPLICA_IDENTITY_FULL ||
		   is_identity_member(attr->attnum, identity);
}

static void
init_column(PenstockSession *session, const PenstockRelInfo *info,
			PenstockColumn *column, Form_pg_attribute attr,
			const Bitmapset *identity)
{
	Assert(attr->attnum > 0 && !attr->attisdropped);
	penstock_value_init(&column->writer, attr->atttypid,
						session->options.binary);
	column->writer.column = pstrdup(NameStr(attr->attname));
	column->writer.table = info->name;
	column->source = info->publish.sources[attr->attnum - 1];
	Assert(column->source >= 0);
	column->typlen = attr->attlen;
	column->byval = attr->attbyval;
	column->key = is_key(info, attr, identity);
}

static void
shape_init(PenstockShape *shape, int ncolumns)
{
	Size bytes = sizeof(PenstockColumn *) * Max(ncolumns, 1);

	shape->columns = palloc(bytes);
	shape->integers = palloc(bytes);
	shape->values = palloc(bytes);
}

static void
shape_add(PenstockShape *shape, PenstockColumn *column)
{
	shape->columns[shape->ncolumns++] = column;
	if (column->writer.encoding == PENSTOCK_ENCODING_INTEGER)
		shape->integers[shape->nintegers++] = column;
	else
		shape->values[shape->nvalues++] = column;
}

static void
init_columns(PenstockSession *session, PenstockRelInfo *info, Relation target,
			 const Bitmapset *identity)
{
	TupleDesc desc = RelationGetDescr(target);
	int ncolumns = bms_num_members(info->publish.columns);
	PenstockColumn *columns = palloc0(sizeof(PenstockColumn) *
									  Max(ncolumns, 1));
	PenstockColumn *column = columns;
	int attnum = -1;

	Assert(RelationGetRelid(target) == info->publish.publish_as);
	shape_init(&info->full, ncolumns);
	shape_init(&info->key, ncolumns);
	while ((attnum = bms_next_member(info->publish.columns, attnum)) >= 0)
	{
		init_column(session, info, column, TupleDescAttr(desc, attnum - 1),
					identity);
		shape_add(&info->full, column);
		if (column->key)
			shape_add(&info->key, column);
		column++;
		Assert(column - columns <= ncolumns);
	}
}

static void
init_row(PenstockRow *row, int natts)
{
	row->values = palloc(sizeof(Datum) * Max(natts, 1));
	row->nulls = palloc(sizeof(bool) * Max(natts, 1));
}

/* Whether the replica identity has a column that is not published. */
static bool
lacks_identity_column(const PenstockRelInfo *info, Relation target,
					  const Bitmapset *identity)
{
	TupleDesc desc = RelationGetDescr(target);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (attr->attisdropped ||
			bms_is_member(attr->attnum, info->publish.columns))
			continue;

		/*
		 * Under REPLICA IDENTITY FULL a generated column is not needed: it is
		 * computed from columns that the row has.
		 */
		if (info->identity == PENSTOCK_REPLICA_IDENTITY_FULL &&
			attr->attgenerated != '\0')
			continue;
		if (is_key(info, attr, identity))
			return true;
	}
	return false;
}

/*
 * Whether the WAL of a partition lacks columns of its ancestor's identity:
 * they have identities of their own.
 */
static bool
partition_lacks_identity(const PenstockRelInfo *info, Relation relation)
{
	PenstockReplicaIdentity own = identity_of(relation);
	Bitmapset *logged;

	Assert(RelationGetRelid(relation) != info->publish.publish_as);
	if (own == PENSTOCK_REPLICA_IDENTITY_FULL)
		return false;
	if (info->identity == PENSTOCK_REPLICA_IDENTITY_FULL)
		return true;
	logged = identity_key_bitmap_compat(relation);
	for (int i = 0; i < info->key.ncolumns; i++)
	{
		if (!is_identity_member(info->key.columns[i]->source + 1, logged))
			return true;
	}
	return false;
}

/*
 * The server does not let tables be updated that are published and have no
 * replica identity.  But what is published, and as what, is decided later and
 * may depend on other tables.
 */
static const char *
find_identity_problem(const PenstockRelInfo *info, Relation relation,
					  Relation target, const Bitmapset *identity)
{
	Assert(info->published != NULL);
	if (info->identity != PENSTOCK_REPLICA_IDENTITY_FULL &&
		bms_is_empty(identity))
		return "The table has no replica identity.";
	if (info->route != NULL &&
		penstock_route_column_outside_key(info->route) != NULL)
		return psprintf("Column \"%s\", by which the table is distributed, is "
						"not in its replica identity.",
						penstock_route_column_outside_key(info->route));
	if (lacks_identity_column(info, target, identity))
		return "A column of its replica identity is not published.";
	if (target != relation && partition_lacks_identity(info, relation))
		return psprintf("The replica identity of its partition %s lacks "
						"columns of the table's own.",
						qualified_name(relation));
	return NULL;
}

static void
append_name(PenstockSession *session, StringInfo buf, int field,
			const char *name)
{
	Size bytes = strlen(name);
	const char *converted = penstock_session_convert(session, name, &bytes);

	penstock_wire_bytes(buf, field, converted, bytes);
}

/* The value of Column.identity, as in penstock.proto. */
static int
identity_column_kind(char attidentity)
{
	switch (attidentity)
	{
		case ATTRIBUTE_IDENTITY_ALWAYS:
			return 1;
		case ATTRIBUTE_IDENTITY_BY_DEFAULT:
			return 2;
		default:
			return 0;
	}
}

static void
append_column(PenstockSession *session, StringInfo buf,
			  const PenstockColumn *column, Form_pg_attribute attr)
{
	int mark;

	Assert(column->source >= 0 && attr->attnum > 0);
	mark = penstock_wire_begin(buf, PENSTOCK_RELATION_COLUMNS,
							   PENSTOCK_WIRE_LENGTH_SMALL);
	append_name(session, buf, PENSTOCK_COLUMN_NAME, NameStr(attr->attname));
	penstock_wire_uint(buf, PENSTOCK_COLUMN_ATTNUM, (uint64) attr->attnum);
	penstock_wire_uint(buf, PENSTOCK_COLUMN_TYPE_OID, attr->atttypid);
	penstock_wire_sint(buf, PENSTOCK_COLUMN_TYPMOD, attr->atttypmod);
	append_name(session, buf, PENSTOCK_COLUMN_TYPE_NAME,
				qualified_type_name(session, attr->atttypid));
	penstock_wire_uint(buf, PENSTOCK_COLUMN_KEY, column->key);
	penstock_wire_uint(buf, PENSTOCK_COLUMN_ENCODING, column->writer.encoding);
	penstock_wire_uint(buf, PENSTOCK_COLUMN_GENERATED,
					   attr->attgenerated != '\0');
	penstock_wire_uint(buf, PENSTOCK_COLUMN_IDENTITY,
					   (uint64) identity_column_kind(attr->attidentity));
	penstock_wire_end(buf, mark, PENSTOCK_WIRE_LENGTH_SMALL);
}

/* Says by which columns rows are distributed, as a packed list. */
static void
append_distribution(StringInfo buf, const PenstockRoute *route)
{
	char numbers[PARTITION_MAX_KEYS * PENSTOCK_WIRE_VARINT_BYTES_MAX];
	char *end = numbers;

	Assert(route->ncolumns > 0 && route->ncolumns <= PARTITION_MAX_KEYS);
	for (int i = 0; i < route->ncolumns; i++)
		end = penstock_wire_varint(end, (uint64) route->attnums[i]);
	penstock_wire_bytes(buf, PENSTOCK_RELATION_DISTRIBUTION, numbers,
						(Size) (end - numbers));
}

/* Writes the Relation record that describes the table as it is now. */
static void
write_record(PenstockSession *session, StringInfo buf,
			 const PenstockRelInfo *info, Relation target)
{
	TupleDesc desc = RelationGetDescr(target);
	PenstockName name = penstock_newest_name(session, RelationRelationId,
											 RelationGetRelid(target));
	int attnum = -1;

	if (name.schema == NULL)
		elog(ERROR, "cache lookup failed for relation %u",
			 RelationGetRelid(target));
	penstock_wire_uint(buf, PENSTOCK_RELATION_NUMBER, info->published->number);
	penstock_wire_uint(buf, PENSTOCK_RELATION_OID, RelationGetRelid(target));
	append_name(session, buf, PENSTOCK_RELATION_SCHEMA, name.schema);
	append_name(session, buf, PENSTOCK_RELATION_NAME, name.name);
	penstock_wire_uint(buf, PENSTOCK_RELATION_REPLICA_IDENTITY,
					   (uint64) info->identity);

	for (int i = 0; i < info->full.ncolumns; i++)
	{
		attnum = bms_next_member(info->publish.columns, attnum);
		Assert(attnum > 0 && attnum <= desc->natts);
		append_column(session, buf, info->full.columns[i],
					  TupleDescAttr(desc, attnum - 1));
	}
	if (info->route != NULL)
		append_distribution(buf, info->route);
}

/* Finds or makes the published table that a table's rows refer to. */
static PenstockPublished *
get_published(PenstockRelations *relations, Oid oid)
{
	PenstockPublished *published;
	bool found;
	Assert(OidIsValid(oid));

	published = hash_search(relations->published, &oid, HASH_ENTER, &found);
	if (!found)
	{
		published->number = ++relations->number_last;
		Assert(published->number != 0);
		published->sent = false;
		published->sent_by = InvalidTransactionId;
		published->gone = false;
		published->is_ancestor = false;
		published->record = NULL;
		published->record_bytes = 0;
	}
	return published;
}

/*
 * Keeps a table's Relation record.  If it is not the one that the reader has,
 * it is marked as not sent.
 */
static void
set_record(PenstockRelations *relations, PenstockPublished *published,
		   const StringInfo record)
{
	Assert(record->len > 0);
	if (published->record != NULL && published->record_bytes == record->len &&
		memcmp(published->record, record->data, (Size) record->len) == 0)
		return;

	if (published->record != NULL)
		pfree(published->record);
	published->record = MemoryContextAlloc(relations->context,
										   (Size) Max(record->len, 1));
	memcpy(published->record, record->data, (Size) record->len);
	published->record_bytes = record->len;
	published->sent = false;
}

/* Fills in what depends on the table as which rows are sent: `target`. */
static void
init_target(PenstockSession *session, PenstockRelInfo *info, Relation relation,
			Relation target)
{
	Bitmapset *identity;
	MemoryContext outer;
	StringInfoData record;

	info->name = qualified_name(target);
	info->identity = identity_of(target);
	info->published = get_published(session->relations,
									RelationGetRelid(target));
	if (target != relation)
		info->published->is_ancestor = true;

	Assert(info->published->number != 0);
	identity = identity_key_bitmap_compat(target);
	init_columns(session, info, target, identity);
	info->route = penstock_route_new(session, info, target);
	info->identity_problem = find_identity_problem(info, relation, target,
												   identity);

	outer = MemoryContextSwitchTo(session->change_context);
	initStringInfo(&record);
	write_record(session, &record, info, target);
	set_record(session->relations, info->published, &record);
	MemoryContextSwitchTo(outer);
}

static bool
publishes_anything(const PenstockPublish *publish)
{
	for (int i = 0; i < PENSTOCK_OPERATIONS; i++)
	{
		if (publish->operations[i])
			return true;
	}
	return false;
}

static Relation
get_relation(Oid oid)
{
	Relation relation = RelationIdGetRelation(oid);

	if (!RelationIsValid(relation))
		elog(ERROR, "could not open relation with OID %u", oid);
	return relation;
}

/*
 * Schema penstock holds the consumer's own progress.  Where a target is the
 * source of another pipeline, its progress must not become that of the next.
 */
static bool
is_consumers_own(Relation relation)
{
	char *schema = get_namespace_name(RelationGetNamespace(relation));

	return schema != NULL && strcmp(schema, PENSTOCK_OWN_SCHEMA) == 0;
}

/* Works out everything about a table.  The current context is the entry's. */
static void
init_info(PenstockSession *session, PenstockRelInfo *info, Relation relation)
{
	Relation target = relation;

	Assert(info->context == CurrentMemoryContext);
	penstock_publish_resolve(session, relation, &info->publish);
	if (!publishes_anything(&info->publish))
		return;

	/* quote_all_identifiers would change how names are quoted. */
	penstock_value_apply_settings(session);

	if (info->publish.publish_as != RelationGetRelid(relation))
		target = get_relation(info->publish.publish_as);
	init_target(session, info, relation, target);
	if (target != relation)
		RelationClose(target);

	info->natts = RelationGetNumberOfAttributes(relation);
	init_row(&info->old_row, info->natts);
	init_row(&info->new_row, info->natts);
}

/*
 * The same for a heap into which a table is rewritten, which looks like it.
 * SET LOGGED makes a logged heap of a table that is not logged yet.
 */
static void
init_rewrite(PenstockSession *session, PenstockRelInfo *info, Relation table,
			 char heap_persistence)
{
	info->rewrites = true;
	Assert(info->context == CurrentMemoryContext);
	if (table->rd_rel->relkind == RELKIND_RELATION &&
		heap_persistence == RELPERSISTENCE_PERMANENT &&
		!is_consumers_own(table))
		penstock_publish_resolve_rewrite(session, table, &info->publish);
	if (publishes_anything(&info->publish))
	{
		penstock_value_apply_settings(session);
		init_target(session, info, table, table);
		info->natts = RelationGetNumberOfAttributes(table);
		init_row(&info->old_row, info->natts);
		init_row(&info->new_row, info->natts);
	}
}

/* Empties an entry, all but its key. */
static void
clear_info(PenstockRelInfo *info)
{
	Oid relid = info->relid;

	if (info->context != NULL)
		MemoryContextDelete(info->context);
	memset(info, 0, sizeof(*info));
	info->relid = relid;
}

/*
 * Removes what is no longer valid, so that a session does not grow with every
 * table that was made and dropped while it lasted.  What was sent with the
 * transaction at hand stays until it has been looked whether it is gone.
 */
static void
remove_invalid(PenstockRelations *relations)
{
	HASH_SEQ_STATUS scan;
	PenstockRelInfo *info;
	PenstockPublished *published;

	hash_seq_init(&scan, relations->published);
	while ((published = hash_seq_search(&scan)) != NULL)
		published->in_use = published->sent_by == relations->xid;

	hash_seq_init(&scan, relations->infos);
	while ((info = hash_seq_search(&scan)) != NULL)
	{
		if (info->valid)
		{
			if (info->published != NULL)
				info->published->in_use = true;
			continue;
		}
		clear_info(info);
		(void) hash_search(relations->infos, &info->relid, HASH_REMOVE, NULL);
	}

	hash_seq_init(&scan, relations->published);
	while ((published = hash_seq_search(&scan)) != NULL)
	{
		if (published->in_use)
			continue;
		if (published->record != NULL)
			pfree(published->record);
		(void) hash_search(relations->published, &published->oid, HASH_REMOVE,
						   NULL);
	}

	relations->last = NULL;
	relations->infos_max = Max(INFOS_MIN,
							   2 * hash_get_num_entries(relations->infos));
}

/*
 * A table that was dropped has been invalidated, so this is called only if
 * something was.
 */
void
penstock_relations_append_gone(PenstockRelations *relations, StringInfo numbers)
{
	HASH_SEQ_STATUS scan;
	PenstockPublished *published;

	Assert(TransactionIdIsValid(relations->xid));
	relations->changed = false;
	hash_seq_init(&scan, relations->published);
	while ((published = hash_seq_search(&scan)) != NULL)
	{
		char *p;

		if (published->sent_by != relations->xid || published->gone ||
			SearchSysCacheExists1(RELOID, ObjectIdGetDatum(published->oid)))
			continue;
		published->gone = true;
		p = penstock_wire_reserve(numbers, PENSTOCK_WIRE_VARINT_BYTES_MAX);
		penstock_wire_advance(numbers,
							  penstock_wire_varint(p, published->number));
	}
}

void
penstock_relations_forget_gone(PenstockRelations *relations, TransactionId xid,
							   StringInfo numbers)
{
	HASH_SEQ_STATUS scan;
	PenstockPublished *published;

	Assert(TransactionIdIsValid(xid));
	resetStringInfo(numbers);
	relations->changed = true;
	hash_seq_init(&scan, relations->published);
	while ((published = hash_seq_search(&scan)) != NULL)
	{
		if (published->sent_by == xid)
			published->gone = false;
	}
}

/* The entry of a table, a new one if there is none.  It may not be valid. */
static PenstockRelInfo *
get_entry(PenstockRelations *relations, Oid relid)
{
	PenstockRelInfo *info;
	bool found;

	Assert(OidIsValid(relid));
	if (hash_get_num_entries(relations->infos) >= relations->infos_max)
		remove_invalid(relations);

	info = hash_search(relations->infos, &relid, HASH_ENTER, &found);
	if (!found)
	{
		info->valid = false;
		info->context = NULL;
	}
	relations->last = info;
	return info;
}

/*
 * Makes the entry's memory context and switches to it.  Returns the context
 * that was current.
 */
static MemoryContext
enter_context(const PenstockRelations *relations, PenstockRelInfo *info)
{
	Assert(info->context == NULL);
	info->context = AllocSetContextCreate(
		relations->context, "penstock relation", PENSTOCK_SMALL_CONTEXT_SIZES);
	return MemoryContextSwitchTo(info->context);
}

PenstockRelInfo *
penstock_relinfo_find(PenstockSession *session, Relation relation)
{
	PenstockRelInfo *info = get_entry(session->relations,
									  RelationGetRelid(relation));
	Oid rewritten = relation->rd_rel->relrewrite;
	MemoryContext outer;

	if (info->valid)
		return info;

	clear_info(info);
	info->valid = true;
	if (!OidIsValid(rewritten) &&
		(!is_publishable_relation(relation) || is_consumers_own(relation)))
		return info;

	outer = enter_context(session->relations, info);
	if (OidIsValid(rewritten))
	{
		Relation table = get_relation(rewritten);

		init_rewrite(session, info, table, relation->rd_rel->relpersistence);
		RelationClose(table);
	}
	else
		init_info(session, info, relation);
	MemoryContextSwitchTo(outer);
	return info;
}

PenstockRelInfo *
penstock_relinfo_get_rewritten(PenstockSession *session, Oid heap, Oid table)
{
	PenstockRelInfo *info = get_entry(session->relations, heap);
	Relation relation = RelationIdGetRelation(table);
	MemoryContext outer;

	Assert(heap != table);
	/*
	 * The entry stays invalid, so that it is removed some day: of a heap that
	 * is gone the server sends no invalidation.
	 */
	clear_info(info);
	if (!RelationIsValid(relation))
		return info;
	outer = enter_context(session->relations, info);
	init_rewrite(session, info, relation, relation->rd_rel->relpersistence);
	MemoryContextSwitchTo(outer);
	RelationClose(relation);
	return info;
}
