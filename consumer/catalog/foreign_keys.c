/*
 * foreign_keys.c
 *    Reads foreign keys from the source's catalogs, and queries the source for
 *    rows that would violate them.
 */
#include "catalog/foreign_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "net/sql.h"

/*
 * Rows of a table that are copied.  They are published through the table
 * itself, or through the table that it is a partition of (`via_root`), or as
 * those of its partitions, which may be several tables of the catalog.
 */
typedef struct KeySide
{
	const char *name; /* qualified name of the table, borrowed from the result
					   */
	bool via_root;
	const CopyTable **tables; /* tables of the catalog; owned */
	int table_count;
} KeySide;

typedef struct ForeignKey
{
	const char *name;   /* name of the constraint, borrowed from the result */
	KeySide table;      /* the table with the key */
	KeySide referenced; /* the table to which it refers */
	int first_row;      /* first row of the result with a column of the key */
	int end_row;        /* one past the last such row */
} ForeignKey;

/* Columns of the result of read_keys(). */
enum
{
	KEYS_OID,
	KEYS_NAME,
	KEYS_TABLE, /* name, via_root, and OIDs of the tables of the catalog */
	KEYS_TABLE_VIA_ROOT,
	KEYS_TABLE_OIDS,
	KEYS_REFERENCED, /* the same of the referenced table */
	KEYS_REFERENCED_VIA_ROOT,
	KEYS_REFERENCED_OIDS,
	KEYS_COLUMN,
	KEYS_REFERENCED_COLUMN,
	KEYS_OPERATOR,  /* equality operator, whose left argument is the referenced
					 * column */
	KEYS_COLLATION, /* COLLATE clause with the referenced column's collation, or
					 * empty if both columns have the same one */
};

/*
 * A CTE with the tables of each foreign key, each once, as the table with which
 * its rows are published.  Keys of partitions that are copies of their root's
 * key are left out.
 */
static const char sides_sql[] =
	"), keys AS (SELECT k.* FROM pg_constraint k"
	"  WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0),"
	" sides AS (SELECT r.oid, format('\"%s\".\"%s\"',"
	"   replace(n.nspname, '\"', '\"\"'), replace(r.relname, '\"', '\"\"'))"
	"   AS name,"
	"  m.via_root, m.oids FROM pg_class r"
	"  JOIN pg_namespace n ON n.oid = r.relnamespace"
	"  CROSS JOIN LATERAL (SELECT bool_or(p.above) AS via_root,"
	"   array_to_string(array_agg(tables.oid ORDER BY tables.oid), ' ') AS oids"
	"   FROM (SELECT r.oid AS relid, false AS above"
	"    UNION SELECT t.relid, false FROM pg_partition_tree(r.oid) t"
	"    UNION SELECT t.relid, true FROM pg_partition_ancestors(r.oid) t"
	"     WHERE t.relid <> r.oid) p JOIN tables ON tables.oid = p.relid) m"
	"  WHERE m.oids <> '' AND r.oid IN (SELECT conrelid FROM keys"
	"   UNION SELECT confrelid FROM keys))";

static MUST_CHECK Rc
read_keys(const CopyCatalog *catalog, PgConn *source, PGresult **result,
		  Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "WITH tables (oid) AS (SELECT unnest(");
	catalog_append_tables(catalog, &sql);
	buf_append_char(&sql, ')');
	buf_append_string(&sql, sides_sql);
	buf_append_string(
		&sql, " SELECT k.oid, k.conname, f.name, f.via_root, f.oids,"
			  " t.name, t.via_root, t.oids, a.attname,"
			  " b.attname, (SELECT format('OPERATOR(%I.%s)', s.nspname,"
			  "   o.oprname) FROM pg_operator o"
			  "  JOIN pg_namespace s ON s.oid = o.oprnamespace"
			  "  WHERE o.oid = u.operator),"
			  " (SELECT format(' COLLATE %I.%I', s.nspname, c.collname)"
			  "  FROM pg_collation c"
			  "  JOIN pg_namespace s ON s.oid = c.collnamespace"
			  "  WHERE c.oid = b.attcollation"
			  "  AND a.attcollation NOT IN (0, b.attcollation))"
			  " FROM keys k JOIN sides f ON f.oid = k.conrelid"
			  " JOIN sides t ON t.oid = k.confrelid"
			  " CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop)"
			  "  WITH ORDINALITY u (col, referenced, operator, n)"
			  " JOIN pg_attribute a ON a.attrelid = k.conrelid"
			  "  AND a.attnum = u.col"
			  " JOIN pg_attribute b ON b.attrelid = k.confrelid"
			  "  AND b.attnum = u.referenced"
			  " ORDER BY k.oid, u.n");
	return sql_run(source, &sql, result, err);
}

/* Returns a table of the catalog, which must be there. */
static const CopyTable *
find_table(const CopyCatalog *catalog, uint32_t oid)
{
	int i = 0;

	while (i < catalog->table_count && catalog->tables[i].oid != oid)
		i++;
	CHECK(i < catalog->table_count);
	return &catalog->tables[i];
}

/* Reads one side of a key from the columns of the result from `column` on. */
static KeySide
side_at(const PGresult *result, int row, int column, const CopyCatalog *catalog)
{
	KeySide side = {.name = PQgetvalue(result, row, column),
					.via_root = sql_bool(result, row, column + 1)};
	const char *oids = PQgetvalue(result, row, column + 2);

	while (*oids != '\0')
	{
		char *end;
		uint32_t oid = (uint32_t) strtoul(oids, &end, 10);

		side.tables = xrealloc_array(side.tables, (size_t) side.table_count + 1,
									 sizeof(side.tables[0]));
		side.tables[side.table_count++] = find_table(catalog, oid);
		oids = end + strspn(end, " ");
	}
	return side;
}

static bool
is_same_key(const PGresult *result, int row, int other)
{
	return strcmp(PQgetvalue(result, row, KEYS_OID),
				  PQgetvalue(result, other, KEYS_OID)) == 0;
}

/*
 * Returns the foreign key whose first column is in `row` of the result.  The
 * caller releases it with key_release().
 */
static ForeignKey
key_at(const PGresult *result, int row, const CopyCatalog *catalog)
{
	ForeignKey key = {
		.name = PQgetvalue(result, row, KEYS_NAME),
		.table = side_at(result, row, KEYS_TABLE, catalog),
		.referenced = side_at(result, row, KEYS_REFERENCED, catalog),
		.first_row = row,
		.end_row = row + 1,
	};

	ASSERT(row >= 0 && row < PQntuples(result));
	while (key.end_row < PQntuples(result) &&
		   is_same_key(result, row, key.end_row))
		key.end_row++;
	return key;
}

static void
key_release(ForeignKey *key)
{
	free(key->table.tables);
	free(key->referenced.tables);
}

static Rc
refuse(const ForeignKey *key, Error *err)
{
	return error_set(err, ERR_CONFIG,
					 "foreign key \"%s\" of table %s cannot be fulfilled on "
					 "the target",
					 key->name, key->table.name);
}


/* ---- Row filters ---- */

/* Appends the columns of the key, which are in this column of the result. */
static void
append_columns(Buf *sql, const ForeignKey *key, const PGresult *keys,
			   int column)
{
	for (int row = key->first_row; row < key->end_row; row++)
	{
		buf_append_string(sql, row > key->first_row ? ", " : "");
		buf_append_identifier(sql, PQgetvalue(keys, row, column));
	}
}

/*
 * Appends a subquery of the rows of one side that are copied, with an alias;
 * `column` of the result has the names of the key's columns on that side.
 */
static void
append_rows(Buf *sql, const ForeignKey *key, const KeySide *side,
			const PGresult *keys, int column, const char *alias)
{
	for (int i = 0; i < side->table_count; i++)
	{
		const CopyTable *table = side->tables[i];

		buf_append_string(sql, i > 0 ? " UNION ALL SELECT " : "(SELECT ");
		append_columns(sql, key, keys, column);
		if (side->via_root)
			buf_printf(sql, " FROM %s", side->name);
		else
			buf_printf(sql, " FROM %s%s", table->partitioned ? "" : "ONLY ",
					   table->qualified);
		if (table->filter != NULL)
			buf_printf(sql, " WHERE %s", table->filter);
	}
	buf_printf(sql, ") %s", alias);
}

static void
append_column(Buf *sql, const char *alias, const char *name)
{
	buf_printf(sql, "%s.", alias);
	buf_append_identifier(sql, name);
}

/* Queries the source for copied rows whose referenced row is not copied.  It
 * compares with the operators and the collation of the foreign key. */
static MUST_CHECK Rc
look_for_orphans(const ForeignKey *key, const PGresult *keys, PgConn *source,
				 bool *found, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	ASSERT(key->end_row > key->first_row);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT EXISTS (SELECT FROM ");
	append_rows(&sql, key, &key->table, keys, KEYS_COLUMN, "a");
	buf_append_string(&sql, " WHERE ");
	for (int row = key->first_row; row < key->end_row; row++)
	{
		append_column(&sql, "a", PQgetvalue(keys, row, KEYS_COLUMN));
		buf_append_string(&sql, " IS NOT NULL AND ");
	}
	buf_append_string(&sql, "NOT EXISTS (SELECT FROM ");
	append_rows(&sql, key, &key->referenced, keys, KEYS_REFERENCED_COLUMN, "b");
	for (int row = key->first_row; row < key->end_row; row++)
	{
		buf_append_string(&sql, row == key->first_row ? " WHERE " : " AND ");
		append_column(&sql, "b", PQgetvalue(keys, row, KEYS_REFERENCED_COLUMN));
		buf_printf(&sql, " %s ", PQgetvalue(keys, row, KEYS_OPERATOR));
		append_column(&sql, "a", PQgetvalue(keys, row, KEYS_COLUMN));
		buf_append_string(&sql, PQgetvalue(keys, row, KEYS_COLLATION));
	}
	buf_append_string(&sql, "))");
	rc = sql_run(source, &sql, &result, err);
	*found = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

static bool
has_filters(const CopyCatalog *catalog)
{
	for (int i = 0; i < catalog->table_count; i++)
		if (catalog->tables[i].filter != NULL)
			return true;
	return false;
}

static bool
is_filtered(const KeySide *side)
{
	for (int i = 0; i < side->table_count; i++)
		if (side->tables[i]->filter != NULL)
			return true;
	return false;
}

static MUST_CHECK Rc
check_filter(const ForeignKey *key, const PGresult *keys, PgConn *source,
			 Error *err)
{
	bool found;
	Rc rc;

	ASSERT(key->end_row <= PQntuples(keys));
	if (!is_filtered(&key->referenced))
		return RC_OK;
	rc = look_for_orphans(key, keys, source, &found, err);
	if (rc != RC_OK || !found)
		return rc;
	rc = refuse(key, err);
	error_detail(err,
				 "It has rows that refer to rows of table %s which the row "
				 "filters leave out.",
				 key->referenced.name);
	error_hint(err, "Leave those rows out as well, with a row filter; or "
					"create the tables on the target without the key, and copy "
					"with --data-only.");
	return rc;
}

Rc
foreign_keys_check_filters(const CopyCatalog *catalog, PgConn *source,
						   Error *err)
{
	PGresult *keys = NULL;
	Rc rc = RC_OK;
	int row = 0;

	if (!has_filters(catalog))
		return RC_OK;
	rc = read_keys(catalog, source, &keys, err);
	while (rc == RC_OK && row < PQntuples(keys))
	{
		ForeignKey key = key_at(keys, row, catalog);

		rc = check_filter(&key, keys, source, err);
		row = key.end_row;
		key_release(&key);
	}
	PQclear(keys);
	return rc;
}


/* ---- Placement ---- */

/* Whether the columns of the two rules are columns of the foreign key that
 * refer to each other, in the same order. */
static bool
follows_key(const ForeignKey *key, const PGresult *keys,
			const PlacementRule *rule, const PlacementRule *referenced)
{
	ASSERT(rule->kind == PLACEMENT_HASH || rule->kind == PLACEMENT_DIRECTORY);
	if (rule->column_count != referenced->column_count)
		return false;
	for (int i = 0; i < rule->column_count; i++)
	{
		bool found = false;

		for (int row = key->first_row; row < key->end_row && !found; row++)
			found = strcmp(PQgetvalue(keys, row, KEYS_COLUMN),
						   rule->columns[i]) == 0 &&
					strcmp(PQgetvalue(keys, row, KEYS_REFERENCED_COLUMN),
						   referenced->columns[i]) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* Whether each row is on the same nodes as the row to which it refers. */
static bool
are_together(const ForeignKey *key, const PGresult *keys,
			 const PlacementRule *rule, const PlacementRule *referenced)
{
	/* placed_require_good() has refused a table without a rule. */
	ASSERT(rule != NULL && referenced != NULL);
	if (rule->kind == PLACEMENT_NONE || referenced->kind == PLACEMENT_ALL)
		return true;
	if (rule->kind != referenced->kind)
		return false;
	switch (rule->kind)
	{
		case PLACEMENT_HASH:
		case PLACEMENT_DIRECTORY:
			return follows_key(key, keys, rule, referenced);
		case PLACEMENT_ONLY:
			return rule->target == referenced->target;
		case PLACEMENT_ALL:
		case PLACEMENT_NONE:
			break;
	}
	return true;
}

static const PlacementRule *
rule_of(const CopyTable *table, const CopyCatalog *catalog,
		const Placed *placed)
{
	/* A table has the same index in the catalog and in the placement. */
	return placed->tables[table - catalog->tables].rule;
}

/* The same for all tables as which the rows of both sides are copied. */
static bool
are_all_together(const ForeignKey *key, const PGresult *keys,
				 const CopyCatalog *catalog, const Placed *placed)
{
	for (int i = 0; i < key->table.table_count; i++)
		for (int n = 0; n < key->referenced.table_count; n++)
			if (!are_together(
					key, keys, rule_of(key->table.tables[i], catalog, placed),
					rule_of(key->referenced.tables[n], catalog, placed)))
				return false;
	return true;
}

Rc
foreign_keys_check_places(const CopyCatalog *catalog, const Placed *placed,
						  PgConn *source, Error *err)
{
	PGresult *keys = NULL;
	Rc rc;
	int row = 0;

	ASSERT(placed->table_count == catalog->table_count);
	rc = read_keys(catalog, source, &keys, err);
	while (rc == RC_OK && row < PQntuples(keys))
	{
		ForeignKey key = key_at(keys, row, catalog);

		if (!are_all_together(&key, keys, catalog, placed))
		{
			rc = refuse(&key, err);
			error_detail(err,
						 "Its rows may be on nodes where those of table %s "
						 "that they refer to are not.",
						 key.referenced.name);
			error_hint(err, "Place both tables by the columns of the key, or "
							"the other one on all nodes; or create the tables "
							"there without the key, and copy with "
							"--data-only.");
		}
		row = key.end_row;
		key_release(&key);
	}
	PQclear(keys);
	return rc;
}
