/*
 * durable_test.c
 *    Which source positions are durable after a flush of the target.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "sink/durable.h"

static void
only_what_was_flushed_is_taken(void **state UNUSED)
{
	DurableQueue queue = {0};

	assert_true(durable_is_empty(&queue));
	assert_int_equal(durable_take(&queue, UINT64_MAX), 0);
	durable_push(&queue, 10, 100);
	durable_push(&queue, 20, 200);
	durable_push(&queue, 30, 300);
	assert_int_equal(durable_take(&queue, 99), 0);
	assert_int_equal(durable_take(&queue, 100), 10);
	assert_int_equal(durable_take(&queue, 100), 0);
	assert_int_equal(durable_take(&queue, 299), 20);
	assert_false(durable_is_empty(&queue));
	assert_int_equal(durable_take(&queue, 1000), 30);
	assert_true(durable_is_empty(&queue));
}

/* Being late is allowed, being early is not. */
static void
a_full_queue_shows_durability_later_never_earlier(void **state UNUSED)
{
	DurableQueue queue = {0};
	const Lsn last = DURABLE_PAIRS_MAX + 5;

	for (Lsn i = 1; i <= last; i++)
		durable_push(&queue, i, 1000 + i);
	assert_int_equal(queue.count, DURABLE_PAIRS_MAX);
	for (Lsn i = 1; i < last; i++)
		assert_true(durable_take(&queue, 1000 + i) <= i);
	assert_int_equal(durable_take(&queue, 1000 + last), last);
	assert_true(durable_is_empty(&queue));
}

/* Two connections were asked, and the answers were read in another order. */
static void
an_earlier_target_position_counts_as_the_last_one(void **state UNUSED)
{
	DurableQueue queue = {0};

	durable_push(&queue, 10, 200);
	durable_push(&queue, 20, 100);
	assert_int_equal(durable_take(&queue, 199), 0);
	assert_int_equal(durable_take(&queue, 200), 20);
}

static void
the_ring_goes_round(void **state UNUSED)
{
	DurableQueue queue = {0};

	for (Lsn i = 1; i <= 3 * DURABLE_PAIRS_MAX; i++)
	{
		durable_push(&queue, i, 2 * i);
		if (i > 1)
			assert_int_equal(durable_take(&queue, 2 * i - 1), i - 1);
	}
	assert_int_equal(queue.count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_was_flushed_is_taken),
		cmocka_unit_test(a_full_queue_shows_durability_later_never_earlier),
		cmocka_unit_test(an_earlier_target_position_counts_as_the_last_one),
		cmocka_unit_test(the_ring_goes_round),
	};

	return cmocka_run_group_tests_name("durable", tests, NULL, NULL);
}
