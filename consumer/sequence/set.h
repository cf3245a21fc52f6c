/*
 * set.h
 *    Sets sequences of a target by those of the source.
 *
 * See model/sequence.h for what they are set to.
 */
#ifndef PENSTOCK_SEQUENCE_SET_H
#define PENSTOCK_SEQUENCE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/sequence.h"
#include "net/pgconn.h"
#include "sequence/list.h"

typedef enum SequenceMode
{
	SEQUENCES_SAME,    /* as on the source, also if that is back */
	SEQUENCES_ADVANCE, /* at least as far as the source's */
	SEQUENCES_AHEAD,   /* the same with each one's margin */
} SequenceMode;

/* One of the source's that has a value, and how far beyond it. */
typedef struct SequenceGoal
{
	SequenceItem *source; /* borrowed */
	uint64_t margin;
	SequenceValue value; /* result: what the target's is to be set to, … */
	bool is_due;         /* … if it still is */
	bool was_set;        /* … or it was */
} SequenceGoal;

typedef struct SequenceSetting
{
	SequenceMode mode;
	SequenceStride stride; /* count 0: none */
	bool dry_run;          /* only say what would be set */
	SequenceGoal *goals;
	int count;

	int set;             /* result: how many were set */
	bool in_use;         /* result: somebody drew a value of one that was to be
						  * set, which is to be tried again */
	SequenceList target; /* result: in the order of the goals, as they were
						  * before, with what kept one from being set */
} SequenceSetting;

/*
 * Reads the target's, and says of each goal whether it is due.  Fails only if
 * the server as a whole does: what is wrong with one is its `problem`, and one
 * that is not there has an OID of 0.  The caller releases setting->target in
 * any case.
 */
MUST_CHECK Rc sequence_prepare(SequenceSetting *setting, PgConn *target,
							   Error *err);

/* Then sets those that are due; fails in the same way. */
MUST_CHECK Rc sequence_apply(SequenceSetting *setting, PgConn *target,
							 Error *err);

/* Both. */
MUST_CHECK Rc sequence_set(SequenceSetting *setting, PgConn *target,
						   Error *err);

#endif /* PENSTOCK_SEQUENCE_SET_H */
