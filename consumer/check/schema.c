/*
 * schema.c
 *    Makes the comparison of "penstock schema diff", and a finding of the
 *    number of differences.
 */
#include "check/schema.h"

#include <stdlib.h>

#include "base/own_command.h"
#include "check/connect.h"
#include "check/target.h"
#include "ddl/compare.h"
#include "net/sql.h"

#define ARENA_BLOCK_BYTES (64 * KB)

static MUST_CHECK Rc
open_reading(PgConn **conn, const char *conninfo, const char *name, Error *err)
{
	Rc rc = check_open_session(conn, conninfo, name, err);

	if (rc == RC_OK)
		rc = sql_begin_snapshot(*conn, NULL, err);
	return rc;
}

static MUST_CHECK Rc
compare(const CheckContext *context, int index, const char *name, Arena *arena,
		DdlDifferences *differences, Error *err)
{
	const Config *config = context->config;
	Publications publications = {0};
	const DdlCompareOptions options = {.selection = &config->selection,
									   .publications = &publications,
									   .owners = !config->no_owner,
									   .privileges = !config->no_privileges,
									   .stride = config->sequence_stride.count};
	PgConn *source = NULL;
	PgConn *target = NULL;
	Rc rc = publications_parse(&publications, config->publications, arena, err);

	if (rc == RC_OK)
		rc = open_reading(&source, config->source, CHECK_SOURCE, err);
	if (rc == RC_OK)
		rc = publications_read(&publications, source, err);
	if (rc == RC_OK)
		rc = open_reading(&target, config->targets[index], name, err);
	if (rc == RC_OK)
		rc = ddl_compare(source, target, &options, arena, differences, err);
	pgconn_close(source);
	pgconn_close(target);
	return rc;
}

static void
tell(CheckContext *context, const char *name, const DdlDifferences *differences)
{
	Arena *arena = findings_arena(context->findings);

	if (differences->count == 0)
		return;
	findings_add(context->findings,
				 &(Finding){
					 .level = FINDING_INFO,
					 .code = "schema_differs",
					 .server = name,
					 .message = arena_printf(
						 arena,
						 "the schema differs from the source's: %d statement%s "
						 "would make it the same",
						 differences->count, PLURAL(differences->count)),
					 .fix = arena_strdup(arena, OWN_COMMAND("schema diff")),
				 });
}

Rc
check_schema(CheckContext *context, int index, Error *err)
{
	const Config *config = context->config;
	DdlDifferences differences = {0};
	Arena *arena;
	char *name;
	Rc rc;

	if (!context->source.known || config->placement != NULL ||
		!context->progress_known[index] || !context->progress[index].exists)
		return RC_OK;
	arena = arena_new(ARENA_BLOCK_BYTES);
	name = check_target_name(config, index);
	rc = compare(context, index, name, arena, &differences, err);
	if (rc == RC_OK)
		tell(context, name, &differences);
	else if (err->code == ERR_CONFIG && context->publications != NULL)
		findings_add_error(context->findings,
						   &(Finding){.level = FINDING_INFO,
									  .code = "schema_differs",
									  .server = name},
						   err);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		error_reset(err);
		rc = RC_OK;
	}
	free(name);
	arena_free(arena);
	return rc;
}
