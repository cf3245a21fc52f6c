/*
 * sequence.c
 *    Treats values as distances from the beginning of the sequence.
 *
 * An ascending sequence begins at its lowest value, a descending one at its
 * highest.  A "place" is the distance of a value from there, in the direction
 * of the sequence.  It always fits into 64 unsigned bits; a place after the end
 * is at most UINT64_MAX.  (For a sequence of all 64-bit numbers UINT64_MAX is
 * also its last value, which no sequence reaches in practice.)
 */
#include "model/sequence.h"

#include "base/macros.h"

/*
 * Number of values that a session may be about to use, at least: SEQ_LOG_VALS
 * of the server.
 */
#define LOGGED_VALUES 32

/*
 * Largest number of returned values that is counted: if a user has set the
 * sequence, the values that it skipped were not returned.
 */
#define GIVEN_MAX 1000000

/*
 * Returned values are counted up to one in GIVEN_SHARE of the values of the
 * sequence.
 */
#define GIVEN_SHARE 100

/* Part of the circle by which a target can be ahead: one in AHEAD_SHARE. */
#define AHEAD_SHARE 4

static uint64_t
step_of(int64_t increment)
{
	return increment > 0 ? (uint64_t) increment : -(uint64_t) increment;
}

static uint64_t
add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t
multiply(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
length(const SequenceRange *self)
{
	return (uint64_t) self->max - (uint64_t) self->min;
}

/* Returns the place of a value; 0 if it is before the beginning. */
static uint64_t
distance(const SequenceRange *self, int64_t value)
{
	if (self->increment > 0)
		return value < self->min ? 0 : (uint64_t) value - (uint64_t) self->min;
	return value > self->max ? 0 : (uint64_t) self->max - (uint64_t) value;
}

/* Returns the value at a place, which is not after the end. */
static int64_t
value_at(const SequenceRange *self, uint64_t place)
{
	ASSERT(place <= length(self));
	return (int64_t) (self->increment > 0 ? (uint64_t) self->min + place
										  : (uint64_t) self->max - place);
}

/* Returns the place of the next value; after the end: there is none. */
static uint64_t
next_place(const SequenceRange *self, const SequenceValue *value, uint64_t step)
{
	uint64_t place = distance(self, value->last_value);

	if (value->is_called)
		place = add(place, step);
	return self->cycles && place > length(self) ? 0 : place;
}

/* Returns how many values are left if the next value is at `place`. */
static uint64_t
left_from(const SequenceRange *self, uint64_t place)
{
	if (place > length(self))
		return 0;
	return add((length(self) - place) / step_of(self->increment), 1);
}

/*
 * Returns the state of a sequence whose next value is at `place`, with an
 * increment of `step`.  If that is after the end, the sequence has returned its
 * last value.
 */
static SequenceValue
standing_before(const SequenceRange *self, uint64_t place, uint64_t step)
{
	uint64_t end = length(self);

	if (place < step && place <= end)
		return (SequenceValue){value_at(self, place), false};
	return (SequenceValue){
		value_at(self, place < step ? end : min_u64(place - step, end)), true};
}

static bool
is_same(const SequenceValue *a, const SequenceValue *b)
{
	return a->last_value == b->last_value && a->is_called == b->is_called;
}

uint64_t
sequence_margin(const SequenceRange *definition, int sessions, uint64_t given)
{
	uint64_t cache = definition->cache > LOGGED_VALUES
						 ? (uint64_t) definition->cache
						 : LOGGED_VALUES;
	uint64_t margin = multiply(cache, sessions > 1 ? (uint64_t) sessions : 1);
	uint64_t twice = 2 * min_u64(given, GIVEN_MAX);
	uint64_t share = length(definition) / step_of(definition->increment) /
					 GIVEN_SHARE;

	twice = min_u64(twice, share);
	return margin > twice ? margin : twice;
}

uint64_t
sequence_given(const SequenceRange *definition, const SequenceValue *from,
			   const SequenceValue *to)
{
	uint64_t step = step_of(definition->increment);
	uint64_t begin = next_place(definition, from, step);
	uint64_t end = next_place(definition, to, step);

	return end > begin ? (end - begin) / step : 0;
}

/* Returns the place of the next value after `margin` more values. */
static uint64_t
place_ahead(const SequenceRange *self, uint64_t place, uint64_t margin,
			uint64_t step)
{
	uint64_t left = left_from(self, place);

	if (!self->cycles)
		return add(place, multiply(min_u64(margin, left / 2), step));
	margin = min_u64(margin, left_from(self, 0) / AHEAD_SHARE);
	return margin < left ? place + margin * step : (margin - left) * step;
}

SequenceValue
sequence_ahead(const SequenceRange *definition, const SequenceValue *value,
			   uint64_t margin)
{
	uint64_t step = step_of(definition->increment);
	uint64_t place = next_place(definition, value, step);

	return standing_before(definition,
						   place_ahead(definition, place, margin, step), step);
}

int64_t
sequence_before_end(const SequenceRange *definition, uint64_t left)
{
	uint64_t step = step_of(definition->increment);
	uint64_t end = length(definition);

	return value_at(definition, end - min_u64(multiply(left, step), end));
}

bool
sequence_is_beyond(const SequenceRange *definition, const SequenceValue *value,
				   const SequenceValue *other)
{
	uint64_t step = step_of(definition->increment);

	return next_place(definition, value, step) >
		   next_place(definition, other, step);
}

/* Returns the first place of the stride that is not before `place`. */
static uint64_t
place_in_stride(const SequencePlan *plan, uint64_t place)
{
	const SequenceRange *self = &plan->definition;
	uint64_t step = step_of(self->increment);
	uint64_t count = (uint64_t) plan->stride.count;
	uint64_t start = distance(self, self->start);
	uint64_t turns;

	if (count == 0 || place > length(self))
		return place;

	/*
	 * From here on `place` is the number of a value.  Number 0 is the first
	 * value of the sequence that differs from the start value by a multiple of
	 * the increment.
	 */
	turns = 2 * count - start / step % count - (uint64_t) plan->stride.first;
	start %= step;
	place = place > start ? (place - start - 1) / step + 1 : 0;
	turns = (place % count + turns) % count;
	if (turns > 0)
		place = add(place, count - turns);
	return add(start, multiply(place, step));
}

/*
 * Decides for a sequence that does not cycle.  If the target's next value is
 * before `least`, it is set to `goal`.
 */
static bool
decide_on_line(const SequencePlan *plan, uint64_t step, SequenceValue *set)
{
	const SequenceRange *self = &plan->definition;
	uint64_t target_step = step_of(plan->target_increment);
	uint64_t source = next_place(self, &plan->source, step);
	uint64_t target = next_place(self, &plan->target, target_step);
	uint64_t goal = place_ahead(self, source, plan->margin, step);
	uint64_t least = source + (goal - source) / step / 2 * step;

	if (target >= least)
		goal = target;
	goal = place_in_stride(plan, goal);
	if (goal == target)
		return false;
	*set = standing_before(self, goal, target_step);
	return !is_same(set, &plan->target);
}

/*
 * Returns how many values the target is ahead: from 0 to one less than the
 * circle.
 */
static uint64_t
ahead_on_circle(uint64_t source, uint64_t target, uint64_t step,
				uint64_t around)
{
	CHECK(step > 0);
	if (target >= source)
		return (target - source) / step;
	return around - ((source - target - 1) / step + 1);
}

static bool
decide_on_circle(const SequencePlan *plan, uint64_t step, SequenceValue *set)
{
	const SequenceRange *self = &plan->definition;
	uint64_t around = left_from(self, 0);
	uint64_t source = next_place(self, &plan->source, step);
	uint64_t target = next_place(self, &plan->target, step);
	uint64_t margin = min_u64(plan->margin, around / AHEAD_SHARE);
	uint64_t ahead = ahead_on_circle(source, target, step, around);

	if (ahead >= margin / 2 && ahead <= around / AHEAD_SHARE)
		return false;
	*set = standing_before(self, place_ahead(self, source, margin, step), step);
	return !is_same(set, &plan->target);
}

bool
sequence_decide(const SequencePlan *plan, SequenceValue *set)
{
	uint64_t step = step_of(plan->definition.increment);

	if (plan->definition.cycles)
		return decide_on_circle(plan, step, set);
	return decide_on_line(plan, step, set);
}

bool
sequence_stride_increment(const SequenceRange *definition,
						  const SequenceStride *stride, int64_t *increment)
{
	return !definition->cycles &&
		   !__builtin_mul_overflow(definition->increment,
								   (int64_t) stride->count, increment) &&
		   step_of(*increment) <= length(definition);
}
