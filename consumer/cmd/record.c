/*
 * record.c
 *    penstock record: writes changes to a log.
 */
#include "job/record.h"
#include "cmd/command.h"

Rc
command_record(const Config *config, Error *err)
{
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK && config->log == NULL)
	{
		rc = error_set(err, ERR_USAGE, "no log is given");
		error_hint(err, "Use --log=DIR.");
	}
	return rc == RC_OK ? record_run(config, err) : rc;
}
