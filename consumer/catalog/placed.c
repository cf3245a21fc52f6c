/*
 * placed.c
 *    Finds the rules of tables, and queries the source about the columns by
 *    which rows are placed.
 */
#include "catalog/placed.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "catalog/hash.h"
#include "net/sql.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/* Maximum number of problems in the list. */
#define PROBLEMS_MAX 1000

/*
 * Adds a problem.  Further ones than PROBLEMS_MAX are left out, but the last
 * one gives way to an error, which must not be missing among warnings.
 */
static void
add_problem(Placed *placed, const PlacedProblem *problem)
{
	ASSERT(placed->problem_count <= PROBLEMS_MAX);
	if (placed->problem_count < PROBLEMS_MAX)
		placed->problems[placed->problem_count++] = *problem;
	else if (problem->is_error)
		placed->problems[PROBLEMS_MAX - 1] = *problem;
}

/* Adds a problem about a table; `fix` may be NULL. */
static void
add_table_problem(Placed *placed, bool is_error, const CopyTable *table,
				  const char *fix, const char *message)
{
	add_problem(placed, &(PlacedProblem){
							.is_error = is_error,
							.object = arena_printf(placed->arena, "table %s",
												   table->qualified),
							.message = message,
							.fix = fix});
}

/* ---- rules -------------------------------------------------------------- */

/* Adds an error about a column by which rows of a table are placed. */
static void
add_column_error(Placed *placed, const CopyTable *table, const char *column,
				 const char *fix, const char *wrong)
{
	add_table_problem(placed, true, table, fix,
					  arena_printf(placed->arena,
								   "column \"%s\", by which table %s is "
								   "placed, %s",
								   column, table->qualified, wrong));
}

/*
 * Returns the rule with the names that the table's columns have now; the rule
 * itself if those are the newest ones.
 */
static const PlacementRule *
name_columns(const Placed *placed, const PlacementRule *rule,
			 const CopyTable *table)
{
	PlacementRule *named;
	bool renamed = false;

	if (rule->column_count == 0)
		return rule;
	named = arena_calloc(placed->arena, 1, sizeof(PlacementRule));
	*named = *rule;
	for (int i = 0; i < rule->column_count; i++)
	{
		const char *const *name = rule->names[i];

		while (*name != NULL && catalog_find_column(table, *name) == NULL)
			name++;
		if (*name == NULL)
			continue;
		named->columns[i] = *name;
		renamed |= name != rule->names[i];
	}
	return renamed ? named : rule;
}

/* Whether all columns of the table's rule exist; adds an error for each other
 * one. */
static bool
check_columns(Placed *placed, const PlacedTable *placement)
{
	const CopyTable *table = placement->table;
	bool good = true;

	ASSERT(placement->rule != NULL);
	for (int i = 0; i < placement->rule->column_count; i++)
	{
		const char *column = placement->rule->columns[i];

		if (catalog_find_column(table, column) != NULL)
			continue;
		good = false;
		add_table_problem(
			placed, true, table,
			"-- if it was renamed, in section [placement], as the column:\n"
			"NEW formerly OLD",
			arena_printf(placed->arena,
						 "column \"%s\", by which line %d places table %s, "
						 "does not exist, is generated, or is not published",
						 column, placement->rule->line, table->qualified));
	}
	return good;
}

/* Appends the columns of the table's rule to the rows of columns_sql. */
static void
append_wanted(const PlacedTable *placement, int index, Buf *sql)
{
	ASSERT(index >= 0 && placement->rule != NULL);
	for (int i = 0; i < placement->rule->column_count; i++)
	{
		buf_printf(sql, "%s(%d, %d, %u::oid, ", sql->length > 0 ? ", " : "",
				   index, i, placement->table->oid);
		buf_append_literal(sql, placement->rule->columns[i]);
		buf_append_char(sql, ')');
	}
}

/* Finds the rules of all tables, and appends the columns of the rules to
 * `wanted`, for columns_sql. */
static void
find_rules(Placed *placed, const CopyCatalog *catalog,
		   const Placement *placement, Buf *wanted)
{
	for (int i = 0; i < catalog->table_count; i++)
	{
		PlacedTable *table = &placed->tables[i];

		table->table = &catalog->tables[i];
		table->rule = placement_find(placement, table->table->schema,
									 table->table->name);
		if (table->rule == NULL)
			add_table_problem(
				placed, true, table->table,
				arena_printf(placed->arena,
							 "-- in section [placement], or \"* = all\" for "
							 "all that are left:\n%s = ...",
							 table->table->qualified),
				arena_printf(placed->arena,
							 "no line of [placement] is for table %s",
							 table->table->qualified));
		else
		{
			table->rule = name_columns(placed, table->rule, table->table);
			if (table->rule->column_count == 0 || !check_columns(placed, table))
				continue;
			table->columns.oid = table->table->oid;
			append_wanted(table, i, wanted);
		}
	}
}

/* ---- the directory ------------------------------------------------------ */

/* Whether a key of the directory can have this type: equal values must have
 * equal bytes, as text too. */
static bool
is_key_type(uint32_t type_oid)
{
	switch (type_oid)
	{
		case TYPE_INT2:
		case TYPE_INT4:
		case TYPE_INT8:
		case TYPE_TEXT:
		case TYPE_VARCHAR:
		case TYPE_UUID:
			return true;
		default:
			return false;
	}
}

/* Returns the table of the directory, or NULL if it is not published. */
static const PlacedTable *
find_directory(const Placed *placed, const PlacementDirectory *directory)
{
	for (int i = 0; i < placed->table_count; i++)
	{
		const PlacedTable *table = &placed->tables[i];

		if (strcmp(table->table->schema, directory->schema) == 0 &&
			strcmp(table->table->name, directory->table) == 0)
			return table;
	}
	return NULL;
}

/* Returns why the table cannot be the directory, or NULL if it can. */
static const char *
find_directory_problem(Placed *placed, const PlacementDirectory *directory,
					   const PlacedTable *table)
{
	const CopyColumn *key;

	ASSERT(table == NULL || table->table != NULL);
	if (table == NULL)
		return "it is not published";
	if (table->rule == NULL || table->rule->kind != PLACEMENT_ALL)
		return "it has to be placed by \"all\"";
	key = catalog_find_column(table->table, directory->key);
	if (key == NULL ||
		catalog_find_column(table->table, directory->node) == NULL)
		return arena_printf(placed->arena, "it has no column \"%s\" or \"%s\"",
							directory->key, directory->node);
	if (!is_key_type(key->type_oid))
		return "its key is none of smallint, integer, bigint, text, varchar "
			   "and uuid";
	return NULL;
}

/*
 * Makes an SQL expression for the number of the target that the directory lists
 * for a row's key.  Its value is null if the key is not listed and there is no
 * default, and -1 if the listed target does not exist.
 */
static const char *
make_directory_sql(Placed *placed, const PlacementDirectory *directory,
				   const PlacedTable *table)
{
	const char *column = table->rule->columns[0];
	const char *made;
	Buf sql;

	ASSERT(table->rule->kind == PLACEMENT_DIRECTORY);
	ASSERT(directory->target_count > 0);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "coalesce((SELECT CASE d.");
	buf_append_identifier(&sql, directory->node);
	buf_append_string(&sql, "::text");
	for (int i = 0; i < directory->target_count; i++)
	{
		if (directory->target_names[i] == NULL)
			continue;
		buf_append_string(&sql, " WHEN ");
		buf_append_literal(&sql, directory->target_names[i]);
		buf_printf(&sql, " THEN %d", i);
	}
	buf_append_string(&sql, " ELSE -1 END FROM ");
	sql_append_qualified(&sql, directory->schema, directory->table);
	buf_append_string(&sql, " d WHERE d.");
	buf_append_identifier(&sql, directory->key);
	buf_printf(&sql, " = %s.", table->table->qualified);
	buf_append_identifier(&sql, column);
	buf_append_string(&sql, " AND d.");
	buf_append_identifier(&sql, directory->key);
	buf_printf(&sql, "::text COLLATE \"C\" = %s.", table->table->qualified);
	buf_append_identifier(&sql, column);
	buf_append_string(&sql, "::text COLLATE \"C\")");
	if (directory->default_target >= 0)
		buf_printf(&sql, ", %d", directory->default_target);
	buf_append_string(&sql, ", NULL)::bigint");
	made = arena_strdup(placed->arena, sql.data);
	buf_release(&sql);
	return made;
}

/* Sets hash_sql of a table that is placed by the directory.  It is an error if
 * its column has a type other than the key of the directory, because the key
 * would not be found. */
static void
place_by_directory(Placed *placed, const PlacementDirectory *directory,
				   const CopyColumn *key, PlacedTable *table)
{
	const CopyColumn *column = catalog_find_column(table->table,
												   table->rule->columns[0]);

	ASSERT(key != NULL);
	if (column == NULL)
		return;
	if (column->type_oid != key->type_oid)
		add_column_error(placed, table->table, column->name, NULL,
						 "has another type than the key of the directory");
	table->hash_sql = make_directory_sql(placed, directory, table);
}

static void
place_directory(Placed *placed, const Placement *placement)
{
	const PlacementDirectory *directory = placement_find_directory(placement);
	const PlacedTable *table;
	const char *problem;

	if (!placement_uses_directory(placement))
		return;
	ASSERT(directory != NULL);
	table = find_directory(placed, directory);
	problem = find_directory_problem(placed, directory, table);
	if (problem != NULL)
	{
		add_problem(
			placed,
			&(PlacedProblem){
				.is_error = true,
				.object = arena_printf(placed->arena, "table \"%s\".\"%s\"",
									   directory->schema, directory->table),
				.message = arena_printf(
					placed->arena,
					"table \"%s\".\"%s\" cannot be the directory: %s",
					directory->schema, directory->table, problem),
			});
		return;
	}
	for (int i = 0; i < placed->table_count; i++)
		if (placed->tables[i].rule != NULL &&
			placed->tables[i].rule->kind == PLACEMENT_DIRECTORY)
			place_by_directory(
				placed, directory,
				catalog_find_column(table->table, directory->key),
				&placed->tables[i]);
}

/* ---- the source --------------------------------------------------------- */

/*
 * Query about the columns of rules, which replace %s.  Result, for each column
 * in order: index of the table, name of the column, its attnum, its number in
 * the rule, expression for its hash or null, whether the column is in the
 * replica identity, whether an update of the table may leave TOAST values out
 * of the WAL, and whether values have other hashes on other servers.
 */
static const char columns_sql[] =
	"WITH wanted (place, number, relid, name) AS (VALUES %s)"
	" SELECT w.place, w.name, a.attnum, w.number, " HASH_EXPRESSION_SQL
	",  c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i"
	"   WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey)"
	"   AND (c.relreplident = 'd' AND i.indisprimary"
	"    OR c.relreplident = 'i' AND i.indisreplident)),"
	"  c.relreplident <> 'f' AND EXISTS (SELECT FROM pg_attribute l"
	"   WHERE l.attrelid = c.oid AND l.attnum > 0 AND NOT l.attisdropped"
	"   AND l.attlen = -1 AND l.attstorage <> 'p'"
	"   AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid"
	"    AND l.attnum = ANY (i.indkey)"
	"    AND (c.relreplident = 'd' AND i.indisprimary"
	"     OR c.relreplident = 'i' AND i.indisreplident))),"
	" " HASH_IS_LOCAL_SQL " FROM wanted w JOIN pg_class c ON c.oid = w.relid"
	" JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.name"
	" CROSS JOIN LATERAL (" HASH_TYPE_SQL ") t"
	" ORDER BY w.place, w.number";

enum
{
	COLUMNS_PLACE,
	COLUMNS_NAME,
	COLUMNS_ATTNUM,
	COLUMNS_NUMBER,
	COLUMNS_EXPRESSION,
	COLUMNS_IN_IDENTITY,
	COLUMNS_MAY_LACK,
	COLUMNS_IS_LOCAL,
};

static const char *
identity_fix(Placed *placed, const CopyTable *table)
{
	return arena_printf(placed->arena, "ALTER TABLE %s REPLICA IDENTITY FULL;",
						table->qualified);
}

static void
check_hash(Placed *placed, const CopyTable *table, const PGresult *result,
		   int row)
{
	if (!PQgetisnull(result, row, COLUMNS_EXPRESSION))
		return;
	add_column_error(placed, table, PQgetvalue(result, row, COLUMNS_NAME), NULL,
					 "cannot be hashed: its type has no default operator class "
					 "for that, or one whose function SQL cannot call");
}

/* Adds an error if rows of several sources are hashed, each on its own server,
 * and the servers' hashes differ. */
static void
check_shared(Placed *placed, const PlacedTable *table, const PGresult *result,
			 int row)
{
	ASSERT(table->rule->kind == PLACEMENT_HASH);
	if (!table->rule->shared || !sql_bool(result, row, COLUMNS_IS_LOCAL))
		return;
	add_column_error(placed, table->table,
					 PQgetvalue(result, row, COLUMNS_NAME), NULL,
					 "has a type with another hash on every server: several "
					 "sources would not agree on a row's place");
}

static void
check_identity(Placed *placed, const CopyTable *table, const PGresult *result,
			   int row)
{
	if (sql_bool(result, row, COLUMNS_IN_IDENTITY))
		return;
	add_column_error(placed, table, PQgetvalue(result, row, COLUMNS_NAME),
					 identity_fix(placed, table),
					 "is not in its replica identity: where an updated or "
					 "deleted row was cannot be told");
}

static void
check_moves(Placed *placed, const CopyTable *table, const PGresult *result,
			int row)
{
	if (!sql_bool(result, row, COLUMNS_MAY_LACK))
		return;
	add_table_problem(
		placed, false, table, identity_fix(placed, table),
		arena_printf(placed->arena,
					 "an update that changes by what a row of table %s is "
					 "placed, and leaves a large value as it is, is slow: the "
					 "value is fetched from the node where the row was, which "
					 "has to be reachable",
					 table->qualified));
}

/* Appends an expression to the table's hash_sql, after a comma. */
static void
add_expression(Placed *placed, PlacedTable *table, const char *expression)
{
	table->hash_sql = table->hash_sql == NULL
						  ? arena_strdup(placed->arena, expression)
						  : arena_printf(placed->arena, "%s, %s",
										 table->hash_sql, expression);
}

/* Adds a column to table->columns. */
static void
add_attnum(PlacedTable *table, const PGresult *result, int row)
{
	PlacedColumns *columns = &table->columns;
	long number = strtol(PQgetvalue(result, row, COLUMNS_NUMBER), NULL, 10);
	long attnum = strtol(PQgetvalue(result, row, COLUMNS_ATTNUM), NULL, 10);

	CHECK(number >= 0 && number < table->rule->column_count);
	columns->count++;
	columns->attnums[number] = (uint16_t) attnum;
}

/*
 * Fails if a column is missing, which was there when the catalog was read: it
 * was renamed or dropped between the two queries.
 */
static MUST_CHECK Rc
require_columns(const Placed *placed, Error *err)
{
	for (int i = 0; i < placed->table_count; i++)
	{
		const PlacedTable *table = &placed->tables[i];

		if (table->columns.oid != 0 &&
			table->columns.count != table->rule->column_count)
			return error_set(err, ERR_CHANGED,
							 "columns of table %s were renamed or dropped "
							 "while they were looked up",
							 table->table->qualified);
	}
	return RC_OK;
}

static void
take_columns(Placed *placed, const PGresult *result, bool publishes_keys)
{
	int place_before = -1;

	for (int row = 0; row < PQntuples(result); row++)
	{
		int place = (int) strtol(PQgetvalue(result, row, COLUMNS_PLACE), NULL,
								 10);
		PlacedTable *table = &placed->tables[place];

		CHECK(place >= 0 && place < placed->table_count);
		ASSERT(place >= place_before);
		add_attnum(table, result, row);
		if (table->rule->kind == PLACEMENT_HASH)
		{
			check_hash(placed, table->table, result, row);
			check_shared(placed, table, result, row);
			add_expression(placed, table,
						   PQgetvalue(result, row, COLUMNS_EXPRESSION));
		}
		/* A table without a replica identity has only inserts. */
		if (publishes_keys && table->table->has_identity)
		{
			check_identity(placed, table->table, result, row);
			if (place != place_before)
				check_moves(placed, table->table, result, row);
		}
		place_before = place;
	}
}

static MUST_CHECK Rc
ask_source(Placed *placed, const CopyCatalog *catalog, const Buf *wanted,
		   PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	if (wanted->length == 0)
		return RC_OK;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, columns_sql, wanted->data);
	sql.overflowed |= wanted->overflowed;
	rc = sql_run(source, &sql, &result, err);
	if (rc == RC_OK)
		take_columns(placed, result, catalog->publications.publishes_keys);
	if (rc == RC_OK)
		rc = require_columns(placed, err);
	PQclear(result);
	return rc;
}

/* ---- the whole ---------------------------------------------------------- */

Rc
placed_read(Placed **placed, const CopyCatalog *catalog,
			const Placement *placement, PgConn *source, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Placed *read = arena_calloc(arena, 1, sizeof(Placed));
	Buf wanted;
	Rc rc;

	ASSERT(placement != NULL);
	read->arena = arena;
	read->table_count = catalog->table_count;
	read->tables = arena_calloc(arena, (size_t) catalog->table_count,
								sizeof(PlacedTable));
	read->problems = arena_calloc(arena, PROBLEMS_MAX, sizeof(PlacedProblem));
	buf_init(&wanted, BUF_TEXT_MAX);
	find_rules(read, catalog, placement, &wanted);
	place_directory(read, placement);
	rc = ask_source(read, catalog, &wanted, source, err);
	buf_release(&wanted);
	if (rc != RC_OK)
	{
		placed_free(read);
		return rc;
	}
	*placed = read;
	return RC_OK;
}

void
placed_free(Placed *placed)
{
	if (placed != NULL)
		arena_free(placed->arena);
}

Rc
placed_require_good(const Placed *placed, Error *err)
{
	for (int i = 0; i < placed->problem_count; i++)
	{
		const PlacedProblem *problem = &placed->problems[i];
		Rc rc;

		if (!problem->is_error)
			continue;
		rc = error_set(err, ERR_CONFIG, "%s", problem->message);
		if (problem->fix != NULL)
			error_hint(err, "%s", problem->fix);
		return rc;
	}
	return RC_OK;
}

static int
compare_oids(const void *a, const void *b)
{
	uint32_t one = ((const PlacedColumns *) a)->oid;
	uint32_t other = ((const PlacedColumns *) b)->oid;

	return one < other ? -1 : one > other;
}

void
placed_list_columns(const Placed *placed, PlacedColumnsList *list)
{
	size_t size = (size_t) placed->table_count * sizeof(PlacedColumns);
	PlacedColumns *sorted = xmalloc(size + 1);
	size_t count = 0;

	for (int i = 0; i < placed->table_count; i++)
		if (placed->tables[i].columns.oid != 0)
			sorted[count++] = placed->tables[i].columns;
	qsort(sorted, count, sizeof(PlacedColumns), compare_oids);
	for (size_t i = 0; i < count; i++)
		placed_columns_add(list, &sorted[i]);
	free(sorted);
}

/*
 * Returns what a target has noted of a table, if a name alone may not tell
 * which column is meant; else NULL.
 */
static const PlacedColumns *
find_noted(const PlacementRule *rule, uint32_t oid,
		   const PlacedColumnsList *const *noted, int count)
{
	const PlacedColumns *columns = NULL;

	if (!placement_rule_has_former(rule))
		return NULL;
	for (int i = 0; i < count && columns == NULL; i++)
		columns = placed_columns_find(noted[i], oid);
	return columns != NULL && columns->count == rule->column_count ? columns
																   : NULL;
}

/* Returns the OID of the table with the rule's name; 0: there is none. */
static uint32_t
find_named(const Placed *placed, const PlacementRule *rule)
{
	for (int i = 0; i < placed->table_count; i++)
	{
		const CopyTable *table = placed->tables[i].table;

		if (strcmp(table->schema, rule->schema) == 0 &&
			strcmp(table->name, rule->name) == 0)
			return table->oid;
	}
	return 0;
}

void
placed_append_distribution(const Placed *placed, const Placement *placement,
						   const PlacedColumnsList *const *noted, int count,
						   Buf *buf)
{
	for (int i = 0; i < placement_rule_count(placement); i++)
	{
		const PlacementRule *rule = placement_rule(placement, i);

		if (rule->kind == PLACEMENT_HASH && placement_names_table(rule))
			placement_append_distribution(
				rule, rule->schema, rule->name,
				find_noted(rule, find_named(placed, rule), noted, count), buf);
	}
	for (int i = 0; i < placed->table_count; i++)
	{
		const PlacementRule *rule = placed->tables[i].rule;
		const CopyTable *table = placed->tables[i].table;

		if (rule != NULL && rule->kind == PLACEMENT_HASH &&
			!placement_names_table(rule))
			placement_append_distribution(
				rule, table->schema, table->name,
				find_noted(rule, table->oid, noted, count), buf);
	}
}
