/*
 * selection_read.c
 *    Reads the relations with one query, the schemas with another, and tests
 *    each pattern with a query of its own, to find misspelled ones.
 */
#include "catalog/selection_read.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/own_schema.h"
#include "catalog/pattern.h"
#include "net/sql.h"

/* Condition on the relation c in the schema n: it can be selected. */
#define RELATIONS_SQL                                                          \
	" WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"                       \
	" AND n.nspname <> '" CATALOG_OWN_SCHEMA "'"                               \
	" AND n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast')"   \
	" AND c.relpersistence <> 't'"

static const char schemas_sql[] =
	" FROM pg_namespace n WHERE n.nspname <> '" CATALOG_OWN_SCHEMA "'"
	" AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

static Rc
invalid_pattern(const char *pattern, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "invalid pattern \"%s\"", pattern);

	error_detail(err, "Expected is a name, or SCHEMA.NAME for tables, with "
					  "double quotes around what is to be taken as it is.");
	return rc;
}

/* Appends the condition that the name of the relation x in the schema xn
 * matches one of the patterns. */
static Rc
append_tables(Buf *sql, const PatternList *list, Error *err)
{
	buf_append_string(sql, "(false");
	for (int i = 0; i < list->count; i++)
	{
		buf_append_string(sql, " OR ");
		if (!pattern_append_table(sql, list->patterns[i], "xn.nspname",
								  "x.relname"))
			return invalid_pattern(list->patterns[i], err);
	}
	buf_append_char(sql, ')');
	return RC_OK;
}

static Rc
append_schemas(Buf *sql, const PatternList *list, const char *schema,
			   Error *err)
{
	buf_append_string(sql, "(false");
	for (int i = 0; i < list->count; i++)
	{
		buf_append_string(sql, " OR ");
		if (!pattern_append_schema(sql, list->patterns[i], schema))
			return invalid_pattern(list->patterns[i], err);
	}
	buf_append_char(sql, ')');
	return RC_OK;
}

/*
 * Appends a join with the columns `taken` and `excluded`: whether the relation
 * c, or a table that it is a partition of, is chosen, and whether it is
 * excluded as a table.
 */
static Rc
append_selected(Buf *sql, const Selection *selection, Error *err)
{
	bool takes_all = selection->tables.count == 0 &&
					 selection->schemas.count == 0;
	Rc rc;

	buf_printf(sql, " CROSS JOIN LATERAL (SELECT (%s OR bool_or(",
			   takes_all ? "true" : "false");
	rc = append_tables(sql, &selection->tables, err);
	buf_append_string(sql, " OR ");
	if (rc == RC_OK)
		rc = append_schemas(sql, &selection->schemas, "xn.nspname", err);
	buf_append_string(sql, ")) AND NOT bool_or(");
	if (rc == RC_OK)
		rc = append_schemas(sql, &selection->exclude_schemas, "xn.nspname",
							err);
	buf_append_string(sql, ") AS taken, bool_or(");
	if (rc == RC_OK)
		rc = append_tables(sql, &selection->exclude_tables, err);
	buf_append_string(
		sql, ") AS excluded FROM pg_class x JOIN pg_namespace xn ON xn.oid ="
			 " x.relnamespace WHERE x.oid = c.oid OR x.oid IN"
			 " (SELECT p.relid FROM pg_partition_ancestors(c.oid) p)) s");
	return rc;
}

static Rc
read_relations(Selected *selected, const Selection *selection, PgConn *source,
			   Arena *arena, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	ASSERT(selected->relation_count == 0);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql,
					  "SELECT c.oid,"
					  " format('%I.%I', n.nspname, c.relname),"
					  " c.relkind, s.taken AND NOT s.excluded, s.excluded,"
					  " n.nspname, c.relname, CASE WHEN c.relispartition"
					  "  THEN pg_partition_root(c.oid)::oid"
					  "  ELSE c.oid END FROM pg_class c"
					  " JOIN pg_namespace n ON n.oid = c.relnamespace");
	rc = append_selected(&sql, selection, err);
	if (rc != RC_OK)
	{
		buf_release(&sql);
		return rc;
	}
	buf_append_string(&sql, RELATIONS_SQL " ORDER BY c.oid");
	rc = sql_run(source, &sql, &result, err);
	if (rc != RC_OK)
		return rc;
	selected->relation_count = PQntuples(result);
	selected->relations = arena_calloc(arena, (size_t) PQntuples(result),
									   sizeof(SelectedRelation));
	for (int i = 0; i < PQntuples(result); i++)
		selected->relations[i] = (SelectedRelation){
			.oid = (uint32_t) strtoul(PQgetvalue(result, i, 0), NULL, 10),
			.qualified = arena_strdup(arena, PQgetvalue(result, i, 1)),
			.kind = PQgetvalue(result, i, 2)[0],
			.selected = sql_bool(result, i, 3),
			.excluded = sql_bool(result, i, 4),
			.schema = arena_strdup(arena, PQgetvalue(result, i, 5)),
			.name = arena_strdup(arena, PQgetvalue(result, i, 6)),
			.root_oid = (uint32_t) strtoul(PQgetvalue(result, i, 7), NULL, 10),
		};
	PQclear(result);
	return RC_OK;
}

static Rc
read_schemas(Selected *selected, const Selection *selection, PgConn *source,
			 Arena *arena, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	ASSERT(selected->schema_count == 0);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT * FROM (SELECT quote_ident(n.nspname), ");
	rc = append_schemas(&sql, &selection->schemas, "n.nspname", err);
	buf_append_string(&sql, " AS taken, ");
	if (rc == RC_OK)
		rc = append_schemas(&sql, &selection->exclude_schemas, "n.nspname",
							err);
	if (rc != RC_OK)
	{
		buf_release(&sql);
		return rc;
	}
	buf_printf(&sql, " AS excluded%s) s WHERE taken OR excluded ORDER BY 1",
			   schemas_sql);
	rc = sql_run(source, &sql, &result, err);
	if (rc != RC_OK)
		return rc;
	selected->schema_count = PQntuples(result);
	selected->schemas = arena_calloc(arena, (size_t) PQntuples(result),
									 sizeof(SelectedSchema));
	for (int i = 0; i < PQntuples(result); i++)
		selected->schemas[i] = (SelectedSchema){
			.quoted = arena_strdup(arena, PQgetvalue(result, i, 0)),
			.excluded = sql_bool(result, i, 2),
		};
	PQclear(result);
	return RC_OK;
}

/* Fails if a pattern matches nothing.  With `of_tables` it is a pattern for
 * relations, without for schemas. */
static Rc
check_pattern(const char *pattern, bool of_tables, PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "SELECT EXISTS (SELECT%s AND ",
			   of_tables ? " FROM pg_class c JOIN pg_namespace n"
						   " ON n.oid = c.relnamespace" RELATIONS_SQL
						 : schemas_sql);
	if (of_tables)
		CHECK(pattern_append_table(&sql, pattern, "n.nspname", "c.relname"));
	else
		CHECK(pattern_append_schema(&sql, pattern, "n.nspname"));
	buf_append_char(&sql, ')');
	rc = sql_run(source, &sql, &result, err);
	if (rc == RC_OK && !sql_bool(result, 0, 0))
	{
		rc = error_set(err, ERR_CONFIG,
					   "no %s on the source matches the pattern \"%s\"",
					   of_tables ? "table" : "schema", pattern);
		if (of_tables && strchr(pattern, '.') == NULL)
			error_hint(err, "Without a schema only \"public\" and the user's "
							"own are searched; *.NAME searches all.");
	}
	PQclear(result);
	return rc;
}

static Rc
check_list(const PatternList *list, bool of_tables, PgConn *source, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < list->count && rc == RC_OK; i++)
		rc = check_pattern(list->patterns[i], of_tables, source, err);
	return rc;
}

static Rc
check_patterns(const Selection *selection, PgConn *source, Error *err)
{
	Rc rc = check_list(&selection->tables, true, source, err);

	if (rc == RC_OK)
		rc = check_list(&selection->exclude_tables, true, source, err);
	if (rc == RC_OK)
		rc = check_list(&selection->schemas, false, source, err);
	if (rc == RC_OK)
		rc = check_list(&selection->exclude_schemas, false, source, err);
	return rc;
}

Rc
selection_read(Selected *selected, const Selection *selection, bool even_all,
			   PgConn *source, Arena *arena, Error *err)
{
	Rc rc;

	*selected = (Selected){
		.all = selection_is_all(selection) && !even_all,
		.by_table = selection->tables.count > 0,
		.by_schema = selection->schemas.count > 0,
	};
	if (selected->all)
		return RC_OK;
	rc = read_relations(selected, selection, source, arena, err);
	if (rc == RC_OK)
		rc = read_schemas(selected, selection, source, arena, err);
	if (rc == RC_OK)
		rc = check_patterns(selection, source, err);
	return rc;
}

static int
compare_oids(const void *key, const void *element)
{
	uint32_t oid = *(const uint32_t *) key;
	uint32_t other = ((const SelectedRelation *) element)->oid;

	return oid == other ? 0 : oid < other ? -1 : 1;
}

SelectedRelation *
selected_find(const Selected *selected, uint32_t oid)
{
	if (selected->relation_count == 0)
		return NULL;
	return bsearch(&oid, selected->relations, (size_t) selected->relation_count,
				   sizeof(SelectedRelation), compare_oids);
}

bool
selected_has(const Selected *selected, uint32_t oid)
{
	const SelectedRelation *relation = selected_find(selected, oid);

	ASSERT(oid != 0);
	return relation == NULL || relation->selected;
}

void
selected_append_schemas(const Selected *selected, Buf *sql)
{
	ASSERT(selected->schema_count > 0);
	buf_append_string(sql, selected->by_schema ? " = ANY (ARRAY["
											   : " <> ALL (ARRAY[");
	for (int i = 0, listed = 0; i < selected->schema_count; i++)
	{
		if (selected->schemas[i].excluded == selected->by_schema)
			continue;
		buf_append_string(sql, listed++ > 0 ? ", " : "");
		buf_append_literal(sql, selected->schemas[i].quoted);
	}
	buf_append_string(sql, "]::text[]) IS NOT FALSE");
}
