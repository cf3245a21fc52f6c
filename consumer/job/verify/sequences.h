/*
 * sequences.h
 *    Compares the sequences of source and targets.
 *
 * Sequences are not transactional, so no snapshot shows them as of an LSN.  We
 * read the source's sequences before the first fence (see anchor.h).  At the
 * end each target's sequence has to be at or beyond that value: a follower has
 * advanced it since, or has reached the end of its WAL at the fence.  The
 * target may be ahead by any margin, and the source's sequence may have moved
 * on.
 *
 * It is a difference only if a target's sequence has reached neither the value
 * that we have read, nor the one that the source has at the end, although a
 * follower was running for some seconds.  If the source's sequence was dropped
 * meanwhile, it does not count.  If it was made again or turned round, if a
 * server does not let us read it, or if nobody follows, we cannot tell.
 */
#ifndef PENSTOCK_JOB_VERIFY_SEQUENCES_H
#define PENSTOCK_JOB_VERIFY_SEQUENCES_H

#include "base/error.h"
#include "config/config.h"
#include "sequence/list.h"
#include "verify/verdict.h"

typedef struct VerifySequences
{
	const Config *config;
	SequenceList before; /* the source's, before the first fence */
	bool is_read;        /* whether `before` is read */
} VerifySequences;

/* Reads the source's sequences, unless the pipeline leaves sequences alone;
 * blocks.  *self must be zeroed. */
MUST_CHECK Rc verify_sequences_read(VerifySequences *self, const Config *config,
									Error *err);

/* Compares the sequences, and adds to the verdict what differs or cannot be
 * told; blocks, also until the targets' sequences have reached the source's or
 * some seconds are over. */
MUST_CHECK Rc verify_sequences_compare(const VerifySequences *self,
									   Verdict *verdict, Error *err);

/* Accepts a zeroed VerifySequences. */
void verify_sequences_release(VerifySequences *self);

#endif /* PENSTOCK_JOB_VERIFY_SEQUENCES_H */
