/*
 * sequence.h
 *    Where a sequence of the target is to stand.
 *
 * A sequence is seen as the value that it gives out next.  One of the target
 * that is to take over from the source's must not give out a value that the
 * source has given out; so its next value is set to the source's, and beyond it
 * by a margin where the source goes on.  It is never set back: somebody may
 * have drawn values from it.
 *
 *
 * The margin
 * ----------
 *
 * Between two looks at the source it gives out values that nobody else hears of
 * if it is lost.  A server writes to its WAL 32 values in advance, or what a
 * session caches, and each session may be about to draw; so the margin is
 *
 *     increment × max(cache, 32) × sessions
 *
 * and twice of what was given out between the last two looks, if that is more.
 * It is at most half of what the sequence has left.  The target's is set to the
 * margin once it has less than half of it left.  So it is moved rarely, and
 * when it is, by far more than a session of the target could draw between
 * reading it and setting it.
 *
 *
 * Sequences that cycle
 * --------------------
 *
 * Those have no "beyond".  The target's counts as ahead if it is by no more
 * than a quarter of the way around, and is set if it is not.
 *
 *
 * Disjoint values
 * ---------------
 *
 * With a stride of N each of N nodes has one value in N of those that the
 * source would give out, counted from its start value, and draws no other.
 */
#ifndef PENSTOCK_MODEL_SEQUENCE_H
#define PENSTOCK_MODEL_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/* As pg_sequence has it.  increment is not 0, min is less than max. */
typedef struct SequenceRange
{
	int64_t start;
	int64_t increment;
	int64_t min;
	int64_t max;
	int64_t cache;
	bool cycles;
} SequenceRange;

/* The sequence's row: if it is called, last_value was given out, else it is
 * next. */
typedef struct SequenceValue
{
	int64_t last_value;
	bool is_called;
} SequenceValue;

/* Every `count`-th value, from `first` on; a count of 0: all. */
typedef struct SequenceStride
{
	int count;
	int first; /* less than count */
} SequenceStride;

/* Upper bound of the count. */
#define SEQUENCE_STRIDE_MAX 1024

typedef struct SequencePlan
{
	SequenceRange definition; /* the source's */
	SequenceValue source;
	int64_t target_increment; /* of the same sign */
	SequenceValue target;
	uint64_t margin; /* in values of the source; 0: none */
	SequenceStride stride;
} SequencePlan;

/*
 * How many values the margin is, with so many sessions (1 and more), if `given`
 * is what the source has given out since it was looked at last.
 */
uint64_t sequence_margin(const SequenceRange *definition, int sessions,
						 uint64_t given);

/* How many values were given out from one to the other; 0 if it was set back.
 */
uint64_t sequence_given(const SequenceRange *definition,
						const SequenceValue *from, const SequenceValue *to);

/* Where the source's would be after `margin` values more, of which there are at
 * most half of what it has left. */
SequenceValue sequence_ahead(const SequenceRange *definition,
							 const SequenceValue *value, uint64_t margin);

/* The value after which the sequence has so many values left, or its first. */
int64_t sequence_before_end(const SequenceRange *definition, uint64_t left);

/* Whether `value` gives out what comes after all that `other` has given out; of
 * a sequence that does not cycle. */
bool sequence_is_beyond(const SequenceRange *definition,
						const SequenceValue *value, const SequenceValue *other);

/* Whether the target's is to be set, and to what. */
bool sequence_decide(const SequencePlan *plan, SequenceValue *set);

/*
 * The increment that the target's is to have with a stride.  False: there is
 * none, because it would be too great, or because a sequence that cycles begins
 * anew with the same value on each node.
 */
bool sequence_stride_increment(const SequenceRange *definition,
							   const SequenceStride *stride,
							   int64_t *increment);

#endif /* PENSTOCK_MODEL_SEQUENCE_H */
