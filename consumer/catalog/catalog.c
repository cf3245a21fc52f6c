/*
 * catalog.c
 *    Reads the published tables from the source.
 *
 * We read them with a few large queries and not with a query per table, because
 * a database may have tens of thousands of tables, and the network may be slow.
 */
#include "catalog/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/own_schema.h"
#include "net/sql.h"

#define ARENA_BLOCK_BYTES (64 * KB)

/*
 * FirstGenbkiObjectId of PostgreSQL's access/transam.h: OIDs of types below
 * this are assigned by hand and never change.
 */
#define OID_FIRST_GENERATED_SQL "10000"

/* OID of the access method heap (catalog/pg_am.dat). */
#define HEAP_AM_OID "2"

/* First version of the server that has TID range scans, which read a range of
 * ctid without reading the whole table. */
#define CTID_RANGE_VERSION_NUM 140000

/*
 * Condition on a row of pg_type, whose alias is the argument: all server
 * versions have the same binary format of the type.  The type has a fixed OID
 * and functions for the binary format, its values are no OIDs as those of
 * regclass, and it is no internal type (category Z); for the reasons see the
 * plugin's value.c.  Two types are exceptions.  "char" is in category Z from
 * PostgreSQL 15 on, but we use its binary format, because its text format has
 * changed in 16.  interval can be infinite from PostgreSQL 17 on, and an older
 * server would read that as a number.
 */
#define PORTABLE_SQL(type)                                                     \
	type ".oid < " OID_FIRST_GENERATED_SQL " AND " type                        \
		 ".typtype IN ('b', 'r', 'm')"                                         \
		 " AND " type ".typsend <> 0 AND " type ".typreceive <> 0"             \
		 " AND (" type ".typcategory <> 'Z' OR " type ".typname = 'char')"     \
		 " AND " type ".typname !~ '^_?reg'"                                   \
		 " AND NOT (" type ".typname = 'interval'"                             \
		 " AND current_setting('server_version_num')::int >= 170000)"

/* Unlogged tables, which a publication FOR ALL TABLES cannot publish. */
static const char unlogged_sql[] =
	" UNION ALL SELECT c.oid, NULL, NULL FROM pg_class c"
	" JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND c.oid >= 16384"
	" AND n.nspname <> '" CATALOG_OWN_SCHEMA "'";

static const char published_sql[] =
	"),"
	" combined AS MATERIALIZED (SELECT p.relid,"
	"  count(DISTINCT p.attnames) > 1 AS lists_differ,"
	"  min(p.attnames) AS attnames,"
	"  CASE WHEN bool_and(p.rowfilter IS NOT NULL) THEN"
	"   string_agg(DISTINCT '(' || p.rowfilter || ')', ' OR ') END AS filter"
	" FROM published p WHERE NOT EXISTS ("
	"  SELECT FROM pg_partition_ancestors(p.relid) a"
	"  JOIN published q ON q.relid = a.relid WHERE a.relid <> p.relid)"
	" GROUP BY p.relid)";

static const char tables_sql[] =
	" SELECT c.oid, n.nspname, c.relname, c.relkind = 'p', s.bytes, s.rows,"
	"  CASE WHEN c.relam = " HEAP_AM_OID " THEN pg_relation_size(c.oid)"
	"   / current_setting('block_size')::int ELSE 0 END,"
	"  t.lists_differ, t.filter,"
	"  c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i"
	"   WHERE i.indrelid = c.oid AND (c.relreplident = 'd' AND i.indisprimary"
	"    OR c.relreplident = 'i' AND i.indisreplident)),"
	"  m.is_config, m.condition, c.relpersistence = 'u',"
	"  a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod),"
	"  " PORTABLE_SQL("y") " AND (e.oid IS NULL OR " PORTABLE_SQL(
		"e") ")"
			 " FROM combined t"
			 " JOIN pg_class c ON c.oid = t.relid"
			 " JOIN pg_namespace n ON n.oid = c.relnamespace"
			 " CROSS JOIN LATERAL (SELECT CASE c.relkind WHEN 'p' THEN"
			 "   (SELECT coalesce(sum(pg_table_size(l.relid)), 0)::bigint"
			 "    FROM pg_partition_tree(c.oid) l)"
			 "   ELSE pg_relation_size(c.oid)"
			 "    + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)"
			 "   END AS bytes,"
			 "  CASE c.relkind WHEN 'p' THEN"
			 "   (SELECT sum(greatest(r.reltuples, 0)) FROM pg_class r WHERE"
			 "    r.oid IN (SELECT l.relid FROM pg_partition_tree(c.oid) l))"
			 "   ELSE greatest(c.reltuples, 0) END::bigint AS rows) s"
			 " LEFT JOIN LATERAL (SELECT"
			 "   array_position(x.extconfig, c.oid) IS NOT NULL AS is_config,"
			 "   regexp_replace(x.extcondition[array_position(x.extconfig, "
			 "c.oid)],"
			 "    '^\\s*WHERE\\M', '', 'i') AS condition"
			 "  FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid"
			 "  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
			 "  AND d.refclassid = 'pg_extension'::regclass AND d.deptype = "
			 "'e') m"
			 "  ON true"
			 " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
			 "  AND NOT a.attisdropped AND a.attgenerated = ''"
			 "  AND (t.attnames IS NULL OR a.attname = ANY (t.attnames))"
			 " LEFT JOIN pg_type y ON y.oid = a.atttypid"
			 " LEFT JOIN pg_type e ON e.oid = y.typelem AND y.typcategory = 'A'"
			 " ORDER BY s.bytes DESC, c.oid, a.attnum";

/* Columns of the result of tables_sql. */
enum
{
	TABLES_OID,
	TABLES_SCHEMA,
	TABLES_NAME,
	TABLES_PARTITIONED,
	TABLES_BYTES,
	TABLES_ROWS,
	TABLES_BLOCKS,
	TABLES_LISTS_DIFFER,
	TABLES_FILTER,
	TABLES_HAS_IDENTITY,
	TABLES_IS_CONFIG,
	TABLES_CONDITION,
	TABLES_UNLOGGED,
	TABLES_COLUMN,
	TABLES_TYPE,
	TABLES_TYPE_NAME,
	TABLES_PORTABLE,
};

static const char relations_sql[] =
	", up (relid) AS (SELECT relid FROM combined"
	"  UNION SELECT i.inhparent FROM up JOIN pg_inherits i"
	"   ON i.inhrelid = up.relid),"
	" family (relid) AS (SELECT relid FROM up"
	"  UNION SELECT l.relid::oid FROM combined t"
	"   CROSS JOIN LATERAL pg_partition_tree(t.relid) l)"
	" SELECT c.oid, n.nspname, c.relname,"
	"  EXISTS (SELECT FROM pg_depend d"
	"   WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
	"   AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')"
	" FROM family f JOIN pg_class c ON c.oid = f.relid"
	" JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY c.oid";

static uint32_t
oid_field(const PGresult *result, int row, int column)
{
	return (uint32_t) strtoul(PQgetvalue(result, row, column), NULL, 10);
}

/*
 * Begins a query with the CTEs `published`, the published tables of each
 * publication, and `combined`, the tables to copy.  Up to PostgreSQL 14,
 * publications have neither column lists nor row filters.
 */
static void
append_published(Buf *sql, const CopyCatalog *catalog, PgConn *source)
{
	bool has_lists = pgconn_server_version_num(source) >= 150000;

	ASSERT(catalog->publications.count > 0);
	buf_printf(sql,
			   "WITH RECURSIVE published AS MATERIALIZED ("
			   "SELECT c.oid AS relid, %s"
			   " FROM pg_publication_tables p"
			   " JOIN pg_namespace n ON n.nspname = p.schemaname"
			   " JOIN pg_class c ON c.relnamespace = n.oid"
			   "  AND c.relname = p.tablename"
			   " WHERE p.pubname IN (",
			   has_lists ? "p.attnames, p.rowfilter"
						 : "NULL::name[] AS attnames, NULL::text AS rowfilter");
	publications_append_literals(&catalog->publications, sql);
	buf_append_string(sql, ") AND n.nspname <> '" CATALOG_OWN_SCHEMA "'");
	if (catalog->only_oid != 0)
		buf_printf(sql,
				   " AND (c.oid = %u OR c.oid IN (SELECT l.relid"
				   " FROM pg_partition_tree(%u) l))",
				   catalog->only_oid, catalog->only_oid);
	else if (catalog->publications.all_tables && !catalog->without_unlogged)
		buf_append_string(sql, unlogged_sql);
	buf_append_string(sql, published_sql);
}

/* Combines the row filter and the condition of the extension, of which each may
 * be empty, to one condition. */
static const char *
combine_filters(Arena *arena, const char *filter, const char *condition)
{
	if (condition[0] == '\0')
		return filter[0] == '\0' ? NULL : arena_strdup(arena, filter);
	if (filter[0] == '\0')
		return arena_strdup(arena, condition);
	return arena_printf(arena, "(%s) AND (%s)", filter, condition);
}

static char *
qualify(Arena *arena, const char *schema, const char *name)
{
	Buf text;
	char *qualified;

	buf_init(&text, BUF_TEXT_MAX);
	sql_append_qualified(&text, schema, name);
	qualified = arena_strdup(arena, text.data);
	buf_release(&text);
	return qualified;
}

static void
fill_table(CopyTable *table, Arena *arena, const PGresult *result, int row)
{
	bool member = !PQgetisnull(result, row, TABLES_IS_CONFIG);

	ASSERT(row >= 0 && row < PQntuples(result));
	table->oid = oid_field(result, row, TABLES_OID);
	table->first_oid = table->oid;
	table->schema = arena_strdup(arena, PQgetvalue(result, row, TABLES_SCHEMA));
	table->name = arena_strdup(arena, PQgetvalue(result, row, TABLES_NAME));
	table->qualified = qualify(arena, table->schema, table->name);
	table->partitioned = sql_bool(result, row, TABLES_PARTITIONED);
	table->bytes = strtoll(PQgetvalue(result, row, TABLES_BYTES), NULL, 10);
	table->rows_expected = strtoll(PQgetvalue(result, row, TABLES_ROWS), NULL,
								   10);
	table->heap_blocks = strtoll(PQgetvalue(result, row, TABLES_BLOCKS), NULL,
								 10);
	table->unlogged = sql_bool(result, row, TABLES_UNLOGGED);
	table->has_identity = sql_bool(result, row, TABLES_HAS_IDENTITY);
	table->filter = combine_filters(arena,
									PQgetvalue(result, row, TABLES_FILTER),
									PQgetvalue(result, row, TABLES_CONDITION));
	if (member)
		table->membership = sql_bool(result, row, TABLES_IS_CONFIG)
								? MEMBER_CONFIG
								: MEMBER_STATIC;
}

static void
fill_column(CopyColumn *column, Arena *arena, const PGresult *result, int row)
{
	ASSERT(!PQgetisnull(result, row, TABLES_COLUMN));
	column->name = arena_strdup(arena, PQgetvalue(result, row, TABLES_COLUMN));
	column->type_oid = oid_field(result, row, TABLES_TYPE);
	column->type = arena_strdup(arena,
								PQgetvalue(result, row, TABLES_TYPE_NAME));
	column->portable = sql_bool(result, row, TABLES_PORTABLE);
}

/* Returns one past the last row of the result that is about the table of
 * `row`. */
static int
table_end(const PGresult *result, int row)
{
	uint32_t oid = oid_field(result, row, 0);
	int end = row + 1;

	ASSERT(row < PQntuples(result));
	while (end < PQntuples(result) && oid_field(result, end, 0) == oid)
		end++;
	return end;
}

static int
count_tables(const PGresult *result)
{
	int count = 0;

	for (int row = 0; row < PQntuples(result); row = table_end(result, row))
		count++;
	return count;
}

static Rc
check_limit(int count, Error *err)
{
	ASSERT(count >= 0);
	if (count <= CATALOG_TABLES_MAX)
		return RC_OK;
	return error_set(err, ERR_LIMIT, "more than %d tables are published",
					 CATALOG_TABLES_MAX);
}

static Rc
lists_differ(const CopyTable *table, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "the publications have different column lists for table "
					  "%s",
					  table->qualified);

	error_hint(err, "Give the table the same columns in all of them.");
	return rc;
}

static Rc
fill_tables(CopyCatalog *catalog, const PGresult *result, Error *err)
{
	int row = 0;

	catalog->table_count = count_tables(result);
	if (check_limit(catalog->table_count, err) != RC_OK)
		return RC_FAIL;
	catalog->tables = arena_calloc(
		catalog->arena, (size_t) catalog->table_count, sizeof(CopyTable));
	for (int i = 0; i < catalog->table_count; i++)
	{
		CopyTable *table = &catalog->tables[i];
		int end = table_end(result, row);

		fill_table(table, catalog->arena, result, row);
		if (sql_bool(result, row, TABLES_LISTS_DIFFER))
			return lists_differ(table, err);
		table->columns = arena_calloc(catalog->arena, (size_t) (end - row),
									  sizeof(CopyColumn));
		/* A table without columns has one row, in which the column is null. */
		if (!PQgetisnull(result, row, TABLES_COLUMN))
			table->column_count = end - row;
		for (int n = 0; n < table->column_count; n++)
			fill_column(&table->columns[n], catalog->arena, result, row + n);
		row = end;
	}
	ASSERT(row == PQntuples(result));
	return RC_OK;
}

/* Queries the source about the published tables; `rest` is the query after the
 * CTEs of append_published(). */
static MUST_CHECK Rc
ask_of_published(const CopyCatalog *catalog, const char *rest, PgConn *source,
				 PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	append_published(&sql, catalog, source);
	buf_append_string(&sql, rest);
	return sql_run(source, &sql, result, err);
}

static Rc
read_tables(CopyCatalog *catalog, PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Rc rc = ask_of_published(catalog, tables_sql, source, &result, err);

	if (rc == RC_OK)
		rc = fill_tables(catalog, result, err);
	if (pgconn_server_version_num(source) < CTID_RANGE_VERSION_NUM)
		for (int i = 0; i < catalog->table_count; i++)
			catalog->tables[i].heap_blocks = 0;
	PQclear(result);
	return rc;
}

static Rc
read_relations(CopyCatalog *catalog, PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Rc rc = ask_of_published(catalog, relations_sql, source, &result, err);

	if (rc == RC_OK)
		rc = check_limit(PQntuples(result) / 2, err);
	if (rc == RC_OK)
	{
		catalog->relation_count = PQntuples(result);
		catalog->relations = arena_calloc(catalog->arena,
										  (size_t) catalog->relation_count,
										  sizeof(CopyRelation));
	}
	for (int i = 0; i < catalog->relation_count; i++)
		catalog->relations[i] = (CopyRelation){
			.oid = oid_field(result, i, 0),
			.qualified = qualify(catalog->arena, PQgetvalue(result, i, 1),
								 PQgetvalue(result, i, 2)),
			.member = sql_bool(result, i, 3),
		};
	PQclear(result);
	return rc;
}

static void
find_without_identity(CopyCatalog *catalog)
{
	CatalogFindings *findings = &catalog->findings;

	if (!catalog->publications.publishes_keys)
		return;
	for (int i = 0; i < catalog->table_count; i++)
		if (!catalog->tables[i].has_identity && !catalog->tables[i].unlogged &&
			findings->without_identity_count++ == 0)
			findings->without_identity = catalog->tables[i].qualified;
}

static bool
is_nowhere(const CopyCatalog *catalog, const CopyTable *table)
{
	const SelectedRelation *relation = selected_find(&catalog->selected,
													 table->oid);

	return relation != NULL && relation->nowhere;
}

/* Removes the tables that are not selected from the catalog. */
static void
select_tables(CopyCatalog *catalog)
{
	CatalogFindings *findings = &catalog->findings;
	int kept = 0;

	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];

		if (selected_has(&catalog->selected, table->oid))
			catalog->tables[kept++] = *table;
		else if (!table->unlogged && !is_nowhere(catalog, table) &&
				 findings->left_out_count++ == 0)
			findings->left_out = table->qualified;
	}
	catalog->table_count = kept;
}

/* Returns how many views, sequences and foreign tables are selected. */
static int
count_other_kinds(const Selected *selected)
{
	int count = 0;

	for (int i = 0; i < selected->relation_count; i++)
		if (selected->relations[i].selected &&
			strchr("vmfS", selected->relations[i].kind) != NULL)
			count++;
	return count;
}

static void
add_other_kinds(CopyCatalog *catalog)
{
	const Selected *selected = &catalog->selected;
	int count = catalog->relation_count + count_other_kinds(selected);
	CopyRelation *all = arena_calloc(catalog->arena, (size_t) count,
									 sizeof(CopyRelation));

	memcpy(all, catalog->relations,
		   (size_t) catalog->relation_count * sizeof(CopyRelation));
	catalog->relations = all;
	for (int i = 0; i < selected->relation_count; i++)
		if (selected->relations[i].selected &&
			strchr("vmfS", selected->relations[i].kind) != NULL)
			all[catalog->relation_count++] = (CopyRelation){
				.oid = selected->relations[i].oid,
				.qualified = selected->relations[i].qualified,
			};
}

static void
select_relations(CopyCatalog *catalog)
{
	int kept = 0;

	for (int i = 0; i < catalog->relation_count; i++)
		if (selected_has(&catalog->selected, catalog->relations[i].oid))
			catalog->relations[kept++] = catalog->relations[i];
	catalog->relation_count = kept;
	if (catalog->publications.all_tables && catalog->selected.by_table)
		add_other_kinds(catalog);
}

/* A topmost partitioned table and all its partitions, or any other table. */
typedef struct Family
{
	bool published; /* whether a table of the family is published itself */
	bool placed;    /* whether the placement assigns such a table to a
					 * target */
} Family;

static bool
has_nowhere(const Placement *placement)
{
	for (int i = 0; placement != NULL && i < placement_rule_count(placement);
		 i++)
		if (placement_rule(placement, i)->kind == PLACEMENT_NONE)
			return true;
	return false;
}

static bool
puts_nowhere(const Placement *placement, const char *schema, const char *name)
{
	const PlacementRule *rule = placement_find(placement, schema, name);

	ASSERT(placement != NULL);
	return rule != NULL && rule->kind == PLACEMENT_NONE;
}

/* Returns an array of families.  A family has the index of its topmost table in
 * the selection's list of relations. */
static Family *
read_families(const CopyCatalog *catalog, const Placement *placement)
{
	const Selected *selected = &catalog->selected;
	Family *families = arena_calloc(
		catalog->arena, (size_t) selected->relation_count, sizeof(Family));

	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];
		const SelectedRelation *found = selected_find(selected, table->oid);
		Family *family;

		if (found != NULL)
			found = selected_find(selected, found->root_oid);
		if (found == NULL)
			continue;
		family = &families[found - selected->relations];
		ASSERT(found >= selected->relations &&
			   found < selected->relations + selected->relation_count);
		family->published = true;
		family->placed |= !puts_nowhere(placement, table->schema, table->name);
	}
	return families;
}

/*
 * Excludes the tables that the placement assigns to no target.  The rule for
 * the rows of a partition is that of the table under whose name they are
 * published: the partition or the partitioned table.  So a partitioned table
 * and its partitions are excluded together, if the placement assigns none of
 * those of them that are published to a target.
 */
static void
select_places(CopyCatalog *catalog, const CatalogOptions *options)
{
	Selected *selected = &catalog->selected;
	const Family *families = read_families(catalog, options->placement);
	int count = 0;

	ASSERT(options->selection != NULL);
	for (int i = 0; i < selected->relation_count; i++)
	{
		SelectedRelation *relation = &selected->relations[i];
		const SelectedRelation *root = selected_find(selected,
													 relation->root_oid);
		const Family *family;

		if (root == NULL || strchr("rp", relation->kind) == NULL)
			continue;
		family = &families[root - selected->relations];
		ASSERT(root->root_oid == root->oid);
		relation->nowhere = family->published
								? !family->placed
								: puts_nowhere(options->placement, root->schema,
											   root->name);
		if (!relation->nowhere)
			continue;
		relation->selected = false;
		relation->excluded = true;
		count++;
	}
	if (count == 0 && selection_is_all(options->selection))
		*selected = (Selected){.all = true};
}

static Rc
read_selected(CopyCatalog *catalog, PgConn *source,
			  const CatalogOptions *options, Error *err)
{
	Rc rc;

	ASSERT(catalog->selected.relation_count == 0);
	catalog->selected.all = true;
	if (options->selection == NULL)
		return RC_OK;
	rc = selection_read(&catalog->selected, options->selection,
						has_nowhere(options->placement), source, catalog->arena,
						err);
	if (rc == RC_OK && has_nowhere(options->placement))
		select_places(catalog, options);
	if (rc != RC_OK || catalog->selected.all)
		return rc;
	select_tables(catalog);
	select_relations(catalog);
	return RC_OK;
}

static Rc
read_all(CopyCatalog **catalog, PgConn *source, const CatalogOptions *options,
		 uint32_t only_oid, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	CopyCatalog *read = arena_calloc(arena, 1, sizeof(CopyCatalog));
	Rc rc = publications_parse(&read->publications, options->publications,
							   arena, err);

	/* Without a selection the placement would leave nothing out. */
	ASSERT(options->placement == NULL || options->selection != NULL);
	read->arena = arena;
	read->only_oid = only_oid;
	read->without_unlogged = options->without_unlogged;
	if (rc == RC_OK)
		rc = publications_read(&read->publications, source, err);
	if (rc == RC_OK)
		rc = read_tables(read, source, err);
	if (rc == RC_OK)
		rc = read_relations(read, source, err);
	if (rc == RC_OK)
		rc = read_selected(read, source, options, err);
	if (rc != RC_OK)
	{
		catalog_free(read);
		return rc;
	}
	read->whole = read->publications.all_tables && only_oid == 0 &&
				  !read->selected.by_table;
	find_without_identity(read);
	*catalog = read;
	return RC_OK;
}

Rc
catalog_read(CopyCatalog **catalog, PgConn *source,
			 const CatalogOptions *options, Error *err)
{
	return read_all(catalog, source, options, 0, err);
}

Rc
catalog_read_table(CopyCatalog **catalog, PgConn *source, const char *list,
				   uint32_t oid, Error *err)
{
	const CatalogOptions options = {.publications = list};

	ASSERT(oid != 0);
	return read_all(catalog, source, &options, oid, err);
}

static int
compare_names(const void *left, const void *right)
{
	const CopyTable *a = *(CopyTable *const *) left;
	const CopyTable *b = *(CopyTable *const *) right;
	int order = strcmp(a->schema, b->schema);

	return order != 0 ? order : strcmp(a->name, b->name);
}

void
catalog_renew(CopyCatalog *catalog, CopyCatalog *newer)
{
	CopyTable **index = arena_calloc(
		newer->arena, (size_t) newer->table_count + 1, sizeof(CopyTable *));

	ASSERT(newer != catalog && newer->newer == NULL);
	for (int i = 0; i < newer->table_count; i++)
		index[i] = &newer->tables[i];
	qsort(index, (size_t) newer->table_count, sizeof(CopyTable *),
		  compare_names);
	for (int i = 0; i < catalog->table_count; i++)
	{
		CopyTable *table = &catalog->tables[i];
		uint32_t first_oid = table->first_oid;
		Lsn watermark = table->watermark;
		CopyTable **found;

		if (!table->stale)
			continue;
		found = bsearch(&table, index, (size_t) newer->table_count,
						sizeof(CopyTable *), compare_names);
		ASSERT(first_oid != 0);
		if (found != NULL)
			*table = **found;
		table->first_oid = first_oid;
		table->watermark = watermark;
		table->gone = found == NULL;
		table->stale = false;
	}
	newer->newer = catalog->newer;
	catalog->newer = newer;
}

void
catalog_free(CopyCatalog *catalog)
{
	while (catalog != NULL)
	{
		CopyCatalog *newer = catalog->newer;

		arena_free(catalog->arena);
		catalog = newer;
	}
}

void
catalog_append_oids(const CopyCatalog *catalog, Buf *sql)
{
	buf_append_string(sql, "'{");
	for (int i = 0; i < catalog->relation_count; i++)
		buf_printf(sql, "%s%u", i > 0 ? "," : "", catalog->relations[i].oid);
	buf_append_string(sql, "}'::oid[]");
}

void
catalog_append_tables(const CopyCatalog *catalog, Buf *sql)
{
	buf_append_string(sql, "'{");
	for (int i = 0; i < catalog->table_count; i++)
		buf_printf(sql, "%s%u", i > 0 ? "," : "", catalog->tables[i].oid);
	buf_append_string(sql, "}'::oid[]");
}

void
catalog_append_unselected(const CopyCatalog *catalog, Buf *sql)
{
	const Selected *selected = &catalog->selected;
	int listed = 0;

	buf_append_string(sql, "'{");
	for (int i = 0; i < selected->relation_count; i++)
		if (!selected->relations[i].selected)
			buf_printf(sql, "%s%u", listed++ > 0 ? "," : "",
					   selected->relations[i].oid);
	buf_append_string(sql, "}'::oid[]");
}

void
catalog_append_column_list(const CopyTable *table, Buf *sql)
{
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "(");
		buf_append_identifier(sql, table->columns[i].name);
	}
	if (table->column_count > 0)
		buf_append_char(sql, ')');
}

const CopyColumn *
catalog_find_column(const CopyTable *table, const char *name)
{
	for (int i = 0; i < table->column_count; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	return NULL;
}

CopyTable *
catalog_find_table(const CopyCatalog *catalog, const char *qualified)
{
	for (int i = 0; i < catalog->table_count; i++)
		if (strcmp(catalog->tables[i].qualified, qualified) == 0)
			return &catalog->tables[i];
	return NULL;
}
