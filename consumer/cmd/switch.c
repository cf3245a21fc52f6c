/*
 * switch.c
 *    penstock switch: moves the writes from the source to the target.
 */
#include "job/switch/switch.h"
#include "base/own_command.h"
#include "cmd/command.h"
#include "cmd/command_line.h"
#include "cmd/print.h"

#define ARENA_BLOCK_BYTES ((size_t) KB)

/* Prints the command that follows the changes to where they come from. */
static MUST_CHECK Rc
print_next(const Config *config, Arena *arena, Error *err)
{
	Config turned = *config;
	Rc rc = RC_OK;

	if (!config->back)
	{
		report_line(&print_report, "follow the way back with: %s",
					OWN_COMMAND("follow --back"));
		return RC_OK;
	}
	rc = config_turn_back(&turned, arena, err);
	if (rc != RC_OK)
		return rc;
	command_line_use(&turned);
	report_line(&print_report, "follow with: %s", OWN_COMMAND("follow"));
	command_line_use(config);
	return RC_OK;
}

Rc
command_switch(const Config *config, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	bool way_back = false;
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = config_require_target(config, err);
	if (rc == RC_OK)
		rc = switch_run(config, &print_report, &way_back, err);
	if (rc == RC_OK && !config->dry_run && way_back)
		rc = print_next(config, arena, err);
	arena_free(arena);
	return rc == RC_OK ? print_flush(err) : rc;
}
