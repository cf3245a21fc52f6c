/*
 * finding_test.c
 *    Counting findings and printing them for people and for machines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/finding.h"

static const Finding ok = {
	.level = FINDING_OK,
	.code = "wal_level",
	.server = "source",
	.message = "wal_level is logical",
};

static const Finding broken = {
	.level = FINDING_ERROR,
	.code = "slot",
	.server = "target \"b\"",
	.object = "slot x",
	.message = "it is gone",
	.fix = "first line;\nsecond \"line\"",
};

static void
assert_printed(const Findings *findings, bool only_wrong, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	findings_print(findings, &(FindingsShown){.only_wrong = only_wrong}, out);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void
what_does_not_fit_is_counted_all_the_same(void **state UNUSED)
{
	Findings *findings = findings_new();

	for (int i = 0; i < FINDINGS_MAX; i++)
		findings_add(findings, &ok);
	findings_add(findings, &broken);
	assert_int_equal(findings_count(findings, FINDING_OK), FINDINGS_MAX);
	assert_int_equal(findings_count(findings, FINDING_ERROR), 1);
	/* An error is shown all the same. */
	assert_true(findings_have_error(findings, broken.code));
	assert_printed(findings, true,
				   "target \"b\"\n"
				   "  error    it is gone\n"
				   "           fix: first line;\n"
				   "           fix: second \"line\"\n"
				   "\n"
				   "1 more findings are not shown\n"
				   "1 error, 0 warnings: fix the errors before a pipeline can "
				   "run\n");
	findings_free(findings);
}

static void
servers_are_headings_and_fixes_are_lines(void **state UNUSED)
{
	Findings *findings = findings_new();

	findings_add(findings, &ok);
	findings_add(findings, &broken);
	assert_printed(findings, false,
				   "source\n"
				   "  ok       wal_level is logical\n"
				   "\n"
				   "target \"b\"\n"
				   "  error    it is gone\n"
				   "           fix: first line;\n"
				   "           fix: second \"line\"\n"
				   "\n"
				   "1 error, 0 warnings: fix the errors before a pipeline can "
				   "run\n");
	findings_free(findings);
}

static void
without_errors_a_pipeline_can_run(void **state UNUSED)
{
	Findings *findings = findings_new();

	findings_add(findings, &ok);
	assert_printed(findings, true,
				   "0 errors, 0 warnings: a pipeline can run\n");
	assert_false(findings_have_error(findings, "wal_level"));
	findings_free(findings);
}

static void
long_messages_are_broken_between_words(void **state UNUSED)
{
	Findings *findings = findings_new();
	Finding finding = ok;

	finding.message =
		"one two three four five six seven eight nine ten eleven twelve "
		"thirteen fourteen fifteen sixteen seventeen";
	findings_add(findings, &finding);
	assert_printed(
		findings, false,
		"source\n"
		"  ok       one two three four five six seven eight nine ten "
		"eleven twelve thirteen fourteen\n"
		"           fifteen sixteen seventeen\n"
		"\n"
		"0 errors, 0 warnings: a pipeline can run\n");
	findings_free(findings);
}

static void
an_error_becomes_a_finding_with_detail_and_hint(void **state UNUSED)
{
	Findings *findings = findings_new();
	Error err = {0};
	Rc rc = error_set(&err, ERR_CONFIG, "no slot");

	assert_int_equal(rc, RC_FAIL);
	error_detail(&err, "Somebody took it.");
	error_hint(&err, "Give it back.");
	findings_add_error(
		findings,
		&(Finding){.level = FINDING_ERROR, .code = "slot", .server = "source"},
		&err);
	assert_int_equal(err.code, ERR_NONE);
	assert_true(findings_have_error(findings, "slot"));
	assert_printed(findings, false,
				   "source\n"
				   "  error    no slot: Somebody took it.\n"
				   "           fix: -- Give it back.\n"
				   "\n"
				   "1 error, 0 warnings: fix the errors before a pipeline can "
				   "run\n");
	findings_free(findings);
}

static void
of_many_that_are_alike_a_few_are_printed(void **state UNUSED)
{
	Findings *findings = findings_new();

	for (int i = 0; i < FINDINGS_OF_A_KIND_SHOWN + 2; i++)
		findings_add(findings, &(Finding){
								   .level = FINDING_WARNING,
								   .code = "replica_identity",
								   .server = "source",
								   .message = "no identity",
							   });
	findings_add(findings, &ok);
	assert_printed(findings, true,
				   "source\n"
				   "  warning  no identity\n"
				   "  warning  no identity\n"
				   "  warning  no identity\n"
				   "           and 2 more of this kind: --verbose lists them, "
				   "with what fixes them\n"
				   "\n"
				   "0 errors, 5 warnings: a pipeline can run\n");
	findings_free(findings);
}

static void
json_has_every_member_of_every_finding(void **state UNUSED)
{
	Findings *findings = findings_new();
	Buf buf;

	findings_add(findings, &ok);
	findings_add(findings, &broken);
	buf_init(&buf, KB);
	findings_append_json(findings, &buf);
	assert_string_equal(
		buf.data,
		"[{\"level\":\"ok\",\"code\":\"wal_level\",\"server\":\"source\","
		"\"object\":null,\"message\":\"wal_level is logical\",\"fix\":[]},"
		"{\"level\":\"error\",\"code\":\"slot\",\"server\":\"target "
		"\\\"b\\\"\","
		"\"object\":\"slot x\",\"message\":\"it is gone\","
		"\"fix\":[\"first line;\",\"second \\\"line\\\"\"]}]");
	buf_release(&buf);
	findings_free(findings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_is_counted_all_the_same),
		cmocka_unit_test(servers_are_headings_and_fixes_are_lines),
		cmocka_unit_test(without_errors_a_pipeline_can_run),
		cmocka_unit_test(long_messages_are_broken_between_words),
		cmocka_unit_test(an_error_becomes_a_finding_with_detail_and_hint),
		cmocka_unit_test(of_many_that_are_alike_a_few_are_printed),
		cmocka_unit_test(json_has_every_member_of_every_finding),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
