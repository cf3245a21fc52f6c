/*
 * set.h
 *    Sets sequences of a target after those of the source.
 *
 * model/sequence.h computes the values.
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
	SEQUENCES_SAME,    /* to the source's value, even if that is a step back */
	SEQUENCES_ADVANCE, /* at least to the source's value */
	SEQUENCES_AHEAD,   /* at least to the source's value plus the margin */
} SequenceMode;

/*
 * A sequence of the source that has a value, and what becomes of the target's.
 */
typedef struct SequenceGoal
{
	SequenceItem *source; /* borrowed */
	uint64_t margin;
	SequenceValue value; /* result: value that the target's sequence needs */
	bool is_due;         /* result: whether it still has to be set */
	bool was_set;        /* result: whether it was set */
} SequenceGoal;

typedef struct SequenceSetting
{
	SequenceMode mode;
	SequenceStride stride; /* count 0: none */
	bool dry_run;          /* whether nothing is set, only determined */
	SequenceGoal *goals;
	int count;

	int set;             /* result: number of sequences that were set */
	bool in_use;         /* result: a session drew a value of a sequence that
						  * had to be set, so it was not; try again */
	SequenceList target; /* result: the target's sequences before they were set,
						  * in the order of the goals, with the problems
						  * found */
} SequenceSetting;

/*
 * Reads the target's sequences, alters increments for the stride, and
 * determines for each goal whether it is due; waits for the target.  RC_FAIL
 * only if the server fails: a problem of a single sequence is in its item, and
 * a sequence that does not exist has OID 0.  The caller must release
 * setting->target in any case.
 */
MUST_CHECK Rc sequence_prepare(SequenceSetting *setting, PgConn *target,
							   Error *err);

/*
 * Sets the sequences that sequence_prepare() found to be due; waits.  Fails in
 * the same way.
 */
MUST_CHECK Rc sequence_apply(SequenceSetting *setting, PgConn *target,
							 Error *err);

/* Calls sequence_prepare() and sequence_apply(). */
MUST_CHECK Rc sequence_set(SequenceSetting *setting, PgConn *target,
						   Error *err);

#endif /* PENSTOCK_SEQUENCE_SET_H */
