/*
 * unique.c
 *    Builds the conditions on the target, which prints the expressions of its
 *    indexes.
 *
 * An expression that is printed for one table does not contain the table's
 * name.  So the same text refers to the target's row in a subquery on the
 * table, and to the source's row in a subquery on that.
 */
#include "sink/postgres/tables/unique.h"

#include <string.h>

#include "base/buf.h"

/*
 * Query with one row per index.  A unique index is a btree, in whose operator
 * class equality is the third member; an exclusion constraint has its own
 * operators.
 */
static const char sql[] =
	"SELECT quote_literal(x.relname),"
	" (SELECT string_agg(CASE WHEN k.nulls_meet"
	"   THEN format('(%1$s OR %2$s IS NOT DISTINCT FROM NULL"
	" AND %3$s IS NOT DISTINCT FROM NULL)', k.meet,"
	"    k.here, k.given) ELSE k.meet END, ' AND ' ORDER BY k.n)"
	"  FROM (SELECT e.n, e.here, e.given,"
	"    i.indisunique AND "
	"coalesce((to_jsonb(i)->>'indnullsnotdistinct')::bool,"
	"     false) AS nulls_meet,"
	"    format('%s%s OPERATOR(%I.%s) %s', e.here,"
	"     (SELECT format(' COLLATE %I.%I', cn.nspname, c.collname)"
	"      FROM pg_catalog.pg_collation c"
	"      JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace"
	"      WHERE c.oid = (i.indcollation::oid[])[e.n]),"
	"     opn.nspname, op.oprname, e.given) AS meet"
	"   FROM (SELECT n, format('(%s)', text) AS here,"
	"     format('(SELECT %s FROM " UNIQUE_GIVEN ")', text) AS given"
	"    FROM generate_series(0, i.indnkeyatts - 1) n,"
	"     pg_catalog.pg_get_indexdef(i.indexrelid, n + 1, false) text) e"
	"   JOIN pg_catalog.pg_opclass oc ON oc.oid = (i.indclass::oid[])[e.n]"
	"   LEFT JOIN pg_catalog.pg_amop am ON am.amopfamily = oc.opcfamily"
	"    AND am.amoplefttype = oc.opcintype AND am.amoprighttype = oc.opcintype"
	"    AND am.amopstrategy = 3 AND x.relam = 403"
	"   JOIN pg_catalog.pg_operator op"
	"    ON op.oid = coalesce(f.conexclop[e.n + 1], am.amopopr)"
	"   JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace) k)"
	" || coalesce((SELECT format(' AND (%1$s) AND (SELECT (%1$s) "
	"FROM " UNIQUE_GIVEN ")', pg_catalog.pg_get_expr(i.indpred, i.indrelid))"
	"  WHERE i.indpred IS NOT NULL), '')"
	" FROM pg_catalog.pg_index i"
	" JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
	" LEFT JOIN pg_catalog.pg_constraint f ON f.conindid = i.indexrelid"
	"  AND f.conrelid = i.indrelid AND f.contype = 'x'"
	" WHERE i.indrelid = to_regclass($1) AND i.indisvalid"
	" AND (i.indisunique OR i.indisexclusion) AND NOT EXISTS ("
	"  SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid"
	"  AND a.attname <> ALL ($2::text[])"
	"  AND (a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])"
	"   OR EXISTS (SELECT FROM pg_catalog.pg_depend d"
	"    WHERE d.classid = 'pg_catalog.pg_class'::regclass"
	"    AND d.objid = i.indexrelid"
	"    AND d.refclassid = 'pg_catalog.pg_class'::regclass"
	"    AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum"
	"    AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))))"
	" ORDER BY i.indisprimary DESC, i.indexrelid";

/* Appends an array of the names of the columns that both sides have. */
static void
append_names(Buf *names, const TargetTable *table)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const char *name = table->columns[i].source->name;

		buf_append_char(names, i > 0 ? ',' : '{');
		buf_append_element(names, name, strlen(name));
	}
	buf_append_string(names, table->column_count > 0 ? "}" : "{}");
}

Rc
unique_read(TargetTable *table, PgConn *target, Error *err)
{
	const char *params[] = {table->name_sql, NULL};
	PGresult *result = NULL;
	Buf names;
	Rc rc;

	buf_init(&names, BUF_TEXT_MAX);
	append_names(&names, table);
	CHECK(!names.overflowed);
	params[1] = names.data;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							err);
	buf_release(&names);
	if (rc != RC_OK)
		return rc;
	table->uniques = arena_calloc(table->arena, (size_t) PQntuples(result),
								  sizeof(UniqueIndex));
	for (int i = 0; i < PQntuples(result); i++)
	{
		UniqueIndex *unique = &table->uniques[table->unique_count];

		if (PQgetisnull(result, i, 1))
			continue;
		unique->name_literal = arena_strdup(table->arena,
											PQgetvalue(result, i, 0));
		unique->condition = arena_strdup(table->arena,
										 PQgetvalue(result, i, 1));
		table->unique_count++;
	}
	PQclear(result);
	return RC_OK;
}
