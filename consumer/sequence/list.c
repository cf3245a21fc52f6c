/*
 * list.c
 *    Reads pg_sequence, and the value of each sequence.
 *
 * The view pg_sequences does not show is_called.  Up to version 17, which lacks
 * pg_get_sequence_data(), each sequence is read as a relation, many of them in
 * one statement.
 */
#include "sequence/list.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/own_schema.h"
#include "net/sql.h"
#include "net/sqlstate.h"

/* Number of sequences in one statement. */
#define BATCH             500

#define ARENA_BLOCK_BYTES (8 * KB)

/* First version with pg_get_sequence_data(). */
#define SEQUENCE_DATA_VERSION_NUM 180000

/* ---- Finding ---- */

static const char owned_or_used_sql[] =
	" AND (EXISTS (SELECT FROM pg_depend d"
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
	"  AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
	"  AND d.refobjid IN (SELECT relid FROM relations))"
	" OR EXISTS (SELECT FROM pg_attrdef a JOIN pg_depend d"
	"  ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid"
	"  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid"
	"  AND a.adrelid IN (SELECT relid FROM relations)))";

static void
append_selection(Buf *sql, const CopyCatalog *catalog)
{
	if (!catalog->whole)
		buf_append_string(sql, owned_or_used_sql);
	else if (!catalog->selected.all)
	{
		buf_append_string(sql, " AND c.oid <> ALL (");
		catalog_append_unselected(catalog, sql);
		buf_append_char(sql, ')');
	}
}

static void
append_find(Buf *sql, const CopyCatalog *catalog, bool permanent)
{
	buf_append_string(sql, "WITH relations (relid) AS (SELECT unnest(");
	if (catalog != NULL)
		catalog_append_oids(catalog, sql);
	else
		buf_append_string(sql, "'{}'::oid[]");
	buf_append_string(sql, ")) SELECT c.oid, n.nspname, c.relname,"
						   " format('%I.%I', n.nspname, c.relname)"
						   " FROM pg_class c"
						   " JOIN pg_namespace n ON n.oid = c.relnamespace"
						   " WHERE c.relkind = 'S'"
						   " AND n.nspname <> '" CATALOG_OWN_SCHEMA "'");
	buf_append_string(sql, permanent ? " AND c.relpersistence = 'p'"
									 : " AND c.relpersistence <> 't'");
	if (catalog != NULL)
		append_selection(sql, catalog);
	buf_append_string(sql, " ORDER BY c.oid");
}

static uint32_t
get_oid(const PGresult *result, int row, int column)
{
	return (uint32_t) strtoul(PQgetvalue(result, row, column), NULL, 10);
}

static void
init(SequenceList *list, int count)
{
	/* The list is empty: what it had would be lost. */
	ASSERT(list->arena == NULL && count >= 0);
	list->arena = arena_new(ARENA_BLOCK_BYTES);
	list->count = count;
	list->items = arena_calloc(list->arena, (size_t) count,
							   sizeof(SequenceItem));
}

static uint64_t
hash_name(const char *schema, const char *name)
{
	return hash_text(hash_text(HASH_START, schema), name);
}

static void
index_names(SequenceList *list)
{
	for (int i = 0; i < list->count; i++)
		hash_index_add(&list->by_name,
					   hash_name(list->items[i].schema, list->items[i].name),
					   (size_t) i);
}

Rc
sequence_list_find(SequenceList *list, const CopyCatalog *catalog,
				   PgConn *source, bool permanent, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	*list = (SequenceList){0};
	buf_init(&sql, BUF_TEXT_MAX);
	append_find(&sql, catalog, permanent);
	rc = sql_run(source, &sql, &result, err);
	if (rc != RC_OK)
		return rc;
	init(list, PQntuples(result));
	for (int i = 0; i < list->count; i++)
		list->items[i] = (SequenceItem){
			.oid = get_oid(result, i, 0),
			.schema = arena_strdup(list->arena, PQgetvalue(result, i, 1)),
			.name = arena_strdup(list->arena, PQgetvalue(result, i, 2)),
			.qualified = arena_strdup(list->arena, PQgetvalue(result, i, 3)),
		};
	PQclear(result);
	index_names(list);
	return RC_OK;
}

int
sequence_list_index(const SequenceList *list, const char *schema,
					const char *name)
{
	HashSearch search = hash_search_begin(&list->by_name,
										  hash_name(schema, name));
	size_t index;

	while (hash_search_next(&search, &index))
		if (strcmp(list->items[index].name, name) == 0 &&
			strcmp(list->items[index].schema, schema) == 0)
			return (int) index;
	return -1;
}

void
sequence_list_release(SequenceList *list)
{
	arena_free(list->arena);
	hash_index_release(&list->by_name);
	*list = (SequenceList){0};
}

/* ---- Many at a time ---- */

/* Whether the server refused the statement, and is still able to run others. */
static bool
is_refusal(const Error *err)
{
	return err->code == ERR_SQL && !sqlstate_is_server_gone(err);
}

static MUST_CHECK Rc
run_one(SequenceList *list, int index, SequenceStatement run, void *context,
		Error *err)
{
	Rc rc = run(context, index, index + 1, err);

	if (rc != RC_FAIL || !is_refusal(err))
		return rc;
	list->items[index].problem = arena_strdup(list->arena, err->message);
	error_reset(err);
	return RC_OK;
}

Rc
sequence_list_run(SequenceList *list, SequenceStatement run, void *context,
				  Error *err)
{
	Rc rc = RC_OK;

	for (int first = 0; first < list->count && rc == RC_OK; first += BATCH)
	{
		int end = first + BATCH < list->count ? first + BATCH : list->count;

		rc = run(context, first, end, err);
		if (rc != RC_FAIL || !is_refusal(err))
			continue;
		error_reset(err);
		rc = RC_OK;
		for (int i = first; i < end && rc == RC_OK; i++)
			rc = run_one(list, i, run, context, err);
	}
	return rc;
}

/* ---- Reading ---- */

typedef struct Reading
{
	SequenceList *list;
	PgConn *conn;
	bool by_name;
} Reading;

static int64_t
get_int64(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/*
 * Joins for append_described(): after tables v (i: index of the sequence) and c
 * (pg_class).
 */
static const char described_sql[] =
	" JOIN pg_sequence s ON s.seqrelid = c.oid"
	" JOIN pg_namespace n ON n.oid = c.relnamespace";

static void
append_described(Buf *sql, int offset)
{
	buf_printf(sql,
			   "SELECT v.i + %d, c.oid, n.nspname, c.relname, s.seqstart, "
			   "s.seqincrement,"
			   " s.seqmin, s.seqmax, s.seqcache, s.seqcycle,"
			   " has_schema_privilege(n.oid, 'USAGE'),"
			   " has_sequence_privilege(c.oid, 'SELECT'),"
			   " has_sequence_privilege(c.oid, 'UPDATE')",
			   offset);
}

static void
append_by_oid(Buf *sql, const SequenceList *list, int first, int end)
{
	append_described(sql, first - 1);
	buf_append_string(sql, " FROM unnest('{");
	for (int i = first; i < end; i++)
		buf_printf(sql, "%s%u", i > first ? "," : "", list->items[i].oid);
	buf_append_string(sql, "}'::oid[]) WITH ORDINALITY v (oid, i)"
						   " JOIN pg_class c ON c.oid = v.oid");
	buf_append_string(sql, described_sql);
}

static void
append_by_name(Buf *sql, const SequenceList *list, int first, int end)
{
	append_described(sql, 0);
	buf_append_string(sql, " FROM (VALUES ");
	for (int i = first; i < end; i++)
	{
		buf_printf(sql, "%s(%d, ", i > first ? ", " : "", i);
		buf_append_literal(sql, list->items[i].schema);
		buf_append_string(sql, "::name, ");
		buf_append_literal(sql, list->items[i].name);
		buf_append_string(sql, "::name)");
	}
	buf_printf(sql,
			   ") v (i, schema, name) JOIN pg_class c ON c.relname = v.name%s"
			   " WHERE n.nspname = v.schema",
			   described_sql);
}

static void
take_described(SequenceItem *item, const PGresult *result, int row)
{
	/*
	 * A sequence that was renamed is not the one that the target has by this
	 * name.
	 */
	if (strcmp(item->schema, PQgetvalue(result, row, 2)) != 0 ||
		strcmp(item->name, PQgetvalue(result, row, 3)) != 0)
		return;
	item->oid = get_oid(result, row, 1);
	item->definition = (SequenceRange){
		.start = get_int64(result, row, 4),
		.increment = get_int64(result, row, 5),
		.min = get_int64(result, row, 6),
		.max = get_int64(result, row, 7),
		.cache = get_int64(result, row, 8),
		.cycles = sql_bool(result, row, 9),
	};
	item->reachable = sql_bool(result, row, 10);
	item->readable = item->reachable && sql_bool(result, row, 11);
	item->settable = item->reachable && sql_bool(result, row, 12);
}

/* A SequenceStatement: reads definitions. */
static Rc
describe(void *context, int first, int end, Error *err)
{
	const Reading *self = context;
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	if (self->by_name)
		append_by_name(&sql, self->list, first, end);
	else
		append_by_oid(&sql, self->list, first, end);
	rc = sql_run(self->conn, &sql, &result, err);
	for (int i = first; i < end && rc == RC_OK; i++)
		self->list->items[i].oid = 0;
	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
		take_described(&self->list->items[get_int64(result, row, 0)], result,
					   row);
	PQclear(result);
	return rc;
}

static void
append_values_by_oid(Buf *sql, const SequenceList *list, int first, int end)
{
	const char *glue = "";

	buf_append_string(sql,
					  "SELECT v.i, d.last_value, d.is_called FROM (VALUES ");
	for (int i = first; i < end; i++)
	{
		if (!list->items[i].readable)
			continue;
		buf_printf(sql, "%s(%d, %u::oid)", glue, i, list->items[i].oid);
		glue = ", ";
	}
	buf_append_string(sql, ") v (i, oid), LATERAL pg_get_sequence_data(v.oid) d"
						   " WHERE d.last_value IS NOT NULL");
}

static void
append_values_by_name(Buf *sql, const SequenceList *list, int first, int end)
{
	const char *glue = "";

	for (int i = first; i < end; i++)
	{
		if (!list->items[i].readable)
			continue;
		buf_printf(sql, "%sSELECT %d, last_value, is_called FROM %s", glue, i,
				   list->items[i].qualified);
		glue = " UNION ALL ";
	}
}

/* A SequenceStatement: reads values. */
static Rc
read_values(void *context, int first, int end, Error *err)
{
	const Reading *self = context;
	PGresult *result = NULL;
	bool any = false;
	Buf sql;
	Rc rc;

	for (int i = first; i < end; i++)
		any |= self->list->items[i].readable;
	if (!any)
		return RC_OK;
	buf_init(&sql, BUF_TEXT_MAX);
	if (pgconn_server_version_num(self->conn) >= SEQUENCE_DATA_VERSION_NUM)
		append_values_by_oid(&sql, self->list, first, end);
	else
		append_values_by_name(&sql, self->list, first, end);
	rc = sql_run(self->conn, &sql, &result, err);
	for (int row = 0; rc == RC_OK && row < PQntuples(result); row++)
	{
		SequenceItem *item = &self->list->items[get_int64(result, row, 0)];

		item->has_value = true;
		item->value = (SequenceValue){get_int64(result, row, 1),
									  sql_bool(result, row, 2)};
	}
	PQclear(result);
	return rc;
}

static const char *
hint_read(SequenceList *list, const SequenceItem *item, const PgConn *conn)
{
	const char *user = PQuser(pgconn_raw(conn));
	const char *text;
	Buf hint;

	buf_init(&hint, BUF_TEXT_MAX);
	buf_printf(&hint, "Run on %s, as its owner: ", pgconn_label(conn));
	if (!item->reachable)
	{
		buf_append_string(&hint, "GRANT USAGE ON SCHEMA ");
		buf_append_identifier(&hint, item->schema);
		buf_printf(&hint, " TO \"%s\"; ", user);
	}
	buf_printf(&hint, "GRANT SELECT ON SEQUENCE %s TO \"%s\".", item->qualified,
			   user);
	text = arena_strdup(list->arena, hint.data);
	buf_release(&hint);
	return text;
}

static void
note_unreadable(SequenceList *list, const PgConn *conn)
{
	const char *user = PQuser(pgconn_raw(conn));

	for (int i = 0; i < list->count; i++)
	{
		SequenceItem *item = &list->items[i];

		if (item->oid == 0 || item->readable)
			continue;
		item->problem = arena_printf(list->arena,
									 "user \"%s\" may not read it, so it is "
									 "not followed",
									 user);
		item->hint = hint_read(list, item, conn);
	}
}

static MUST_CHECK Rc
read_all(SequenceList *list, PgConn *conn, bool by_name, Error *err)
{
	Reading self = {.list = list, .conn = conn, .by_name = by_name};
	Rc rc;

	for (int i = 0; i < list->count; i++)
	{
		list->items[i].readable = false;
		list->items[i].has_value = false;
		list->items[i].problem = NULL;
		list->items[i].hint = NULL;
		list->items[i].remark = NULL;
	}
	rc = sequence_list_run(list, describe, &self, err);
	if (rc == RC_OK)
		rc = sequence_list_run(list, read_values, &self, err);
	if (rc == RC_OK)
		note_unreadable(list, conn);
	return rc;
}

Rc
sequence_list_read(SequenceList *list, PgConn *source, bool *complete,
				   Error *err)
{
	Rc rc = read_all(list, source, false, err);

	*complete = rc == RC_OK;
	for (int i = 0; i < list->count && rc == RC_OK; i++)
		*complete &= list->items[i].oid != 0;
	return rc;
}

Rc
sequence_list_read_target(SequenceList *list, SequenceItem *const *names,
						  int count, PgConn *target, Error *err)
{
	init(list, count);
	for (int i = 0; i < count; i++)
		list->items[i] = (SequenceItem){.schema = names[i]->schema,
										.name = names[i]->name,
										.qualified = names[i]->qualified};
	index_names(list);
	return read_all(list, target, true, err);
}
