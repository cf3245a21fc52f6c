/*
 * sequence_test.c
 *    The value to which a target's sequence is set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "model/sequence.h"

static const SequenceRange plain = {
	.start = 1, .increment = 1, .min = 1, .max = INT64_MAX, .cache = 1};

/* As nextval() of a server.  False: there is no value any more. */
static bool
draw(const SequenceRange *definition, int64_t increment, SequenceValue *value)
{
	int64_t last = value->last_value;

	if (!value->is_called)
	{
		value->is_called = true;
		return true;
	}
	if (increment > 0 ? last > definition->max - increment
					  : last < definition->min - increment)
	{
		if (!definition->cycles)
			return false;
		value->last_value = increment > 0 ? definition->min : definition->max;
		return true;
	}
	value->last_value += increment;
	return true;
}

static void
the_margin_counts_sessions_and_caches(void **state UNUSED)
{
	SequenceRange cached = plain;
	SequenceRange small = plain;

	assert_int_equal(sequence_margin(&plain, 1, 0), 32);
	assert_int_equal(sequence_margin(&plain, 0, 0), 32);
	assert_int_equal(sequence_margin(&plain, 64, 0), 64 * 32);
	cached.cache = 100;
	assert_int_equal(sequence_margin(&cached, 2, 0), 200);
	cached.cache = INT64_MAX;
	assert_true(sequence_margin(&cached, 64, 0) == UINT64_MAX);

	/* What was drawn since the last look, unless it was set by hand. */
	assert_int_equal(sequence_margin(&plain, 1, 5000), 10000);
	assert_int_equal(sequence_margin(&plain, 1, INT64_MAX), 2000000);
	small.max = 32767;
	assert_int_equal(sequence_margin(&small, 1, 30000), 327);
}

static void
what_was_given_out_is_counted_in_values(void **state UNUSED)
{
	const SequenceRange down = {
		.start = -1, .increment = -3, .min = INT64_MIN, .max = -1, .cache = 1};
	const SequenceValue fresh = {-1, false};
	const SequenceValue later = {-31, true};

	assert_int_equal(sequence_given(&down, &fresh, &later), 11);
	assert_int_equal(sequence_given(&down, &later, &fresh), 0);
	assert_int_equal(sequence_given(&down, &later, &later), 0);
}

static void
one_that_is_far_enough_is_left_alone(void **state UNUSED)
{
	SequencePlan plan = {.definition = plain,
						 .source = {100, true},
						 .target_increment = 1,
						 .target = {120, true},
						 .margin = 32};
	SequenceValue set;

	assert_false(sequence_decide(&plan, &set));
	plan.target.last_value = 115;
	assert_true(sequence_decide(&plan, &set));
	assert_int_equal(set.last_value, 132);
	assert_true(set.is_called);

	/* Without a margin the same place will do. */
	plan.margin = 0;
	plan.target.last_value = 100;
	assert_false(sequence_decide(&plan, &set));
	plan.target.last_value = 99;
	assert_true(sequence_decide(&plan, &set));
	assert_int_equal(set.last_value, 100);
}

/* setval(…, false) says what comes next. */
static void
one_that_was_set_and_not_used_counts(void **state UNUSED)
{
	SequencePlan plan = {.definition = plain,
						 .source = {5001, false},
						 .target_increment = 1,
						 .target = {10, true}};
	SequenceValue set;

	assert_true(sequence_decide(&plan, &set));
	assert_int_equal(set.last_value, 5000);
	assert_true(set.is_called);
	plan.source = (SequenceValue){1, false};
	plan.target = (SequenceValue){1, false};
	assert_false(sequence_decide(&plan, &set));
}

static void
some_values_are_always_left(void **state UNUSED)
{
	SequencePlan plan = {
		.definition = {.start = 1, .increment = 1, .min = 1, .max = 100},
		.source = {90, true},
		.target_increment = 1,
		.target = {1, false},
		.margin = 3200};
	SequenceValue set;

	assert_true(sequence_decide(&plan, &set));
	assert_int_equal(set.last_value, 95);
	plan.source.last_value = 100;
	assert_true(sequence_decide(&plan, &set));
	assert_int_equal(set.last_value, 100);
}

static void
the_ends_of_the_numbers_are_not_passed(void **state UNUSED)
{
	SequencePlan plan = {.definition = {.start = INT64_MAX,
										.increment = INT64_MIN,
										.min = INT64_MIN,
										.max = INT64_MAX,
										.cache = 1},
						 .source = {INT64_MAX, true},
						 .target_increment = INT64_MIN,
						 .target = {INT64_MAX, false},
						 .margin = UINT64_MAX};
	SequenceValue set;

	assert_true(sequence_decide(&plan, &set));
	assert_true(set.last_value == INT64_MAX);
	assert_true(set.is_called);
	plan.definition.increment = plan.target_increment = 1;
	plan.definition.start = plan.definition.min = INT64_MIN + 1;
	plan.source.last_value = INT64_MAX;
	plan.target.last_value = INT64_MIN + 1;
	plan.stride = (SequenceStride){3, 2};
	assert_true(sequence_decide(&plan, &set));
	assert_true(set.last_value == INT64_MAX && set.is_called);
	plan.target = set;
	assert_false(sequence_decide(&plan, &set));
}

static void
one_that_cycles_follows_around(void **state UNUSED)
{
	SequencePlan plan = {.definition = {.start = 1,
										.increment = 1,
										.min = 1,
										.max = 400,
										.cycles = true},
						 .source = {390, true},
						 .target_increment = 1,
						 .target = {300, true},
						 .margin = 32};
	SequenceValue set;

	assert_true(sequence_decide(&plan, &set));
	assert_int_equal(set.last_value, 22);
	plan.target = set;
	assert_false(sequence_decide(&plan, &set));
	plan.source.last_value = 3;
	assert_false(sequence_decide(&plan, &set));
	plan.source.last_value = 13;
	assert_true(sequence_decide(&plan, &set));
	assert_int_equal(set.last_value, 45);
}

/* ---- by chance ---------------------------------------------------------- */

static int64_t
between(int64_t low, int64_t high)
{
	return low + rand() % (high - low + 1);
}

static SequenceRange
any_definition(void)
{
	SequenceRange one = {.cache = 1};

	one.min = between(-50, 50);
	one.max = one.min + between(1, 200);
	one.increment = between(1, one.max - one.min);
	if (one.increment > 7)
		one.increment = 1 + one.increment % 7;
	one.start = between(one.min, one.max);
	if (rand() % 2)
		one.increment = -one.increment;
	return one;
}

static SequenceValue
any_value(const SequenceRange *definition)
{
	return (SequenceValue){between(definition->min, definition->max),
						   rand() % 4 != 0};
}

/* In the direction of the sequence: where the next value is. */
static int64_t
next_of(const SequenceRange *definition, const SequenceValue *value,
		int64_t increment)
{
	int64_t next = value->last_value + (value->is_called ? increment : 0);

	return definition->increment > 0 ? next : -next;
}

static int64_t
end_of(const SequenceRange *definition)
{
	return definition->increment > 0 ? definition->max : -definition->min;
}

/* The values that the target draws are beyond those that the source has drawn,
 * and it is never set back, nor farther than it need be. */
static void
check_line(const SequencePlan *plan, const SequenceValue *set)
{
	const SequenceRange *definition = &plan->definition;
	int64_t source = next_of(definition, &plan->source, definition->increment);
	int64_t before = next_of(definition, &plan->target, plan->target_increment);
	int64_t after = next_of(definition, set, plan->target_increment);

	assert_true(set->last_value >= definition->min &&
				set->last_value <= definition->max);
	assert_true(after >= source || after > end_of(definition));
	assert_true(after >= before || after > end_of(definition));
	if (source <= end_of(definition) && before <= end_of(definition) &&
		plan->stride.count == 0)
		assert_true(after <= end_of(definition));
}

static void
targets_are_beyond_and_never_set_back(void **state UNUSED)
{
	for (int i = 0; i < 200000; i++)
	{
		SequencePlan plan = {.definition = any_definition(),
							 .margin = (uint64_t) between(0, 300)};
		SequenceValue set;

		plan.source = any_value(&plan.definition);
		plan.target = any_value(&plan.definition);
		plan.target_increment = plan.definition.increment;
		if (rand() % 2 &&
			sequence_stride_increment(&plan.definition,
									  &(SequenceStride){(int) between(2, 5), 0},
									  &plan.target_increment))
		{
			plan.stride.count = (int) (plan.target_increment /
									   plan.definition.increment);
			plan.stride.first = (int) between(0, plan.stride.count - 1);
		}
		if (!sequence_decide(&plan, &set))
			set = plan.target;
		check_line(&plan, &set);

		/* It is where it is to be. */
		plan.target = set;
		assert_false(sequence_decide(&plan, &set));
	}
}

/* No two nodes draw the same, whatever they were set by, and when. */
static void
nodes_with_a_stride_draw_disjoint_values(void **state UNUSED)
{
	for (int i = 0; i < 20000; i++)
	{
		const SequenceRange definition = any_definition();
		int owner[400];
		int count = (int) between(2, 5);

		memset(owner, 0, sizeof(owner));
		for (int node = 0; node < count; node++)
		{
			SequencePlan plan = {.definition = definition,
								 .source = any_value(&definition),
								 .target = any_value(&definition),
								 .stride = {count, node},
								 .margin = (uint64_t) between(0, 20)};
			SequenceValue set;

			if (!sequence_stride_increment(&definition, &plan.stride,
										   &plan.target_increment))
				continue;
			if (sequence_decide(&plan, &set))
				plan.target = set;
			while (draw(&definition, plan.target_increment, &plan.target))
			{
				int *slot = &owner[plan.target.last_value - definition.min];

				assert_true(*slot == 0 || *slot == node + 1);
				if (*slot == node + 1)
					break;
				*slot = node + 1;
			}
		}
	}
}

/* The target's next values are none of those that the source draws next or has
 * drawn last, as far as the margin goes. */
static void
cycling_targets_are_ahead(void **state UNUSED)
{
	for (int i = 0; i < 50000; i++)
	{
		SequencePlan plan = {.definition = any_definition(),
							 .margin = (uint64_t) between(0, 20)};
		const SequenceRange *definition = &plan.definition;
		SequenceValue source;
		SequenceValue target;

		plan.definition.cycles = true;
		plan.source = any_value(definition);
		plan.target = any_value(definition);
		plan.target_increment = definition->increment;
		source = plan.source;
		target = plan.target;
		if (sequence_decide(&plan, &target))
			assert_true(target.last_value >= definition->min &&
						target.last_value <= definition->max);
		plan.target = target;
		assert_false(sequence_decide(&plan, &target));

		/* It stands where the source comes to within a quarter around. */
		draw(definition, definition->increment, &target);
		for (int n = 0; n < 400; n++)
		{
			draw(definition, definition->increment, &source);
			if (llabs(source.last_value - target.last_value) <
				llabs(definition->increment))
				break;
			assert_true(n < 399);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_margin_counts_sessions_and_caches),
		cmocka_unit_test(what_was_given_out_is_counted_in_values),
		cmocka_unit_test(one_that_is_far_enough_is_left_alone),
		cmocka_unit_test(one_that_was_set_and_not_used_counts),
		cmocka_unit_test(some_values_are_always_left),
		cmocka_unit_test(the_ends_of_the_numbers_are_not_passed),
		cmocka_unit_test(one_that_cycles_follows_around),
		cmocka_unit_test(targets_are_beyond_and_never_set_back),
		cmocka_unit_test(nodes_with_a_stride_draw_disjoint_values),
		cmocka_unit_test(cycling_targets_are_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
