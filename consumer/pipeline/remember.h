/*
 * remember.h
 *    Reads the pipeline's options that are stored on its targets.
 *
 * A clone and a follower store the options that decide what the source sends
 * ("remember" them) in penstock.pipeline of each target.  A command that needs
 * these options calls remember_recall() first, and then works with the
 * resulting Config: an option that the user did not give has its stored value,
 * and one given with another value was refused.  A follower uses the other
 * functions, step by step.
 */
#ifndef PENSTOCK_PIPELINE_REMEMBER_H
#define PENSTOCK_PIPELINE_REMEMBER_H

#include "base/arena.h"
#include "base/error.h"
#include "config/config.h"
#include "config/memory.h"
#include "control/pipeline_table.h"

/*
 * The target that remember_read() asks first, or one of: REMEMBER_ANY_TARGET,
 * ask one target after the other until one answers; REMEMBER_ALL_TARGETS, ask
 * all targets and wait for each.  If a target is given, the others are asked
 * only if that one fails, because their options are known to be older.
 */
#define REMEMBER_ANY_TARGET  (-1)
#define REMEMBER_ALL_TARGETS (-2)

/*
 * Reads the stored options from the targets.  Of several answers the one with
 * the highest revision counts.  Fails if no target can be reached or a stop is
 * requested.
 */
MUST_CHECK Rc remember_read(const Config *config, const char *pipeline,
							int order, Arena *arena, PipelineMemory *memory,
							Error *err);

/*
 * Sets *recalled to `config` completed with the stored options.  If the
 * pipeline does not exist yet or `config` has no target, *recalled is equal to
 * `config`.  *recalled must not be released, and is valid as long as `config`
 * and `arena`.
 */
MUST_CHECK Rc remember_recall(Config *recalled, const Config *config,
							  Arena *arena, Error *err);

/*
 * Completes options like remember_recall(), but also succeeds if no target can
 * be reached or is ready.  *memory, which has to be zeroed before, is set to
 * the stored options.
 */
MUST_CHECK Rc remember_recall_if_reached(Config *recalled, const Config *config,
										 Arena *arena, PipelineMemory *memory,
										 Error *err);

/*
 * For a clone that was interrupted: completes `config` with the options with
 * which the clone was begun.  `config` may have several sources; `pipeline` is
 * the pipeline of the first one.
 */
MUST_CHECK Rc remember_unfinished(Config *recalled, const Config *config,
								  const char *pipeline, Arena *arena,
								  Error *err);

/*
 * Sets *memory to the options that a new clone stores on its targets; allocated
 * in the arena.
 */
void remember_copied(const Config *config, Arena *arena,
					 PipelineMemory *memory);

/*
 * For a follower: completes *recalled, a copy of the given configuration, with
 * the stored options in *memory, and sets *memory to the options that all
 * targets have to store.  With `change` the given options replace the stored
 * ones, which is logged.
 */
MUST_CHECK Rc remember_decide(Config *recalled, bool change, Arena *arena,
							  PipelineMemory *memory, Error *err);

#endif /* PENSTOCK_PIPELINE_REMEMBER_H */
