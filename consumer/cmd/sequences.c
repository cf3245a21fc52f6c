/*
 * sequences.c
 *    penstock sequences: sets the target's sequences after the source's.
 */
#include "job/sequences.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "pipeline/remember.h"

#define ARENA_BLOCK_BYTES ((size_t) KB)

/* The Report of --quiet: prints nothing. */
static void
ignore_line(void *context UNUSED, const char *text UNUSED)
{
}

Rc
command_sequences(const Config *config, Error *err)
{
	static const Report quiet = {.line = ignore_line};
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config recalled;
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = remember_recall(&recalled, config, arena, err);
	if (rc == RC_OK)
		rc = sequences_set(&recalled, config->quiet ? &quiet : &print_report,
						   err);
	arena_free(arena);
	return rc;
}
