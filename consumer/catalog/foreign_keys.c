/*
 * foreign_keys.c
 *    Reads foreign keys from the source's catalogs, and queries the source for
 *    rows that would violate them.
 */
#include "catalog/foreign_keys.h"

#include <stdlib.h>
#include <string.h>

#include "net/sql.h"

typedef struct ForeignKey
{
	const char *name; /* name of the constraint, borrowed from the result */
	int table;        /* index of the key's table in the catalog */
	int referenced;   /* index of the referenced table in the catalog */
	int first_row;    /* first row of the result with a column of the key */
	int end_row;      /* one past the last such row */
} ForeignKey;

/* Columns of the result of read_keys(). */
enum
{
	KEYS_OID,
	KEYS_NAME,
	KEYS_TABLE,
	KEYS_REFERENCED,
	KEYS_COLUMN,
	KEYS_REFERENCED_COLUMN,
	KEYS_OPERATOR,  /* equality operator, whose left argument is the referenced
					 * column */
	KEYS_COLLATION, /* COLLATE clause with the referenced column's collation, or
					 * empty if both columns have the same one */
};

static MUST_CHECK Rc
read_keys(const CopyCatalog *catalog, PgConn *source, PGresult **result,
		  Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql, "SELECT k.oid, k.conname, k.conrelid, k.confrelid, a.attname,"
			  " b.attname, (SELECT format('OPERATOR(%I.%s)', s.nspname,"
			  "   o.oprname) FROM pg_operator o"
			  "  JOIN pg_namespace s ON s.oid = o.oprnamespace"
			  "  WHERE o.oid = u.operator),"
			  " (SELECT format(' COLLATE %I.%I', s.nspname, c.collname)"
			  "  FROM pg_collation c"
			  "  JOIN pg_namespace s ON s.oid = c.collnamespace"
			  "  WHERE c.oid = b.attcollation"
			  "  AND a.attcollation NOT IN (0, b.attcollation))"
			  " FROM pg_constraint k"
			  " CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop)"
			  "  WITH ORDINALITY u (col, referenced, operator, n)"
			  " JOIN pg_attribute a ON a.attrelid = k.conrelid"
			  "  AND a.attnum = u.col"
			  " JOIN pg_attribute b ON b.attrelid = k.confrelid"
			  "  AND b.attnum = u.referenced"
			  " WHERE k.contype = 'f' AND k.convalidated"
			  " AND k.conparentid = 0 AND k.conrelid = ANY (");
	catalog_append_tables(catalog, &sql);
	buf_append_string(&sql, ") AND k.confrelid = ANY (");
	catalog_append_tables(catalog, &sql);
	buf_append_string(&sql, ") ORDER BY k.oid, u.n");
	return sql_run(source, &sql, result, err);
}

static uint32_t
oid_field(const PGresult *result, int row, int column)
{
	return (uint32_t) strtoul(PQgetvalue(result, row, column), NULL, 10);
}

/* Returns the index of a table in the catalog; it must be there. */
static int
find_table(const CopyCatalog *catalog, uint32_t oid)
{
	int i = 0;

	while (i < catalog->table_count && catalog->tables[i].oid != oid)
		i++;
	CHECK(i < catalog->table_count);
	return i;
}

/* Returns the foreign key whose first column is in `row` of the result. */
static ForeignKey
key_at(const PGresult *result, int row, const CopyCatalog *catalog)
{
	ForeignKey key = {
		.name = PQgetvalue(result, row, KEYS_NAME),
		.table = find_table(catalog, oid_field(result, row, KEYS_TABLE)),
		.referenced = find_table(catalog,
								 oid_field(result, row, KEYS_REFERENCED)),
		.first_row = row,
		.end_row = row + 1,
	};

	while (key.end_row < PQntuples(result) &&
		   oid_field(result, key.end_row, KEYS_OID) ==
			   oid_field(result, row, KEYS_OID))
		key.end_row++;
	return key;
}

static Rc
refuse(const ForeignKey *key, const CopyCatalog *catalog, Error *err)
{
	return error_set(err, ERR_CONFIG,
					 "foreign key \"%s\" of table %s cannot be fulfilled on "
					 "the target",
					 key->name, catalog->tables[key->table].qualified);
}


/* ---- Row filters ---- */

/* Appends a subquery of the table's rows that are copied, with an alias. */
static void
append_rows(Buf *sql, const CopyTable *table, const char *alias)
{
	buf_printf(sql, "(SELECT * FROM %s%s", table->partitioned ? "" : "ONLY ",
			   table->qualified);
	if (table->filter != NULL)
		buf_printf(sql, " WHERE %s", table->filter);
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
look_for_orphans(const ForeignKey *key, const PGresult *keys,
				 const CopyCatalog *catalog, PgConn *source, bool *found,
				 Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT EXISTS (SELECT FROM ");
	append_rows(&sql, &catalog->tables[key->table], "a");
	buf_append_string(&sql, " WHERE ");
	for (int row = key->first_row; row < key->end_row; row++)
	{
		append_column(&sql, "a", PQgetvalue(keys, row, KEYS_COLUMN));
		buf_append_string(&sql, " IS NOT NULL AND ");
	}
	buf_append_string(&sql, "NOT EXISTS (SELECT FROM ");
	append_rows(&sql, &catalog->tables[key->referenced], "b");
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

static MUST_CHECK Rc
check_filter(const ForeignKey *key, const PGresult *keys,
			 const CopyCatalog *catalog, PgConn *source, Error *err)
{
	bool found;
	Rc rc;

	if (catalog->tables[key->referenced].filter == NULL)
		return RC_OK;
	rc = look_for_orphans(key, keys, catalog, source, &found, err);
	if (rc != RC_OK || !found)
		return rc;
	rc = refuse(key, catalog, err);
	error_detail(err,
				 "It has rows that refer to rows of table %s which the row "
				 "filters leave out.",
				 catalog->tables[key->referenced].qualified);
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

		rc = check_filter(&key, keys, catalog, source, err);
		row = key.end_row;
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

Rc
foreign_keys_check_places(const CopyCatalog *catalog, const Placed *placed,
						  PgConn *source, Error *err)
{
	PGresult *keys = NULL;
	Rc rc;
	int row = 0;

	/* A table has the same index in the catalog and in the placement. */
	ASSERT(placed->table_count == catalog->table_count);
	rc = read_keys(catalog, source, &keys, err);
	while (rc == RC_OK && row < PQntuples(keys))
	{
		ForeignKey key = key_at(keys, row, catalog);

		if (!are_together(&key, keys, placed->tables[key.table].rule,
						  placed->tables[key.referenced].rule))
		{
			rc = refuse(&key, catalog, err);
			error_detail(err,
						 "Its rows may be on nodes where those of table %s "
						 "that they refer to are not.",
						 catalog->tables[key.referenced].qualified);
			error_hint(err, "Place both tables by the columns of the key, or "
							"the other one on all nodes; or create the tables "
							"there without the key, and copy with "
							"--data-only.");
		}
		row = key.end_row;
	}
	PQclear(keys);
	return rc;
}
