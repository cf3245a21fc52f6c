/*
 * read.c
 *    One query for each kind of object, which returns JSON in the format of
 *    ddl/json.h through a cursor.
 *
 * The queries return NULL for usual values, and json_strip_nulls() removes
 * these members.  OIDs are cast to int8, because JSON would have them as
 * strings.
 */
#include "ddl/read.h"

#include "catalog/own_schema.h"
#include "catalog/pattern.h"
#include "ddl/json.h"
#include "net/sql.h"

/*
 * Number of objects per FETCH; small, because a table's definition can be long.
 */
#define FETCH_SQL         "FETCH 500 FROM penstock_definitions"

#define ARENA_BLOCK_BYTES (64 * KB)

/*
 * First versions with pg_attribute.attcompression and
 * pg_inherits.inhdetachpending, and with publications of schemas.
 */
#define COMPRESSION_VERSION_NUM         140000
#define SCHEMA_PUBLICATIONS_VERSION_NUM 150000

/*
 * OIDs of the system's objects are less than this (access/transam.h:
 * FirstNormalObjectId).
 */
#define OID_FIRST_NORMAL_SQL "16384"

/*
 * Prefix of an option in attoptions with which newer servers record when a
 * column changed.
 */
#define VERSION_OPTION "pg_attver="

/* A query that is being built. */
typedef struct Query
{
	Buf sql;
	const DdlReadOptions *options;
	int version_num; /* of the server */
} Query;

/* ---- Parts -------------------------------------------------------------- */

/* Appends the collation, unless it is the type's collation. */
static void
append_collation(Buf *sql, const char *collation, const char *usual)
{
	buf_printf(sql,
			   ", 'collation', CASE WHEN %s NOT IN (0, %s)"
			   " THEN %s::regcollation::text END",
			   collation, usual, collation);
}

/*
 * Appends members that columns of tables and of composite types share, for
 * attribute a and its type t.
 */
static void
append_column_type(Buf *sql)
{
	buf_append_string(sql,
					  "'attnum', a.attnum, 'name', a.attname,"
					  " 'type_oid', a.atttypid::int8, 'typmod', a.atttypmod,"
					  " 'type', format_type(a.atttypid, a.atttypmod)");
	append_collation(sql, "a.attcollation", "t.typcollation");
}

/* End of a subquery for the columns of relation c, from the attributes a. */
static const char columns_of_sql[] =
	" ORDER BY a.attnum) FROM pg_attribute a JOIN pg_type t"
	" ON t.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0"
	" AND NOT a.attisdropped)";

static void
append_columns(Query *query)
{
	Buf *sql = &query->sql;

	buf_append_string(sql, ", 'columns', (SELECT json_agg(json_build_object(");
	append_column_type(sql);
	buf_append_string(
		sql, ", 'not_null', a.attnotnull, 'default_expression',"
			 " (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d"
			 "  WHERE a.atthasdef AND d.adrelid = a.attrelid"
			 "  AND d.adnum = a.attnum), 'generated', CASE a.attgenerated"
			 "  WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END,"
			 " 'identity', CASE a.attidentity WHEN 'a' THEN 'always'"
			 "  WHEN 'd' THEN 'by default' END, 'local', a.attislocal,"
			 " 'inherited', a.attinhcount, 'storage',"
			 "  CASE WHEN a.attstorage <> t.typstorage"
			 "  THEN a.attstorage::text END,"
			 " 'statistics', a.attstattarget, 'options', (SELECT"
			 "  json_agg(u.option ORDER BY u.place)"
			 "  FROM unnest(a.attoptions) WITH ORDINALITY u (option, place)"
			 "  WHERE u.option NOT LIKE '" VERSION_OPTION "%'),"
			 " 'missing_value', CASE WHEN a.atthasmissing"
			 "  THEN array_to_string(a.attmissingval, '') END");
	if (query->version_num >= COMPRESSION_VERSION_NUM)
		buf_append_string(sql, ", 'compression', a.attcompression::text");
	buf_printf(sql, ")%s", columns_of_sql);
}

/*
 * Appends an array of attnums as unsigned numbers; those of system columns are
 * negative.
 */
static void
append_attnums(Buf *sql, const char *array)
{
	buf_printf(sql,
			   ", 'attnums', (SELECT json_agg(u.number::int8 & 4294967295"
			   " ORDER BY u.place) FROM unnest(%s::int2[])"
			   " WITH ORDINALITY u (number, place))",
			   array);
}

/*
 * Appends the constraints.  For a foreign key to a partitioned table, the
 * server has further constraints on the same table, one for each partition;
 * they are left out, because they are created and dropped with the first.
 */
static void
append_constraints(Buf *sql, const char *condition)
{
	buf_append_string(
		sql, ", 'constraints', (SELECT json_agg(json_build_object("
			 " 'oid', k.oid::int8, 'name', k.conname,"
			 " 'kind', CASE k.contype WHEN 'p' THEN 'primary key'"
			 "  WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'"
			 "  WHEN 'x' THEN 'exclusion' WHEN 'n' THEN 'not null' END,"
			 " 'definition', pg_get_constraintdef(k.oid),"
			 " 'validated', k.convalidated, 'local', k.conislocal,"
			 " 'inherited', k.coninhcount, 'parent', k.conparentid::int8,"
			 " 'index', CASE WHEN k.contype IN ('p', 'u', 'x')"
			 "  THEN k.conindid::int8 END,"
			 " 'referenced_table', k.confrelid::int8");
	append_attnums(sql, "k.conkey");
	buf_printf(sql,
			   ") ORDER BY k.conname COLLATE \"C\") FROM pg_constraint k"
			   " WHERE %s AND k.contype IN ('c', 'p', 'u', 'f', 'x', 'n')"
			   " AND NOT (k.contype = 'f' AND EXISTS (SELECT"
			   "  FROM pg_constraint q WHERE q.oid = k.conparentid"
			   "  AND q.conrelid = k.conrelid)))",
			   condition);
}

static void
append_indexes(Buf *sql)
{
	buf_append_string(
		sql, ", 'indexes', (SELECT json_agg(json_build_object("
			 " 'oid', i.indexrelid::int8, 'schema', o.nspname,"
			 " 'name', x.relname, 'definition', pg_get_indexdef(i.indexrelid),"
			 " 'valid', i.indisvalid, 'unique', i.indisunique,"
			 " 'primary', i.indisprimary,"
			 " 'replica_identity', i.indisreplident,"
			 " 'clustered', i.indisclustered, 'constraint',"
			 "  (SELECT k.oid::int8 FROM pg_constraint k"
			 "   WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid"
			 "   AND k.contype IN ('p', 'u', 'x')),"
			 " 'parent', (SELECT h.inhparent::int8 FROM pg_inherits h"
			 "  WHERE h.inhrelid = i.indexrelid)");
	append_attnums(sql, "i.indkey");
	buf_append_string(sql, ") ORDER BY x.relname COLLATE \"C\") FROM pg_index i"
						   " JOIN pg_class x ON x.oid = i.indexrelid"
						   " JOIN pg_namespace o ON o.oid = x.relnamespace"
						   " WHERE i.indrelid = c.oid)");
}

/* Subquery: OIDs of table c and of all partitioned tables above it. */
#define FAMILY_SQL                                                             \
	"(SELECT c.oid UNION SELECT p.relid FROM pg_partition_ancestors(c.oid) p)"

/* Appends the FROM clause for those of the publications that have table c. */
static void
append_containing(Query *query)
{
	Buf *sql = &query->sql;

	buf_append_string(sql, " FROM pg_publication p WHERE p.pubname IN (");
	publications_append_literals(query->options->publications, sql);
	buf_append_string(sql, ") AND (p.puballtables OR EXISTS (SELECT"
						   "  FROM pg_publication_rel r WHERE r.prpubid = p.oid"
						   "  AND r.prrelid IN " FAMILY_SQL ")");
	if (query->version_num >= SCHEMA_PUBLICATIONS_VERSION_NUM)
		buf_append_string(sql,
						  " OR EXISTS (SELECT FROM pg_publication_namespace r"
						  " JOIN pg_class f ON f.relnamespace = r.pnnspid"
						  " WHERE r.pnpubid = p.oid"
						  " AND f.oid IN " FAMILY_SQL ")");
	buf_append_char(sql, ')');
}

/*
 * Appends whether one of the publications has table c, and which operations
 * they do not publish.
 */
static void
append_published(Query *query)
{
	const Publications *publications = query->options->publications;
	Buf *sql = &query->sql;

	if (publications == NULL || publications->count == 0)
		return;
	buf_append_string(sql, ", 'published', EXISTS (SELECT");
	append_containing(query);
	buf_append_string(sql, "), 'withheld', (SELECT 15"
						   " - bool_or(p.pubinsert)::int"
						   " - 2 * bool_or(p.pubupdate)::int"
						   " - 4 * bool_or(p.pubdelete)::int"
						   " - 8 * bool_or(p.pubtruncate)::int");
	append_containing(query);
	buf_append_char(sql, ')');
}

/* ---- What is wanted ----------------------------------------------------- */

static void
append_in_oids(Buf *sql, const OidList *list)
{
	buf_append_string(sql, "IN (0");
	for (int i = 0; i < list->count; i++)
		buf_printf(sql, ", %u", list->oids[i]);
	buf_append_char(sql, ')');
}

/*
 * Appends the condition for objects that are read.  `alias` is the alias of a
 * row of `catalog` with column oid, n that of its schema.  `owner` is an
 * expression for the OID of the owning table, or NULL.
 */
static void
append_scope(Query *query, const char *catalog, const char *alias,
			 const char *owner)
{
	const DdlReadOptions *options = query->options;
	Buf *sql = &query->sql;

	buf_printf(sql,
			   " AND n.nspname !~ '^pg_'"
			   " AND n.nspname NOT IN ('information_schema',"
			   " '" CATALOG_OWN_SCHEMA "')"
			   " AND NOT EXISTS (SELECT FROM pg_depend e"
			   "  WHERE e.classid = '%s'::regclass AND e.objid = %s.oid"
			   "  AND e.deptype = 'e')",
			   catalog, alias);
	if (options->oids == NULL)
		return;
	buf_printf(sql, " AND (%s.oid ", alias);
	append_in_oids(sql, options->oids);
	if (owner != NULL && options->with_sequences)
	{
		buf_printf(sql, " OR %s ", owner);
		append_in_oids(sql, options->oids);
	}
	buf_append_char(sql, ')');
}

static MUST_CHECK Rc
invalid_pattern(const char *pattern, Error *err)
{
	return error_set(err, ERR_CONFIG, "invalid pattern \"%s\"", pattern);
}

/* Appends whether the relation with these names matches one of the patterns. */
static MUST_CHECK Rc
append_tables(Buf *sql, const PatternList *list, const char *schema,
			  const char *name, Error *err)
{
	buf_append_string(sql, "(false");
	for (int i = 0; i < list->count; i++)
	{
		buf_append_string(sql, " OR ");
		if (!pattern_append_table(sql, list->patterns[i], schema, name))
			return invalid_pattern(list->patterns[i], err);
	}
	buf_append_char(sql, ')');
	return RC_OK;
}

static MUST_CHECK Rc
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
 * Appends the condition for selected objects in schema n other than relations.
 */
static MUST_CHECK Rc
append_selected_schema(Query *query, Error *err)
{
	const Selection *selection = query->options->selection;
	Rc rc = RC_OK;

	if (selection == NULL || selection_is_all(selection))
		return RC_OK;
	if (selection->tables.count > 0)
	{
		buf_append_string(&query->sql, " AND false");
		return RC_OK;
	}
	if (selection->schemas.count > 0)
	{
		buf_append_string(&query->sql, " AND ");
		rc = append_schemas(&query->sql, &selection->schemas, "n.nspname", err);
	}
	buf_append_string(&query->sql, " AND NOT ");
	if (rc == RC_OK)
		rc = append_schemas(&query->sql, &selection->exclude_schemas,
							"n.nspname", err);
	return rc;
}

/*
 * Appends the condition for a selected relation c.  It is selected by its own
 * name, by that of a partitioned table above it, or by that of the table whose
 * column owns it.
 */
static MUST_CHECK Rc
append_selected_relation(Query *query, Error *err)
{
	const Selection *selection = query->options->selection;
	Buf *sql = &query->sql;
	bool takes_all;
	Rc rc;

	if (selection == NULL || selection_is_all(selection))
		return RC_OK;
	takes_all = selection->tables.count == 0 && selection->schemas.count == 0;
	buf_printf(sql, " AND (SELECT (%s OR bool_or(",
			   takes_all ? "true" : "false");
	rc = append_tables(sql, &selection->tables, "y.nspname", "f.relname", err);
	buf_append_string(sql, " OR ");
	if (rc == RC_OK)
		rc = append_schemas(sql, &selection->schemas, "y.nspname", err);
	buf_append_string(sql, ")) AND NOT bool_or(");
	if (rc == RC_OK)
		rc = append_schemas(sql, &selection->exclude_schemas, "y.nspname", err);
	buf_append_string(sql, " OR ");
	if (rc == RC_OK)
		rc = append_tables(sql, &selection->exclude_tables, "y.nspname",
						   "f.relname", err);
	buf_append_string(
		sql, ") FROM pg_class f JOIN pg_namespace y ON y.oid = f.relnamespace"
			 " WHERE f.oid IN " FAMILY_SQL " OR f.oid IN (SELECT d.refobjid"
			 "  FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
			 "  AND d.objid = c.oid AND c.relkind = 'S'"
			 "  AND d.refclassid = 'pg_class'::regclass"
			 "  AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')))");
	return rc;
}

/* ---- Statements --------------------------------------------------------- */

static MUST_CHECK Rc
append_namespaces(Query *query, Error *err)
{
	buf_append_string(&query->sql, "json_build_object('kind', 'schema',"
								   " 'oid', n.oid::int8, 'name', n.nspname)"
								   " FROM pg_namespace n WHERE true");
	append_scope(query, "pg_namespace", "n", NULL);
	return append_selected_schema(query, err);
}

static MUST_CHECK Rc
append_table(Query *query, Error *err)
{
	Buf *sql = &query->sql;

	buf_append_string(
		sql,
		"json_strip_nulls(json_build_object('kind', 'table',"
		" 'oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,"
		" 'partitioned', c.relkind = 'p', 'unlogged', c.relpersistence = 'u',"
		" 'replica_identity', CASE c.relreplident WHEN 'n' THEN 'nothing'"
		"  WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' END,"
		" 'parents', (SELECT json_agg(h.inhparent::int8 ORDER BY h.inhseqno)"
		"  FROM pg_inherits h WHERE h.inhrelid = c.oid),"
		" 'bound', pg_get_expr(c.relpartbound, c.oid),"
		" 'partition_key', CASE WHEN c.relkind = 'p'"
		"  THEN pg_get_partkeydef(c.oid) END,"
		" 'of_type', CASE WHEN c.reloftype <> 0"
		"  THEN format_type(c.reloftype, -1) END,"
		" 'access_method', (SELECT m.amname FROM pg_am m"
		"  WHERE m.oid = c.relam AND m.amname <> 'heap'),"
		" 'options', c.reloptions, 'row_security', c.relrowsecurity,"
		" 'force_row_security', c.relforcerowsecurity");
	if (query->version_num >= COMPRESSION_VERSION_NUM)
		buf_append_string(sql, ", 'detaching', EXISTS (SELECT FROM pg_inherits"
							   " h WHERE h.inhrelid = c.oid"
							   " AND h.inhdetachpending)");
	append_published(query);
	append_columns(query);
	append_constraints(sql, "k.conrelid = c.oid");
	append_indexes(sql);
	buf_append_string(
		sql, ")) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
			 " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
			 " AND c.relrewrite = 0 AND c.oid >= " OID_FIRST_NORMAL_SQL);
	append_scope(query, "pg_class", "c", NULL);
	return append_selected_relation(query, err);
}

static MUST_CHECK Rc
append_sequences(Query *query, Error *err)
{
	buf_append_string(
		&query->sql,
		"json_strip_nulls(json_build_object('kind', 'sequence',"
		" 'oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,"
		" 'type', format_type(s.seqtypid, -1), 'start', s.seqstart,"
		" 'increment', s.seqincrement, 'minimum', s.seqmin,"
		" 'maximum', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle,"
		" 'owner_table', d.refobjid::int8, 'owner_attnum', d.refobjsubid,"
		" 'identity', d.deptype = 'i', 'unlogged', c.relpersistence = 'u'))"
		" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
		" JOIN pg_sequence s ON s.seqrelid = c.oid"
		" LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
		"  AND d.objid = c.oid AND d.objsubid = 0"
		"  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0"
		"  AND d.deptype IN ('a', 'i')"
		" WHERE c.relkind = 'S' AND c.relpersistence <> 't'"
		" AND c.oid >= " OID_FIRST_NORMAL_SQL);
	append_scope(query, "pg_class", "c", "d.refobjid");
	return append_selected_relation(query, err);
}

static MUST_CHECK Rc
append_enums(Query *query, Error *err)
{
	buf_append_string(
		&query->sql,
		"json_strip_nulls(json_build_object('kind', 'enum',"
		" 'oid', t.oid::int8, 'schema', n.nspname, 'name', t.typname,"
		" 'labels', (SELECT json_agg(json_build_object('oid', l.oid::int8,"
		"   'label', l.enumlabel) ORDER BY l.enumsortorder)"
		"  FROM pg_enum l WHERE l.enumtypid = t.oid)))"
		" FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
		" WHERE t.typtype = 'e' AND t.oid >= " OID_FIRST_NORMAL_SQL);
	append_scope(query, "pg_type", "t", NULL);
	return append_selected_schema(query, err);
}

static MUST_CHECK Rc
append_domains(Query *query, Error *err)
{
	Buf *sql = &query->sql;

	buf_append_string(
		sql, "json_strip_nulls(json_build_object('kind', 'domain',"
			 " 'oid', t.oid::int8, 'schema', n.nspname, 'name', t.typname,"
			 " 'base_type', format_type(t.typbasetype, t.typtypmod),"
			 " 'not_null', t.typnotnull,"
			 " 'default_expression', pg_get_expr(t.typdefaultbin, 0)");
	append_collation(sql, "t.typcollation", "b.typcollation");
	append_constraints(sql, "k.contypid = t.oid");
	buf_append_string(
		sql, ")) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
			 " JOIN pg_type b ON b.oid = t.typbasetype"
			 " WHERE t.typtype = 'd' AND t.oid >= " OID_FIRST_NORMAL_SQL);
	append_scope(query, "pg_type", "t", NULL);
	return append_selected_schema(query, err);
}

static MUST_CHECK Rc
append_composites(Query *query, Error *err)
{
	Buf *sql = &query->sql;

	buf_append_string(
		sql, "json_strip_nulls(json_build_object('kind', 'composite',"
			 " 'oid', t.oid::int8, 'schema', n.nspname, 'name', t.typname,"
			 " 'columns', (SELECT json_agg(json_build_object(");
	append_column_type(sql);
	buf_printf(sql,
			   ")%s)) FROM pg_class c"
			   " JOIN pg_namespace n ON n.oid = c.relnamespace"
			   " JOIN pg_type t ON t.oid = c.reltype WHERE c.relkind = 'c'"
			   " AND c.oid >= " OID_FIRST_NORMAL_SQL
			   " AND NOT EXISTS (SELECT FROM pg_depend e"
			   "  WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid"
			   "  AND e.deptype = 'e')",
			   columns_of_sql);
	append_scope(query, "pg_type", "t", NULL);
	return append_selected_schema(query, err);
}

typedef struct Kind
{
	DefinitionKind kind;
	const char *oid; /* expression by which the rows are sorted */
	Rc (*append)(Query *query, Error *err);
} Kind;

static const Kind kinds[] = {
	{DEFINITION_NAMESPACE, "n.oid", append_namespaces},
	{DEFINITION_TABLE, "c.oid", append_table},
	{DEFINITION_SEQUENCE, "c.oid", append_sequences},
	{DEFINITION_ENUM, "t.oid", append_enums},
	{DEFINITION_DOMAIN, "t.oid", append_domains},
	{DEFINITION_COMPOSITE, "t.oid", append_composites},
};

/* ---- Reading ------------------------------------------------------------ */

static MUST_CHECK Rc
put_definitions(const PGresult *result, DefinitionSet *set, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Rc rc = RC_OK;

	for (int i = 0; i < PQntuples(result) && rc == RC_OK; i++)
	{
		const Definition *definition = NULL;

		rc = ddl_json_read(PQgetvalue(result, i, 0),
						   (size_t) PQgetlength(result, i, 0), arena,
						   &definition, err);
		if (rc == RC_OK)
			definition_set_put(set, definition);
		arena_reset(arena);
	}
	arena_free(arena);
	return rc;
}

static MUST_CHECK Rc
fetch_all(PgConn *conn, DefinitionSet *set, Error *err)
{
	int count = 1;
	Rc rc = RC_OK;

	while (count > 0 && rc == RC_OK)
	{
		PGresult *result = NULL;

		rc = pgconn_exec(conn, FETCH_SQL, &result, err);
		if (rc != RC_OK)
			return rc;
		count = PQntuples(result);
		rc = put_definitions(result, set, err);
		PQclear(result);
	}
	return rc;
}

static MUST_CHECK Rc
read_kind(PgConn *conn, const Kind *kind, const DdlReadOptions *options,
		  DefinitionSet *set, Error *err)
{
	Query query = {.options = options,
				   .version_num = pgconn_server_version_num(conn)};
	Rc rc;

	buf_init(&query.sql, BUF_TEXT_MAX);
	buf_append_string(&query.sql, "DECLARE penstock_definitions NO SCROLL"
								  " CURSOR FOR SELECT ");
	rc = kind->append(&query, err);
	if (rc != RC_OK)
	{
		buf_release(&query.sql);
		return rc;
	}
	buf_printf(&query.sql, " ORDER BY %s", kind->oid);
	rc = sql_run(conn, &query.sql, NULL, err);
	if (rc == RC_OK)
		rc = fetch_all(conn, set, err);
	if (rc == RC_OK)
		rc = pgconn_exec(conn, "CLOSE penstock_definitions", NULL, err);
	return rc;
}

Rc
ddl_read(PgConn *conn, const DdlReadOptions *options, DefinitionSet *set,
		 Error *err)
{
	for (size_t i = 0; i < LENGTH_OF(kinds); i++)
	{
		Rc rc = RC_OK;

		if (options->oids == NULL ||
			definition_catalog(kinds[i].kind) == options->catalog)
			rc = read_kind(conn, &kinds[i], options, set, err);
		if (rc != RC_OK)
		{
			error_context(err, "reading definitions of %s", pgconn_label(conn));
			return rc;
		}
	}
	return RC_OK;
}
