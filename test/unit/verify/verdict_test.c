/*
 * verdict_test.c
 *    What is said of a comparison.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "verify/verdict.h"

static void
add_line(void *context, const char *text)
{
	buf_append_string(context, text);
	buf_append_char(context, '\n');
}

static void
report_is(const Verdict *verdict, bool all, const char *expected)
{
	Buf text;
	const Report report = {.line = add_line, .context = &text};

	buf_init(&text, BUF_TEXT_MAX);
	verdict_report(verdict, all, &report);
	assert_string_equal(text.data, expected);
	buf_release(&text);
}

static void
a_table_is_known_by_name_and_target(void **state UNUSED)
{
	Verdict *verdict = verdict_new();
	const TableVerdict *first = verdict_of(verdict, "t", "target \"a\"");

	assert_ptr_equal(verdict_of(verdict, "t", "target \"a\""), first);
	assert_ptr_not_equal(verdict_of(verdict, "t", "target \"b\""), first);
	assert_ptr_not_equal(verdict_of(verdict, "u", "target \"a\""), first);
	assert_int_equal(verdict->table_count, 3);
	verdict_free(verdict);
}

static void
for_people(void **state UNUSED)
{
	Verdict *verdict = verdict_new();
	TableVerdict *of = verdict_of(verdict, "t", "target");

	of->outcome = TABLE_DIFFERENT;
	verdict_add_row(verdict, of, ROW_MISSING, "{\"id\" : 1}");
	verdict_add_row(verdict, of, ROW_DIFFERENT, "{\"id\" : 2}");
	of = verdict_of(verdict, "u", "target");
	of->outcome = TABLE_EQUAL;
	of->rows = 1;
	verdict_refuse(verdict, verdict_of(verdict, "v", "target"), "it is odd");
	verdict_of(verdict, "w", "target")->outcome = TABLE_GONE;
	report_is(verdict, true,
			  "table t on target: different\n"
			  "    1 missing\n"
			  "        {\"id\" : 1}\n"
			  "    1 different\n"
			  "        {\"id\" : 2}\n"
			  "table u on target: equal, 1 row\n"
			  "table v on target: not compared: it is odd\n"
			  "1 table equal, 1 different, 1 not compared\n");
	verdict_free(verdict);
}

/* Counts are complete where keys are not. */
static void
keys_are_capped_and_counts_are_not(void **state UNUSED)
{
	Verdict *verdict = verdict_new();
	TableVerdict *of = verdict_of(verdict, "t", "target");
	Buf text;
	const Report report = {.line = add_line, .context = &text};

	of->outcome = TABLE_DIFFERENT;
	for (int i = 0; i < VERDICT_KEYS_MAX + 7; i++)
		verdict_add_row(verdict, of, ROW_EXTRA, "1");
	assert_int_equal(of->faults[ROW_EXTRA], VERDICT_KEYS_MAX + 7);
	assert_int_equal(of->key_count[ROW_EXTRA], VERDICT_KEYS_MAX);
	buf_init(&text, BUF_TEXT_MAX);
	verdict_report(verdict, false, &report);
	assert_non_null(strstr(text.data, "        and 7 more\n"));
	buf_release(&text);
	verdict_free(verdict);
}

static void
what_was_not_compared_is_not_equal(void **state UNUSED)
{
	Verdict *verdict = verdict_new();
	TableVerdict *of = verdict_of(verdict, "t", "target");

	assert_false(verdict_is_complete(verdict));
	of->outcome = TABLE_EQUAL;
	assert_true(verdict_is_complete(verdict));
	assert_false(verdict_is_different(verdict));
	verdict_add_note(verdict, "ALTER TABLE t ADD COLUMN a int;");
	assert_true(verdict_is_different(verdict));
	assert_true(verdict_is_complete(verdict));
	verdict_doubt(verdict, "the rest");
	assert_false(verdict_is_complete(verdict));
	verdict_doubt(verdict, "and more");
	report_is(verdict, false,
			  "ALTER TABLE t ADD COLUMN a int;\n"
			  "not compared: the rest; and more\n"
			  "1 table equal, 0 different, 0 not compared; schema or sequences "
			  "differ as above\n");
	verdict_free(verdict);
}

static void
what_is_repaired_does_not_differ(void **state UNUSED)
{
	Verdict *verdict = verdict_new();
	TableVerdict *of = verdict_of(verdict, "t", "target");

	verdict->keys_max = VERDICT_KEYS_MAX + 50;
	of->outcome = TABLE_REPAIRED;
	of->repairs = true;
	of->repaired[REPAIR_UPDATE] = VERDICT_KEYS_MAX + 1;
	of->repaired[REPAIR_NOTHING] = 99;
	for (int i = 0; i < 2 * VERDICT_KEYS_MAX; i++)
		verdict_add_row(verdict, of, ROW_DIFFERENT, "1");
	assert_int_equal(of->key_count[ROW_DIFFERENT], VERDICT_KEYS_MAX + 50);
	assert_false(verdict_is_different(verdict));
	assert_true(verdict_is_complete(verdict));
	verdict_forget_rows(of);
	report_is(verdict, false,
			  "table t on target: was different\n"
			  "    repaired: 0 inserted, 101 updated, 0 deleted, 99 as they "
			  "should be by then\n"
			  "1 table repaired\n"
			  "0 tables equal, 0 different, 0 not compared\n");
	verdict_free(verdict);
}

static void
what_is_left_out_does_not_count(void **state UNUSED)
{
	Verdict *verdict = verdict_new();

	verdict_of(verdict, "t", "target")->outcome = TABLE_EQUAL;
	verdict_leave_out(verdict, verdict_of(verdict, "u", "target"), "removed");
	assert_true(verdict_is_complete(verdict));
	assert_false(verdict_is_different(verdict));
	report_is(verdict, true,
			  "table t on target: equal, 0 rows\n"
			  "table u on target: left out: removed\n"
			  "1 table equal, 0 different, 0 not compared\n");
	verdict->failure = "it has ended";
	assert_false(verdict_is_complete(verdict));
	verdict_free(verdict);
}

static void
for_machines(void **state UNUSED)
{
	Verdict *verdict = verdict_new();
	TableVerdict *of = verdict_of(verdict, "t", "target");
	Buf text;

	of->outcome = TABLE_DIFFERENT;
	of->lsn = 0x100000002;
	of->rows = 4;
	verdict_add_row(verdict, of, ROW_MISPLACED, "{\"id\" : 1}");
	buf_init(&text, BUF_TEXT_MAX);
	verdict_append_json(verdict, &text);
	assert_string_equal(
		text.data,
		"{\"different\":true,\"complete\":true,\"tables\":[{\"table\":\"t\","
		"\"target\":\"target\",\"outcome\":\"different\",\"reason\":null,"
		"\"lsn\":\"1/2\",\"rows\":4,\"missing\":{\"rows\":0,\"keys\":[]},"
		"\"extra\":{\"rows\":0,\"keys\":[]},"
		"\"different\":{\"rows\":0,\"keys\":[]},"
		"\"misplaced\":{\"rows\":1,\"keys\":[{\"id\" : 1}]}}],"
		"\"schema_and_sequences\":[],\"left_out\":0,"
		"\"not_compared\":null,\"failure\":null}");
	buf_release(&text);
	verdict_free(verdict);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_known_by_name_and_target),
		cmocka_unit_test(for_people),
		cmocka_unit_test(keys_are_capped_and_counts_are_not),
		cmocka_unit_test(what_was_not_compared_is_not_equal),
		cmocka_unit_test(what_is_repaired_does_not_differ),
		cmocka_unit_test(what_is_left_out_does_not_count),
		cmocka_unit_test(for_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
