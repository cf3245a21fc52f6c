/*
 * publications_test.c
 *    Reading a list of publications as the plugin reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/publications.h"

static int
set_up(void **state)
{
	*state = arena_new(KB);
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void
assert_refused(const char *list, ErrorCode code, Arena *arena)
{
	Publications publications;
	Error err = {0};

	assert_int_equal(publications_parse(&publications, list, arena, &err),
					 RC_FAIL);
	assert_int_equal(err.code, code);
	error_reset(&err);
}

/* Parses a list and prints it as literals. */
static void
assert_becomes(const char *list, const char *expected, Arena *arena)
{
	Publications publications;
	Error err = {0};
	Buf sql;

	assert_int_equal(publications_parse(&publications, list, arena, &err),
					 RC_OK);
	buf_init(&sql, KB);
	publications_append_literals(&publications, &sql);
	assert_string_equal(sql.data, expected);
	buf_release(&sql);
}

static void
a_list_that_is_not_one_is_refused(void **state)
{
	assert_refused("", ERR_CONFIG, *state);
	assert_refused("  ", ERR_CONFIG, *state);
	assert_refused("a,", ERR_CONFIG, *state);
	assert_refused(",a", ERR_CONFIG, *state);
	assert_refused("a,,b", ERR_CONFIG, *state);
	assert_refused("a b", ERR_CONFIG, *state);
	assert_refused("\"a", ERR_CONFIG, *state);
	assert_refused("\"\"", ERR_CONFIG, *state);
	assert_refused("\"a\"b", ERR_CONFIG, *state);
	assert_refused("\"a\"\"", ERR_CONFIG, *state);
}

static void
too_many_publications_are_refused(void **state)
{
	Buf list;

	buf_init(&list, 64 * KB);
	for (int i = 0; i <= PUBLICATIONS_MAX; i++)
		buf_printf(&list, "%sp%d", i > 0 ? "," : "", i);
	assert_refused(list.data, ERR_LIMIT, *state);
	buf_release(&list);
}

static void
bare_names_are_folded_and_quoted_ones_are_not(void **state)
{
	assert_becomes("One", "'one'", *state);
	assert_becomes("\"One\"", "'One'", *state);
	assert_becomes(" one , \"T wo\" ,THREE ", "'one', 'T wo', 'three'", *state);
	assert_becomes("\"a,b\",c", "'a,b', 'c'", *state);
}

static void
quotes_in_names_are_kept(void **state)
{
	assert_becomes("\"a\"\"b\"", "'a\"b'", *state);
	assert_becomes("\"it's\"", "'it''s'", *state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_that_is_not_one_is_refused),
		cmocka_unit_test(too_many_publications_are_refused),
		cmocka_unit_test(bare_names_are_folded_and_quoted_ones_are_not),
		cmocka_unit_test(quotes_in_names_are_kept),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
