/*
 * arena_test.c
 *    Allocations from an arena: their alignment, and when their memory is
 *    reused or freed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void
pieces_are_aligned_and_apart(void **state UNUSED)
{
	Arena *arena = arena_new(128);
	unsigned char *pieces[200];

	for (size_t i = 0; i < LENGTH_OF(pieces); i++)
	{
		pieces[i] = arena_alloc(arena, i);
		assert_int_equal((uintptr_t) pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int) i, i);
	}
	for (size_t i = 0; i < LENGTH_OF(pieces); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i);
	arena_free(arena);
}

static void
a_piece_may_be_larger_than_a_block(void **state UNUSED)
{
	Arena *arena = arena_new(64);
	unsigned char *piece = arena_alloc(arena, 10000);

	memset(piece, 1, 10000);
	assert_true(arena_bytes(arena) >= 10064);
	arena_free(arena);
}

static void
a_reset_keeps_the_first_block_only(void **state UNUSED)
{
	Arena *arena = arena_new(256);
	size_t fresh = arena_bytes(arena);
	void *first = arena_alloc(arena, 100);

	for (int i = 0; i < 10; i++)
		(void) arena_alloc(arena, 200);
	assert_true(arena_bytes(arena) > fresh);
	arena_reset(arena);
	assert_int_equal(arena_bytes(arena), fresh);
	assert_ptr_equal(arena_alloc(arena, 100), first);
	arena_free(arena);
}

static void
zeroed_pieces_are_zero_also_after_a_reset(void **state UNUSED)
{
	Arena *arena = arena_new(256);
	unsigned char *piece = arena_alloc(arena, 100);

	memset(piece, 0xff, 100);
	arena_reset(arena);
	piece = arena_calloc(arena, 10, 10);
	for (int i = 0; i < 100; i++)
		assert_int_equal(piece[i], 0);
	assert_non_null(arena_calloc(arena, 0, 8));
	assert_non_null(arena_calloc(arena, 8, 0));
	arena_free(arena);
}

static void
strings_are_copied_with_their_end(void **state UNUSED)
{
	Arena *arena = arena_new(64);
	char original[] = "text";
	char *copy = arena_strdup(arena, original);

	original[0] = 'n';
	assert_string_equal(copy, "text");
	assert_null(arena_strdup(arena, NULL));
	assert_null(arena_dup(arena, NULL, 3));
	assert_memory_equal(arena_dup(arena, "a\0b", 3), "a\0b", 3);
	assert_string_equal(arena_printf(arena, "%d-%s", 12, "x"), "12-x");
	arena_free(arena);
}

static void
nothing_is_freed_without_complaint(void **state UNUSED)
{
	arena_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_apart),
		cmocka_unit_test(a_piece_may_be_larger_than_a_block),
		cmocka_unit_test(a_reset_keeps_the_first_block_only),
		cmocka_unit_test(zeroed_pieces_are_zero_also_after_a_reset),
		cmocka_unit_test(strings_are_copied_with_their_end),
		cmocka_unit_test(nothing_is_freed_without_complaint),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
