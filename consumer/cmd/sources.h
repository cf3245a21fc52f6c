/*
 * sources.h
 *    Runs commands for a configuration file with several sources.
 *
 * Each source has a pipeline of its own, with a slot, progress and placement;
 * all pipelines have the same targets.  Most commands work with one pipeline,
 * and sources_run() calls them for each.
 */
#ifndef PENSTOCK_CMD_SOURCES_H
#define PENSTOCK_CMD_SOURCES_H

#include "cmd/commands.h"

/*
 * Runs a command for all sources, or for those that Config.from or the
 * command's SourcesMode select.
 */
MUST_CHECK Rc sources_run(const Command *command, const Config *config,
						  Error *err);

/*
 * Follows all sources at once, each in a process of its own, until a stop is
 * requested.  If one process fails, all are ended and the result is RC_FAIL.
 */
MUST_CHECK Rc sources_follow(const Config *config, Error *err);

#endif /* PENSTOCK_CMD_SOURCES_H */
