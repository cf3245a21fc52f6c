/*
 * publish.c
 *		Reads publications; see publish.h.
 *
 * All of this runs once for a table, and again after something changed; only
 * penstock_filter_passes() runs for each row.  Catalog lookups leave their
 * results in the change context, and what has to stay is made in the context
 * that the caller had chosen.
 */
#include "postgres.h"

#include "access/attmap.h"
#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_rel.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalogs/lookup.h"
#include "compat.h"
#include "tables/left_out.h"
#include "tables/publish.h"

struct PenstockPublications
{
	MemoryContext context; /* owns the list */
	List *names;
	List *list; /* list of Publication */
	bool skips_missing;
	bool missed; /* whether some publications do not exist; they are not in the
				  * list */
	const char *missing; /* name of the first publication that does not exist;
						  * NULL: all exist */
	bool valid;
};

/*
 * The row filter of a table: an expression for each operation; where it is
 * NULL, all rows are published.
 */
struct PenstockFilter
{
	EState *estate;
	ExprState *expressions[PENSTOCK_ROW_OPERATIONS];
	TupleTableSlot *old_slot; /* slots for the old and the new row, with the
							   * columns of publish_as */
	TupleTableSlot *new_slot;
	const int *sources; /* see PenstockPublish */
};

PenstockPublications *
penstock_publications_new(PenstockSession *session)
{
	PenstockPublications *p = palloc0(sizeof(PenstockPublications));

	p->context = AllocSetContextCreate(session->ctx->context,
									   "penstock publications",
									   PENSTOCK_SMALL_CONTEXT_SIZES);
	p->names = session->options.publications;
	p->skips_missing = session->options.skip_missing;
	return p;
}

void
penstock_publications_invalidate(PenstockPublications *p)
{
	p->valid = false;
}

static void
raise_missing(const char *name)
{
	Assert(name != NULL);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("publication \"%s\" does not exist", name),
			 errdetail("It does not exist at the point of the WAL that is "
					   "being decoded."),
			 errhint("If it was created, or dropped and created again, after "
					 "the replication slot was: run \"penstock follow\" with "
					 "--skip-missing-publications until it has come to where "
					 "the publication exists.  What was changed before that is "
					 "left out: copy the tables anew, with \"penstock table "
					 "resync\".")));
}

/*
 * Logs that a publication does not exist: once, and again only after all of
 * them existed in between.
 */
static void
say_missing(PenstockPublications *p, const char *name)
{
	ereport(p->missed ? DEBUG1 : LOG,
			(errmsg("publication \"%s\" does not exist at the point of the "
					"WAL that is being decoded: nothing is published by it",
					name)));
}

/*
 * Returns the publications of the session that exist, as a list of Publication.
 */
static List *
get_existing_publications(PenstockPublications *p)
{
	MemoryContext outer;
	ListCell *cell;

	if (p->valid)
		return p->list;

	MemoryContextReset(p->context);
	p->list = NIL;
	p->missing = NULL;
	outer = MemoryContextSwitchTo(p->context);

	/*
	 * Set `valid` before the lookups, so that an invalidation during a lookup
	 * is not overwritten.
	 */
	p->valid = true;
	foreach (cell, p->names)
	{
		const char *name = lfirst(cell);
		Publication *publication = GetPublicationByName(name, true);

		if (publication != NULL)
			p->list = lappend(p->list, publication);
		else
		{
			if (p->skips_missing)
				say_missing(p, name);
			if (p->missing == NULL)
				p->missing = name;
		}
	}
	p->missed = p->missing != NULL;

	Assert(p->missed || list_length(p->list) == list_length(p->names));
	MemoryContextSwitchTo(outer);
	return p->list;
}

static List *
get_publications(PenstockPublications *p)
{
	List *list = get_existing_publications(p);

	if (p->missing != NULL && !p->skips_missing)
		raise_missing(p->missing);
	return list;
}

/* Whether a publication names a table, or its schema. */
static bool
names_table(const Publication *publication, Oid relid)
{
	return list_member_oid(table_publications_compat(relid),
						   publication->oid) ||
		   list_member_oid(schema_publications_compat(get_rel_namespace(relid)),
						   publication->oid);
}

/*
 * Whether a publication is for all tables and does not exclude this one by
 * EXCEPT.  EXCEPT can only have whole tables: for a partition, its topmost
 * ancestor counts.
 */
static bool
has_all_tables_and(const Publication *publication, Oid relid,
				   const List *ancestors)
{
	Oid whole = ancestors == NIL ? relid : llast_oid(ancestors);

	return publication->alltables &&
		   !list_member_oid(excluding_publications_compat(whole),
							publication->oid);
}

/*
 * Whether a publication contains a table.  *publish_as is set to the table
 * itself or the ancestor that the publication names, and *level to how many
 * levels up that is.
 */
static bool
contains_table(const Publication *publication, Relation relation,
			   const List *ancestors, Oid *publish_as, int *level)
{
	bool by_all = has_all_tables_and(publication, RelationGetRelid(relation),
									 ancestors);
	bool by_ancestor = false;
	int height = 0;
	ListCell *cell;

	Assert(relation->rd_rel->relispartition || ancestors == NIL);
	*publish_as = RelationGetRelid(relation);
	*level = 0;

	/*
	 * A partitioned table has no rows; it matters for truncation only, and is
	 * named there only if its partitions are not.
	 */
	if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		!publication->pubviaroot)
		return false;

	/*
	 * Search from the nearest ancestor to the root, so that the last match is
	 * the topmost ancestor.
	 */
	foreach (cell, ancestors)
	{
		height++;
		if (!by_all && !names_table(publication, lfirst_oid(cell)))
			continue;
		by_ancestor = true;
		if (publication->pubviaroot)
		{
			*publish_as = lfirst_oid(cell);
			*level = height;
		}
	}
	Assert(*level == 0 || publication->pubviaroot);
	return by_all || by_ancestor ||
		   names_table(publication, RelationGetRelid(relation));
}

/* Whether a publication contains a table, or an ancestor of it. */
static bool
reaches_table(const Publication *publication, Oid relid, const List *ancestors)
{
	ListCell *cell;

	if (has_all_tables_and(publication, relid, ancestors) ||
		names_table(publication, relid))
		return true;
	foreach (cell, ancestors)
	{
		if (names_table(publication, lfirst_oid(cell)))
			return true;
	}
	return false;
}

/* Returns those of the session's publications that contain a table. */
static List *
list_containing(PenstockSession *session, Oid relid, bool is_partition)
{
	List *ancestors = is_partition ? get_partition_ancestors(relid) : NIL;
	List *containing = NIL;
	ListCell *cell;

	foreach (cell, get_existing_publications(session->publications))
	{
		if (reaches_table(lfirst(cell), relid, ancestors))
			containing = lappend(containing, lfirst(cell));
	}
	return containing;
}

bool
penstock_publications_have(PenstockSession *session, Oid relid,
						   bool is_partition)
{
	return list_containing(session, relid, is_partition) != NIL;
}

uint32
penstock_publications_withhold(PenstockSession *session, Oid relid,
							   bool is_partition)
{
	const List *containing = list_containing(session, relid, is_partition);
	uint32 published = 0;
	ListCell *cell;

	foreach (cell, containing)
	{
		const PublicationActions
			*actions = &((const Publication *) lfirst(cell))->pubactions;

		published |= (uint32) actions->pubinsert << PENSTOCK_INSERT |
					 (uint32) actions->pubupdate << PENSTOCK_UPDATE |
					 (uint32) actions->pubdelete << PENSTOCK_DELETE |
					 (uint32) actions->pubtruncate << PENSTOCK_TRUNCATE;
	}
	return containing == NIL ? 0
							 : ~published & ((1U << PENSTOCK_OPERATIONS) - 1);
}

/*
 * Returns the row of pg_publication_rel with which a publication names a table;
 * NULL: there is none.  The caller releases it.
 */
static HeapTuple
find_publication_rel(const Publication *publication, Oid relid)
{
	if (publication->alltables)
		return NULL;
	return SearchSysCache2(PUBLICATIONRELMAP, ObjectIdGetDatum(relid),
						   ObjectIdGetDatum(publication->oid));
}

static Bitmapset *
columns_of_list(Datum list)
{
	ArrayType *array = DatumGetArrayTypeP(list);
	const int16 *attnums = (const int16 *) ARR_DATA_PTR(array);
	Bitmapset *columns = NULL;

	Assert(ARR_NDIM(array) == 1 && ARR_ELEMTYPE(array) == INT2OID);
	for (int i = 0; i < ARR_DIMS(array)[0]; i++)
		columns = bms_add_member(columns, attnums[i]);
	return columns;
}

/*
 * Returns the columns that a publication publishes of a table without a column
 * list.
 */
static Bitmapset *
columns_by_default(const Publication *publication, TupleDesc desc)
{
	Bitmapset *columns = NULL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (attr->attisdropped)
			continue;
		if (attr->attgenerated == '\0' ||
			(attr->attgenerated == ATTRIBUTE_GENERATED_STORED &&
			 publishes_generated_compat(publication)))
			columns = bms_add_member(columns, attr->attnum);
	}
	return columns;
}

static Bitmapset *
published_columns(const Publication *publication, Relation target)
{
	HeapTuple tuple;
	Bitmapset *columns = NULL;
	bool isnull = true;

	tuple = find_publication_rel(publication, RelationGetRelid(target));
	if (tuple != NULL)
	{
		Datum list = publication_columns_compat(tuple, &isnull);

		if (!isnull)
			columns = columns_of_list(list);
		ReleaseSysCache(tuple);
	}
	if (isnull)
		columns = columns_by_default(publication, RelationGetDescr(target));
	return columns;
}

static Bitmapset *
resolve_columns(const List *publications, Relation target)
{
	Bitmapset *columns = NULL;
	ListCell *cell;

	Assert(publications != NIL);
	foreach (cell, publications)
	{
		const Publication *publication = lfirst(cell);
		Bitmapset *more = published_columns(publication, target);

		if (foreach_current_index(cell) > 0 && !bms_equal(columns, more))
			ereport(
				ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("publications differ in the columns of table %s",
						quote_qualified_identifier(
							get_namespace_name(RelationGetNamespace(target)),
							RelationGetRelationName(target))),
				 errdetail("Publications \"%s\" and \"%s\" publish "
						   "different columns.",
						   ((Publication *) linitial(publications))->name,
						   publication->name),
				 errhint("Give all publications of the session the same "
						 "column list for this table.")));
		columns = more;
	}
	return columns;
}

/*
 * Returns the row filter of a table in one publication as an expression tree;
 * NULL: it has none, or the publication also names the table's schema.
 */
static Node *
filter_expression(const Publication *publication, Relation target)
{
	HeapTuple tuple;
	Node *expression = NULL;
	bool isnull;
	Datum filter;

	if (list_member_oid(
			schema_publications_compat(RelationGetNamespace(target)),
			publication->oid))
		return NULL;

	tuple = find_publication_rel(publication, RelationGetRelid(target));
	if (tuple == NULL)
		return NULL;
	filter = publication_filter_compat(tuple, &isnull);
	if (!isnull)
		expression = expand_virtual_columns_compat(
			stringToNode(TextDatumGetCString(filter)), target);
	ReleaseSysCache(tuple);
	return expression;
}

static bool
publishes(const Publication *publication, PenstockOperation operation)
{
	switch (operation)
	{
		case PENSTOCK_INSERT:
			return publication->pubactions.pubinsert;
		case PENSTOCK_UPDATE:
			return publication->pubactions.pubupdate;
		case PENSTOCK_DELETE:
			return publication->pubactions.pubdelete;
		case PENSTOCK_TRUNCATE:
			return publication->pubactions.pubtruncate;
	}
	pg_unreachable();
}

static TupleTableSlot *
make_slot(Relation target)
{
	return MakeSingleTupleTableSlot(
		CreateTupleDescCopy(RelationGetDescr(target)), &TTSOpsVirtual);
}

/* State of making an expression ready to be evaluated. */
typedef struct FilterLookup
{
	Node *node;
	EState *estate;
	ExprState *prepared;
} FilterLookup;

static void
prepare_expression(void *arg)
{
	FilterLookup *lookup = arg;

	lookup->prepared = ExecPrepareExpr((Expr *) lookup->node, lookup->estate);
}

/*
 * Returns, for each operation, the row filters of all publications, joined by
 * OR and ready to be evaluated; NULL: none of them has a filter.  Allocated in
 * `keep`.
 */
static PenstockFilter *
resolve_filter(const List *publications, Relation target, const int *sources,
			   MemoryContext keep)
{
	List *expressions[PENSTOCK_ROW_OPERATIONS] = {NIL};
	bool all_rows[PENSTOCK_ROW_OPERATIONS] = {false};
	PenstockFilter *filter = NULL;
	MemoryContext outer;
	ListCell *cell;

	foreach (cell, publications)
	{
		const Publication *publication = lfirst(cell);
		Node *expression = filter_expression(publication, target);

		for (int i = 0; i < PENSTOCK_ROW_OPERATIONS; i++)
		{
			if (!publishes(publication, i))
				continue;
			if (expression == NULL)
				all_rows[i] = true;
			else
				expressions[i] = lappend(expressions[i], expression);
		}
	}

	outer = MemoryContextSwitchTo(keep);
	for (int i = 0; i < PENSTOCK_ROW_OPERATIONS; i++)
	{
		FilterLookup lookup;

		if (all_rows[i] || expressions[i] == NIL)
			continue;
		if (filter == NULL)
		{
			filter = palloc0(sizeof(PenstockFilter));
			filter->estate = CreateExecutorState();
			filter->old_slot = make_slot(target);
			filter->new_slot = make_slot(target);
			filter->sources = sources;
		}
		lookup.node = copyObject((Node *) make_orclause(expressions[i]));
		lookup.estate = filter->estate;
		penstock_lookup(prepare_expression, &lookup);
		filter->expressions[i] = lookup.prepared;
		Assert(lookup.prepared != NULL);
	}
	MemoryContextSwitchTo(outer);
	return filter;
}

/*
 * Returns where the attributes of `target` are in rows of `relation`, which is
 * the same table or a partition of it; see PenstockPublish.sources.
 */
static int *
resolve_sources(Relation relation, Relation target, MemoryContext keep)
{
	TupleDesc desc = RelationGetDescr(target);
	AttrMap *map = NULL;
	int *sources;

	if (relation != target)
		map = attrmap_by_name_compat(RelationGetDescr(relation), desc);

	sources = MemoryContextAlloc(keep, sizeof(int) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			sources[i] = -1;
		else
			sources[i] = map == NULL ? i : map->attnums[i] - 1;
		Assert(sources[i] < RelationGetNumberOfAttributes(relation));
	}
	return sources;
}

/*
 * Changes what was found for a partition that appears as its ancestor, so that
 * it appears as itself.  The columns stay those that are published of the
 * ancestor.  The filter stays, too: it reads the partition's rows by the
 * ancestor's columns.
 */
static void
publish_as_itself(PenstockPublish *publish, Relation relation,
				  MemoryContext keep)
{
	Bitmapset *columns = NULL;
	int attnum = -1;

	Assert(publish->publish_as != RelationGetRelid(relation));
	while ((attnum = bms_next_member(publish->columns, attnum)) >= 0)
		columns = bms_add_member(columns, publish->sources[attnum - 1] + 1);
	publish->columns = columns;
	publish->publish_as = RelationGetRelid(relation);
	publish->sources = resolve_sources(relation, relation, keep);
}

/*
 * Fills in what depends on the table as which rows appear: the columns, the
 * filter, and where the values are.
 */
static void
resolve_target(PenstockPublish *publish, Relation relation,
			   const List *publications, bool as_itself, MemoryContext keep)
{
	Relation target = relation;

	if (publish->publish_as != RelationGetRelid(relation))
	{
		target = RelationIdGetRelation(publish->publish_as);
		if (!RelationIsValid(target))
			elog(ERROR, "could not open relation with OID %u",
				 publish->publish_as);
	}

	publish->sources = resolve_sources(relation, target, keep);
	publish->columns = resolve_columns(publications, target);
	publish->filter = resolve_filter(publications, target, publish->sources,
									 keep);
	Assert(publish->sources != NULL);
	if (target == relation)
		return;
	RelationClose(target);
	if (as_itself)
		publish_as_itself(publish, relation, keep);
}

static void
resolve(PenstockSession *session, Relation relation, bool as_itself,
		PenstockPublish *publish)
{
	MemoryContext keep = MemoryContextSwitchTo(session->change_context);
	List *ancestors = NIL;
	List *deciding =
		NIL; /* the publications by which rows appear as publish_as */
	int level_max = 0;
	ListCell *cell;

	memset(publish, 0, sizeof(*publish));
	publish->publish_as = RelationGetRelid(relation);

	if (relation->rd_rel->relispartition)
		ancestors = get_partition_ancestors(RelationGetRelid(relation));

	foreach (cell, get_publications(session->publications))
	{
		Publication *publication = lfirst(cell);
		Oid publish_as;
		int level;

		if (!contains_table(publication, relation, ancestors, &publish_as,
							&level))
			continue;
		for (int i = 0; i < PENSTOCK_OPERATIONS; i++)
			publish->operations[i] |= publishes(publication, i);

		if (level < level_max)
			continue;
		if (level > level_max)
			deciding = NIL;
		level_max = level;
		publish->publish_as = publish_as;
		deciding = lappend(deciding, publication);
	}

	if (deciding != NIL &&
		(penstock_left_out_has(session, publish->publish_as) ||
		 (as_itself &&
		  penstock_left_out_has(session, RelationGetRelid(relation)))))
	{
		memset(publish->operations, 0, sizeof(publish->operations));
		deciding = NIL;
	}
	if (deciding != NIL)
		resolve_target(publish, relation, deciding, as_itself, keep);
	MemoryContextSwitchTo(keep);
	publish->columns = bms_copy(publish->columns);
}

void
penstock_publish_resolve(PenstockSession *session, Relation relation,
						 PenstockPublish *publish)
{
	resolve(session, relation, false, publish);
}

void
penstock_publish_resolve_rewrite(PenstockSession *session, Relation relation,
								 PenstockPublish *publish)
{
	resolve(session, relation, true, publish);
}

/*
 * Whether a row filter accepts a row.  A filter that yields NULL does not
 * accept it.
 */
static bool
accepts(PenstockFilter *filter, ExprState *expression, TupleTableSlot *slot,
		const PenstockRow *row)
{
	ExprContext *context = GetPerTupleExprContext(filter->estate);
	bool isnull;
	Datum result;

	Assert(expression != NULL && row != NULL);
	ExecClearTuple(slot);
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		int source = filter->sources[i];

		slot->tts_isnull[i] = source < 0 || row->nulls[source];
		slot->tts_values[i] = source < 0 ? (Datum) 0 : row->values[source];
	}
	ExecStoreVirtualTuple(slot);

	context->ecxt_scantuple = slot;
	result = ExecEvalExprSwitchContext(expression, context, &isnull);
	return !isnull && DatumGetBool(result);
}

/*
 * Completes the new row from the old one.  The new row does not have large
 * values that the update did not change.  Such a value is in the old row if it
 * is part of the replica identity.
 */
static void
complete_new_row(const PenstockFilter *filter, const PenstockRow *old_row,
				 PenstockRow *new_row)
{
	TupleDesc desc = filter->new_slot->tts_tupleDescriptor;

	Assert(old_row != NULL && new_row != NULL);
	if (!new_row->maybe_external)
		return;
	for (int i = 0; i < desc->natts; i++)
	{
		int source = filter->sources[i];

		if (source < 0 || TupleDescAttr(desc, i)->attlen != -1 ||
			new_row->nulls[source] || old_row->nulls[source])
			continue;
		if (VARATT_IS_EXTERNAL_ONDISK(
				DatumGetPointer(new_row->values[source])) &&
			!VARATT_IS_EXTERNAL_ONDISK(
				DatumGetPointer(old_row->values[source])))
			new_row->values[source] = old_row->values[source];
	}
}

static bool
passes(PenstockFilter *filter, PenstockOperation *operation,
	   const PenstockRow *old_row, PenstockRow *new_row)
{
	ExprState *expression = filter->expressions[*operation];
	bool old_accepted;
	bool new_accepted;

	if (expression == NULL)
		return true;
	ResetPerTupleExprContext(filter->estate);

	if (new_row == NULL)
		return accepts(filter, expression, filter->old_slot, old_row);

	/*
	 * If the server did not log the old row, the columns of the filter have not
	 * changed: a filter may only use columns of the replica identity.
	 */
	if (old_row == NULL)
		return accepts(filter, expression, filter->new_slot, new_row);

	complete_new_row(filter, old_row, new_row);
	old_accepted = accepts(filter, expression, filter->old_slot, old_row);
	new_accepted = accepts(filter, expression, filter->new_slot, new_row);
	if (!old_accepted && new_accepted)
		*operation = PENSTOCK_INSERT;
	else if (old_accepted && !new_accepted)
		*operation = PENSTOCK_DELETE;
	return old_accepted || new_accepted;
}

typedef struct PassLookup
{
	PenstockFilter *filter;
	PenstockOperation *operation;
	const PenstockRow *old_row;
	PenstockRow *new_row;
	bool passes;
} PassLookup;

static void
look_whether_passes(void *arg)
{
	PassLookup *lookup = arg;

	lookup->passes = passes(lookup->filter, lookup->operation, lookup->old_row,
							lookup->new_row);
}

/* NOLINTBEGIN(readability-non-const-parameter): passes() writes it. */
bool
penstock_filter_passes(PenstockFilter *filter, PenstockOperation *operation,
					   const PenstockRow *old_row, PenstockRow *new_row)
{
	PassLookup lookup = {
		.filter = filter,
		.operation = operation,
		.old_row = old_row,
		.new_row = new_row,
	};

	Assert(filter != NULL);
	Assert((*operation == PENSTOCK_INSERT && new_row != NULL) ||
		   (*operation == PENSTOCK_UPDATE && new_row != NULL) ||
		   (*operation == PENSTOCK_DELETE && old_row != NULL));
	penstock_lookup(look_whether_passes, &lookup);
	return lookup.passes;
}
/* NOLINTEND(readability-non-const-parameter) */
