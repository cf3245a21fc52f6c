/*
 * health_test.c
 *    Whether a follower is ready.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "metrics/health.h"

#define SECOND INT64_C(1000000)

static MetricsNumbers
following(int64_t lag_limit_us)
{
	MetricsNumbers numbers = {.state = METRICS_FOLLOWING,
							  .lag_limit_us = lag_limit_us,
							  .target_count = 1};

	numbers.targets[0].is_up = true;
	return numbers;
}

static void
says(const MetricsNumbers *numbers, bool is_ready, const char *why)
{
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	assert_int_equal(health_is_ready(numbers, SECOND, &text), is_ready);
	assert_non_null(strstr(text.data, why));
	buf_release(&text);
}

static void
a_lag_has_to_be_known(void **state UNUSED)
{
	MetricsNumbers numbers = following(60 * SECOND);

	says(&numbers, false, "lag of target");
}

static void
a_log_has_no_lag(void **state UNUSED)
{
	MetricsNumbers numbers = following(0);

	says(&numbers, true, "ok: following");
	numbers.targets[0].is_up = false;
	says(&numbers, false, "cannot be reached");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lag_has_to_be_known),
		cmocka_unit_test(a_log_has_no_lag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
