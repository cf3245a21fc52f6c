/*
 * sequences.h
 *    Keeps the targets' sequences ahead of the source's while the pipeline
 *    follows.
 *
 * Logical decoding does not decode sequences.  Every few seconds we read the
 * source's sequences over an ordinary session, and set those of the targets
 * ahead of them by a margin (model/sequence.h).  We record the source's values
 * in penstock.sequence, for the case that the source is lost.  A session with a
 * target is open only while sequences are set.
 *
 * A failure here never ends the follower or makes it wait: it is logged once,
 * and we try again the next time.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_SEQUENCES_H
#define PENSTOCK_PIPELINE_BESIDE_SEQUENCES_H

#include "base/error.h"
#include "config/config.h"
#include "sink/sink.h"

typedef struct Sequences Sequences;

/* Returns a Sequences, for all attempts of one follower. */
Sequences *sequences_new(void);

/* Frees a Sequences.  Accepts NULL. */
void sequences_free(Sequences *self);

/*
 * Begins an attempt with its sinks, one for each target of `config`.  Both are
 * borrowed; a sink may be replaced meanwhile.
 */
void sequences_attach(Sequences *self, const Config *config,
					  Sink *const *sinks);

/* Ends an attempt, whose sinks are about to be freed. */
void sequences_detach(Sequences *self);

/*
 * Reads the source's sequences and sets those of the targets that need it.
 * Function of a task; fails only if a stop is requested.
 */
MUST_CHECK Rc sequences_step(void *context, Error *err);

/*
 * Sets the targets' sequences that are not ahead of the source's, without a
 * margin: nobody uses the source any more.  No sinks may be attached, so that
 * the sessions that they had are free.  Fails if a target cannot be reached, or
 * if a sequence that both servers have could not be set (unless the
 * configuration says sequences_may_lack); all others are set then.  Waits.
 */
MUST_CHECK Rc sequences_finish(Sequences *self, Error *err);

#endif /* PENSTOCK_PIPELINE_BESIDE_SEQUENCES_H */
