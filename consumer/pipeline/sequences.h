/*
 * sequences.h
 *    Keeps the targets' sequences beyond the source's while it is followed.
 *
 * Sequences are not in the stream.  Every few seconds those of the source are
 * read over an ordinary session, and those of the targets are set beyond them
 * by a margin (see model/sequence.h).  Where the source's were is noted in
 * penstock.sequence, for when the source is lost.  A target's session is open
 * only while something is set.
 *
 * Nothing of this ends the follower, or keeps it waiting: what fails is said
 * once, and tried again the next time.
 */
#ifndef PENSTOCK_PIPELINE_SEQUENCES_H
#define PENSTOCK_PIPELINE_SEQUENCES_H

#include "base/error.h"
#include "config/config.h"
#include "sink/sink.h"

typedef struct Sequences Sequences;

/* For all attempts of one follower. */
Sequences *sequences_new(void);

/* Accepts NULL. */
void sequences_free(Sequences *self);

/*
 * An attempt begins with these sinks, as many as the targets of `config`; both
 * are borrowed, and a sink may be replaced meanwhile.
 */
void sequences_attach(Sequences *self, const Config *config,
					  Sink *const *sinks);

/* The sinks are about to be freed. */
void sequences_detach(Sequences *self);

/* Sets all that need it.  A task; fails only if asked to stop. */
MUST_CHECK Rc sequences_step(void *context, Error *err);

/*
 * Sets those that are before the source's, without a margin, because nobody
 * writes to the source any more.  No sinks may be attached, so that each
 * session that they had is free.  Fails if a target cannot be reached.  Waits.
 */
MUST_CHECK Rc sequences_finish(Sequences *self, Error *err);

#endif /* PENSTOCK_PIPELINE_SEQUENCES_H */
