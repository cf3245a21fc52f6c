/*
 * schema_step.c
 *    Turns definitions into statements on the target.
 */
#include "sink/postgres/schema/schema_step.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/own_command.h"
#include "base/xalloc.h"
#include "control/copy/table_state.h"
#include "control/definition_table.h"
#include "ddl/adopt.h"
#include "ddl/diff/diff.h"
#include "ddl/json.h"
#include "ddl/made.h"
#include "ddl/read.h"
#include "ddl/rename_schemas.h"
#include "model/definition.h"
#include "model/oid_list.h"
#include "net/sql.h"
#include "sink/postgres/schema/dropped_table.h"
#include "sink/postgres/schema/index_later.h"
#include "sink/postgres/schema/known_tables.h"
#include "sink/postgres/schema/new_table.h"
#include "sink/postgres/schema/schema_note.h"
#include "sink/postgres/schema/schema_policy.h"
#include "sink/postgres/schema/schema_rows.h"
#include "sink/postgres/schema/untranslated.h"

#define ARENA_BLOCK_BYTES (16 * KB)

/* Largest size of the list of statements in a message, in bytes. */
#define LISTED_MAX (64 * KB)

struct SchemaStep
{
	const char *pipeline;
	const char *label;
	SchemaPolicy policy;
	const SchemaRules *rules;
	int stride;                /* stride of the target's sequences; 0: none */
	const TableStates *states; /* states of the target's tables */
	char *failed_sql;          /* owned; statement that failed last; NULL:
								* none */
	Lsn begin_lsn;             /* position of the first definitions */
	bool renamed_states;
	Lsn index_build_lsn;  /* see schema_step_index_build_lsn() */
	DefinitionSet *known; /* NULL: not read yet */
	OidList emptied;      /* see schema_step_emptied() */
};

/* Data of one call of schema_step_apply(). */
typedef struct Step
{
	SchemaStep *self;
	PgConn *conn;
	const SchemaSet *set;
	const SchemaFollowed *followed;
	Arena *arena;
	DefinitionSet *before; /* definitions that the target is assumed to have */
	DefinitionSet *after;
	DdlHints hints;
	DdlPlan *plan;
} Step;

SchemaStep *
schema_step_new(const char *pipeline, const char *label, SchemaPolicy policy,
				const SchemaRules *rules, int stride, const TableStates *states)
{
	SchemaStep *self = xcalloc(1, sizeof(SchemaStep));

	self->pipeline = pipeline;
	self->label = label;
	self->policy = policy;
	self->rules = rules;
	self->stride = stride;
	self->states = states;
	return self;
}

void
schema_step_free(SchemaStep *self)
{
	if (self == NULL)
		return;
	definition_set_free(self->known);
	free(self->failed_sql);
	free(self->emptied.oids);
	free(self);
}

/* ---- what is known ------------------------------------------------------ */

/* A DefinitionTake: adds a definition to those that are known. */
static Rc
take_known(void *context, const char *json, Lsn from_lsn UNUSED, Error *err)
{
	SchemaStep *self = context;
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	const Definition *definition = NULL;
	Rc rc = ddl_json_read(json, strlen(json), arena, &definition, err);

	if (rc == RC_OK)
		definition_set_put(self->known, definition);
	arena_free(arena);
	return rc;
}

Rc
schema_step_begin(SchemaStep *self, PgConn *conn, bool *known, Error *err)
{
	Rc rc = definition_table_begin_lsn(conn, self->pipeline, &self->begin_lsn,
									   err);

	*known = self->begin_lsn != 0;
	return rc;
}

bool
schema_step_covers(const SchemaStep *self, Lsn end_lsn)
{
	return end_lsn <= self->begin_lsn;
}

Rc
schema_step_read(SchemaStep *self, PgConn *conn, const DefinitionSet **known,
				 Error *err)
{
	Rc rc = RC_OK;

	if (self->known == NULL)
	{
		self->known = definition_set_new();
		rc = definition_table_read(conn, self->pipeline, take_known, self, err);
	}
	*known = self->known;
	return rc;
}

bool
schema_step_renamed_states(const SchemaStep *self)
{
	return self->renamed_states;
}

/* ---- what it becomes ---------------------------------------------------- */

/*
 * Sets *catalog to the catalog of the object that a change defines or removes.
 * False: it does neither.  A known table that has become something that has no
 * definition is removed: up to version 15, CREATE RULE "_RETURN" makes a view
 * of an empty table, which keeps its OID.
 */
static bool
finds_object(const Step *step, const SchemaChange *change,
			 DefinitionCatalog *catalog)
{
	*catalog = DEFINITION_IN_CLASS;
	if (change->kind == SCHEMA_UNTRANSLATED)
		return strcmp(change->untranslated_catalog, "pg_class") == 0 &&
			   change->untranslated_part[0] == '\0' &&
			   definition_set_find(step->self->known, *catalog, change->oid) !=
				   NULL;
	*catalog = change->catalog;
	return true;
}

static void
take_change(Step *step, const SchemaChange *change)
{
	DefinitionCatalog catalog;

	if (!finds_object(step, change, &catalog))
		return;
	if (change->kind == SCHEMA_DEFINED)
	{
		const Definition *was = definition_set_find(step->self->known, catalog,
													change->oid);
		Definition is = *change->definition;

		is.apart = was != NULL && was->apart;
		definition_set_put(step->after, &is);
	}
	else
		definition_set_remove(step->after, catalog, change->oid);
}

static void
name_source(const Step *step, Error *err)
{
	error_context(err,
				  "following a schema change of transaction %" PRIu32
				  ", which ends at " LSN_FORMAT,
				  step->set->txn.xid, LSN_ARGS(step->set->txn.end_lsn));
}

/*
 * Whether the transaction's rows of a table are left out because of the table's
 * state; a sequence is, if its table is.
 */
static bool
is_table_left_out(const Step *step, const DefinitionSet *set,
				  const Definition *definition)
{
	if (definition != NULL && definition->kind == DEFINITION_SEQUENCE)
		definition = definition_set_find(set, DEFINITION_IN_CLASS,
										 definition->sequence.owner_table);
	if (definition == NULL || definition->kind != DEFINITION_TABLE)
		return false;
	return step->set->txn.end_lsn <=
		   table_states_left_out_until_of(step->self->states, definition);
}

static void
say_left_out(const Step *step, const SchemaChange *change,
			 const Definition *definition)
{
	log_info("apply",
			 "transaction %" PRIu32 " at " LSN_FORMAT " has changed %s "
			 "\"%s\".\"%s\", which is left out on %s",
			 step->set->txn.xid, LSN_ARGS(change->lsn),
			 definition_kind_name(definition->kind), definition->schema,
			 definition->name, step->self->label);
}

/*
 * Whether a change is left to the follower of the remaining tables: where only
 * listed tables are followed, types are none of this follower's business.
 */
static bool
is_made_elsewhere(const Step *step, const SchemaChange *change)
{
	return table_states_only_listed(step->self->states) &&
		   change->catalog == DEFINITION_IN_TYPE;
}

/* Whether a changed object is left alone; see leave_out(). */
static bool
is_left_out(const Step *step, const Definition *was, const Definition *is)
{
	if (is_table_left_out(step, step->self->known, was) ||
		is_table_left_out(step, step->after, is))
		return true;
	return is != NULL
			   ? followed_objects_lacks(step->followed, step->after, is)
			   : followed_objects_lacks(step->followed, step->self->known, was);
}

/*
 * Leaves a changed object alone if its rows are left out: its copy is newer
 * than the change and includes it, or a command is working on it, or it is not
 * followed.
 */
static void
leave_out(Step *step, const SchemaChange *change)
{
	DefinitionCatalog catalog;
	const Definition *was;
	const Definition *is;

	if (!finds_object(step, change, &catalog))
		return;
	was = definition_set_find(step->self->known, catalog, change->oid);
	is = definition_set_find(step->after, catalog, change->oid);
	if (!is_made_elsewhere(step, change) && !is_left_out(step, was, is))
		return;
	if (!is_made_elsewhere(step, change))
		say_left_out(step, change, is != NULL ? is : was);
	if (is != NULL)
		definition_set_put(step->before, is);
	else
		definition_set_remove(step->before, catalog, change->oid);
}

/* ---- statements --------------------------------------------------------- */

static SchemaRows
rows_of(const Step *step)
{
	return (SchemaRows){.set = step->set,
						.before = step->before,
						.after = step->after,
						.arena = step->arena};
}

static SchemaPlan
plan_of(const Step *step)
{
	return (SchemaPlan){.plan = step->plan,
						.before = step->before,
						.after = step->after,
						.rules = step->self->rules,
						.policy = step->self->policy,
						.txn = &step->set->txn,
						.label = step->self->label,
						.arena = step->arena};
}

static MUST_CHECK Rc
plan_with_hints(Step *step, Error *err)
{
	Rc rc = ddl_diff(step->before, step->after, &step->hints, step->arena,
					 &step->plan, err);

	SchemaPlan plan;

	if (rc == RC_FAIL)
	{
		name_source(step, err);
		return rc;
	}
	plan = plan_of(step);
	schema_policy_leave_off(&plan);
	return RC_OK;
}

/* Decides which objects are followed, and makes `before`. */
static MUST_CHECK Rc
separate_followed(Step *step, Error *err)
{
	FollowedObjects objects = {.followed = step->followed,
							   .set = step->set,
							   .states = step->self->states,
							   .known = step->self->known,
							   .after = step->after};
	Rc rc;

	step->before = definition_set_copy(step->self->known);
	if (table_states_only_listed(step->self->states))
		return RC_OK;
	followed_objects_decide(&objects);
	rc = followed_objects_settle(&objects, step->conn, step->before, err);
	followed_objects_release(&objects);
	return rc;
}

static MUST_CHECK Rc
make_plan(Step *step, Error *err)
{
	SchemaRows rows;
	Rc rc;

	step->after = definition_set_copy(step->self->known);
	for (size_t i = 0; i < step->set->count; i++)
		take_change(step, step->set->changes[i]->schema);
	rc = untranslated_check(step->set, step->self->rules, step->self->label,
							err);
	if (rc != RC_OK)
		return rc;
	ddl_rename_schemas(step->self->known, step->after);
	for (size_t i = 0; i < step->set->count; i++)
		ddl_adopt_sequences(step->self->known, step->after,
							step->set->changes[i]->schema->oid);
	rc = separate_followed(step, err);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < step->set->count; i++)
		leave_out(step, step->set->changes[i]->schema);
	rc = index_later_settle(step->conn, step->self->pipeline, step->self->known,
							step->after, step->before, step->arena, err);
	if (rc != RC_OK)
		return rc;
	rows = rows_of(step);
	step->hints.target_version_num = PQserverVersion(pgconn_raw(step->conn));
	schema_rows_know(&rows, &step->hints);
	return plan_with_hints(step, err);
}

/* ---- what is there already ---------------------------------------------- */

/* Finds out whether the target already has what the statements would make. */
static MUST_CHECK Rc
is_made(const Step *step, bool *made, Error *err)
{
	const DdlReadOptions options = {.publications = NULL};
	DefinitionSet *target = definition_set_new();
	Rc rc = pgconn_exec(step->conn, PGCONN_SET_LOCAL_PLAIN_PATH_SQL, NULL, err);

	if (rc == RC_OK)
		rc = ddl_read(step->conn, &options, target, err);
	if (rc == RC_OK)
		rc = pgconn_exec(step->conn, PGCONN_SET_LOCAL_OWN_PATH_SQL, NULL, err);
	*made = rc == RC_OK && ddl_is_made(step->before, step->after, target,
									   pgconn_server_version_num(step->conn),
									   step->self->stride);
	if (*made)
		log_info("apply",
				 "%s has the schema change of transaction %" PRIu32
				 ", which ends at " LSN_FORMAT ", already",
				 step->self->label, step->set->txn.xid,
				 LSN_ARGS(step->set->txn.end_lsn));
	definition_set_free(target);
	return rc;
}

/* ---- doing it ----------------------------------------------------------- */

/*
 * Lists the statements that a person should run, without deleting rows: rows
 * that are sent again are deleted when they are.
 */
static void
list_statements(const Step *step, Buf *sql)
{
	for (int i = 0; i < step->plan->count; i++)
	{
		const DdlStatement *statement = &step->plan->statements[i];

		if (!statement->empties)
			buf_printf(sql, "%s%s;", sql->length > 0 ? "\n" : "",
					   statement->sql);
	}
}

static void
hint_at_refused(const Step *step, Error *err)
{
	const char *label = step->self->label;

	if (ddl_makes_columns_again(step->before, step->after))
		error_hint(err,
				   "A column was dropped and made again with the same name: "
				   "whether %s has the new one cannot be seen.  Let Penstock "
				   "do it: \"%s\".",
				   label,
				   OWN_COMMAND("follow --set --ddl=follow"
							   " --on-ddl=all:follow"));
	else if (step->self->policy == SCHEMA_FOLLOW) /* a rule stops */
		error_hint(err,
				   "Run that on %s and follow again: it goes on when %s has "
				   "it.",
				   label, label);
	else
		error_hint(err,
				   "Run that on %s and follow again: it goes on when %s has "
				   "it. Or let Penstock do it: \"%s\".",
				   label, label, OWN_COMMAND("follow --set --ddl=follow"));
}

static MUST_CHECK Rc
refuse_to_follow(const Step *step, Error *err)
{
	Buf sql;
	Rc rc = error_set(err, ERR_CONFIG,
					  "transaction %" PRIu32 ", which ends at " LSN_FORMAT
					  ", has changed the schema of the source",
					  step->set->txn.xid, LSN_ARGS(step->set->txn.end_lsn));

	buf_init(&sql, LISTED_MAX);
	list_statements(step, &sql);
	error_detail(err, "%s lacks:\n%s%s", step->self->label,
				 sql.data != NULL ? sql.data : "",
				 sql.overflowed ? "\nand more than is shown here" : "");
	hint_at_refused(step, err);
	buf_release(&sql);
	return rc;
}

static void
note_emptied(const Step *step, const DdlStatement *statement, const char *count)
{
	SchemaRows rows = rows_of(step);
	OidList *list = &step->self->emptied;

	if (strcmp(count, "0") == 0)
		return;
	if (!schema_rows_must_come(&rows, &step->hints, statement->oid))
	{
		log_warning("apply.unlogged-rows-deleted",
					"%s rows of %s were deleted on %s: the table is or was "
					"unlogged, and changes to such a table are not in the WAL",
					count, statement->object, step->self->label);
		return;
	}
	list->oids = xrealloc_array(list->oids, (size_t) list->count + 1,
								sizeof(list->oids[0]));
	list->oids[list->count++] = statement->oid;
}

/*
 * Records an index that can be built later.  Not for a table that catches up:
 * its pipeline ends before the index is built.
 */
static MUST_CHECK Rc
note_index(const Step *step, const DdlStatement *statement, bool *noted,
		   Error *err)
{
	Lsn lsn = step->set->txn.end_lsn;
	Rc rc;

	*noted = false;
	if (table_states_only_listed(step->self->states))
		return RC_OK;
	rc = index_later_note(step->conn, step->self->pipeline, statement, lsn,
						  noted, err);
	if (rc == RC_OK && *noted)
		step->self->index_build_lsn = lsn;
	return rc;
}

static MUST_CHECK Rc
run_statement(const Step *step, const DdlStatement *statement, Error *err)
{
	PGresult *result = NULL;
	bool noted = false;
	Rc rc = dropped_table_check(step->conn, statement, step->self->known,
								step->after, &step->set->txn, err);

	if (rc == RC_OK)
		rc = note_index(step, statement, &noted, err);
	if (rc != RC_OK || noted)
		return rc;
	log_info("apply", "%s: %s", step->self->label, statement->sql);
	rc = pgconn_exec(step->conn, statement->sql, &result, err);
	if (rc == RC_FAIL)
	{
		free(step->self->failed_sql);
		step->self->failed_sql = xstrdup(statement->sql);
		name_source(step, err);
	}
	else if (statement->empties)
		note_emptied(step, statement, PQcmdTuples(result));
	PQclear(result);
	return rc;
}

/*
 * For a change that the target already has: deletes the rows of tables that
 * were unlogged and have no rows on the source any more.
 */
static MUST_CHECK Rc
empty_what_is_made(const Step *step, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < step->plan->count && rc == RC_OK; i++)
	{
		DdlStatement statement = step->plan->statements[i];
		const Definition *is = definition_set_find(
			step->after, DEFINITION_IN_CLASS, statement.oid);
		Buf sql;

		if (!statement.empties || is == NULL ||
			!oid_list_has(&step->hints.without_rows, statement.oid))
			continue;
		buf_init(&sql, BUF_TEXT_MAX);
		buf_append_string(&sql, "DELETE FROM ONLY ");
		sql_append_qualified(&sql, is->schema, is->name);
		statement.sql = sql.data;
		rc = run_statement(step, &statement, err);
		buf_release(&sql);
	}
	return rc;
}

/*
 * Runs the statements with an empty search_path, for which their names and
 * expressions were printed.
 */
static MUST_CHECK Rc
run_statements(const Step *step, Error *err)
{
	char sql[128];
	Rc rc = pgconn_exec(step->conn, PGCONN_SET_LOCAL_PLAIN_PATH_SQL, NULL, err);

	step->self->emptied.count = 0;
	snprintf(sql, sizeof(sql), "SET LOCAL lock_timeout = %d",
			 SCHEMA_LOCK_TIMEOUT_MS);
	if (rc == RC_OK)
		rc = pgconn_exec(step->conn, sql, NULL, err);
	for (int i = 0; i < step->plan->count && rc == RC_OK; i++)
		rc = run_statement(step, &step->plan->statements[i], err);
	if (rc == RC_OK)
		rc = pgconn_exec(step->conn, PGCONN_SET_LOCAL_OWN_PATH_SQL, NULL, err);
	return rc;
}

/*
 * After a statement was refused: empties the tables whose rows may be sent
 * again, and runs the statements again, if there are such tables.
 */
static MUST_CHECK Rc
run_without_rows(Step *step, Error *err)
{
	SchemaRows rows = rows_of(step);
	Rc rc;

	if (!schema_rows_guess(&rows, &step->hints))
		return RC_FAIL;
	log_info(
		"apply",
		"%s: trying again without the rows that the source may send again: "
		"%s",
		step->self->label, err->message);
	error_reset(err);
	rc = plan_with_hints(step, err);
	return rc == RC_OK ? run_statements(step, err) : rc;
}

/*
 * After a statement was refused: succeeds if the target already has the change.
 */
static MUST_CHECK Rc
forgive_refused(Step *step, Error *err)
{
	Error failure = {0};
	bool made = false;
	Rc rc = pgconn_exec(step->conn, "ROLLBACK TO SAVEPOINT penstock_schema",
						NULL, &failure);

	step->self->emptied.count = 0;
	if (rc == RC_OK)
		rc = is_made(step, &made, &failure);
	if (rc == RC_FAIL)
	{
		error_take(err, &failure);
		return RC_FAIL;
	}
	if (made)
	{
		error_reset(err);
		return empty_what_is_made(step, err);
	}
	if (run_without_rows(step, err) == RC_OK)
		return RC_OK;
	error_hint(err,
			   "See with \"%s\" what differs, change %s so that the statement "
			   "succeeds or nothing of it is left to do, and follow again.",
			   OWN_COMMAND("schema diff"), step->self->label);
	return RC_FAIL;
}

static MUST_CHECK Rc
run_plan(Step *step, Error *err)
{
	Rc rc = pgconn_exec(step->conn, "SAVEPOINT penstock_schema", NULL, err);

	if (rc == RC_OK)
		rc = run_statements(step, err);
	if (rc == RC_FAIL && err->code == ERR_SQL && !error_is_transient(err))
		rc = forgive_refused(step, err);
	if (rc == RC_OK)
		rc = pgconn_exec(step->conn, "RELEASE SAVEPOINT penstock_schema", NULL,
						 err);
	return rc;
}

static MUST_CHECK Rc
make_change(Step *step, Error *err)
{
	const SchemaPlan plan = plan_of(step);
	bool made = false;
	Rc rc;

	if (step->plan->count == 0)
		return RC_OK;
	if (!schema_policy_stops(&plan))
		return run_plan(step, err);
	rc = is_made(step, &made, err);
	if (rc != RC_OK)
		return rc;
	return made ? empty_what_is_made(step, err) : refuse_to_follow(step, err);
}

/*
 * Whether a table is new, so that all its rows follow the set, and its rows are
 * applied.
 */
static bool
is_new_table(const Step *step, const Definition *is)
{
	const Definition *was = definition_set_find(step->self->known,
												DEFINITION_IN_CLASS, is->oid);

	return is->kind == DEFINITION_TABLE && !is->table.unlogged &&
		   (was == NULL || (was->apart && !is->apart)) &&
		   !is_left_out(step, was, is);
}

static MUST_CHECK Rc
check_new_tables(const Step *step, Error *err)
{
	Rc rc = RC_OK;

	for (size_t i = 0; i < step->set->count && rc == RC_OK; i++)
	{
		const SchemaChange *change = step->set->changes[i]->schema;
		const Definition *is = NULL;

		if (change->kind == SCHEMA_DEFINED)
			is = definition_set_find(step->after, change->catalog, change->oid);
		if (is != NULL && is_new_table(step, is))
			rc = new_table_check(step->conn, is, &step->set->txn, err);
	}
	return rc;
}

/* ---- remembering -------------------------------------------------------- */

static MUST_CHECK Rc
note_definitions(const Step *step, Error *err)
{
	const SchemaNote note = {.target = step->conn,
							 .pipeline = step->self->pipeline,
							 .known = step->self->known,
							 .after = step->after,
							 .lsn = step->set->txn.end_lsn};

	return schema_note_write(&note, err);
}

static void
say_renamed_state(const Step *step, const TableMove *move)
{
	const char *label = step->self->label;
	const char *command = OWN_COMMAND_TABLE("resync", move->to.schema,
											move->to.name);

	if (table_states_left_out_until(step->self->states, &move->to) !=
		UINT64_MAX)
		return;
	if (move->to_left_out)
		log_warning(
			"apply.renamed-left-out",
			"table \"%s\".\"%s\" was renamed to \"%s\".\"%s\" at " LSN_FORMAT
			", a name that is left out on %s, so it is left out, too: drop "
			"what %s has of it, and copy the table anew with \"%s\"",
			move->from.schema, move->from.name, move->to.schema, move->to.name,
			LSN_ARGS(step->set->txn.end_lsn), label, label, command);
	else
		log_warning("apply.renamed-left-out",
					"table \"%s\".\"%s\", which is left out on %s, was renamed "
					"to \"%s\".\"%s\" at " LSN_FORMAT ": drop what %s has of "
					"it, and copy the table anew with \"%s\"",
					move->from.schema, move->from.name, label, move->to.schema,
					move->to.name, LSN_ARGS(step->set->txn.end_lsn), label,
					command);
}

/* Lists renamed tables; returns their number. */
static int
list_moves(const Step *step, TableMove *moves)
{
	int count = 0;

	for (size_t i = 0; i < definition_set_count(step->after); i++)
	{
		const Definition *is = definition_set_at(step->after, i);
		const Definition *was = definition_set_find(
			step->self->known, definition_catalog(is->kind), is->oid);

		if (is->kind == DEFINITION_TABLE && was != NULL &&
			(strcmp(was->schema, is->schema) != 0 ||
			 strcmp(was->name, is->name) != 0))
			moves[count++] = (TableMove){.from = {was->schema, was->name},
										 .to = {is->schema, is->name}};
	}
	return count;
}

/* Renames the rows of tables in penstock.table_state. */
static MUST_CHECK Rc
rename_states(const Step *step, Error *err)
{
	SchemaStep *self = step->self;
	TableMove *moves;
	bool changed;
	int count;
	Rc rc;

	if (table_states_is_empty(self->states) ||
		table_states_only_listed(self->states))
		return RC_OK;
	moves = arena_calloc(step->arena, definition_set_count(step->after) + 1,
						 sizeof(TableMove));
	count = list_moves(step, moves);
	rc = table_state_rename(step->conn, self->pipeline, moves, count, &changed,
							err);
	if (rc != RC_OK)
		return rc;
	for (int i = 0; i < count; i++)
		say_renamed_state(step, &moves[i]);
	self->renamed_states = self->renamed_states || changed;
	return RC_OK;
}

static void
keep(Step *step)
{
	SchemaStep *self = step->self;

	definition_set_free(self->known);
	self->known = step->after;
	step->after = NULL;
}

static MUST_CHECK Rc
select_known_tables(Step *step, SchemaSet *some, Error *err)
{
	Rc rc;

	if (!table_states_only_listed(step->self->states))
		return RC_OK;
	rc = known_tables_select(step->set, step->self->known, step->arena, some,
							 err);
	step->set = some;
	return rc;
}

/* ---- all of it ---------------------------------------------------------- */

Rc
schema_step_apply(SchemaStep *self, PgConn *conn, const SchemaSet *set,
				  const SchemaFollowed *followed, Error *err)
{
	Step step = {.self = self,
				 .conn = conn,
				 .set = set,
				 .followed = followed,
				 .arena = arena_new(ARENA_BLOCK_BYTES)};
	const DefinitionSet *known;
	SchemaSet some;
	Rc rc;

	CHECK(self->policy != SCHEMA_OFF);
	self->emptied.count = 0;
	rc = schema_step_read(self, conn, &known, err);
	if (rc == RC_OK)
		rc = select_known_tables(&step, &some, err);
	if (rc == RC_OK)
		rc = make_plan(&step, err);
	if (rc == RC_OK)
		rc = make_change(&step, err);
	if (rc == RC_OK)
		rc = check_new_tables(&step, err);
	if (rc == RC_OK)
		rc = note_definitions(&step, err);
	if (rc == RC_OK)
		rc = rename_states(&step, err);
	if (rc == RC_OK)
		keep(&step);
	definition_set_free(step.before);
	definition_set_free(step.after);
	arena_free(step.arena);
	return rc;
}

const DefinitionSet *
schema_step_known(const SchemaStep *self)
{
	return self->known;
}

OidList
schema_step_emptied(const SchemaStep *self)
{
	return self->emptied;
}

Lsn
schema_step_index_build_lsn(const SchemaStep *self)
{
	return self->index_build_lsn;
}

const char *
schema_step_failed_sql(const SchemaStep *self)
{
	return self->failed_sql;
}
