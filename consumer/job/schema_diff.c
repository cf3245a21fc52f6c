/*
 * schema_diff.c
 *    Compares the schemas of the source and of each target, reports the
 *    differences, or runs the statements that remove them.
 */
#include "job/schema_diff.h"

#include "base/arena.h"
#include "base/log.h"
#include "ddl/compare.h"
#include "net/pgconn_open.h"
#include "net/sql.h"
#include "net/writer.h"
#include "pipeline/remember.h"

typedef struct Diff
{
	const Config *config;
	const Report *report;
	const char *label; /* label of the target, for messages */
	const char *conninfo;
	PgConn *source;
	PgConn *target;
	DdlDifferences differences;
	bool differs; /* whether any target compared so far still differs */
} Diff;

/*
 * Opens the target.  With --apply the session has the pipeline's replication
 * origin, like the sessions that apply rows, so other pipelines recognize its
 * changes.
 */
static MUST_CHECK Rc
open_target(Diff *diff, Error *err)
{
	const PgConnOptions options = {.conninfo = diff->conninfo,
								   .label = diff->label,
								   .application_name = "penstock schema",
								   .kind = PGCONN_DATA};
	bool marked;

	return diff->config->apply ? writer_open(&diff->target, &options,
											 diff->config->name, &marked, err)
							   : pgconn_open(&diff->target, &options, err);
}

/*
 * Reads the publications.  If they do not exist, and were not given as an
 * option, all tables are compared: before the pipeline is created, its
 * publication may not exist.
 */
static MUST_CHECK Rc
read_publications(const Diff *diff, Arena *arena, Publications *publications,
				  Error *err)
{
	const Config *config = diff->config;
	Rc rc = publications_parse(publications, config->publications, arena, err);

	if (rc == RC_OK)
		rc = publications_read(publications, diff->source, err);
	if (rc == RC_OK || err->code != ERR_CONFIG ||
		config_is_given(config, "publications"))
		return rc;
	error_reset(err);
	publications->all_tables = true;
	return RC_OK;
}

static MUST_CHECK Rc
compare(Diff *diff, Arena *arena, Error *err)
{
	const Config *config = diff->config;
	Publications publications = {0};
	const DdlCompareOptions options = {.selection = &config->selection,
									   .publications = &publications,
									   .owners = !config->no_owner,
									   .privileges = !config->no_privileges,
									   .stride = config->sequence_stride.count};
	Rc rc = read_publications(diff, arena, &publications, err);

	if (rc == RC_OK)
		rc = sql_begin_snapshot(diff->source, NULL, err);

	if (rc == RC_OK)
		rc = sql_begin_snapshot(diff->target, NULL, err);
	if (rc == RC_OK)
		rc = ddl_compare(diff->source, diff->target, &options, arena,
						 &diff->differences, err);
	if (rc == RC_OK)
		rc = pgconn_exec(diff->source, "COMMIT", NULL, err);
	if (rc == RC_OK)
		rc = pgconn_exec(diff->target, "COMMIT", NULL, err);
	return rc;
}

static void
report_difference(const Diff *diff, const DdlDifference *difference)
{
	if (difference->note != NULL)
		report_line(diff->report, "-- %s", difference->note);
	else
		report_line(diff->report, "%s;%s", difference->sql,
					difference->loses_rows ? " -- loses rows" : "");
}

static void
report_differences(const Diff *diff)
{
	const DdlDifferences *differences = &diff->differences;

	if (diff->config->target_count > 1 && differences->count > 0)
		report_line(diff->report, "-- %s", diff->label);
	for (int i = 0; i < differences->count; i++)
		report_difference(diff, &differences->list[i]);
}

static MUST_CHECK Rc
refuse_losses(const Diff *diff, Error *err)
{
	const DdlDifferences *differences = &diff->differences;
	Rc rc = RC_OK;

	for (int i = 0; i < differences->count && rc == RC_OK; i++)
		if (differences->list[i].loses_rows)
			rc = error_set(err, ERR_CONFIG,
						   "rows on %s would be lost with %d statement%s, the "
						   "first of which is: %s",
						   diff->label, differences->losing_rows,
						   PLURAL(differences->losing_rows),
						   differences->list[i].sql);
	error_hint(err, "Nothing was changed.  Add --allow-loss to run them.");
	return rc;
}

static MUST_CHECK Rc
begin_writing(PgConn *conn, Error *err)
{
	return pgconn_exec(conn,
					   "BEGIN; SET LOCAL check_function_bodies = "
					   "off; " PGCONN_SET_LOCAL_OWN_PATH_SQL,
					   NULL, err);
}

/*
 * Runs the statements in one transaction, which is committed in between only
 * where a later statement needs a committed earlier one.
 */
static MUST_CHECK Rc
apply_differences(const Diff *diff, Error *err)
{
	const DdlDifferences *differences = &diff->differences;
	PgConn *conn = diff->target;
	bool committed = false;
	Rc rc = begin_writing(conn, err);

	for (int i = 0; i < differences->count && rc == RC_OK; i++)
	{
		const DdlDifference *difference = &differences->list[i];

		if (difference->note != NULL)
			continue;
		rc = pgconn_exec(conn, difference->sql, NULL, err);
		if (rc == RC_FAIL)
			error_context(err, "changing the schema of %s, where %s",
						  diff->label,
						  committed ? "what came before it is committed"
									: "nothing was changed");
		if (rc != RC_OK || !difference->commits_first)
			continue;
		rc = pgconn_exec(conn, "COMMIT", NULL, err);
		if (rc == RC_OK)
			rc = begin_writing(conn, err);
		committed = true;
	}
	return rc == RC_OK ? pgconn_exec(conn, "COMMIT", NULL, err) : rc;
}

static MUST_CHECK Rc
apply(Diff *diff, Error *err)
{
	const DdlDifferences *differences = &diff->differences;
	Rc rc = RC_OK;

	if (differences->losing_rows > 0 && !diff->config->allow_loss)
		rc = refuse_losses(diff, err);
	if (rc == RC_OK && differences->count > differences->notes)
		rc = apply_differences(diff, err);
	if (rc != RC_OK)
		return rc;
	log_info("schema", "ran %d statement%s on %s",
			 differences->count - differences->notes,
			 PLURAL(differences->count - differences->notes), diff->label);
	for (int i = 0; i < differences->count; i++)
		if (differences->list[i].note != NULL)
			log_warning("schema.note", "%s: %s", diff->label,
						differences->list[i].note);
	return RC_OK;
}

static MUST_CHECK Rc
diff_target(Diff *diff, int index, Error *err)
{
	Arena *arena = arena_new(64 * KB);
	char label[CONFIG_LABEL_SIZE];
	Rc rc;

	config_label_target(diff->config, index, label);
	diff->label = label;
	diff->conninfo = diff->config->targets[index];
	rc = open_target(diff, err);
	if (rc == RC_OK)
		rc = compare(diff, arena, err);
	if (rc == RC_OK && diff->config->apply)
		rc = apply(diff, err);
	else if (rc == RC_OK)
		report_differences(diff);
	diff->differs |= diff->differences.notes > 0 ||
					 (diff->differences.count > 0 && !diff->config->apply);
	if (diff->config->apply)
		writer_close(diff->target);
	else
		pgconn_close(diff->target);
	diff->target = NULL;
	arena_free(arena);
	return rc;
}

static MUST_CHECK Rc
diff_all(const Config *config, const Report *report, Error *err)
{
	const PgConnOptions source = {.conninfo = config->source,
								  .label = "source",
								  .application_name = "penstock schema",
								  .kind = PGCONN_DATA};
	Diff diff = {.config = config, .report = report};
	Rc rc = pgconn_open(&diff.source, &source, err);

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
		rc = diff_target(&diff, i, err);
	pgconn_close(diff.source);
	return rc == RC_OK && diff.differs ? RC_END : rc;
}

Rc
schema_diff_run(const Config *config, const Report *report, Error *err)
{
	Arena *arena = arena_new(4 * KB);
	PipelineMemory memory = {0};
	Config recalled;
	Rc rc = config_require_target(config, err);

	if (rc == RC_OK && config->placement != NULL)
		rc = error_set(err, ERR_CONFIG,
					   "\"penstock schema diff\" does not know where tables "
					   "belong that are placed by a configuration file");
	if (rc == RC_OK)
		rc = remember_recall_if_reached(&recalled, config, arena, &memory, err);
	if (rc == RC_OK)
		rc = diff_all(&recalled, report, err);
	arena_free(arena);
	return rc;
}
