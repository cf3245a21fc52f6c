/*
 * people.h
 *    Prints the state of a pipeline for people.
 */
#ifndef PENSTOCK_CMD_STATUS_PEOPLE_H
#define PENSTOCK_CMD_STATUS_PEOPLE_H

#include <stdio.h>

#include "cmd/status/sample.h"

/* Prints what belongs below the line of a target. */
typedef void (*StatusGraph)(FILE *out, void *context, int target);

/*
 * Prints the whole state; lines of the table keep within 80 columns, others may
 * be longer.  `problem` is that of the slot, or NULL.  `graph`, or NULL, is
 * called after each target's line.
 */
void status_print(FILE *out, const PipelineStatus *status, const Config *config,
				  const char *problem, StatusGraph graph, void *context);

#endif /* PENSTOCK_CMD_STATUS_PEOPLE_H */
