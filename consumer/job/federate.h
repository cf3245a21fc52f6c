/*
 * federate.h
 *    Makes a database (the coordinator) in which the tables of all nodes can be
 *    queried.
 */
#ifndef PENSTOCK_JOB_FEDERATE_H
#define PENSTOCK_JOB_FEDERATE_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Connects to the source, to the nodes and, if it is given, to the coordinator,
 * and passes to `report` the statements that the coordinator needs.  With
 * config->apply they are run there instead, in one transaction.  Nothing is
 * changed on source and nodes.  Waits for the servers.
 */
MUST_CHECK Rc federate_run(const Config *config, const Report *report,
						   Error *err);

#endif /* PENSTOCK_JOB_FEDERATE_H */
