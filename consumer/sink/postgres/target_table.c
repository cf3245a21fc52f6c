/*
 * target_table.c
 *    Matching a relation with the table of the same name.
 */
#include "sink/postgres/target_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/own_command.h"

#define TABLE_ARENA_BYTES ((size_t) 4096)

/*
 * One row per column of the table.  A domain counts as its base type where it
 * is asked how values are received and compared.  format_type() with a typmod
 * of -1 gives a name that is right in a cast ("bpchar", where none would give
 * "character", which is char(1)).
 *
 * The key is the primary key, or else the unique index over columns that are
 * not null with the fewest columns.
 *
 * `uniques` is everything that two rows may not have in common, `parts` the
 * table with its partitions, which may have unique indexes and triggers of
 * their own.
 */
static const char columns_sql[] =
	"WITH the_table AS ("
	"  SELECT c.oid, c.relkind, c.reltype FROM pg_catalog.pg_class c"
	"  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	"  WHERE n.nspname = $1 AND c.relname = $2"
	"  AND c.relkind IN ('r', 'p', 'f')),"
	" key AS ("
	"  SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns"
	"  FROM pg_catalog.pg_index i JOIN the_table t"
	"  ON i.indrelid = t.oid WHERE i.indisunique AND i.indisvalid"
	"  AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL"
	"  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a"
	"   WHERE a.attrelid = t.oid AND NOT a.attnotnull AND a.attnum = ANY"
	"   ((i.indkey::int2[])[0:i.indnkeyatts - 1]))"
	"  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1),"
	" uniques AS ("
	"  SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns,"
	"  i.indisexclusion OR i.indexprs IS NOT NULL AS special"
	"  FROM pg_catalog.pg_index i JOIN the_table t ON i.indrelid = t.oid"
	"  WHERE i.indisunique OR i.indisexclusion),"
	" parts AS ("
	"  SELECT t.oid FROM the_table t UNION"
	"  SELECT p.relid FROM the_table t, pg_catalog.pg_partition_tree(t.oid) p)"
	" SELECT a.attname, a.atttypid, a.attgenerated <> '',"
	"  a.attidentity = 'a', pg_catalog.format_type(a.atttypid, -1),"
	"  ty.typarray, base.typreceive::oid::regproc::text,"
	"  base.typtype IN ('e', 'r', 'm') OR EXISTS ("
	"   SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m"
	"   ON m.oid = o.opcmethod WHERE o.opcdefault"
	"   AND m.amname IN ('btree', 'hash') AND o.opcintype IN (base.oid,"
	"   CASE WHEN base.typcategory = 'A' THEN base.typelem END,"
	"   CASE WHEN base.oid = 1043 THEN 25 END)),"
	"  coalesce(a.attnum = ANY (key.columns), false),"
	"  t.relkind = 'p', t.reltype, (SELECT typarray FROM pg_catalog.pg_type"
	"   WHERE oid = t.reltype),"
	"  (SELECT count(*) FROM uniques u WHERE a.attnum = ANY (u.columns)),"
	"  (SELECT count(*) FROM uniques u),"
	"  NOT EXISTS (SELECT FROM parts p JOIN pg_catalog.pg_trigger tg"
	"   ON tg.tgrelid = p.oid WHERE tg.tgenabled IN ('A', 'R'))"
	"  AND NOT EXISTS (SELECT FROM parts p JOIN pg_catalog.pg_rewrite r"
	"   ON r.ev_class = p.oid WHERE r.ev_enabled IN ('A', 'R'))"
	"  AND t.relkind <> 'f',"
	"  EXISTS (SELECT FROM uniques u WHERE u.special)"
	"  OR EXISTS (SELECT FROM parts p JOIN pg_catalog.pg_index i"
	"   ON i.indrelid = p.oid WHERE p.oid <> t.oid"
	"   AND (i.indisunique OR i.indisexclusion) AND NOT EXISTS ("
	"    SELECT FROM pg_catalog.pg_inherits h"
	"    WHERE h.inhrelid = i.indexrelid))"
	" FROM the_table t"
	/* A table without columns still is one: it has a row of nulls. */
	" LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid"
	"  AND a.attnum > 0 AND NOT a.attisdropped"
	" LEFT JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid"
	" LEFT JOIN pg_catalog.pg_type base ON base.oid ="
	"  CASE WHEN ty.typbasetype <> 0 THEN ty.typbasetype ELSE ty.oid END"
	" LEFT JOIN key ON true"
	" ORDER BY a.attnum";

enum
{
	COL_NAME,
	COL_TYPE,
	COL_GENERATED,
	COL_IDENTITY_ALWAYS,
	COL_TYPE_SQL,
	COL_ARRAY_TYPE,
	COL_RECEIVE,
	COL_EQUALITY,
	COL_KEY,
	COL_PARTITIONED,
	COL_ROW_TYPE,
	COL_ROW_ARRAY_TYPE,
	COL_UNIQUES_OF_COLUMN,
	COL_UNIQUES,
	COL_NOTHING_FIRES,
	COL_SPECIAL_UNIQUES,
};

static uint32_t
oid_field(const PGresult *result, int row, int column)
{
	return (uint32_t) strtoul(PQgetvalue(result, row, column), NULL, 10);
}

static bool
bool_field(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column)[0] == 't';
}

static const char *
quoted_name(Arena *arena, const char *name)
{
	Buf buf;
	const char *quoted;

	buf_init(&buf, BUF_TEXT_MAX);
	buf_append_identifier(&buf, name);
	quoted = arena_strdup(arena, buf.data);
	buf_release(&buf);
	return quoted;
}

static const char *
quoted_table_name(Arena *arena, const Relation *relation)
{
	Buf buf;
	const char *quoted;

	buf_init(&buf, BUF_TEXT_MAX);
	relation_append_name(relation, &buf);
	quoted = arena_strdup(arena, buf.data);
	buf_release(&buf);
	return quoted;
}

/* Types whose binary format is the text itself. */
static bool
type_is_text_like(uint32_t type_oid)
{
	return type_oid == TYPE_TEXT || type_oid == TYPE_VARCHAR ||
		   type_oid == TYPE_BPCHAR || type_oid == TYPE_JSON;
}

/* Receive functions that take the same bytes as the input function. */
static bool
receives_text(const char *receive)
{
	static const char *const functions[] = {"textrecv",   "varcharrecv",
											"bpcharrecv", "enum_recv",
											"json_recv",  "citextrecv"};
	const char *dot = strrchr(receive, '.');

	if (dot != NULL)
		receive = dot + 1;
	for (size_t i = 0; i < LENGTH_OF(functions); i++)
		if (strcmp(receive, functions[i]) == 0)
			return true;
	return false;
}

static bool
type_is_plain_integer(uint32_t type_oid)
{
	return type_oid == TYPE_INT2 || type_oid == TYPE_INT4 ||
		   type_oid == TYPE_INT8;
}

/*
 * An integer may go into a wider one as it is; into a narrower one it goes as
 * text, so that the target says what it thinks of the value.
 */
static bool
integer_fits(uint32_t source_type, uint32_t target_type)
{
	if (!type_is_plain_integer(source_type) ||
		!type_is_plain_integer(target_type))
		return false;
	return source_type == TYPE_INT2 || target_type == TYPE_INT8 ||
		   source_type == target_type;
}

static void
choose_transfer(TargetColumn *column, uint32_t target_type,
				uint32_t target_array_type, const char *receive)
{
	const RelationColumn *source = column->source;
	bool same_type = source->type_oid == target_type &&
					 target_type < OID_FIRST_GENERATED &&
					 source->encoding != COLUMN_TEXT;
	bool bytes_are_text = source->encoding == COLUMN_TEXT ||
						  (source->encoding == COLUMN_BINARY &&
						   type_is_text_like(source->type_oid));

	if (same_type || (source->encoding == COLUMN_INTEGER &&
					  integer_fits(source->type_oid, target_type)))
	{
		column->transfer = TRANSFER_SAME;
		column->wire_type = target_type;
		column->wire_array_type = target_array_type;
		column->copy_binary = true;
	}
	else if (bytes_are_text || source->encoding == COLUMN_INTEGER)
	{
		column->transfer = TRANSFER_TEXT;
		column->wire_type = TYPE_TEXT;
		column->wire_array_type = 1009; /* text[] */
		column->copy_binary = bytes_are_text && receives_text(receive);
	}
	else
	{
		column->transfer = TRANSFER_CAST;
		column->wire_type = source->type_oid;
		column->wire_array_type = 0;
	}
}

static int
find_result_row(const PGresult *result, const char *name)
{
	for (int row = 0; row < PQntuples(result); row++)
		if (strcmp(PQgetvalue(result, row, COL_NAME), name) == 0)
			return row;
	return -1;
}

static void
fill_column(TargetTable *table, TargetColumn *column, const PGresult *result,
			int row)
{
	Arena *arena = table->arena;

	column->name_sql = quoted_name(arena, PQgetvalue(result, row, COL_NAME));
	column->type_sql = arena_strdup(arena,
									PQgetvalue(result, row, COL_TYPE_SQL));
	column->place = row;
	column->type_oid = oid_field(result, row, COL_TYPE);
	column->has_equality = bool_field(result, row, COL_EQUALITY);
	column->identity_always = bool_field(result, row, COL_IDENTITY_ALWAYS);
	choose_transfer(column, oid_field(result, row, COL_TYPE),
					oid_field(result, row, COL_ARRAY_TYPE),
					PQgetvalue(result, row, COL_RECEIVE));
}

static MUST_CHECK Rc
missing_column(const TargetTable *table, PgConn *target,
			   const RelationColumn *column, bool generated, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "column \"%s\" of table %s %s %s",
					  column->name, table->name_sql,
					  generated ? "is a generated column on"
								: "does not exist on",
					  pgconn_label(target));

	if (generated)
		error_hint(err, "Make it an ordinary column on the target, or leave "
						"it out of the publication with a column list.");
	else
		error_hint(err,
				   "Run on the target: ALTER TABLE %s ADD COLUMN \"%s\" %s;",
				   table->name_sql, column->name, column->type_name);
	return rc;
}

/* Fills in the columns that the relation has. */
static MUST_CHECK Rc
match_columns(TargetTable *table, PgConn *target, const PGresult *result,
			  Error *err)
{
	const Relation *relation = table->relation;

	table->columns = arena_calloc(table->arena, (size_t) relation->column_count,
								  sizeof(TargetColumn));
	for (int i = 0; i < relation->column_count; i++)
	{
		const RelationColumn *source = &relation->columns[i];
		int row = find_result_row(result, source->name);
		TargetColumn *column;

		/* Both sides compute it. */
		if (row >= 0 && source->generated &&
			bool_field(result, row, COL_GENERATED))
			continue;
		if (row < 0 || bool_field(result, row, COL_GENERATED))
			return missing_column(table, target, source, row >= 0, err);
		column = &table->columns[table->column_count++];
		column->source = source;
		column->source_index = i;
		fill_column(table, column, result, row);
	}
	return RC_OK;
}

static bool
has_column(const TargetTable *table, const char *name)
{
	for (int i = 0; i < table->column_count; i++)
		if (strcmp(table->columns[i].source->name, name) == 0)
			return true;
	return false;
}

/* Notes the columns that the source does not have. */
static void
note_extra_columns(TargetTable *table, const PGresult *result)
{
	table->extra_names_sql = arena_calloc(
		table->arena, (size_t) PQntuples(result), sizeof(const char *));
	for (int row = 0; row < PQntuples(result); row++)
	{
		const char *name = PQgetvalue(result, row, COL_NAME);

		if (!PQgetisnull(result, row, COL_NAME) &&
			!bool_field(result, row, COL_GENERATED) && !has_column(table, name))
			table->extra_names_sql[table->extra_count++] = quoted_name(
				table->arena, name);
	}
}

/*
 * What identifies a row: what the source logs of an old row.  When that is all
 * of it, the target's own key will do, if the source sends all its columns.
 */
static void
choose_key(TargetTable *table, const PGresult *result)
{
	bool full = table->relation->identity == IDENTITY_FULL;
	int wanted = 0;

	for (int row = 0; row < PQntuples(result); row++)
		wanted += bool_field(result, row, COL_KEY) ? 1 : 0;
	for (int i = 0; i < table->column_count; i++)
	{
		TargetColumn *column = &table->columns[i];
		int row = find_result_row(result, column->source->name);

		column->key = full ? bool_field(result, row, COL_KEY)
						   : column->source->key;
		table->key_count += column->key ? 1 : 0;
	}
	if (!full || table->key_count == wanted)
		return;
	for (int i = 0; i < table->column_count; i++)
		table->columns[i].key = false;
	table->key_count = 0;
}

/* An array of arrays would be one array of more dimensions. */
static bool
can_travel_in_array(const TargetColumn *column)
{
	return column->wire_array_type != 0;
}

static void
choose_ways(TargetTable *table)
{
	table->copyable = true;
	table->unnestable = true;
	for (int i = 0; i < table->column_count; i++)
	{
		if (!table->columns[i].copy_binary)
			table->copyable = false;
		if (!can_travel_in_array(&table->columns[i]))
			table->unnestable = false;
	}
}

/* Below this number of columns arrays of their values are as good. */
#define RECORD_COLUMNS_MIN 12

/*
 * A record has all columns of the table, each as its receive function reads it:
 * as in COPY BINARY.
 */
static void
choose_record(TargetTable *table, const PGresult *result)
{
	if (!table->copyable || table->column_count != PQntuples(result) ||
		table->column_count < RECORD_COLUMNS_MIN)
		return;
	table->record_type = oid_field(result, 0, COL_ROW_TYPE);
	table->record_array_type = oid_field(result, 0, COL_ROW_ARRAY_TYPE);
	if (table->record_array_type == 0)
		return;
	table->record = arena_calloc(table->arena, (size_t) table->column_count,
								 sizeof(const TargetColumn *));
	for (int i = 0; i < table->column_count; i++)
		table->record[table->columns[i].place] = &table->columns[i];
}

/* Whether each unique index has the columns of the key, and no others. */
static bool
only_key_is_unique(const TargetTable *table, const PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++)
	{
		const char *name = PQgetvalue(result, row, COL_NAME);
		uint32_t wanted = 0;

		for (int i = 0; i < table->column_count; i++)
			if (table->columns[i].key &&
				strcmp(table->columns[i].source->name, name) == 0)
				wanted = oid_field(result, row, COL_UNIQUES);
		if (oid_field(result, row, COL_UNIQUES_OF_COLUMN) != wanted)
			return false;
	}
	return true;
}

static MUST_CHECK Rc
fill_table(TargetTable *table, PgConn *target, const PGresult *result,
		   Error *err)
{
	Rc rc;

	if (PQntuples(result) == 0)
	{
		rc = error_set(err, ERR_CONFIG, "table %s does not exist on %s",
					   table->name_sql, pgconn_label(target));
		error_hint(err,
				   "Create it there, or take it out of the publication; "
				   "\"%s\" lists all that is missing.",
				   OWN_COMMAND("check"));
		return rc;
	}
	table->is_partitioned = bool_field(result, 0, COL_PARTITIONED);
	rc = match_columns(table, target, result, err);
	if (rc != RC_OK)
		return rc;
	note_extra_columns(table, result);
	choose_key(table, result);
	choose_ways(table);
	choose_record(table, result);
	table->nothing_fires = bool_field(result, 0, COL_NOTHING_FIRES);
	table->has_independent_rows = table->nothing_fires &&
								  !bool_field(result, 0, COL_SPECIAL_UNIQUES) &&
								  only_key_is_unique(table, result);
	return RC_OK;
}

static uint64_t
hash_text(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	while (*text != '\0')
		hash = (hash ^ (uint8_t) *text++) * UINT64_C(1099511628211);
	return hash;
}

Rc
target_table_open(TargetTable **table, PgConn *target, Relation *relation,
				  uint32_t serial, const ConflictRules *rules, Error *err)
{
	const char *params[] = {relation->schema, relation->name};
	Arena *arena = arena_new(TABLE_ARENA_BYTES);
	TargetTable *opened = arena_calloc(arena, 1, sizeof(TargetTable));
	PGresult *result = NULL;
	Rc rc;

	opened->arena = arena;
	opened->relation = relation_ref(relation);
	opened->serial = serial;
	opened->policy = policy_of_table(rules, relation->schema, relation->name);
	opened->name_sql = quoted_table_name(arena, relation);
	opened->name_hash = hash_text(opened->name_sql);
	rc = pgconn_exec_params(target, columns_sql, 2, params, &result, err);
	if (rc == RC_OK)
		rc = fill_table(opened, target, result, err);
	PQclear(result);
	if (rc != RC_OK)
	{
		target_table_close(opened);
		return rc;
	}
	*table = opened;
	return RC_OK;
}

void
target_table_close(TargetTable *table)
{
	if (table == NULL)
		return;
	relation_unref(table->relation);
	arena_free(table->arena);
}

void
target_column_append_value(Buf *sql, const TargetColumn *column,
						   const char *expression)
{
	switch (column->transfer)
	{
		case TRANSFER_SAME:
			buf_append_string(sql, expression);
			return;
		case TRANSFER_TEXT:
			buf_printf(sql, "CAST(%s AS %s)", expression, column->type_sql);
			return;
		case TRANSFER_CAST:
			buf_printf(sql, "CAST(CAST(%s AS text) AS %s)", expression,
					   column->type_sql);
			return;
	}
}
