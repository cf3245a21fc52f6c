/*
 * table_state.c
 *    A sorted array, looked at only until the last watermark has passed.
 */
#include "sink/postgres/table_state.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES (16 * KB)

typedef struct TableState
{
	const char *schema;
	const char *name;
	Lsn watermark;
} TableState;

struct TableStates
{
	size_t count;
	TableState *tables; /* by schema and name */
	Lsn last_watermark;
	Arena *arena; /* holds all of the above, and this */
};

static const char create_sql[] =
	"CREATE TABLE IF NOT EXISTS penstock.table_state ("
	" pipeline text NOT NULL,"
	" schema_name text NOT NULL,"
	" table_name text NOT NULL,"
	" state text NOT NULL,"
	" watermark pg_lsn NOT NULL,"
	" PRIMARY KEY (pipeline, schema_name, table_name))";

static MUST_CHECK Rc
look_for_table(PgConn *target, bool *exists, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		target,
		"SELECT pg_catalog.to_regclass('penstock.table_state') IS NOT NULL",
		&result, err);

	*exists = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

Rc
table_state_create(PgConn *target, Error *err)
{
	bool exists;
	Rc rc = look_for_table(target, &exists, err);

	if (rc == RC_OK && !exists)
		rc = pgconn_exec(target, create_sql, NULL, err);
	if (rc == RC_FAIL && err->code == ERR_SQL)
		error_hint(err, "The role needs CREATE on schema \"penstock\" of the "
						"target.");
	return rc;
}

static int
compare_names(const void *a, const void *b)
{
	const TableState *left = a;
	const TableState *right = b;
	int order = strcmp(left->schema, right->schema);

	return order != 0 ? order : strcmp(left->name, right->name);
}

/* Columns: schema_name, table_name, watermark. */
static MUST_CHECK Rc
fill(TableStates *states, const PGresult *result, PgConn *target, Error *err)
{
	states->count = (size_t) PQntuples(result);
	states->tables = arena_calloc(states->arena, states->count,
								  sizeof(TableState));
	for (int i = 0; i < PQntuples(result); i++)
	{
		TableState *table = &states->tables[i];

		table->schema = arena_strdup(states->arena, PQgetvalue(result, i, 0));
		table->name = arena_strdup(states->arena, PQgetvalue(result, i, 1));
		if (!lsn_parse(PQgetvalue(result, i, 2), &table->watermark))
			return error_set(err, ERR_PROTOCOL,
							 "invalid position \"%s\" from %s",
							 PQgetvalue(result, i, 2), pgconn_label(target));
		states->last_watermark = lsn_max(states->last_watermark,
										 table->watermark);
	}
	qsort(states->tables, states->count, sizeof(TableState), compare_names);
	return RC_OK;
}

Rc
table_states_read(TableStates **states, PgConn *target, const char *pipeline,
				  Error *err)
{
	static const char sql[] = "SELECT schema_name, table_name, watermark"
							  " FROM penstock.table_state WHERE pipeline = $1";
	const char *params[] = {pipeline};
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	TableStates *read = arena_calloc(arena, 1, sizeof(TableStates));
	PGresult *result = NULL;
	bool exists;
	Rc rc = look_for_table(target, &exists, err);

	read->arena = arena;
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, 1, params, &result, err);
	if (rc == RC_OK && exists)
		rc = fill(read, result, target, err);
	PQclear(result);
	if (rc != RC_OK)
	{
		table_states_free(read);
		return rc;
	}
	*states = read;
	return RC_OK;
}

void
table_states_free(TableStates *states)
{
	if (states != NULL)
		arena_free(states->arena);
}

Lsn
table_states_last_watermark(const TableStates *states)
{
	return states->last_watermark;
}

/* Whether the copy of a table has what a transaction did to it. */
static bool
has_transaction(const TableStates *states, const Relation *relation,
				Lsn end_lsn)
{
	const TableState key = {.schema = relation->schema, .name = relation->name};
	const TableState *table = bsearch(&key, states->tables, states->count,
									  sizeof(TableState), compare_names);

	return table != NULL && end_lsn <= table->watermark;
}

/* A TRUNCATE of those tables alone whose copies do not have it. */
static const Change *
select_truncated(const TableStates *states, Frame *frame, const Change *change,
				 Lsn end_lsn)
{
	const TruncateInfo *all = change->truncate;
	TruncateInfo *some = arena_calloc(frame->arena, 1, sizeof(TruncateInfo));
	Change *selected = arena_calloc(frame->arena, 1, sizeof(Change));

	*some = *all;
	some->relation_count = 0;
	some->relations = arena_calloc(frame->arena, (size_t) all->relation_count,
								   sizeof(all->relations[0]));
	for (int i = 0; i < all->relation_count; i++)
		if (!has_transaction(states, all->relations[i], end_lsn))
			some->relations[some->relation_count++] = all->relations[i];
	*selected = *change;
	selected->truncate = some;
	return some->relation_count > 0 ? selected : NULL;
}

const Change *
table_states_select(const TableStates *states, Frame *frame,
					const Change *change, Lsn end_lsn)
{
	if (end_lsn > states->last_watermark)
		return change;
	switch (change->kind)
	{
		case CHANGE_INSERT:
		case CHANGE_UPDATE:
		case CHANGE_DELETE:
			return has_transaction(states, change->relation, end_lsn) ? NULL
																	  : change;
		case CHANGE_TRUNCATE:
			return select_truncated(states, frame, change, end_lsn);
		case CHANGE_MESSAGE:
			return change;
	}
	CHECK(false);
	return NULL;
}

Rc
table_states_remove(PgConn *target, const char *pipeline, Error *err)
{
	const char *params[] = {pipeline};
	bool exists;
	Rc rc = look_for_table(target, &exists, err);

	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(
			target, "DELETE FROM penstock.table_state WHERE pipeline = $1", 1,
			params, NULL, err);
	return rc;
}
