/*
 * drop.c
 *    penstock drop: removes a pipeline's slot and its progress.
 */
#include "job/drop.h"

#include "base/log.h"
#include "cmd/command.h"
#include "cmd/print.h"

Rc
command_drop(const Config *config, Error *err)
{
	Rc rc = RC_OK;

	if (config->target_count == 0 || config->log != NULL)
		rc = config_require_source(config, err);
	if (rc == RC_OK)
		rc = config->log != NULL ? drop_log_run(config, &print_report, err)
								 : drop_run(config, &print_report, err);
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
