/*
 * sources.h
 *    A command where the configuration file has sources with names.
 *
 * Each source has a pipeline of its own into the same targets, named after
 * it: slot, progress and placement.  Most commands know of one pipeline only;
 * here is who runs them for all.
 */
#ifndef PENSTOCK_CMD_SOURCES_H
#define PENSTOCK_CMD_SOURCES_H

#include "cmd/commands.h"

/* Runs a command, in the way that it wants to be run for several sources. */
MUST_CHECK Rc sources_run(const Command *command, const Config *config,
						  Error *err);

/*
 * Follows all of them at once, each in a process of its own, until told to
 * stop.  If one fails all end.
 */
MUST_CHECK Rc sources_follow(const Config *config, Error *err);

#endif /* PENSTOCK_CMD_SOURCES_H */
