/*
 * clone.c
 *    penstock clone: copies a database, and prepares following it.
 */
#include "job/clone/clone.h"
#include "base/clock.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "cmd/serve.h"
#include "cmd/sources.h"
#include "job/follow.h"
#include "metrics/metrics.h"
#include "pipeline/remember.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/*
 * Decides what a new pipeline does with changes of the source's schema, unless
 * --ddl was given.  It follows them if the clone copies the schema, and stops
 * at them if the schema on the target is made by another program.  A clone that
 * goes on with --resume keeps what it was begun with.
 */
static void
decide_ddl(Config *config)
{
	if (config->ddl != NULL || config->schema_only || config->resume)
		return;
	if (config->source_count > 1)
		config->ddl = "off";
	else
		config->ddl = config->data_only ? "stop" : "follow";
}

Rc
command_clone(const Config *config, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config all = *config;
	Config first = *config;
	HttpServer *server = NULL;
	Rc rc;

	if (config->source_count > 0)
		config_take_source(config, 0, &first);
	rc = config_require_source(&first, err);
	if (rc == RC_OK)
		rc = config_require_target(&first, err);
	if (rc == RC_OK && (config->resume || config->restart))
		rc = remember_unfinished(&all, config, first.name, arena, err);
	decide_ddl(&all);
	first = all;
	if (config->source_count > 0)
		config_take_source(&all, 0, &first);
	if (rc == RC_OK && !config->dry_run)
		rc = serve_begin(&first, &server, err);
	metrics_enter(METRICS_COPYING, clock_monotonic_us());
	if (rc == RC_OK)
		rc = clone_run(&all, &first, &print_report, err);
	if (rc == RC_OK)
		rc = print_flush(err);
	if (rc == RC_OK && config->follow && !config->dry_run)
	{
		/* The processes for several sources serve metrics of their own. */
		if (config->source_count > 1)
		{
			http_server_close(server);
			server = NULL;
		}
		rc = config->source_count > 1 ? sources_follow(config, err)
									  : follow_with_tables(&first, err);
	}
	http_server_close(server);
	arena_free(arena);
	return rc;
}
