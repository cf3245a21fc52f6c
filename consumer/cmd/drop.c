/*
 * drop.c
 *    penstock drop: removes a pipeline's slot and its progress.
 */
#include "job/drop.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "log/description.h"
#include "log/directory.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/*
 * Takes the name of the slot from a log, unless it is written at present.  The
 * name is allocated in the arena.
 */
static MUST_CHECK Rc
use_log(Config *config, Arena *arena, Error *err)
{
	LogDescription description;
	int directory_fd = -1;
	Rc rc = log_description_find(&description, config->log, arena, err);

	if (rc == RC_OK)
		rc = log_directory_open(config->log, false, &directory_fd, err);
	if (rc == RC_OK && log_description_is_locked(directory_fd))
	{
		rc = error_set(err, ERR_CONFIG, "log \"%s\" is recorded at present",
					   config->log);
		error_hint(err, "Stop \"penstock record\" first.");
	}
	if (rc == RC_OK && config->name_given &&
		strcmp(config->name, description.slot) != 0)
		rc = error_set(err, ERR_CONFIG,
					   "log \"%s\" is of slot \"%s\", not \"%s\"", config->log,
					   description.slot, config->name);
	if (directory_fd >= 0)
		close(directory_fd);
	config->name = description.slot;
	return rc;
}

static MUST_CHECK Rc
drop(const Config *given, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config config = *given;
	Rc rc = RC_OK;

	if (config.log != NULL)
		rc = use_log(&config, arena, err);
	if (rc == RC_OK)
		rc = drop_run(&config, &print_report, err);
	if (rc == RC_OK && config.log != NULL)
		report_line(&print_report,
					"log \"%s\" is left alone: nothing can be recorded into "
					"it any more",
					config.log);
	arena_free(arena);
	return rc;
}

Rc
command_drop(const Config *config, Error *err)
{
	Rc rc = RC_OK;

	if (config->target_count == 0)
		rc = config_require_source(config, err);
	if (rc == RC_OK)
		rc = drop(config, err);
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
	{
		/* Not RC_OK: exit status 0 would mean that everything was removed. */
		log_warning("drop.interrupted",
					"stopped before it was done: run the same command again");
		error_reset(err);
		rc = RC_END;
	}
	return rc == RC_OK ? print_flush(err) : rc;
}
