/*
 * partial.c
 *    Queries of dependencies in pg_depend.
 */
#include "copy/schema/partial.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/sql.h"

/*
 * CTE of relations, whose OIDs are inserted between the two strings, and of the
 * objects that are part of them: indexes, owned sequences, defaults,
 * constraints, triggers, policies, rules, statistics.  In pg_depend, partitions
 * look like parts of the partitioned table; the CTE leaves them out.
 */
#define PARTS_SQL_BEFORE                                                       \
	"WITH RECURSIVE parts (classid, objid) AS ("                               \
	"SELECT 'pg_class'::regclass::oid, r FROM unnest("

#define PARTS_SQL_AFTER                                                        \
	") r UNION"                                                                \
	" SELECT d.classid, d.objid FROM parts p JOIN pg_depend d"                 \
	"  ON d.refclassid = p.classid AND d.refobjid = p.objid"                   \
	"  AND d.deptype IN ('a', 'i')"                                            \
	" WHERE d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass,"  \
	"  'pg_trigger'::regclass, 'pg_policy'::regclass,"                         \
	"  'pg_rewrite'::regclass, 'pg_statistic_ext'::regclass)"                  \
	" OR d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c"  \
	"  WHERE c.oid = d.objid AND c.relkind IN ('i', 'I', 'S')))"

/*
 * Query of the objects that the parts depend on, directly or indirectly.  Some
 * dependencies have to be added: in pg_depend, the types of a composite type's
 * columns are dependencies of its relation, and the functions of a domain's
 * checks are dependencies of its constraints.
 */
static const char needed_sql[] =
	", needed (classid, objid) AS ("
	" SELECT d.refclassid, d.refobjid FROM parts p JOIN pg_depend d"
	"  ON d.classid = p.classid AND d.objid = p.objid"
	" WHERE d.refclassid <> 'pg_class'::regclass"
	" UNION SELECT e.classid, e.objid FROM needed x CROSS JOIN LATERAL ("
	"  SELECT d.refclassid, d.refobjid FROM pg_depend d"
	"   WHERE d.classid = x.classid AND d.objid = x.objid"
	"   AND d.refclassid <> 'pg_class'::regclass"
	"  UNION ALL SELECT 'pg_class'::regclass, c.oid"
	"   FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid"
	"   WHERE x.classid = 'pg_type'::regclass AND t.oid = x.objid"
	"   AND c.relkind = 'c'"
	"  UNION ALL SELECT 'pg_constraint'::regclass, k.oid"
	"   FROM pg_constraint k WHERE x.classid = 'pg_type'::regclass"
	"   AND k.contypid = x.objid) e (classid, objid))"
	" SELECT x.classid, x.objid, x.classid::regclass, i.identity"
	" FROM needed x"
	" CROSS JOIN LATERAL pg_identify_object(x.classid, x.objid, 0) i"
	" WHERE x.objid >= 16384 AND x.classid NOT IN ("
	"  'pg_class'::regclass, 'pg_attrdef'::regclass,"
	"  'pg_constraint'::regclass, 'pg_trigger'::regclass,"
	"  'pg_policy'::regclass, 'pg_rewrite'::regclass)"
	" ORDER BY 3, 4";

/*
 * Query of the relations that are not created, and of the objects that depend
 * on them or on a schema that is left out.  A condition on the relation c comes
 * before GONE_SQL_SCHEMAS, and a condition on the name of a schema after it.  A
 * view depends on tables through its rule.
 */
#define GONE_SQL_BEFORE                                                        \
	"WITH RECURSIVE start (oid) AS (SELECT c.oid FROM pg_class c"              \
	" WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384 AND "

#define GONE_SQL_SCHEMAS                                                       \
	"), gone (classid, objid) AS ("                                            \
	" SELECT 'pg_class'::regclass::oid, oid FROM start"                        \
	" UNION SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE "

static const char gone_sql_after[] =
	" UNION SELECT e.classid, e.objid FROM gone g CROSS JOIN LATERAL ("
	"  SELECT d.classid, d.objid FROM pg_depend d"
	"   WHERE d.refclassid = g.classid AND d.refobjid = g.objid"
	"   AND d.deptype IN ('n', 'a', 'i', 'P', 'S')"
	"  UNION ALL SELECT 'pg_class'::regclass, r.ev_class FROM pg_rewrite r"
	"   WHERE g.classid = 'pg_rewrite'::regclass AND r.oid = g.objid"
	"   AND r.rulename = '_RETURN') e)"
	" SELECT g.classid, g.objid, pg_describe_object(g.classid, g.objid, 0),"
	"  o.relkind = 'c' AS is_table, o.relkind IS NOT NULL AS is_told"
	" FROM gone g LEFT JOIN LATERAL ("
	"  SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 'c' ELSE 'o' END"
	"   FROM pg_class c WHERE g.classid = 'pg_class'::regclass"
	"   AND c.oid = g.objid AND c.relkind IN ('r', 'p', 'v', 'm')"
	"   AND c.oid NOT IN (SELECT oid FROM start)"
	"  UNION ALL SELECT 'o' FROM ("
	"   SELECT conrelid FROM pg_constraint"
	"    WHERE g.classid = 'pg_constraint'::regclass AND oid = g.objid"
	"    AND conrelid <> 0 AND conparentid = 0"
	"   UNION ALL SELECT tgrelid FROM pg_trigger"
	"    WHERE g.classid = 'pg_trigger'::regclass AND oid = g.objid"
	"    AND NOT tgisinternal"
	"   UNION ALL SELECT polrelid FROM pg_policy"
	"    WHERE g.classid = 'pg_policy'::regclass AND oid = g.objid"
	"   UNION ALL SELECT ev_class FROM pg_rewrite"
	"    WHERE g.classid = 'pg_rewrite'::regclass AND oid = g.objid"
	"    AND rulename <> '_RETURN') p (relid)"
	"   WHERE NOT EXISTS (SELECT FROM gone q"
	"    WHERE q.classid = 'pg_class'::regclass AND q.objid = p.relid)"
	" ) o (relkind) ON true ORDER BY 3";

static ObjectId
object_field(const PGresult *result, int row)
{
	return (ObjectId){
		.class_oid = (uint32_t) strtoul(PQgetvalue(result, row, 0), NULL, 10),
		.oid = (uint32_t) strtoul(PQgetvalue(result, row, 1), NULL, 10),
	};
}

/* Runs a query with the CTE of the catalog's relations and their parts. */
static Rc
run_on_parts(const CopyCatalog *catalog, PgConn *source, const char *rest,
			 PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, PARTS_SQL_BEFORE);
	catalog_append_oids(catalog, &sql);
	buf_append_string(&sql, PARTS_SQL_AFTER);
	buf_append_string(&sql, rest);
	return sql_run(source, &sql, result, err);
}

/*
 * Appends, for each system catalog in column 2 of `needed`, a query of the
 * identities of all objects in the catalog.  `needed` is sorted by column 2.
 */
static void
append_present(Buf *sql, const PGresult *needed)
{
	const char *previous = "";

	for (int i = 0; i < PQntuples(needed); i++)
	{
		const char *catalog = PQgetvalue(needed, i, 2);

		if (strcmp(catalog, previous) == 0)
			continue;
		buf_printf(sql,
				   "%sSELECT '%s'::text AS catalog, i.identity FROM %s o"
				   " CROSS JOIN LATERAL"
				   " pg_identify_object('%s'::regclass, o.oid, 0) i",
				   previous[0] ? " UNION ALL " : "", catalog, catalog, catalog);
		previous = catalog;
	}
}

Rc
partial_find_missing(const PGresult *needed, PgConn *target, PGresult **result,
					 Error *err)
{
	Buf sql;

	ASSERT(PQntuples(needed) > 0);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "WITH present AS (");
	append_present(&sql, needed);
	buf_append_string(&sql, ") SELECT w.n FROM (VALUES ");
	for (int i = 0; i < PQntuples(needed); i++)
	{
		buf_printf(&sql, "%s(%d, '%s', ", i > 0 ? ", " : "", i,
				   PQgetvalue(needed, i, 2));
		buf_append_literal(&sql, PQgetvalue(needed, i, 3));
		buf_append_char(&sql, ')');
	}
	buf_append_string(&sql, ") w (n, catalog, identity) WHERE NOT EXISTS ("
							"SELECT FROM present p WHERE p.catalog = w.catalog"
							" AND p.identity = w.identity) ORDER BY w.n");
	return sql_run(target, &sql, result, err);
}

Rc
partial_read_missing(ObjectSet *missing, const CopyCatalog *catalog,
					 PgConn *source, PgConn *target, Arena *arena, Error *err)
{
	PGresult *needed = NULL;
	PGresult *result = NULL;
	Rc rc = run_on_parts(catalog, source, needed_sql, &needed, err);

	*missing = (ObjectSet){0};
	if (rc == RC_OK && PQntuples(needed) > 0)
	{
		rc = partial_find_missing(needed, target, &result, err);
		if (rc == RC_OK)
		{
			missing->count = PQntuples(result);
			missing->objects = arena_calloc(arena, (size_t) missing->count,
											sizeof(ObjectId));
		}
	}
	for (int i = 0; i < missing->count; i++)
	{
		int n = (int) strtol(PQgetvalue(result, i, 0), NULL, 10);

		CHECK(n >= 0 && n < PQntuples(needed));
		missing->objects[i] = object_field(needed, n);
		log_debug("copy", "needed on %s: %s %s", pgconn_label(target),
				  PQgetvalue(needed, n, 2), PQgetvalue(needed, n, 3));
	}
	object_set_sort(missing);
	PQclear(result);
	PQclear(needed);
	return rc;
}

static Rc
read_gone(const CopyCatalog *catalog, PgConn *source, PGresult **result,
		  Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, GONE_SQL_BEFORE);
	if (catalog->whole)
	{
		buf_append_string(&sql, "c.oid = ANY (");
		catalog_append_unselected(catalog, &sql);
	}
	else
	{
		buf_append_string(&sql, "c.oid <> ALL (");
		catalog_append_oids(catalog, &sql);
	}
	buf_append_string(&sql, ")" GONE_SQL_SCHEMAS);
	if (catalog->whole && !catalog->selected.by_schema &&
		catalog->selected.schema_count > 0)
	{
		buf_append_string(&sql, "NOT (quote_ident(nspname)");
		selected_append_schemas(&catalog->selected, &sql);
		buf_append_char(&sql, ')');
	}
	else
		buf_append_string(&sql, "false");
	buf_append_string(&sql, gone_sql_after);
	return sql_run(source, &sql, result, err);
}

static Rc
refuse_dependent(const char *table, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "%s cannot be created without something that is left out",
					  table);

	error_hint(err, "It inherits from a table, or uses a type, that the "
					"options exclude: take that as well, or exclude both.");
	return rc;
}

Rc
partial_read_dangling(ObjectSet *dangling, const CopyCatalog *catalog,
					  PgConn *source, Arena *arena, Error *err)
{
	PGresult *result = NULL;
	Rc rc = read_gone(catalog, source, &result, err);

	*dangling = (ObjectSet){0};
	if (rc != RC_OK)
		return rc;
	dangling->count = PQntuples(result);
	dangling->objects = arena_calloc(arena, (size_t) dangling->count,
									 sizeof(ObjectId));
	for (int i = 0; i < dangling->count && rc == RC_OK; i++)
	{
		dangling->objects[i] = object_field(result, i);
		if (sql_bool(result, i, 3))
			rc = refuse_dependent(PQgetvalue(result, i, 2), err);
		else if (sql_bool(result, i, 4))
			log_warning("copy.object-left-out",
						"%s is left out: it refers to what is not copied",
						PQgetvalue(result, i, 2));
	}
	object_set_sort(dangling);
	PQclear(result);
	return rc;
}

Rc
partial_read_sequences(NameList *sequences, const CopyCatalog *catalog,
					   PgConn *source, Arena *arena, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	*sequences = (NameList){0};
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql, "SELECT DISTINCT format('%I.%I', n.nspname, c.relname)"
			  " FROM pg_attrdef a JOIN pg_depend d"
			  "  ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid"
			  " JOIN pg_class c ON d.refclassid = 'pg_class'::regclass"
			  "  AND c.oid = d.refobjid AND c.relkind = 'S'"
			  " JOIN pg_namespace n ON n.oid = c.relnamespace"
			  " WHERE a.adrelid = ANY (");
	catalog_append_oids(catalog, &sql);
	buf_append_string(
		&sql, ") AND NOT EXISTS (SELECT FROM pg_depend o"
			  " WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid"
			  " AND o.deptype IN ('a', 'i', 'e'))");
	rc = sql_run(source, &sql, &result, err);
	if (rc != RC_OK)
		return rc;
	sequences->count = PQntuples(result);
	sequences->names = arena_calloc(arena, (size_t) sequences->count,
									sizeof(char *));
	for (int i = 0; i < sequences->count; i++)
		sequences->names[i] = arena_strdup(arena, PQgetvalue(result, i, 0));
	PQclear(result);
	return RC_OK;
}

static int
compare_objects(const void *left, const void *right)
{
	const ObjectId *a = left;
	const ObjectId *b = right;

	if (a->class_oid != b->class_oid)
		return a->class_oid < b->class_oid ? -1 : 1;
	return a->oid == b->oid ? 0 : a->oid < b->oid ? -1 : 1;
}

void
object_set_sort(ObjectSet *set)
{
	ASSERT(set->count == 0 || set->objects != NULL);
	if (set->count > 0)
		qsort(set->objects, (size_t) set->count, sizeof(ObjectId),
			  compare_objects);
}

bool
object_set_has(const ObjectSet *set, ObjectId object)
{
	ASSERT(set->count == 0 || set->objects != NULL);
	return set->count > 0 && bsearch(&object, set->objects, (size_t) set->count,
									 sizeof(ObjectId), compare_objects) != NULL;
}
