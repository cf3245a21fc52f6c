/*
 * tables.c
 *    Reads the tables from the catalogs of source and targets, and decides
 *    which can be compared.
 */
#include "job/verify/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/pattern.h"
#include "control/copy/copied_table.h"
#include "control/copy/table_state.h"
#include "net/sql.h"

#define ARENA_BLOCK_BYTES (64 * KB)

/* Objects that are not built in have OIDs from this one on. */
#define FIRST_OWN_OID_SQL "10000"

/* ---- one server --------------------------------------------------------- */

/* Columns of the result of ask_ends(): a row for each column of a table. */
enum
{
	END_NUMBER, /* index of the table in the catalog */
	END_OID,
	END_KIND,
	END_ATTNUM,
	END_NAME,
	END_TYPE_OID,
	END_TYPE_MODIFIER,
	END_TYPE,
	END_READ_AS,
	END_IS_KEY,
};

/*
 * Second part of the query about tables with given names, as the snapshot shows
 * them.  The key is the primary key or, if there is none, the replica identity.
 */
static const char ends_sql[] =
	"FROM unnest(%s, %s) WITH ORDINALITY v (schema, name, n)"
	" JOIN pg_namespace s ON s.nspname = v.schema"
	" JOIN pg_class c ON c.relnamespace = s.oid AND c.relname = v.name"
	" LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
	"  AND NOT a.attisdropped"
	" LEFT JOIN LATERAL (WITH RECURSIVE d (oid, typmod) AS ("
	"  SELECT a.atttypid, a.atttypmod"
	"  UNION ALL SELECT y.typbasetype, y.typtypmod FROM d"
	"  JOIN pg_type y ON y.oid = d.oid AND y.typtype = 'd')"
	" SELECT d.oid, d.typmod FROM d"
	" JOIN pg_type y ON y.oid = d.oid AND y.typtype <> 'd') b ON true"
	" LEFT JOIN LATERAL (SELECT i.indkey::int2[] AS attnums, i.indnkeyatts"
	"  FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid"
	"  AND i.indexprs IS NULL AND i.indpred IS NULL"
	"  AND (i.indisprimary OR i.indisreplident)"
	"  ORDER BY i.indisprimary DESC LIMIT 1) k ON true"
	" ORDER BY v.n, a.attnum";

static void
append_names(Buf *sql, const CopyCatalog *catalog, bool schemas)
{
	buf_append_string(sql, "ARRAY[");
	for (int i = 0; i < catalog->table_count; i++)
	{
		buf_append_string(sql, i > 0 ? "," : "");
		buf_append_literal(sql, schemas ? catalog->tables[i].schema
										: catalog->tables[i].name);
	}
	buf_append_string(sql, "]::text[]");
}

static MUST_CHECK Rc
ask_ends(const CopyCatalog *catalog, PgConn *conn, PGresult **result,
		 Error *err)
{
	Buf schemas;
	Buf names;
	Buf sql;

	buf_init(&schemas, BUF_TEXT_MAX);
	buf_init(&names, BUF_TEXT_MAX);
	buf_init(&sql, BUF_TEXT_MAX);
	append_names(&schemas, catalog, true);
	append_names(&names, catalog, false);
	buf_append_string(&sql,
					  "SELECT v.n - 1, c.oid, c.relkind, a.attnum, a.attname,"
					  " b.oid, b.typmod,"
					  " format_type(a.atttypid, a.atttypmod),"
					  " CASE WHEN b.oid < " FIRST_OWN_OID_SQL
					  "  THEN format_type(b.oid, b.typmod) END,"
					  " coalesce(array_position(k.attnums, a.attnum)"
					  "  < k.indnkeyatts, false) ");
	buf_printf(&sql, ends_sql, schemas.data, names.data);
	buf_release(&schemas);
	buf_release(&names);
	return sql_run(conn, &sql, result, err);
}

static const char *
field(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? NULL
											: PQgetvalue(result, row, column);
}

static long
number_field(const PGresult *result, int row, int column)
{
	return strtol(PQgetvalue(result, row, column), NULL, 10);
}

static TableAttribute
take_attribute(const PGresult *result, int row, Arena *arena)
{
	return (TableAttribute){
		.name = arena_strdup(arena, field(result, row, END_NAME)),
		.number = (int) number_field(result, row, END_ATTNUM),
		.type_oid = (uint32_t) strtoul(PQgetvalue(result, row, END_TYPE_OID),
									   NULL, 10),
		.type_modifier = (int) number_field(result, row, END_TYPE_MODIFIER),
		.type = arena_strdup(arena, field(result, row, END_TYPE)),
		.read_as = arena_strdup(arena, field(result, row, END_READ_AS)),
		.is_key = sql_bool(result, row, END_IS_KEY),
	};
}

/* Fills a table from the rows from `row` to before `end` of the result. */
static void
take_end(TableEnd *table, const CopyTable *named, const PGresult *result,
		 int row, int end, Arena *arena)
{
	table->kind = PQgetvalue(result, row, END_KIND)[0];
	table->relation = (CopyTable){
		.oid = (uint32_t) strtoul(PQgetvalue(result, row, END_OID), NULL, 10),
		.schema = named->schema,
		.name = named->name,
		.qualified = named->qualified,
		.partitioned = table->kind == 'p',
	};
	table->attributes = arena_calloc(arena, (size_t) (end - row),
									 sizeof(TableAttribute));
	for (; row < end; row++)
		if (!PQgetisnull(result, row, END_ATTNUM))
			table->attributes[table->attribute_count++] = take_attribute(
				result, row, arena);
}

/* Reads all tables on one server.  ends[i] is filled for table i of the catalog
 * if it exists there. */
static MUST_CHECK Rc
read_ends(const CopyCatalog *catalog, PgConn *conn, TableEnd **ends,
		  Arena *arena, Error *err)
{
	PGresult *result = NULL;
	Rc rc = ask_ends(catalog, conn, &result, err);
	int end;

	for (int row = 0; rc == RC_OK && row < PQntuples(result); row = end)
	{
		long number = number_field(result, row, END_NUMBER);

		for (end = row + 1; end < PQntuples(result) &&
							number_field(result, end, END_NUMBER) == number;)
			end++;
		take_end(ends[number], &catalog->tables[number], result, row, end,
				 arena);
	}
	PQclear(result);
	return rc;
}

static const TableAttribute *
find_attribute(const TableEnd *end, const char *name)
{
	for (int i = 0; i < end->attribute_count; i++)
		if (strcmp(end->attributes[i].name, name) == 0)
			return &end->attributes[i];
	return NULL;
}

/* ---- what is compared --------------------------------------------------- */

static bool
recodes(const PgConn *source, const PgConn *target)
{
	const char *one = PQparameterStatus(pgconn_raw(source), "server_encoding");
	const char *other = PQparameterStatus(pgconn_raw(target),
										  "server_encoding");

	if (one == NULL || other == NULL || strcmp(one, other) != 0)
		return true;
	return strcmp(one, "UTF8") != 0 && strcmp(one, "SQL_ASCII") != 0;
}

/* Returns the type as which the source's values of a column are to be read, or
 * NULL.  *agree is set to false if the targets differ in that. */
static const char *
find_read_as(const ComparedTable *table, const Anchor *anchor,
			 const TableAttribute *source, bool *agree)
{
	const char *found = NULL;
	bool first = true;

	for (int i = 0; i < anchor->config->target_count; i++)
	{
		const TableAttribute *target = find_attribute(&table->targets[i].end,
													  source->name);
		const char *read_as;

		if (table->targets[i].verdict == NULL || target == NULL)
			continue;
		read_as = strcmp(source->type, target->type) == 0 ? NULL
														  : target->read_as;
		*agree &= first || (read_as == NULL) == (found == NULL);
		*agree &= read_as == NULL || found == NULL ||
				  strcmp(read_as, found) == 0;
		found = read_as;
		first = false;
	}
	return found;
}

/* Describes the columns of a table for the statements; returns false if the
 * targets differ in the types of columns. */
static bool
describe(ComparedTable *table, const Anchor *anchor, Arena *arena)
{
	const CopyTable *named = table->table;
	int count = named->column_count;
	VerifyColumn *columns = arena_calloc(arena, (size_t) count,
										 sizeof(*columns));
	int keys = 0;
	int wanted = 0;
	bool agree = true;

	for (int i = 0; i < table->source.attribute_count; i++)
		wanted += table->source.attributes[i].is_key ? 1 : 0;
	for (int i = 0; i < count; i++)
	{
		const TableAttribute *attribute = find_attribute(
			&table->source, named->columns[i].name);

		if (attribute == NULL)
			return false;
		columns[i] = (VerifyColumn){
			.name = attribute->name,
			.read_as = find_read_as(table, anchor, attribute, &agree),
			.is_lsn = attribute->type_oid == TYPE_LSN,
			.is_key = attribute->is_key,
		};
		columns[i].type = columns[i].read_as != NULL ? columns[i].read_as
													 : attribute->type;
		keys += attribute->is_key ? 1 : 0;
	}
	table->statements = (VerifyTable){
		.qualified = named->qualified,
		.column_count = count,
		.columns = columns,
		.has_key = keys > 0 && keys == wanted,
		.sample_percent = anchor->config->sample_percent,
	};
	for (int i = 0; i < anchor->config->target_count; i++)
		table->statements.recoded |= recodes(anchor->source,
											 anchor->targets[i].conn);
	return agree;
}

/* ---- what cannot be compared -------------------------------------------- */

static void
set_different(Verdict *verdict, TableVerdict *of, const Anchor *anchor,
			  const char *reason)
{
	of->outcome = TABLE_DIFFERENT;
	of->lsn = anchor->snapshot.consistent_lsn;
	of->reason = arena_strdup(verdict->arena, reason);
}

static bool
is_pending(const ComparedTarget *target)
{
	return target->verdict != NULL && target->verdict->outcome == TABLE_PENDING;
}

/* Returns the name of a column that does not exist on the target, or NULL. */
static const char *
find_lacking(const CopyTable *table, const TableEnd *target)
{
	for (int i = 0; i < table->column_count; i++)
		if (find_attribute(target, table->columns[i].name) == NULL)
			return table->columns[i].name;
	return NULL;
}

static void
judge_end(const ComparedTable *table, const ComparedTarget *target,
		  const Anchor *anchor, Verdict *verdict)
{
	const char *column = find_lacking(table->table, &target->end);

	if (target->end.kind == '\0')
		set_different(verdict, target->verdict, anchor,
					  "it is not on the target");
	else if (target->end.kind != 'r' && target->end.kind != 'p')
		verdict_refuse(verdict, target->verdict,
					   "it is not a table on the target");
	else if (column != NULL)
		set_different(verdict, target->verdict, anchor,
					  arena_printf(verdict->arena,
								   "the target has no column \"%s\"", column));
}

static void
judge(ComparedTable *table, const Anchor *anchor, Verdict *verdict,
	  Arena *arena)
{
	const Config *config = anchor->config;
	const char *refused = NULL;

	if (table->table->unlogged)
		refused = "it is unlogged, and not followed";
	else if (table->table->membership != MEMBER_NONE)
		refused = "it belongs to an extension";
	else if (table->placed != NULL && table->placed->rule->shared &&
			 config->source_count > 1)
		refused = "other sources have rows of it, too";
	for (int i = 0; i < config->target_count; i++)
	{
		ComparedTarget *target = &table->targets[i];

		if (!is_pending(target))
			continue;
		if (refused != NULL)
			verdict_refuse(verdict, target->verdict, refused);
		else
			judge_end(table, target, anchor, verdict);
	}
	if (refused == NULL && !describe(table, anchor, arena))
		for (int i = 0; i < config->target_count; i++)
			if (is_pending(&table->targets[i]))
				verdict_refuse(verdict, table->targets[i].verdict,
							   "targets have other types of its columns");
}

/* ---- states of tables --------------------------------------------------- */

static CopyTable *
find_by_name(const CopyCatalog *catalog, const char *schema, const char *name)
{
	for (int i = 0; i < catalog->table_count; i++)
		if (strcmp(catalog->tables[i].schema, schema) == 0 &&
			strcmp(catalog->tables[i].name, name) == 0)
			return &catalog->tables[i];
	return NULL;
}

static void
judge_state(ComparedTables *tables, const Anchor *anchor, int number,
			const PGresult *states, int row, Verdict *verdict)
{
	const char *state = PQgetvalue(states, row, TABLE_LIST_STATE);
	const CopyTable *named = find_by_name(
		tables->catalog, PQgetvalue(states, row, TABLE_LIST_SCHEMA),
		PQgetvalue(states, row, TABLE_LIST_NAME));
	const ComparedTarget *target;
	TableVerdict *of;
	Lsn watermark = 0;

	if (named == NULL)
		return;
	target = &tables->tables[named - tables->catalog->tables].targets[number];
	of = target->verdict;
	if (!is_pending(target))
		return;
	(void) lsn_parse(PQgetvalue(states, row, TABLE_LIST_WATERMARK), &watermark);
	if (strcmp(state, table_state_name(TABLE_REMOVED)) == 0)
		verdict_leave_out(verdict, of, "it was removed from the pipeline");
	else if (strcmp(state, table_state_name(TABLE_READY)) != 0)
		verdict_refuse(verdict, of,
					   arena_printf(verdict->arena,
									"it is not followed at present: %s",
									state));
	else if (watermark > anchor->snapshot.consistent_lsn)
		verdict_refuse(verdict, of, "it is newer on the target");
}

static MUST_CHECK Rc
judge_states(ComparedTables *tables, const Anchor *anchor, int number,
			 Verdict *verdict, Error *err)
{
	PGresult *states = NULL;
	Rc rc = table_states_list(anchor->targets[number].conn,
							  anchor->config->name, &states, err);

	for (int row = 0; rc == RC_OK && states != NULL && row < PQntuples(states);
		 row++)
		judge_state(tables, anchor, number, states, row, verdict);
	PQclear(states);
	return rc;
}

/* Refuses tables that are published, but that the pipeline has not copied, so
 * that it does not follow them. */
static MUST_CHECK Rc
judge_copied(const ComparedTables *tables, const Anchor *anchor, int number,
			 Verdict *verdict, Error *err)
{
	CopiedTables *copied = NULL;
	Rc rc = copied_tables_read(&copied, anchor->targets[number].conn,
							   anchor->config->name, err);

	for (int i = 0; rc == RC_OK && copied != NULL && i < tables->count; i++)
	{
		const ComparedTarget *target = &tables->tables[i].targets[number];
		const CopyTable *named = tables->tables[i].table;
		const Relation relation = {
			.schema = named->schema, .name = named->name, .oid = named->oid};
		const CopiedTable *found;

		if (is_pending(target) && !named->partitioned &&
			copied_tables_judge(copied, &relation, &found) == COPIED_NO)
			verdict_refuse(verdict, target->verdict,
						   "the pipeline has not copied it");
	}
	copied_tables_free(copied);
	return rc;
}

/* ---- which tables ------------------------------------------------------- */

static MUST_CHECK Rc
append_patterns(Buf *sql, const PatternList *list, Error *err)
{
	for (int i = 0; i < list->count; i++)
	{
		buf_append_string(sql, i > 0 ? " OR " : "");
		if (!pattern_append_table(sql, list->patterns[i], "s.nspname",
								  "c.relname"))
			return error_set(err, ERR_CONFIG,
							 "\"%s\" is not a pattern for tables",
							 list->patterns[i]);
	}
	return RC_OK;
}

/* Sets `skip` of the catalog's tables that match no pattern of --tables. */
static MUST_CHECK Rc
mark_unwanted(CopyCatalog *catalog, const PatternList *list, PgConn *conn,
			  Error *err)
{
	PGresult *result = NULL;
	int wanted = 0;
	Buf sql;
	Rc rc;

	if (list->count == 0)
		return RC_OK;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT s.nspname, c.relname FROM pg_class c"
							" JOIN pg_namespace s ON s.oid = c.relnamespace"
							" WHERE c.relkind IN ('r', 'p') AND (");
	rc = append_patterns(&sql, list, err);
	buf_append_char(&sql, ')');
	if (rc == RC_OK)
		rc = sql_run(conn, &sql, &result, err);
	else
		buf_release(&sql);
	for (int i = 0; i < catalog->table_count; i++)
		catalog->tables[i].skip = true;
	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
	{
		CopyTable *table = find_by_name(catalog, PQgetvalue(result, row, 0),
										PQgetvalue(result, row, 1));

		if (table != NULL)
		{
			table->skip = false;
			wanted++;
		}
	}
	PQclear(result);
	if (rc == RC_OK && wanted == 0)
		rc = error_set(err, ERR_CONFIG,
					   "no table of the pipeline is one of --tables");
	return rc;
}

static bool
is_for(const ComparedTable *table, const Config *config, int number)
{
	return table->placed == NULL ||
		   placement_rule_has(table->placed->rule, number, config->node_count);
}

static void
list_tables(ComparedTables *tables, const Anchor *anchor, Verdict *verdict)
{
	const Config *config = anchor->config;
	const CopyCatalog *catalog = tables->catalog;

	tables->count = catalog->table_count;
	tables->tables = arena_calloc(tables->arena, (size_t) tables->count,
								  sizeof(ComparedTable));
	for (int i = 0; i < tables->count; i++)
	{
		ComparedTable *table = &tables->tables[i];

		table->table = &catalog->tables[i];
		table->placed = tables->placed != NULL ? &tables->placed->tables[i]
											   : NULL;
		table->targets = arena_calloc(tables->arena,
									  (size_t) config->target_count,
									  sizeof(ComparedTarget));
		for (int n = 0; n < config->target_count && !table->table->skip; n++)
			if (is_for(table, config, n))
				table->targets[n].verdict = verdict_of(
					verdict, table->table->qualified, anchor->targets[n].label);
	}
}

static MUST_CHECK Rc
read_all_ends(ComparedTables *tables, const Anchor *anchor, PgConn *source,
			  Error *err)
{
	size_t count = (size_t) tables->count;
	TableEnd **ends = arena_calloc(tables->arena, count + 1, sizeof(*ends));
	Rc rc;

	for (int i = 0; i < tables->count; i++)
		ends[i] = &tables->tables[i].source;
	rc = read_ends(tables->catalog, source, ends, tables->arena, err);
	for (int n = 0; n < anchor->config->target_count && rc == RC_OK; n++)
	{
		for (int i = 0; i < tables->count; i++)
			ends[i] = &tables->tables[i].targets[n].end;
		rc = read_ends(tables->catalog, anchor->targets[n].conn, ends,
					   tables->arena, err);
	}
	return rc;
}

static MUST_CHECK Rc
read_catalog(ComparedTables *tables, const Config *config, PgConn *source,
			 Error *err)
{
	const CatalogOptions options = {
		.publications = config->publications,
		.selection = &config->selection,
		.placement = config->placement,
		.without_unlogged = config->no_unlogged_data,
	};
	Rc rc = catalog_read(&tables->catalog, source, &options, err);

	if (rc == RC_OK)
		rc = mark_unwanted(tables->catalog, &config->verify_tables, source,
						   err);
	if (rc == RC_OK && config->placement != NULL)
		rc = placed_read(&tables->placed, tables->catalog, config->placement,
						 source, err);
	if (rc == RC_OK && tables->placed != NULL)
		rc = placed_require_good(tables->placed, err);
	return rc;
}

Rc
compared_tables_read(ComparedTables *tables, const Anchor *anchor,
					 Verdict *verdict, Error *err)
{
	PgConn *source = NULL;
	Rc rc = anchor_open_source(&source, anchor, err);

	tables->arena = arena_new(ARENA_BLOCK_BYTES);
	if (rc == RC_OK)
		rc = read_catalog(tables, anchor->config, source, err);
	if (rc == RC_OK)
	{
		list_tables(tables, anchor, verdict);
		rc = read_all_ends(tables, anchor, source, err);
	}
	for (int n = 0; n < anchor->config->target_count && rc == RC_OK; n++)
	{
		rc = judge_states(tables, anchor, n, verdict, err);
		if (rc == RC_OK)
			rc = judge_copied(tables, anchor, n, verdict, err);
	}
	for (int i = 0; i < tables->count && rc == RC_OK; i++)
		judge(&tables->tables[i], anchor, verdict, tables->arena);
	pgconn_close(source);
	return rc;
}

void
compared_tables_release(ComparedTables *tables)
{
	placed_free(tables->placed);
	catalog_free(tables->catalog);
	arena_free(tables->arena);
	*tables = (ComparedTables){0};
}

bool
compared_table_is_pending(const ComparedTable *table, int target_count)
{
	for (int i = 0; i < target_count; i++)
		if (is_pending(&table->targets[i]))
			return true;
	return false;
}

VerifySide
compared_table_source_side(const ComparedTable *table, const Config *config)
{
	const PlacedTable *placed = table->placed;
	VerifySide side = {.is_source = true,
					   .partitioned = table->table->partitioned,
					   .filter = table->table->filter};

	if (placed == NULL || placed->hash_sql == NULL)
		return side;
	side.place_sql = placed->hash_sql;
	if (placed->rule->kind == PLACEMENT_HASH)
	{
		side.place_count = placed->rule->column_count;
		side.node_count = config->node_count;
	}
	return side;
}

VerifySide
compared_table_target_side(const ComparedTable *table, int number)
{
	return (VerifySide){
		.partitioned = table->targets[number].end.relation.partitioned};
}
