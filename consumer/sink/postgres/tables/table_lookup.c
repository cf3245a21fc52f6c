/*
 * table_lookup.c
 *    Matches a relation with the target's table of the same name.
 */
#include "sink/postgres/tables/table_lookup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own_command.h"
#include "model/identifier.h"
#include "sink/postgres/plan/current.h"
#include "sink/postgres/tables/type_sql.h"
#include "sink/postgres/tables/unique.h"

#define TABLE_ARENA_BYTES ((size_t) 4096)

/*
 * First part of the query, which returns one row per column of the table.
 * Parameters: the table's schema and name, and of the source's columns the
 * names, types, and whether they are in the key; null: use the target's own
 * key.
 *
 * `identity` is the index that identifies a row: one on the source's key, or
 * the primary key, or else the unique index on NOT NULL columns with the fewest
 * columns.  `uniques` has all unique indexes and exclusion constraints. `parts`
 * has the table and its partitions, which may have unique indexes and triggers
 * of their own.
 */
#define WITH_SQL                                                               \
	"WITH the_table AS ("                                                      \
	"  SELECT c.oid, c.relkind, c.reltype, c.relispartition,"                  \
	"  " TARGET_FINGERPRINT_SQL " AS fingerprint FROM pg_catalog.pg_class c"   \
	"  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"               \
	"  WHERE n.nspname = $1 AND c.relname = $2"                                \
	"  AND c.relkind IN ('r', 'p', 'f')),"                                     \
	" source AS (SELECT * FROM unnest($3::text[], $4::oid[], $5::bool[])"      \
	"  s (name, type, is_key)),"                                               \
	" identity AS ("                                                           \
	"  SELECT i.*, k.attnums FROM the_table t"                                 \
	"  JOIN pg_index i ON i.indrelid = t.oid"                                  \
	"  JOIN pg_class x ON x.oid = i.indexrelid AND x.relam IN (403, 405)"      \
	"  CROSS JOIN LATERAL (SELECT array_agg(a.attnum) AS attnums,"             \
	"   array_agg(a.attname::text ORDER BY a.attname) AS names,"               \
	"   bool_and(a.attnotnull) AS is_there FROM pg_attribute a"                \
	"   WHERE a.attrelid = t.oid AND a.attnum = ANY"                           \
	"    ((i.indkey::int2[])[0:i.indnkeyatts - 1])) k"                         \
	"  WHERE i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"        \
	"  AND CASE WHEN $5::bool[] IS NULL"                                       \
	"   THEN i.indisunique AND i.indimmediate AND k.is_there"                  \
	"   ELSE k.names = (SELECT array_agg(name ORDER BY name COLLATE \"C\")"    \
	"    FROM source WHERE is_key) END"                                        \
	"  ORDER BY i.indisunique DESC, i.indisprimary DESC, i.indnkeyatts,"       \
	"   i.indexrelid LIMIT 1),"                                                \
	" uniques AS ("                                                            \
	"  SELECT (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns,"             \
	"  i.indisexclusion OR i.indexprs IS NOT NULL AS special"                  \
	"  FROM pg_catalog.pg_index i JOIN the_table t ON i.indrelid = t.oid"      \
	"  WHERE i.indisunique OR i.indisexclusion),"                              \
	" parts AS ("                                                              \
	"  SELECT t.oid FROM the_table t UNION"                                    \
	"  SELECT p.relid FROM the_table t, pg_catalog.pg_partition_tree(t.oid) "  \
	"p)"

/* clang-format would break strings around macros with arguments. */
/* clang-format off */

/* FROM of the query.  A table without columns still has one row, of nulls. */
#define FROM_SQL                                                               \
	" FROM the_table t"                                                        \
	" LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid"               \
	"  AND a.attnum > 0 AND NOT a.attisdropped"                                \
	" LEFT JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid"                  \
	" LEFT JOIN identity ON true"                                              \
	" LEFT JOIN source ON source.name = a.attname::text"                       \
	" LEFT JOIN pg_type sent ON sent.oid = source.type AND sent.oid < 10000"   \
	" LEFT JOIN LATERAL" TYPE_BASE_SQL("ty.oid") " base ON true"               \
	" LEFT JOIN LATERAL" TYPE_BASE_SQL("base.typelem") " element"              \
	"  ON base.typcategory = 'A' AND base.typlen = -1"                         \
	" LEFT JOIN LATERAL " TYPE_EQUALITY_SQL " eq ON true"                      \
	" ORDER BY a.attnum"

/* Columns of the result about the table as a whole. */
#define STATE_SQL                                                              \
	"  t.fingerprint, t.oid, CASE WHEN t.relispartition"                       \
	"   THEN pg_catalog.pg_partition_root(t.oid) ELSE t.oid END::oid"

static const char columns_sql[] = WITH_SQL
	" SELECT a.attname, a.atttypid, base.oid, a.attgenerated <> '',"
	"  a.attidentity = 'a',"
	/*
	 * The type of elements of an array.  There is no type for an array of
	 * arrays, but there is one for an array of a domain over an array.
	 */
	"  CASE WHEN base.typarray = 0 THEN ty.oid ELSE base.oid END,"
	/*
	 * No arrays of a composite type, because unnest() would return its fields
	 * as columns.
	 */
	"  CASE WHEN base.typtype = 'c' THEN 0 WHEN base.typarray = 0"
	"   THEN ty.typarray ELSE base.typarray END,"
	"  CASE WHEN base.typarray = 0 THEN ty.typdelim ELSE base.typdelim END,"
	"  " TYPE_RECEIVES_TEXT_SQL("base") ","
	"  " TYPE_READ_SQL("base") ","
	"  " TYPE_READ_SQL("sent") ","
	"  " TYPE_OUTPUT_SQL("sent") ", sent.typarray,"
	"  eq.operator, eq.compared_as, eq.in_collation, eq.is_image,"
	"  coalesce(a.attnum = ANY (identity.attnums), false),"
	"  t.relkind = 'p', t.reltype, (SELECT typarray FROM pg_catalog.pg_type"
	"   WHERE oid = t.reltype),"
	"  (SELECT count(*) FROM uniques u WHERE a.attnum = ANY (u.columns)),"
	"  (SELECT count(*) FROM uniques u),"
	"  NOT EXISTS (SELECT FROM parts p JOIN pg_catalog.pg_trigger tg"
	"   ON tg.tgrelid = p.oid WHERE tg.tgenabled IN ('A', 'R')"
	/*
	 * The triggers of control/refusal.h let our own sessions pass, and do
	 * nothing else.
	 */
	"   AND tg.tgname NOT IN ('penstock_refuse_writes',"
	"    'penstock_refuse_rows'))"
	"  AND NOT EXISTS (SELECT FROM parts p JOIN pg_catalog.pg_rewrite r"
	"   ON r.ev_class = p.oid WHERE r.ev_enabled IN ('A', 'R'))"
	"  AND t.relkind <> 'f',"
	"  EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = t.oid"
	"   AND r.ev_type = '3' AND r.ev_enabled IN ('A', 'R')),"
	"  EXISTS (SELECT FROM uniques u WHERE u.special)"
	"  OR EXISTS (SELECT FROM parts p JOIN pg_catalog.pg_index i"
	"   ON i.indrelid = p.oid WHERE p.oid <> t.oid"
	"   AND (i.indisunique OR i.indisexclusion) AND NOT EXISTS ("
	"    SELECT FROM pg_catalog.pg_inherits h"
	"    WHERE h.inhrelid = i.indexrelid)),"
	"  coalesce(identity.indisunique, false)," STATE_SQL FROM_SQL;

/* clang-format on */

enum
{
	COL_NAME,
	COL_TYPE,
	COL_BASE_TYPE,
	COL_GENERATED,
	COL_IDENTITY_ALWAYS,
	COL_ELEMENT_TYPE,
	COL_ARRAY_TYPE,
	COL_DELIMITER,
	COL_RECEIVES_TEXT,
	COL_READ_BEFORE,
	COL_READ_AFTER,
	COL_SOURCE_READ_BEFORE,
	COL_SOURCE_READ_AFTER,
	COL_SOURCE_OUTPUT,
	COL_SOURCE_ARRAY_TYPE,
	COL_EQUALS,
	COL_COMPARED_AS,
	COL_COLLATION,
	COL_EQUAL_IS_SAME,
	COL_KEY,
	COL_PARTITIONED,
	COL_ROW_TYPE,
	COL_ROW_ARRAY_TYPE,
	COL_UNIQUES_OF_COLUMN,
	COL_UNIQUES,
	COL_NOTHING_FIRES,
	COL_INSERT_RULES,
	COL_SPECIAL_UNIQUES,
	COL_KEY_UNIQUE,
	COL_FINGERPRINT,
	COL_OID,
	COL_TOP_OID,
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

/* Returns a copy of a field; NULL if it is null. */
static const char *
text_field(Arena *arena, const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column)
			   ? NULL
			   : arena_strdup(arena, PQgetvalue(result, row, column));
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

static bool
type_is_plain_integer(uint32_t type_oid)
{
	return type_oid == TYPE_INT2 || type_oid == TYPE_INT4 ||
		   type_oid == TYPE_INT8;
}

/*
 * Whether an integer is sent in binary format: to the same or a wider type.
 * For a narrower type it is sent as text, so that the target reports a value
 * that is out of range.
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

/*
 * Whether the source's type is the target's type, or the base type of its
 * domain.
 */
static bool
is_same_type(const RelationColumn *source, uint32_t base_type)
{
	return source->type_oid == base_type && base_type < OID_FIRST_GENERATED &&
		   source->encoding != COLUMN_TEXT;
}

static Transfer
choose_transfer(const RelationColumn *source, uint32_t base_type,
				bool receives_text)
{
	bool is_text = source->encoding == COLUMN_TEXT ||
				   source->encoding == COLUMN_INTEGER ||
				   target_type_is_text(source->type_oid);

	if (is_same_type(source, base_type) ||
		(source->encoding == COLUMN_INTEGER &&
		 integer_fits(source->type_oid, base_type)))
		return TRANSFER_SAME;
	if (!is_text)
		return TRANSFER_CONVERTED;
	return receives_text ? TRANSFER_RECEIVED : TRANSFER_TEXT;
}

/*
 * Decides in which format a column is sent, as a single value and in an array
 * of values.
 *
 * A value of a domain is sent as one of the base type, and assigned to the
 * column.  As a value of the domain it would be checked against the domain's
 * constraints, and a value by which a row is found may violate one that is NOT
 * VALID.  Arrays of a domain over an array have to consist of the domain, and
 * are checked: the server refuses such a value, and the changes are applied one
 * by one.
 */
static void
choose_wire(TargetColumn *column, uint32_t element_type, uint32_t array_type,
			uint32_t source_array_type)
{
	switch (column->transfer)
	{
		case TRANSFER_SAME:
		case TRANSFER_RECEIVED:
			column->wire_type = column->base_type;
			column->element_type = element_type;
			column->array_type = array_type;
			break;
		case TRANSFER_TEXT:
			/*
			 * There is no type for an array of arrays, which would be one array
			 * with more dimensions.
			 */
			column->wire_type = column->base_type;
			column->element_type = array_type != 0 ? element_type : TYPE_TEXT;
			column->array_type = array_type != 0 ? array_type : TYPE_TEXT_ARRAY;
			column->array_is_text = array_type != 0;
			break;
		case TRANSFER_CONVERTED:
			column->wire_type = column->source->type_oid;
			column->element_type = column->wire_type;
			column->array_type = source_array_type;
			break;
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
	column->place = row;
	column->type_oid = oid_field(result, row, COL_TYPE);
	column->base_type = oid_field(result, row, COL_BASE_TYPE);
	column->delimiter = PQgetvalue(result, row, COL_DELIMITER)[0];
	column->read_before = text_field(arena, result, row, COL_READ_BEFORE);
	column->read_after = text_field(arena, result, row, COL_READ_AFTER);
	column->source_read_before = text_field(arena, result, row,
											COL_SOURCE_READ_BEFORE);
	column->source_read_after = text_field(arena, result, row,
										   COL_SOURCE_READ_AFTER);
	column->source_output = text_field(arena, result, row, COL_SOURCE_OUTPUT);
	column->equals_sql = text_field(arena, result, row, COL_EQUALS);
	column->compared_as = text_field(arena, result, row, COL_COMPARED_AS);
	column->collation_sql = text_field(arena, result, row, COL_COLLATION);
	column->equal_is_same = bool_field(result, row, COL_EQUAL_IS_SAME);
	column->identity_always = bool_field(result, row, COL_IDENTITY_ALWAYS);
	column->transfer = choose_transfer(
		column->source, column->base_type,
		bool_field(result, row, COL_RECEIVES_TEXT));
	choose_wire(column, oid_field(result, row, COL_ELEMENT_TYPE),
				oid_field(result, row, COL_ARRAY_TYPE),
				oid_field(result, row, COL_SOURCE_ARRAY_TYPE));
}

/*
 * Returns the only column of the target that the source does not have; NULL:
 * there is none, or more than one.
 */
static const char *
find_left_over(const TargetTable *table, const PGresult *result)
{
	const char *found = NULL;

	for (int row = 0; row < PQntuples(result); row++)
	{
		const char *name = PQgetvalue(result, row, COL_NAME);
		bool known = PQgetisnull(result, row, COL_NAME);

		for (int i = 0; i < table->relation->column_count && !known; i++)
			known = strcmp(table->relation->columns[i].name, name) == 0;
		if (known)
			continue;
		if (found != NULL)
			return NULL;
		found = name;
	}
	return found;
}

/*
 * Appends a column's type with its modifier, as the target prints it.  As it is
 * for a hint, it is left out if the query fails.
 */
static void
append_type(Buf *text, PgConn *target, const RelationColumn *column)
{
	char typmod[16];
	const char *params[] = {column->type_name, typmod};
	PGresult *result = NULL;
	Error ignored = {0};
	Rc rc;

	snprintf(typmod, sizeof(typmod), "%" PRId32, column->typmod);
	rc = pgconn_exec_params(target,
							"SELECT pg_catalog.format_type("
							"pg_catalog.to_regtype($1)::oid, $2::int)",
							LENGTH_OF(params), params, &result, &ignored);
	buf_append_string(text, rc == RC_OK && !PQgetisnull(result, 0, 0)
								? PQgetvalue(result, 0, 0)
								: column->type_name);
	PQclear(result);
	error_reset(&ignored);
}

static void
append_resync(Buf *text, const TargetTable *table)
{
	char schema[IDENTIFIER_SIZE] = "";
	char name[IDENTIFIER_SIZE] = "";
	const char *rest = identifier_read(table->name_sql, schema);

	CHECK(rest != NULL && identifier_read(rest + 1, name) != NULL);
	buf_append_string(text, OWN_COMMAND_TABLE("resync", schema, name));
}

/*
 * Adds a hint for a missing column.  Its default, and whether it was renamed,
 * are not in the stream.
 */
static void
hint_at_column(const TargetTable *table, PgConn *target, const PGresult *result,
			   const RelationColumn *column, Error *err)
{
	const char *left_over = find_left_over(table, result);
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	if (left_over != NULL)
	{
		buf_printf(&text,
				   "If it was renamed on the source, run on the target: ALTER "
				   "TABLE %s RENAME COLUMN ",
				   table->name_sql);
		buf_append_identifier(&text, left_over);
		buf_append_string(&text, " TO ");
		buf_append_identifier(&text, column->name);
		buf_append_string(&text, ";  If it is new, run on the target: ");
	}
	else
		buf_append_string(&text, "Run on the target: ");
	buf_printf(&text, "ALTER TABLE %s ADD COLUMN ", table->name_sql);
	buf_append_identifier(&text, column->name);
	buf_append_char(&text, ' ');
	append_type(&text, target, column);
	buf_append_string(&text,
					  "; with the DEFAULT and NOT NULL that it has on the "
					  "source.  Rows that are there have the default in it "
					  "then: if they have other values on the source, run \"");
	append_resync(&text, table);
	buf_append_string(&text, "\", too.");
	error_hint(err, "%s", text.data);
	buf_release(&text);
}

static MUST_CHECK Rc
missing_column(const TargetTable *table, PgConn *target, const PGresult *result,
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
		hint_at_column(table, target, result, column, err);
	return rc;
}

/* Refuses a type that the target's version does not have. */
static MUST_CHECK Rc
unknown_type(const TargetTable *table, PgConn *target,
			 const RelationColumn *column, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "column \"%s\" of table %s has a type that %s does not "
					  "have: %s",
					  column->name, table->name_sql, pgconn_label(target),
					  column->type_name);

	error_hint(err, "Leave it out of the publication with a column list.");
	return rc;
}

/* Fills in the columns that the relation of the source has. */
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

		/* The column is generated on both sides. */
		if (row >= 0 && source->generated &&
			bool_field(result, row, COL_GENERATED))
			continue;
		if (row < 0 || bool_field(result, row, COL_GENERATED))
			return missing_column(table, target, result, source, row >= 0, err);
		column = &table->columns[table->column_count++];
		column->source = source;
		column->source_index = i;
		fill_column(table, column, result, row);
		if (column->transfer == TRANSFER_CONVERTED &&
			column->source_output == NULL)
			return unknown_type(table, target, source, err);
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

/* Fills in the columns that the source does not have. */
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
 * Decides which columns identify a row: those that the source logs of an old
 * row.  If it logs all columns, the target's own key is used, provided that the
 * source sends all its columns.
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

static void
choose_ways(TargetTable *table, const PGresult *result)
{
	/* COPY does not fire rules. */
	table->copyable = !bool_field(result, 0, COL_INSERT_RULES);
	table->unnestable = true;
	for (int i = 0; i < table->column_count; i++)
	{
		const TargetColumn *column = &table->columns[i];

		if (column->transfer != TRANSFER_SAME &&
			column->transfer != TRANSFER_RECEIVED)
			table->copyable = false;
		if (column->array_type == 0)
			table->unnestable = false;
	}
}

/*
 * Smallest number of columns for which records are better than an array per
 * column.
 */
#define RECORD_COLUMNS_MIN 12

/*
 * Decides whether rows can be sent as records.  A record has all columns of the
 * table in the format of their receive functions, as in COPY BINARY.
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

/* Whether each unique index has exactly the columns of the key. */
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

/* Returns a hash of a number, for TargetTable.top_hash. */
static uint64_t
hash_number(uint32_t number)
{
	uint64_t hash = (number + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

	return hash ^ (hash >> 32);
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
	table->fingerprint = strtoll(PQgetvalue(result, 0, COL_FINGERPRINT), NULL,
								 10);
	table->oid = oid_field(result, 0, COL_OID);
	table->top_oid = oid_field(result, 0, COL_TOP_OID);
	table->top_hash = hash_number(table->top_oid);
	rc = match_columns(table, target, result, err);
	if (rc != RC_OK)
		return rc;
	note_extra_columns(table, result);
	choose_key(table, result);
	table->finds_one_row = table->key_count == 0 ||
						   bool_field(result, 0, COL_KEY_UNIQUE);
	choose_ways(table, result);
	choose_record(table, result);
	table->nothing_fires = bool_field(result, 0, COL_NOTHING_FIRES);
	table->has_independent_rows = table->nothing_fires &&
								  !bool_field(result, 0, COL_SPECIAL_UNIQUES) &&
								  only_key_is_unique(table, result);
	return RC_OK;
}

/* Runs the query for the table. */
static MUST_CHECK Rc
look_up(PgConn *target, const Relation *relation, PGresult **result, Error *err)
{
	const char *params[5] = {relation->schema, relation->name};
	bool full = relation->identity == IDENTITY_FULL;
	Buf names;
	Buf types;
	Buf keys;
	Rc rc;

	buf_init(&names, BUF_TEXT_MAX);
	buf_init(&types, BUF_TEXT_MAX);
	buf_init(&keys, BUF_TEXT_MAX);
	for (int i = 0; i < relation->column_count; i++)
	{
		const RelationColumn *column = &relation->columns[i];
		char separator = i > 0 ? ',' : '{';

		buf_append_char(&names, separator);
		buf_append_element(&names, column->name, strlen(column->name));
		buf_printf(&types, "%c%u", separator, column->type_oid);
		buf_printf(&keys, "%c%c", separator, column->key ? 't' : 'f');
	}
	buf_append_string(&names, relation->column_count > 0 ? "}" : "{}");
	buf_append_string(&types, relation->column_count > 0 ? "}" : "{}");
	buf_append_string(&keys, relation->column_count > 0 ? "}" : "{}");
	CHECK(!names.overflowed && !types.overflowed && !keys.overflowed);
	params[2] = names.data;
	params[3] = types.data;
	params[4] = full ? NULL : keys.data;
	rc = pgconn_exec_params(target, columns_sql, LENGTH_OF(params), params,
							result, err);
	buf_release(&names);
	buf_release(&types);
	buf_release(&keys);
	return rc;
}

Rc
table_lookup(TargetTable **table, PgConn *target, Relation *relation,
			 uint32_t serial, const ConflictRules *rules, Error *err)
{
	Arena *arena = arena_new(TABLE_ARENA_BYTES);
	TargetTable *opened = arena_calloc(arena, 1, sizeof(TargetTable));
	PGresult *result = NULL;
	Rc rc;

	opened->arena = arena;
	opened->relation = relation_ref(relation);
	opened->serial = serial;
	opened->policy = policy_of_table(rules, relation->schema, relation->name);
	opened->name_sql = quoted_table_name(arena, relation);
	rc = pgconn_set_plain_path(target, err);
	if (rc == RC_OK)
		rc = look_up(target, relation, &result, err);
	if (rc == RC_OK)
		rc = fill_table(opened, target, result, err);
	PQclear(result);
	if (rc == RC_OK && opened->policy != CONFLICT_STOP)
		rc = unique_read(opened, target, err);
	if (rc == RC_OK)
		rc = pgconn_set_own_path(target, err);
	if (rc != RC_OK)
	{
		target_table_close(opened);
		return rc;
	}
	*table = opened;
	return RC_OK;
}
