/*
 * finish.c
 *    penstock finish: removes what a switch has made, when it is needed no
 * more.
 */
#include "job/switch/finish.h"
#include "cmd/command.h"
#include "cmd/print.h"

Rc
command_finish(const Config *config, Error *err)
{
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = config_require_target(config, err);
	if (rc == RC_OK)
		rc = finish_run(config, &print_report, err);
	return rc == RC_OK ? print_flush(err) : rc;
}
