/*
 * surroundings.h
 *    Compares the schemas and the sequences of source and targets, in addition
 *    to the rows of tables.
 *
 * Snapshots do not show one state of these: a server deparses expressions from
 * its current catalogs, and sequences are not transactional.  So we report a
 * difference of the schemas only if we find it under two anchors, one after the
 * other.  We read the source's sequences under the first anchor.  At the end,
 * we report a target's sequence that has not reached the value of the source's,
 * after waiting some seconds for a follower to advance it.
 */
#ifndef PENSTOCK_JOB_VERIFY_SURROUNDINGS_H
#define PENSTOCK_JOB_VERIFY_SURROUNDINGS_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "job/verify/anchor.h"
#include "sequence/list.h"
#include "verify/verdict.h"

typedef struct Surroundings
{
	const Config *config;
	bool looked;            /* whether the schemas were compared once */
	bool settled;           /* whether the schemas need no more comparison */
	int locked;             /* number of comparisons that have failed because a
							 * table was locked */
	int difference_count;   /* number of differences in the last comparison */
	char **differences;     /* these differences, as text; owned */
	SequenceList sequences; /* the source's sequences under the first anchor */
	int64_t read_us;        /* monotonic time when we have read the sequences;
							 * 0: not yet */
} Surroundings;

/* Compares the schemas under an anchor, unless they are settled, and the first
 * time reads the source's sequences; blocks. */
MUST_CHECK Rc surroundings_look(Surroundings *self, const Anchor *anchor,
								const CopyCatalog *catalog, Verdict *verdict,
								Error *err);

/* Compares the sequences, when all tables are compared; blocks, also until the
 * targets' sequences have reached the source's or some seconds are over. */
MUST_CHECK Rc surroundings_end(Surroundings *self, Verdict *verdict,
							   Error *err);

/* Accepts zeroed Surroundings. */
void surroundings_release(Surroundings *self);

#endif /* PENSTOCK_JOB_VERIFY_SURROUNDINGS_H */
