/*
 * large_objects.h
 *    Brings large objects to the targets while the source is followed.
 *
 * They are not in the stream.  Now and then a pass is made for each target (see
 * large_object/pass.h), over ordinary sessions that are open only meanwhile.
 *
 * Nothing of this ends the follower, or keeps it waiting: what fails is said
 * once, and tried again the next time.  Passes take no more than about a third
 * of the time, whatever the interval is.
 */
#ifndef PENSTOCK_PIPELINE_LARGE_OBJECTS_H
#define PENSTOCK_PIPELINE_LARGE_OBJECTS_H

#include "base/error.h"
#include "config/config.h"
#include "sink/sink.h"

typedef struct LargeObjects LargeObjects;

/* For all attempts of one follower. */
LargeObjects *large_objects_new(void);

/* Accepts NULL. */
void large_objects_free(LargeObjects *self);

/*
 * An attempt begins with these sinks, as many as the targets of `config`; both
 * are borrowed, and a sink may be replaced meanwhile.
 */
void large_objects_attach(LargeObjects *self, const Config *config,
						  Sink *const *sinks);

/* The sinks are about to be freed. */
void large_objects_detach(LargeObjects *self);

/* Makes a pass for each target.  A task; fails only if asked to stop. */
MUST_CHECK Rc large_objects_step(void *context, Error *err);

/*
 * Makes the last pass for each target, because nobody writes to the source any
 * more.  No sinks may be attached.  Fails if one fails.  Waits.
 */
MUST_CHECK Rc large_objects_finish(LargeObjects *self, Error *err);

#endif /* PENSTOCK_PIPELINE_LARGE_OBJECTS_H */
