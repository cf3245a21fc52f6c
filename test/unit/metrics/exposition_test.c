/*
 * exposition_test.c
 *    The two text formats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "metrics/exposition.h"

/* Writes a counter, a gauge and a family without samples. */
static void
write_some(Buf *buf, bool openmetrics)
{
	Exposition out = {
		.buf = buf, .openmetrics = openmetrics, .pipeline = "shop"};
	const ExpositionLabel labels[] = {{NULL, NULL}, {"t", "a \"b\"\\\n"}};

	buf_init(buf, BUF_TEXT_MAX);
	exposition_family(&out, "p_rows", EXPOSITION_COUNTER, "Rows.");
	exposition_whole(&out, 7, labels, 2);
	exposition_whole(&out, 8, NULL, 0);
	exposition_family(&out, "p_nothing", EXPOSITION_GAUGE, "Nothing.");
	exposition_family(&out, "p_lag_seconds", EXPOSITION_GAUGE, "Lag.");
	exposition_sample(&out, 0.5, NULL, 0);
	exposition_end(&out);
}

static void
the_old_format_names_counters_in_full(void **state UNUSED)
{
	Buf buf;

	write_some(&buf, false);
	assert_string_equal(buf.data, "# HELP p_rows_total Rows.\n"
								  "# TYPE p_rows_total counter\n"
								  "p_rows_total{pipeline=\"shop\",t=\"a "
								  "\\\"b\\\"\\\\\\n\"} 7\n"
								  "p_rows_total{pipeline=\"shop\"} 8\n"
								  "# HELP p_lag_seconds Lag.\n"
								  "# TYPE p_lag_seconds gauge\n"
								  "p_lag_seconds{pipeline=\"shop\"} 0.500\n");
	buf_release(&buf);
}

static void
openmetrics_has_units_and_an_end(void **state UNUSED)
{
	Buf buf;

	write_some(&buf, true);
	assert_string_equal(buf.data, "# HELP p_rows Rows.\n"
								  "# TYPE p_rows counter\n"
								  "p_rows_total{pipeline=\"shop\",t=\"a "
								  "\\\"b\\\"\\\\\\n\"} 7\n"
								  "p_rows_total{pipeline=\"shop\"} 8\n"
								  "# HELP p_lag_seconds Lag.\n"
								  "# TYPE p_lag_seconds gauge\n"
								  "# UNIT p_lag_seconds seconds\n"
								  "p_lag_seconds{pipeline=\"shop\"} 0.500\n"
								  "# EOF\n");
	buf_release(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_old_format_names_counters_in_full),
		cmocka_unit_test(openmetrics_has_units_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
