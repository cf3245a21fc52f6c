/*
 * hash_index_test.c
 *    An index finds entries by their hashes, also if many have the same hash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash_index.h"
#include "base/macros.h"

#define NUMBERS 5000

/* Of `number`: each hash is that of five numbers, and many go to a slot. */
static uint64_t
hash_of(size_t number)
{
	return (uint64_t) (number / 5) * 64;
}

/* How often a number comes by this hash. */
static int
count_found(const HashIndex *index, uint64_t hash, size_t wanted)
{
	HashSearch search = hash_search_begin(index, hash);
	size_t number;
	int count = 0;

	while (hash_search_next(&search, &number))
		count += number == wanted ? 1 : 0;
	return count;
}

static void
an_empty_one_has_nothing(void **state UNUSED)
{
	HashIndex index = {0};

	assert_int_equal(count_found(&index, 0, 0), 0);
	hash_index_reset(&index);
	hash_index_release(&index);
}

static void
each_number_is_found_once(void **state UNUSED)
{
	HashIndex index = {0};

	for (size_t i = 0; i < NUMBERS; i++)
	{
		assert_int_equal(count_found(&index, hash_of(i), i), 0);
		hash_index_add(&index, hash_of(i), i);
	}
	for (size_t i = 0; i < NUMBERS; i++)
	{
		assert_int_equal(count_found(&index, hash_of(i), i), 1);
		assert_int_equal(count_found(&index, hash_of(i) + 1, i), 0);
	}
	hash_index_release(&index);
}

static void
a_search_hands_out_no_other_hashes(void **state UNUSED)
{
	HashIndex index = {0};
	HashSearch search;
	size_t number;
	int count = 0;

	for (size_t i = 0; i < NUMBERS; i++)
		hash_index_add(&index, hash_of(i), i);
	search = hash_search_begin(&index, hash_of(77));
	while (hash_search_next(&search, &number))
	{
		assert_int_equal(number / 5, 77 / 5);
		count++;
	}
	assert_int_equal(count, 5);
	hash_index_release(&index);
}

/* The upper half counts as well as the lower one. */
static void
hashes_are_told_apart_by_their_upper_half(void **state UNUSED)
{
	HashIndex index = {0};

	hash_index_add(&index, UINT64_C(1) << 32, 1);
	hash_index_add(&index, UINT64_C(2) << 32, 2);
	assert_int_equal(count_found(&index, UINT64_C(1) << 32, 1), 1);
	assert_int_equal(count_found(&index, UINT64_C(1) << 32, 2), 0);
	hash_index_release(&index);
}

static void
an_emptied_one_is_used_again(void **state UNUSED)
{
	HashIndex index = {0};

	for (size_t i = 0; i < NUMBERS; i++)
		hash_index_add(&index, hash_of(i), i);
	hash_index_reset(&index);
	assert_int_equal(count_found(&index, hash_of(3), 3), 0);
	hash_index_add(&index, hash_of(3), 3);
	assert_int_equal(count_found(&index, hash_of(3), 3), 1);
	hash_index_release(&index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_has_nothing),
		cmocka_unit_test(each_number_is_found_once),
		cmocka_unit_test(a_search_hands_out_no_other_hashes),
		cmocka_unit_test(hashes_are_told_apart_by_their_upper_half),
		cmocka_unit_test(an_emptied_one_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
