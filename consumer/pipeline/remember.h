/*
 * remember.h
 *    What the targets of a pipeline remember, for commands that work with it.
 *
 * A command that needs to know what the pipeline sends calls
 * remember_recall() first, and then works with the Config that it gets: options
 * that were not given are as they are remembered, and others were refused.  A
 * follower, which also writes what is remembered, does it step by step.
 */
#ifndef PENSTOCK_PIPELINE_REMEMBER_H
#define PENSTOCK_PIPELINE_REMEMBER_H

#include "base/arena.h"
#include "base/error.h"
#include "config/config.h"
#include "config/memory.h"
#include "control/pipeline_table.h"

/*
 * Whom remember_read() asks: one after the other, until one answers; or all,
 * each of which is waited for; or else first the target of this number, and the
 * others only if it fails, because what they remember is known to be older.
 */
#define REMEMBER_ANY_TARGET  (-1)
#define REMEMBER_ALL_TARGETS (-2)

/*
 * Asks targets what they remember; of several answers the newest counts.
 * RC_FAIL: none can be reached, or a stop was asked for.
 */
MUST_CHECK Rc remember_read(const Config *config, const char *pipeline,
							int order, Arena *arena, PipelineMemory *memory,
							Error *err);

/*
 * Sets *recalled to `config` with what the pipeline remembers.  A pipeline that
 * is not there yet, or without a target, changes nothing.  *recalled is not to
 * be released, and lives no longer than `config` and `arena`.
 */
MUST_CHECK Rc remember_recall(Config *recalled, const Config *config,
							  Arena *arena, Error *err);

/*
 * The same where it is no failure that no target can be reached, or none as it
 * has to be; *memory, zeroed before, gets what is remembered.
 */
MUST_CHECK Rc remember_recall_if_reached(Config *recalled, const Config *config,
										 Arena *arena, PipelineMemory *memory,
										 Error *err);

/*
 * For a clone that was interrupted: the options that it was begun with, where
 * none are given.  `config` may be for several sources; `pipeline` is that of
 * the first.
 */
MUST_CHECK Rc remember_unfinished(Config *recalled, const Config *config,
								  const char *pipeline, Arena *arena,
								  Error *err);

/* What a fresh clone gives its targets to remember; in the arena. */
void remember_copied(const Config *config, Arena *arena,
					 PipelineMemory *memory);

/*
 * For a follower: completes *recalled, which is a copy of what was given, and
 * sets *memory from what a target remembers to what all are to remember.  With
 * `change` what is given counts, and is said.
 */
MUST_CHECK Rc remember_decide(Config *recalled, bool change, Arena *arena,
							  PipelineMemory *memory, Error *err);

#endif /* PENSTOCK_PIPELINE_REMEMBER_H */
