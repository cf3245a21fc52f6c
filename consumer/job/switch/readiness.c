/*
 * readiness.c
 *    Queries on the pipeline, and on what both databases have beside tables.
 */
#include "job/switch/readiness.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/own_command.h"
#include "control/copy/copied_table.h"
#include "control/copy/index_build.h"
#include "control/copy/postponed_key.h"
#include "control/copy/table_state.h"
#include "control/progress_table.h"
#include "control/verified_table.h"
#include "job/switch/tables.h"
#include "net/sql.h"
#include "source/slot.h"

/* Largest number of notes of a kind that are reported. */
#define NOTES_MAX 20

/* Seconds after which it is reported when the target was compared. */
#define VERIFIED_S_MAX 86400

/* ---- the pipeline ---- */

static MUST_CHECK Rc
check_progress(const Switch *self, Error *err)
{
	const char *name = self->config.name;
	ProgressRow progress;
	SlotInfo slot;
	Rc rc = progress_table_read(self->target, name, &progress, err);

	if (rc == RC_OK && !progress.exists)
		return error_set(err, ERR_CONFIG, "there is no pipeline \"%s\" on %s",
						 name, pgconn_label(self->target));
	if (rc == RC_OK && progress_is_switched(&progress))
	{
		rc = error_set(err, ERR_CONFIG,
					   "the writes of pipeline \"%s\" are at %s already", name,
					   pgconn_label(self->target));
		error_hint(err,
				   "To move them to the other side, use the command %s "
				   "--back.",
				   self->config.back ? "without" : "with");
		return rc;
	}
	if (rc == RC_OK)
		rc = progress_table_check_open(self->target, name, err);
	if (rc == RC_OK)
		rc = slot_read(self->source, name, &slot, err);
	if (rc == RC_OK)
		rc = slot_require_usable(&slot, name, err);
	if (rc == RC_OK && slot.active_pid == 0)
		log_warning("switch.no-follower",
					"no follower uses slot \"%s\" now: following "
					"here",
					name);
	return rc;
}

/* Refuses tables that do not take part in what the follower applies. */
static MUST_CHECK Rc
check_states(const Switch *self, Error *err)
{
	PGresult *tables = NULL;
	Rc rc = table_states_list(self->target, self->config.name, &tables, err);
	int count = rc == RC_OK && tables != NULL ? PQntuples(tables) : 0;

	for (int i = 0; rc == RC_OK && i < count; i++)
	{
		const char *state = PQgetvalue(tables, i, TABLE_LIST_STATE);

		if (strcmp(state, table_state_name(TABLE_READY)) != 0)
			rc = error_set(err, ERR_CONFIG,
						   "table \"%s\".\"%s\" is %s, so %s does not have all "
						   "of it",
						   PQgetvalue(tables, i, TABLE_LIST_SCHEMA),
						   PQgetvalue(tables, i, TABLE_LIST_NAME), state,
						   pgconn_label(self->target));
	}
	PQclear(tables);
	return rc;
}

/* Refuses tables that are published, but not copied. */
static MUST_CHECK Rc
check_copied(const Switch *self, Error *err)
{
	const char *name = self->config.name;
	CopiedTables *copied = NULL;
	Rc rc = copied_tables_read(&copied, self->target, name, err);
	int count = copied != NULL ? self->catalog->table_count : 0;

	for (int i = 0; rc == RC_OK && i < count; i++)
	{
		const CopyTable *table = &self->catalog->tables[i];
		const Relation relation = {
			.schema = table->schema, .name = table->name, .oid = table->oid};
		const CopiedTable *found;

		if (table->partitioned ||
			copied_tables_judge(copied, &relation, &found) != COPIED_NO)
			continue;
		rc = error_set(
			err, ERR_CONFIG,
			"pipeline \"%s\" has not copied table %s, so %s does not "
			"have all of it",
			name, table->qualified, pgconn_label(self->target));
		error_hint(err, "Copy it with \"%s\", or publish it no more.",
				   OWN_COMMAND_TABLE("add", table->schema, table->name));
	}
	copied_tables_free(copied);
	return rc;
}

static MUST_CHECK Rc
check_keys(const Switch *self, Error *err)
{
	PostponedKeys keys = {0};
	Rc rc = postponed_keys_read(&keys, self->target, self->config.name, err);

	if (rc == RC_OK && keys.count > 0)
		rc = error_set(err, ERR_CONFIG,
					   "foreign key %s of table %s is not valid on %s yet: the "
					   "follower has still to check it",
					   keys.keys[0].name, keys.keys[0].table,
					   pgconn_label(self->target));
	postponed_keys_release(&keys);
	return rc;
}

static MUST_CHECK Rc
check_options(const Switch *self, Error *err)
{
	if (config_follows_large_objects(&self->config))
		return error_set(err, ERR_CONFIG,
						 "the writes cannot be moved with "
						 "--large-objects=follow: locks of tables keep nobody "
						 "from writing large objects");
	if (!config_follows_sequences(&self->config))
		log_warning("switch.sequences-off",
					"sequences are not followed (--sequences=off), "
					"so those of the target are left as they are");
	return RC_OK;
}

/*
 * Refuses a target whose rows the last comparison has found to differ; a target
 * that was not compared, or long ago, is reported.
 */
static MUST_CHECK Rc
check_verified(const Switch *self, Error *err)
{
	const char *label = pgconn_label(self->target);
	VerifiedRow row;
	Rc rc = verified_table_read(self->target, self->config.name, self->arena,
								&row, err);

	if (rc != RC_OK)
		return rc;
	if (row.exists && row.is_different)
	{
		rc = error_set(err, ERR_CONFIG,
					   "rows on %s differ from those of the source: a "
					   "comparison at %s has found that",
					   label, row.verified_at);
		error_hint(err,
				   "Run \"%s\", or \"%s\" again if they were repaired "
				   "since.",
				   OWN_COMMAND("verify --repair"), OWN_COMMAND("verify"));
		return rc;
	}
	if (!row.exists)
		report_line(self->report,
					"note: %s was not compared with the source: \"%s\" does so",
					label, OWN_COMMAND("verify"));
	else if (!row.is_complete)
		report_line(self->report,
					"note: at %s not all of %s could be compared with the "
					"source",
					row.verified_at, label);
	else if (row.age_s > VERIFIED_S_MAX)
		report_line(self->report,
					"note: %s was last compared with the source at %s", label,
					row.verified_at);
	return RC_OK;
}

Rc
readiness_check_pipeline(const Switch *self, Error *err)
{
	Rc rc = check_options(self, err);

	if (rc == RC_OK)
		rc = check_progress(self, err);
	if (rc == RC_OK)
		rc = check_verified(self, err);
	return rc == RC_OK ? check_keys(self, err) : rc;
}

/* Refuses indexes that the follower has still to build: nothing follows, and
 * nobody builds them, after the switch. */
static MUST_CHECK Rc
check_builds(const Switch *self, Error *err)
{
	IndexBuilds builds = {0};
	Buf removal;
	Rc rc = index_builds_read(self->target, self->config.name, self->arena,
							  &builds, err);

	if (rc != RC_OK || builds.count == 0)
		return rc;
	buf_init(&removal, BUF_TEXT_MAX);
	index_build_append_removal(self->config.name, builds.builds[0].index_oid,
							   &removal);
	rc = error_set(err, ERR_CONFIG,
				   "index \"%s\".\"%s\" is not built yet on %s: the follower "
				   "has still to do that",
				   builds.builds[0].schema, builds.builds[0].name,
				   pgconn_label(self->target));
	error_hint(err,
			   "Wait until the follower has built it.  To do without it, on "
			   "the target: %s.",
			   removal.data);
	buf_release(&removal);
	return rc;
}

Rc
readiness_check_tables(const Switch *self, Error *err)
{
	Rc rc = check_states(self, err);

	if (rc == RC_OK)
		rc = check_copied(self, err);
	return rc == RC_OK ? check_builds(self, err) : rc;
}

/* ---- the databases ---- */

/* Extensions as JSON: {"name": "version", …}. */
static const char extensions_sql[] =
	"SELECT coalesce(json_object_agg(extname, extversion), '{}')"
	" FROM pg_extension";

/* $1: extensions of the other database, which this one is compared with. */
static const char differences_sql[] =
	"SELECT CASE WHEN e.extname IS NULL"
	"  THEN format('the source has extension %I, which the target lacks', "
	"o.key)"
	"  ELSE format('extension %I has version %s on the target, and %s on the"
	" source', o.key, e.extversion, o.value) END"
	" FROM json_each_text($1::json) o"
	" LEFT JOIN pg_extension e ON e.extname = o.key"
	" WHERE e.extversion IS DISTINCT FROM o.value ORDER BY o.key";

/* $1: names of the tables, as JSON.  reltuples is -1, and 0 before version 14,
 * as long as nobody has run VACUUM or ANALYZE. */
static const char analyzed_sql[] =
	"SELECT format('table %s has no statistics on the target: run ANALYZE"
	" there', n) FROM json_array_elements_text($1::json) n"
	" JOIN pg_class c ON c.oid = to_regclass(n)"
	" WHERE c.relkind = 'r' AND c.reltuples <= 0"
	" AND pg_relation_size(c.oid) > 0 ORDER BY 1";

/* Reports the lines of a query on the target with one parameter. */
static MUST_CHECK Rc
report_lines(const Switch *self, const char *sql, const char *param, Error *err)
{
	const char *params[] = {param};
	PGresult *lines = NULL;
	Rc rc = pgconn_exec_params(self->target, sql, LENGTH_OF(params), params,
							   &lines, err);
	int count = rc == RC_OK ? PQntuples(lines) : 0;

	for (int i = 0; i < count && i < NOTES_MAX; i++)
		report_line(self->report, "note: %s", PQgetvalue(lines, i, 0));
	if (count > NOTES_MAX)
		report_line(self->report, "note: and %d more like these",
					count - NOTES_MAX);
	PQclear(lines);
	return rc;
}

static MUST_CHECK Rc
compare_extensions(const Switch *self, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(self->source, extensions_sql, &result, err);

	if (rc == RC_OK)
		rc = report_lines(self, differences_sql, PQgetvalue(result, 0, 0), err);
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
look_for_statistics(const Switch *self, Error *err)
{
	Buf names;
	Rc rc;

	buf_init(&names, BUF_TEXT_MAX);
	switch_tables_append_names(self, &names);
	CHECK(!names.overflowed);
	rc = report_lines(self, analyzed_sql, names.data, err);
	buf_release(&names);
	return rc;
}

Rc
readiness_check_servers(const Switch *self, Error *err)
{
	Rc rc = compare_extensions(self, err);

	return rc == RC_OK ? look_for_statistics(self, err) : rc;
}
