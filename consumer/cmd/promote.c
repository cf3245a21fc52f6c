/*
 * promote.c
 *    penstock promote: prepares the targets to replace a source that is lost.
 */
#include "job/promote.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "pipeline/remember.h"

#define ARENA_BLOCK_BYTES ((size_t) KB)

Rc
command_promote(const Config *config, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config recalled;
	Rc rc = config_require_target(config, err);

	if (rc == RC_OK)
		rc = remember_recall(&recalled, config, arena, err);
	if (rc == RC_OK)
		rc = promote_run(&recalled, &print_report, err);
	arena_free(arena);
	return rc == RC_OK ? print_flush(err) : rc;
}
