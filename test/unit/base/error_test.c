/*
 * error_test.c
 *    The parts of an Error, and which errors are transient.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

static void
an_error_is_complete_when_it_is_set(void **state UNUSED)
{
	Error err = {0};

	assert_int_equal(error_set(&err, ERR_IO, "could not open \"%s\"", "x"),
					 RC_FAIL);
	error_detail(&err, "first");
	error_detail(&err, "detail %d", 2);
	error_hint(&err, "hint");
	error_context(&err, "inner");
	error_context(&err, "outer %s", "one");
	error_sqlstate(&err, "40P01 and more");
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.message, "could not open \"x\"");
	assert_string_equal(err.detail, "detail 2");
	assert_string_equal(err.hint, "hint");
	assert_string_equal(err.context, "inner\nouter one");
	assert_string_equal(err.sqlstate, "40P01");
	error_reset(&err);
	assert_int_equal(err.code, ERR_NONE);
	assert_null(err.message);
	assert_null(err.context);
}

static void
setting_an_error_forgets_the_older_one(void **state UNUSED)
{
	Error err = {0};

	assert_int_equal(error_set(&err, ERR_SQL, "older"), RC_FAIL);
	error_sqlstate(&err, "40001");
	error_hint(&err, "hint");
	/* The new message may be made of the old one. */
	assert_int_equal(error_set(&err, ERR_CONFIG, "not %s", err.message),
					 RC_FAIL);
	assert_string_equal(err.message, "not older");
	assert_null(err.hint);
	assert_string_equal(err.sqlstate, "");
	error_sqlstate(&err, NULL);
	assert_string_equal(err.sqlstate, "");
	error_reset(&err);
}

static void
taking_an_error_leaves_none_behind(void **state UNUSED)
{
	Error from = {0};
	Error to = {0};

	assert_int_equal(error_set(&to, ERR_IO, "older"), RC_FAIL);
	assert_int_equal(error_set(&from, ERR_LIMIT, "newer"), RC_FAIL);
	error_take(&to, &from);
	assert_string_equal(to.message, "newer");
	assert_int_equal(from.code, ERR_NONE);
	assert_null(from.message);
	error_reset(&to);
}

static bool
is_transient(ErrorCode code, const char *sqlstate)
{
	Error err = {0};
	bool transient;

	assert_int_equal(error_set(&err, code, "x"), RC_FAIL);
	error_sqlstate(&err, sqlstate);
	transient = error_is_transient(&err);
	error_reset(&err);
	return transient;
}

static void
what_can_heal_is_tried_again(void **state UNUSED)
{
	static const char *const healing[] = {"08006", "40001", "40P01", "53100",
										  "53200", "53300", "55006", "55P03",
										  "57014", "57P01", "57P03", "58030"};

	for (size_t i = 0; i < LENGTH_OF(healing); i++)
	{
		assert_true(is_transient(ERR_SQL, healing[i]));
		assert_true(is_transient(ERR_CONNECT, healing[i]));
	}
	assert_true(is_transient(ERR_CONNECT, ""));
	assert_true(is_transient(ERR_CONNECT, "XX000"));
	assert_true(is_transient(ERR_CONNECT, "25P03"));
	assert_false(is_transient(ERR_SQL, "XX000"));
	assert_true(is_transient(ERR_CHANGED, ""));
}

static void
what_cannot_heal_is_not(void **state UNUSED)
{
	static const char *const lasting[] = {"",      "23505", "28P01", "42P01",
										  "42704", "53400", "55000", "57000"};
	static const ErrorCode codes[] = {ERR_CONFIG,   ERR_PROTOCOL,
									  ERR_CONFLICT, ERR_LIMIT,
									  ERR_IO,       ERR_INTERRUPTED};
	const Error none = {0};

	for (size_t i = 0; i < LENGTH_OF(lasting); i++)
		assert_false(is_transient(ERR_SQL, lasting[i]));
	assert_false(is_transient(ERR_CONNECT, "28P01"));
	for (size_t i = 0; i < LENGTH_OF(codes); i++)
		assert_false(is_transient(codes[i], "40001"));
	assert_false(error_is_transient(&none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_complete_when_it_is_set),
		cmocka_unit_test(setting_an_error_forgets_the_older_one),
		cmocka_unit_test(taking_an_error_leaves_none_behind),
		cmocka_unit_test(what_can_heal_is_tried_again),
		cmocka_unit_test(what_cannot_heal_is_not),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
