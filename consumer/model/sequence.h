/*
 * sequence.h
 *    Computes the value that a sequence of the target has to be set to.
 *
 * The position of a sequence is the value that it returns next.  A sequence of
 * the target that will replace the source's must not return a value that the
 * source's has returned already.  So we set its next value to the source's next
 * value, and, while the source is in use, further by a margin.  We never set it
 * back, because sessions of the target may have used values of it.
 *
 *
 * The margin
 * ----------
 *
 * Between two of our queries the source returns values that we never hear of if
 * it is lost.  A server logs 32 values in advance (or as many as a session
 * caches), and each session may be about to use such values.  So the margin is
 *
 *     increment × max(cache, 32) × sessions
 *
 * or twice the number of values returned between the last two queries, if that
 * is more.  It is at most half of what the sequence has left.  We set the
 * target's sequence to the source's value plus the margin when it has less than
 * half of the margin left.  So it is set rarely, and then by far more than
 * sessions of the target could use between our reading it and setting it.
 *
 *
 * Sequences that cycle
 * --------------------
 *
 * On a circle there is no "further".  The target's sequence counts as ahead if
 * it is ahead by at most a quarter of the circle; otherwise it is set.
 *
 *
 * Disjoint values
 * ---------------
 *
 * With a stride of N, each of N targets uses only one in N of the values that
 * the source would return, counted from its start value.
 */
#ifndef PENSTOCK_MODEL_SEQUENCE_H
#define PENSTOCK_MODEL_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Definition of a sequence, as in pg_sequence: increment is not 0, min is less
 * than max.
 */
typedef struct SequenceRange
{
	int64_t start;
	int64_t increment;
	int64_t min;
	int64_t max;
	int64_t cache;
	bool cycles;
} SequenceRange;

/*
 * The row of a sequence: if is_called, last_value was returned, otherwise it
 * will be returned next.
 */
typedef struct SequenceValue
{
	int64_t last_value;
	bool is_called;
} SequenceValue;

/* Every `count`-th value, from number `first` on; count 0: all values. */
typedef struct SequenceStride
{
	int count;
	int first; /* from 0; less than count */
} SequenceStride;

/* Largest count. */
#define SEQUENCE_STRIDE_MAX 1024

typedef struct SequencePlan
{
	SequenceRange definition; /* definition on the source */
	SequenceValue source;
	int64_t target_increment; /* increment on the target, of the same sign */
	SequenceValue target;
	uint64_t margin; /* number of values of the source; 0: none */
	SequenceStride stride;
} SequencePlan;

/*
 * Returns the margin as a number of values.  `sessions` (at least 1) is the
 * number of sessions of the source, `given` the number of values that the
 * source has returned since our last query.
 */
uint64_t sequence_margin(const SequenceRange *definition, int sessions,
						 uint64_t given);

/*
 * Returns how many values were returned between `from` and `to`; 0 if the
 * sequence was set back.
 */
uint64_t sequence_given(const SequenceRange *definition,
						const SequenceValue *from, const SequenceValue *to);

/*
 * Returns the state of a sequence after `margin` more values, but at most after
 * half of the values that it has left.
 */
SequenceValue sequence_ahead(const SequenceRange *definition,
							 const SequenceValue *value, uint64_t margin);

/*
 * Returns the value after which the sequence has `left` values left, or its
 * first value.
 */
int64_t sequence_before_end(const SequenceRange *definition, uint64_t left);

/*
 * Whether the next value of `value` is after the next value of `other`; for a
 * sequence that does not cycle.
 */
bool sequence_is_beyond(const SequenceRange *definition,
						const SequenceValue *value, const SequenceValue *other);

/*
 * Returns whether the target's sequence has to be set; *set is its new state.
 */
bool sequence_decide(const SequencePlan *plan, SequenceValue *set);

/*
 * Computes the increment of the target's sequence with a stride.  Returns false
 * if there is none: it would be too large, or the sequence cycles, which would
 * make it begin again with the same value on each target.
 */
bool sequence_stride_increment(const SequenceRange *definition,
							   const SequenceStride *stride,
							   int64_t *increment);

#endif /* PENSTOCK_MODEL_SEQUENCE_H */
