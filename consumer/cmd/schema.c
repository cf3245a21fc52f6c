/*
 * schema.c
 *    penstock schema: prints the definitions of the source's schema, and prints
 *    or applies the differences between the schemas of source and targets.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "ddl/compare.h"
#include "ddl/json.h"
#include "ddl/read.h"
#include "net/pgconn_open.h"
#include "net/sql.h"
#include "net/writer.h"
#include "pipeline/remember.h"

typedef struct Verb
{
	const char *name;
	Rc (*run)(const Config *config, Error *err);
} Verb;

/* ---- show --------------------------------------------------------------- */

static MUST_CHECK Rc
open_source(const Config *config, PgConn **conn, Error *err)
{
	return pgconn_open(conn,
					   &(PgConnOptions){.conninfo = config->source,
										.label = "source",
										.application_name = "penstock schema",
										.kind = PGCONN_DATA},
					   err);
}

static MUST_CHECK Rc
print_definitions(const DefinitionSet *set, Error *err)
{
	Buf line;

	buf_init(&line, DDL_JSON_BYTES_MAX);
	for (size_t i = 0; i < definition_set_count(set) && !line.overflowed; i++)
	{
		Json json;

		buf_reset(&line);
		json_init(&json, &line);
		ddl_json_append(&json, definition_set_at(set, i));
		if (!line.overflowed)
			puts(line.data);
	}
	if (line.overflowed)
	{
		buf_release(&line);
		return error_set(err, ERR_LIMIT,
						 "a definition is longer than %zu bytes",
						 DDL_JSON_BYTES_MAX);
	}
	buf_release(&line);
	return print_flush(err);
}

static MUST_CHECK Rc
show(const Config *config, Error *err)
{
	Publications publications = {0};
	const DdlReadOptions options = {.publications = &publications,
									.selection = &config->selection};
	Arena *arena = arena_new(4 * KB);
	DefinitionSet *set = definition_set_new();
	PgConn *source = NULL;
	Rc rc = publications_parse(&publications, config->publications, arena, err);

	if (rc == RC_OK)
		rc = open_source(config, &source, err);
	if (rc == RC_OK)
		rc = pgconn_exec(source, "BEGIN ISOLATION LEVEL REPEATABLE READ", NULL,
						 err);
	if (rc == RC_OK)
		rc = ddl_read(source, &options, set, err);
	if (rc == RC_OK)
		rc = print_definitions(set, err);
	pgconn_close(source);
	definition_set_free(set);
	arena_free(arena);
	return rc;
}

/* ---- diff --------------------------------------------------------------- */

typedef struct Diff
{
	const Config *config;
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
print_difference(const DdlDifference *difference)
{
	if (difference->note != NULL)
		printf("-- %s\n", difference->note);
	else
		printf("%s;%s\n", difference->sql,
			   difference->loses_rows ? " -- loses rows" : "");
}

static MUST_CHECK Rc
print_differences(const Diff *diff, Error *err)
{
	const DdlDifferences *differences = &diff->differences;

	if (diff->config->target_count > 1 && differences->count > 0)
		printf("-- %s\n", diff->label);
	for (int i = 0; i < differences->count; i++)
		print_difference(&differences->list[i]);
	return print_flush(err);
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
	if (rc == RC_OK)
		rc = diff->config->apply ? apply(diff, err)
								 : print_differences(diff, err);
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
diff_all(const Config *config, Error *err)
{
	Diff diff = {.config = config};
	Rc rc = open_source(config, &diff.source, err);

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
		rc = diff_target(&diff, i, err);
	pgconn_close(diff.source);
	return rc == RC_OK && diff.differs ? RC_END : rc;
}

static MUST_CHECK Rc
run_diff(const Config *config, Error *err)
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
		rc = diff_all(&recalled, err);
	arena_free(arena);
	return rc;
}

/* ---- the command -------------------------------------------------------- */

static const Verb verbs[] = {
	{"diff", run_diff},
	{"show", show},
};

static MUST_CHECK Rc
refuse_words(const Config *config, Error *err)
{
	const char *word = config->word_count > 0 ? config->words[0] : NULL;
	Nearest nearest = {.word = word};
	Rc rc;

	if (config->word_count > 1)
		rc = error_set(err, ERR_USAGE, "unexpected argument \"%s\"",
					   config->words[1]);
	else if (word != NULL)
		rc = error_set(err, ERR_USAGE, "unrecognized verb \"%s\"", word);
	else
		rc = error_set(err, ERR_USAGE, "no verb is given");
	for (size_t i = 0; i < LENGTH_OF(verbs) && word != NULL; i++)
		nearest_offer(&nearest, verbs[i].name);
	if (config->word_count == 1 && nearest.found != NULL)
		error_detail(err, "Did you mean \"%s\"?", nearest.found);
	error_hint(err, "It is \"penstock schema VERB\", where VERB is diff or "
					"show.");
	return rc;
}

Rc
command_schema(const Config *config, Error *err)
{
	const Verb *verb = NULL;
	Rc rc;

	for (size_t i = 0; i < LENGTH_OF(verbs) && config->word_count == 1; i++)
		if (strcmp(verbs[i].name, config->words[0]) == 0)
			verb = &verbs[i];
	if (verb == NULL)
		return refuse_words(config, err);
	rc = config_require_source(config, err);
	return rc == RC_OK ? verb->run(config, err) : rc;
}
