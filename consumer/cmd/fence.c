/*
 * fence.c
 *    penstock fence: stops all targets at one position of the source's WAL, for
 *    some time.
 */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/print.h"
#include "job/fence.h"

static Rc
print_position(void *context UNUSED, Lsn lsn, Error *err)
{
	report_line(&print_report, LSN_FORMAT, LSN_ARGS(lsn));
	return print_flush(err);
}

Rc
command_fence(const Config *config, Error *err)
{
	const FenceUse use = {.reached = print_position};
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = config_require_target(config, err);
	return rc == RC_OK ? fence_hold(config, &use, err) : rc;
}
