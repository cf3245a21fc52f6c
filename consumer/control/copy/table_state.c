/*
 * table_state.c
 *    A sorted array of tables, which is searched only up to the last watermark.
 */
#include "control/copy/table_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/schema.h"
#include "net/sql.h"

#define ARENA_BLOCK_BYTES (16 * KB)

typedef struct TableState
{
	const char *schema;
	const char *name;
	TableStateKind kind;
	Lsn watermark;
	uint32_t oid;        /* OID on the source; 0: not known */
	uint32_t schema_oid; /* OID of its schema; 0: not known */
} TableState;

struct TableStates
{
	size_t count;
	TableState *tables; /* sorted by schema and name; of those with the same
						 * name, the one that leaves out more comes first */
	Lsn last_watermark;
	bool all_ready;   /* whether all tables are ready: nothing is left out
					   * after last_watermark */
	bool only_listed; /* whether tables without a state are left out */
	Arena *arena;     /* owns everything here, including this struct */
};

/* Words for the states, indexed by TableStateKind. */
static const char *const kind_names[] = {
	"ready", "copying", "paused", "catching up", "joining", "removed",
};

const char *
table_state_name(TableStateKind kind)
{
	ASSERT((size_t) kind < LENGTH_OF(kind_names));
	return kind_names[kind];
}

static MUST_CHECK Rc
parse_kind(const char *name, TableStateKind *kind, const PgConn *target,
		   Error *err)
{
	for (size_t i = 0; i < LENGTH_OF(kind_names); i++)
		if (strcmp(kind_names[i], name) == 0)
		{
			*kind = (TableStateKind) i;
			return RC_OK;
		}
	return error_set(err, ERR_PROTOCOL, "unknown state \"%s\" of a table on %s",
					 name, pgconn_label(target));
}

static MUST_CHECK Rc
parse_position(const char *text, Lsn *lsn, const PgConn *target, Error *err)
{
	if (!lsn_parse(text, lsn))
		return error_set(err, ERR_PROTOCOL, "invalid position \"%s\" from %s",
						 text, pgconn_label(target));
	return RC_OK;
}

static int
compare_names(const void *a, const void *b)
{
	const TableState *left = a;
	const TableState *right = b;
	int order = strcmp(left->schema, right->schema);

	return order != 0 ? order : strcmp(left->name, right->name);
}

/* Changes to a table are left out of transactions with this end_lsn or less. */
static Lsn
left_out_until(const TableState *table)
{
	return table->kind == TABLE_READY || table->kind == TABLE_JOINING
			   ? table->watermark
			   : UINT64_MAX;
}

static int
compare_tables(const void *a, const void *b)
{
	Lsn left = left_out_until(a);
	Lsn right = left_out_until(b);
	int order = compare_names(a, b);

	return order != 0 ? order : (left < right) - (left > right);
}

static void
sort(TableStates *states)
{
	qsort(states->tables, states->count, sizeof(TableState), compare_tables);
}

/*
 * Fills the array from a result with the columns schema_name, table_name,
 * state, watermark.
 */
static MUST_CHECK Rc
fill(TableStates *states, const PGresult *result, PgConn *target, Error *err)
{
	states->count = (size_t) PQntuples(result);
	states->tables = arena_calloc(states->arena, states->count,
								  sizeof(TableState));
	for (int i = 0; i < PQntuples(result); i++)
	{
		TableState *table = &states->tables[i];
		Rc rc = parse_kind(PQgetvalue(result, i, 2), &table->kind, target, err);

		if (rc == RC_OK)
			rc = parse_position(PQgetvalue(result, i, 3), &table->watermark,
								target, err);
		if (rc != RC_OK)
			return rc;
		table->schema = arena_strdup(states->arena, PQgetvalue(result, i, 0));
		table->name = arena_strdup(states->arena, PQgetvalue(result, i, 1));
		states->last_watermark = lsn_max(states->last_watermark,
										 table->watermark);
		states->all_ready &= table->kind == TABLE_READY;
	}
	sort(states);
	return RC_OK;
}

static TableStates *
states_new(void)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	TableStates *states = arena_calloc(arena, 1, sizeof(TableStates));

	states->arena = arena;
	states->all_ready = true;
	return states;
}

Rc
table_states_read(TableStates **states, PgConn *target, const char *pipeline,
				  Error *err)
{
	static const char sql[] =
		"SELECT schema_name, table_name, state,"
		" watermark FROM penstock.table_state WHERE pipeline = $1";
	const char *params[] = {pipeline};
	TableStates *read = states_new();
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "table_state", &exists, err);

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

TableStates *
table_states_only(const TableName *tables, int count)
{
	TableStates *states = states_new();

	states->only_listed = true;
	states->count = (size_t) count;
	states->tables = arena_calloc(states->arena, states->count,
								  sizeof(TableState));
	for (int i = 0; i < count; i++)
		states->tables[i] = (TableState){
			.schema = arena_strdup(states->arena, tables[i].schema),
			.name = arena_strdup(states->arena, tables[i].name),
		};
	sort(states);
	return states;
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

static const TableState *
find_table(const TableStates *states, const char *schema, const char *name)
{
	const TableState key = {.schema = schema, .name = name};
	const TableState *found = bsearch(&key, states->tables, states->count,
									  sizeof(TableState), compare_names);

	while (found != NULL && found > states->tables &&
		   compare_names(found - 1, &key) == 0)
		found--;
	return found;
}

/*
 * Whether changes to a table are left out, in a transaction with this end_lsn.
 */
static bool
is_left_out(const TableStates *states, const Relation *relation, Lsn end_lsn,
			bool *hold)
{
	const TableState *table = find_table(states, relation->schema,
										 relation->name);

	if (table == NULL)
		return states->only_listed;
	if (table->kind == TABLE_JOINING && end_lsn > table->watermark)
		*hold = true;
	return table->kind != TABLE_READY || end_lsn <= table->watermark;
}

/* Arguments of is_truncated(), which decides for each table of a TRUNCATE. */
typedef struct Truncate
{
	const TableStates *states;
	Lsn end_lsn;
	bool *hold;
} Truncate;

static bool
is_truncated(void *context, Relation *relation)
{
	const Truncate *truncate = context;

	return !is_left_out(truncate->states, relation, truncate->end_lsn,
						truncate->hold);
}

const Change *
table_states_select(const TableStates *states, Frame *frame,
					const Change *change, Lsn end_lsn, bool *hold)
{
	ASSERT(end_lsn != 0);
	*hold = false;
	if (states->all_ready && !states->only_listed &&
		end_lsn > states->last_watermark)
		return change;
	switch (change->kind)
	{
		case CHANGE_INSERT:
		case CHANGE_UPDATE:
		case CHANGE_DELETE:
		case CHANGE_REWRITE:
			return is_left_out(states, change->relation, end_lsn, hold)
					   ? NULL
					   : change;
		case CHANGE_TRUNCATE:
			return change_select_truncated(frame, change, is_truncated,
										   &(Truncate){.states = states,
													   .end_lsn = end_lsn,
													   .hold = hold});
		case CHANGE_MESSAGE:
		case CHANGE_SCHEMA:
			return change;
	}
	CHECK(false);
	return NULL;
}

bool
table_states_is_empty(const TableStates *states)
{
	return states->count == 0;
}

static TableState *
find_named(const TableStates *states, const char *schema, const char *name)
{
	const TableState *found = find_table(states, schema, name);

	return found != NULL ? &states->tables[found - states->tables] : NULL;
}

/* Sets the OID of the schema in all its tables. */
static void
learn_schema(TableStates *states, const Definition *schema)
{
	ASSERT(schema->kind == DEFINITION_NAMESPACE);
	for (size_t i = 0; i < states->count; i++)
		if (strcmp(states->tables[i].schema, schema->name) == 0)
			states->tables[i].schema_oid = schema->oid;
}

void
table_states_learn(TableStates *states, const DefinitionSet *known)
{
	for (size_t i = 0; i < definition_set_count(known); i++)
	{
		const Definition *definition = definition_set_at(known, i);
		TableState *table;

		if (definition->kind == DEFINITION_NAMESPACE)
			learn_schema(states, definition);
		if (definition->kind != DEFINITION_TABLE)
			continue;
		table = find_named(states, definition->schema, definition->name);
		if (table != NULL)
			table->oid = definition->oid;
	}
}

/*
 * Renames a table if the changed definition is that of the table or its schema.
 */
static void
follow(TableState *table, const Definition *is, Arena *arena)
{
	if (is->kind == DEFINITION_NAMESPACE && table->schema_oid == is->oid)
		table->schema = arena_strdup(arena, is->name);
	if (is->kind != DEFINITION_TABLE || table->oid != is->oid)
		return;
	if (strcmp(table->schema, is->schema) != 0)
		table->schema_oid = 0; /* the OID of the new schema is not known */
	table->schema = arena_strdup(arena, is->schema);
	table->name = arena_strdup(arena, is->name);
}

/* The state of a table that is gone is of whatever gets its name. */
static void
forget_oid(TableStates *states, uint32_t oid)
{
	ASSERT(oid != 0);
	for (size_t i = 0; i < states->count; i++)
		if (states->tables[i].oid == oid)
			states->tables[i].oid = 0;
}

void
table_states_follow(TableStates *states, const SchemaChange *change)
{
	if (change->kind == SCHEMA_GONE && change->catalog == DEFINITION_IN_CLASS)
		forget_oid(states, change->oid);
	if (change->kind != SCHEMA_DEFINED || states->count == 0)
		return;
	for (size_t i = 0; i < states->count; i++)
		follow(&states->tables[i], change->definition, states->arena);
	sort(states);
}

/* Appends VALUES with the former and new names. */
static void
append_moves(Buf *sql, const TableMove *moves, int count)
{
	ASSERT(count > 0);
	buf_append_string(sql, "VALUES ");
	for (int i = 0; i < count; i++)
	{
		const TableMove *move = &moves[i];

		buf_append_string(sql, i > 0 ? ", (" : "(");
		buf_append_literal(sql, move->from.schema);
		buf_append_string(sql, ", ");
		buf_append_literal(sql, move->from.name);
		buf_append_string(sql, ", ");
		buf_append_literal(sql, move->to.schema);
		buf_append_string(sql, ", ");
		buf_append_literal(sql, move->to.name);
		buf_append_char(sql, ')');
	}
}

static void
begin_moves(Buf *sql, const TableMove *moves, int count)
{
	buf_append_string(sql, "WITH moved (schema_name, table_name, new_schema,"
						   " new_name) AS (");
	append_moves(sql, moves, count);
	buf_append_char(sql, ')');
}

/* The condition that a row of the pipeline has a new name, and keeps it. */
static void
append_is_in_the_way(Buf *sql, const char *pipeline)
{
	buf_append_string(sql, " t.schema_name = m.new_schema"
						   " AND t.table_name = m.new_name"
						   " AND NOT EXISTS (SELECT FROM moved o"
						   "  WHERE o.schema_name = t.schema_name"
						   "  AND o.table_name = t.table_name)"
						   " AND t.pipeline = ");
	buf_append_literal(sql, pipeline);
}

static void
note_left_out(const PGresult *result, TableMove *moves, int count)
{
	for (int i = 0; i < PQntuples(result); i++)
		for (int k = 0; k < count; k++)
			if (strcmp(PQgetvalue(result, i, 0), moves[k].to.schema) == 0 &&
				strcmp(PQgetvalue(result, i, 1), moves[k].to.name) == 0)
				moves[k].to_left_out = true;
}

/* What was copied or kept under a name that is left out is of another table. */
static MUST_CHECK Rc
take_left_out(PgConn *target, const char *pipeline, TableMove *moves, int count,
			  bool *changed, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	ASSERT(count > 0);
	buf_init(&sql, BUF_TEXT_MAX);
	begin_moves(&sql, moves, count);
	buf_append_string(&sql, " UPDATE penstock.table_state t SET state ="
							" CASE t.state WHEN 'removed' THEN t.state"
							"  ELSE 'copying' END FROM moved m"
							" WHERE t.state <> 'ready' AND");
	append_is_in_the_way(&sql, pipeline);
	buf_append_string(&sql, " RETURNING t.schema_name, t.table_name");
	rc = sql_run(target, &sql, &result, err);
	if (rc == RC_OK)
	{
		note_left_out(result, moves, count);
		*changed = *changed || PQntuples(result) > 0;
	}
	PQclear(result);
	return rc;
}

/*
 * Rows may exchange their names.  ORDER BY makes the statement delete all of
 * them, and those that make room, before it inserts the first.  A row whose new
 * name is left out is not inserted; its slot goes to the row of that name, so
 * that it is dropped with it.
 */
static void
append_renaming(Buf *sql, const char *pipeline)
{
	buf_append_string(
		sql, ", freed AS (DELETE FROM penstock.table_state t USING moved m"
			 " WHERE t.state = 'ready' AND EXISTS ("
			 "  SELECT FROM penstock.table_state n"
			 "  WHERE n.pipeline = t.pipeline"
			 "  AND n.schema_name = m.schema_name"
			 "  AND n.table_name = m.table_name) AND");
	append_is_in_the_way(sql, pipeline);
	buf_append_string(
		sql, " RETURNING t.*), gone AS (DELETE FROM penstock.table_state t"
			 " USING moved m WHERE t.schema_name = m.schema_name"
			 " AND t.table_name = m.table_name AND t.pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_append_string(
		sql, " RETURNING t.*, m.new_schema, m.new_name)"
			 " INSERT INTO penstock.table_state AS t (pipeline, schema_name,"
			 " table_name, state, watermark, slot_name, created)"
			 " SELECT g.pipeline, g.new_schema, g.new_name,"
			 " CASE WHEN g.state IN ('ready', 'removed') THEN g.state"
			 "  ELSE 'copying' END, g.watermark,"
			 " coalesce(g.slot_name, f.slot_name), g.created"
			 " FROM gone g LEFT JOIN freed f ON f.schema_name = g.new_schema"
			 "  AND f.table_name = g.new_name"
			 " ORDER BY g.new_schema, g.new_name"
			 " ON CONFLICT (pipeline, schema_name, table_name) DO UPDATE SET"
			 " slot_name = coalesce(t.slot_name, excluded.slot_name)");
}

Rc
table_state_rename(PgConn *target, const char *pipeline, TableMove *moves,
				   int count, bool *changed, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	*changed = false;
	if (count == 0)
		return RC_OK;
	ASSERT(pgconn_can_be_inside(target));
	rc = take_left_out(target, pipeline, moves, count, changed, err);
	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	begin_moves(&sql, moves, count);
	append_renaming(&sql, pipeline);
	rc = sql_run(target, &sql, &result, err);
	*changed = *changed ||
			   (rc == RC_OK && strcmp(PQcmdTuples(result), "0") != 0);
	PQclear(result);
	return rc;
}

bool
table_states_only_listed(const TableStates *states)
{
	return states->only_listed;
}

Lsn
table_states_left_out_until(const TableStates *states, const TableName *named)
{
	const TableState *table = find_table(states, named->schema, named->name);

	if (table == NULL)
		return states->only_listed ? UINT64_MAX : 0;
	return left_out_until(table);
}

Lsn
table_states_left_out_until_of(const TableStates *states,
							   const Definition *table)
{
	const TableName name = {.schema = table->schema, .name = table->name};
	const TableState *named = find_table(states, name.schema, name.name);

	ASSERT(table->kind == DEFINITION_TABLE);
	for (size_t i = 0; i < states->count; i++)
		if (states->tables[i].oid == table->oid)
			return left_out_until(&states->tables[i]);
	if (named != NULL && named->oid != 0)
		return states->only_listed ? UINT64_MAX : 0;
	return table_states_left_out_until(states, &name);
}

static bool
is_named(const TableName *names, int count, const TableState *table)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i].schema, table->schema) == 0 &&
			strcmp(names[i].name, table->name) == 0)
			return true;
	return false;
}

void
table_states_append_left_out(Buf *list, const TableStates *const *states,
							 int count, Lsn start, const TableName *but,
							 int but_count)
{
	/* A table that is left out under all states is in the first one's array. */
	for (size_t i = 0; count > 0 && i < states[0]->count; i++)
	{
		const TableState *table = &states[0]->tables[i];
		const TableName name = {.schema = table->schema, .name = table->name};
		Lsn until = UINT64_MAX;

		for (int k = 0; k < count; k++)
			until = lsn_min(until,
							table_states_left_out_until(states[k], &name));
		if (until <= start || is_named(but, but_count, table) ||
			find_table(states[0], table->schema, table->name) != table)
			continue;
		if (list->length > 0)
			buf_append_string(list, ", ");
		buf_append_identifier(list, table->schema);
		buf_append_char(list, '.');
		buf_append_identifier(list, table->name);
		if (until != UINT64_MAX)
			buf_printf(list, " " LSN_FORMAT, LSN_ARGS(until));
	}
}

/* Parses a result with the columns state, watermark, slot_name and created. */
static MUST_CHECK Rc
parse_row(const PGresult *result, const PgConn *target, TableRow *row,
		  Error *err)
{
	Rc rc = parse_kind(PQgetvalue(result, 0, 0), &row->kind, target, err);

	row->exists = true;
	if (rc == RC_OK)
		rc = parse_position(PQgetvalue(result, 0, 1), &row->watermark, target,
							err);
	snprintf(row->slot, sizeof(row->slot), "%s", PQgetvalue(result, 0, 2));
	row->created = PQgetvalue(result, 0, 3)[0] == 't';
	return rc;
}

Rc
table_state_read(PgConn *target, const char *pipeline, const TableName *table,
				 TableRow *row, Error *err)
{
	static const char sql[] = "SELECT state, watermark, slot_name, created"
							  " FROM penstock.table_state WHERE pipeline = $1"
							  " AND schema_name = $2 AND table_name = $3";
	const char *params[] = {pipeline, table->schema, table->name};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "table_state", &exists, err);

	*row = (TableRow){0};
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
								err);
	if (rc == RC_OK && exists && PQntuples(result) > 0)
		rc = parse_row(result, target, row, err);
	PQclear(result);
	return rc;
}

Rc
table_state_write(PgConn *target, const char *pipeline, const TableName *table,
				  const TableRow *row, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.table_state (pipeline, schema_name, table_name,"
		" state, watermark, slot_name, created)"
		" VALUES ($1, $2, $3, $4, $5::pg_lsn, nullif($6, ''), $7::boolean)"
		" ON CONFLICT (pipeline, schema_name, table_name) DO UPDATE SET"
		" state = excluded.state, watermark = excluded.watermark,"
		" slot_name = excluded.slot_name, created = excluded.created";
	char watermark[LSN_TEXT_SIZE];
	const char *params[] = {pipeline,
							table->schema,
							table->name,
							table_state_name(row->kind),
							watermark,
							row->slot,
							row->created ? "true" : "false"};

	CHECK(row->kind != TABLE_CATCHING_UP || row->watermark != 0);
	CHECK(row->kind != TABLE_JOINING || row->watermark != 0);
	snprintf(watermark, sizeof(watermark), LSN_FORMAT,
			 LSN_ARGS(row->watermark));
	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

Rc
table_states_refuse_joining(PgConn *target, const char *pipeline,
							int64_t lease_token, Error *err)
{
	static const char sql[] =
		"WITH mine AS (SELECT FROM penstock.progress WHERE pipeline = $1"
		"  AND lease_token = $2::bigint FOR NO KEY UPDATE)"
		" UPDATE penstock.table_state SET state = 'catching up'"
		" WHERE pipeline = $1 AND state = 'joining'"
		" AND EXISTS (SELECT FROM mine)";
	char token[24];
	const char *params[] = {pipeline, token};

	ASSERT(lease_token > 0);
	snprintf(token, sizeof(token), "%" PRId64, lease_token);
	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

Rc
table_states_list(PgConn *target, const char *pipeline, PGresult **result,
				  Error *err)
{
	static const char sql[] =
		"SELECT t.schema_name, t.table_name, t.state, t.watermark, t.slot_name,"
		" p.end_lsn FROM penstock.table_state t"
		" LEFT JOIN penstock.progress p ON p.pipeline = t.slot_name"
		" WHERE t.pipeline = $1"
		" AND (t.state <> 'ready' OR t.slot_name IS NOT NULL)"
		" ORDER BY t.schema_name, t.table_name";
	const char *params[] = {pipeline};
	bool exists;
	Rc rc = control_has(target, "table_state", &exists, err);

	*result = NULL;
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, 1, params, result, err);
	return rc;
}
