/*
 * federate.c
 *    penstock federate: makes a database in which the tables of all nodes can
 * be queried.
 */
#include "job/federate.h"
#include "cmd/command.h"
#include "cmd/print.h"

Rc
command_federate(const Config *config, Error *err)
{
	Rc rc = federate_run(config, &print_report, err);

	return rc == RC_OK ? print_flush(err) : rc;
}
