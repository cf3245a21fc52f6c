/*
 * large_objects.h
 *    Copies changes of large objects to the targets while the pipeline
 *    follows.
 *
 * Logical decoding does not decode large objects.  So now and then we make a
 * pass for each target (large_object/pass.h), over ordinary sessions that are
 * open only during the pass.
 *
 * A failure here never ends the follower or makes it wait: it is logged once,
 * and we try again the next time.  Passes take at most about a third of the
 * time, whatever the interval is.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_LARGE_OBJECTS_H
#define PENSTOCK_PIPELINE_BESIDE_LARGE_OBJECTS_H

#include "base/error.h"
#include "config/config.h"
#include "sink/sink.h"

typedef struct LargeObjects LargeObjects;

/* Returns a LargeObjects, for all attempts of one follower. */
LargeObjects *large_objects_new(void);

/* Frees a LargeObjects.  Accepts NULL. */
void large_objects_free(LargeObjects *self);

/*
 * Begins an attempt with its sinks, one for each target of `config`.  Both are
 * borrowed; a sink may be replaced meanwhile.
 */
void large_objects_attach(LargeObjects *self, const Config *config,
						  Sink *const *sinks);

/* Ends an attempt, whose sinks are about to be freed. */
void large_objects_detach(LargeObjects *self);

/*
 * Makes a pass for each target.  Function of a task; fails only if a stop is
 * requested.
 */
MUST_CHECK Rc large_objects_step(void *context, Error *err);

/*
 * Makes the last pass for each target, after applications have stopped writing
 * to the source.  No sinks may be attached.  Fails if a pass fails.  Waits.
 */
MUST_CHECK Rc large_objects_finish(LargeObjects *self, Error *err);

#endif /* PENSTOCK_PIPELINE_BESIDE_LARGE_OBJECTS_H */
