/*
 * pairing_test.c
 *    Rows of both sides, and what comes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verify/pairing.h"

typedef struct List
{
	const PairedRow *rows;
	int count;
	int next;
	int fails_at; /* the number of a row; 0: none */
} List;

static Rc
next_of_list(void *context, const PairedRow **row, Error *err)
{
	List *list = context;

	if (list->fails_at != 0 && list->next == list->fails_at)
		return error_set(err, ERR_CONNECT, "lost");
	*row = list->next < list->count ? &list->rows[list->next++] : NULL;
	return RC_OK;
}

static PairedRow
row(int64_t hash, const char *key, const char *sum, int place)
{
	return (PairedRow){.hash = hash,
					   .key = key,
					   .json = key,
					   .first = sum,
					   .second = sum,
					   .place = place};
}

static Rc
pair(List source, List target, int number, Verdict *verdict, TableVerdict **of,
	 Error *err)
{
	const RowReader from = {.next = next_of_list, .context = &source};
	const RowReader to = {.next = next_of_list, .context = &target};

	*of = verdict_of(verdict, "t", "target");
	return pairing_run(&(Pairing){.source = &from,
								  .target = &to,
								  .number = number,
								  .verdict = verdict,
								  .table = *of},
					   err);
}

static void
counts_are(const TableVerdict *of, int missing, int extra, int different,
		   int misplaced)
{
	assert_int_equal(of->faults[ROW_MISSING], missing);
	assert_int_equal(of->faults[ROW_EXTRA], extra);
	assert_int_equal(of->faults[ROW_DIFFERENT], different);
	assert_int_equal(of->faults[ROW_MISPLACED], misplaced);
}

static void
each_kind_is_told_apart(void **state UNUSED)
{
	const PairedRow source[] = {
		row(-9, "a", "1", PLACE_ANY), row(2, "b", "1", PLACE_ANY),
		row(2, "c", "1", PLACE_ANY), row(7, "d", "1", PLACE_ANY)};
	const PairedRow target[] = {
		row(2, "a", "1", PLACE_ANY), row(2, "b", "1", PLACE_ANY),
		row(2, "c", "2", PLACE_ANY), row(8, "e", "1", PLACE_ANY)};
	Verdict *verdict = verdict_new();
	TableVerdict *of;
	Error err = {0};

	assert_int_equal(pair((List){source, 4, 0, 0}, (List){target, 4, 0, 0}, 0,
						  verdict, &of, &err),
					 RC_OK);
	counts_are(of, 2, 2, 1, 0);
	assert_string_equal(of->keys[ROW_MISSING][0], "a");
	assert_string_equal(of->keys[ROW_MISSING][1], "d");
	assert_string_equal(of->keys[ROW_EXTRA][0], "a");
	assert_string_equal(of->keys[ROW_EXTRA][1], "e");
	assert_string_equal(of->keys[ROW_DIFFERENT][0], "c");
	verdict_free(verdict);
}

/* Rows that are the same are counted. */
static void
equal_rows_are_paired_one_by_one(void **state UNUSED)
{
	const PairedRow same[] = {row(1, "a", "1", PLACE_ANY),
							  row(1, "a", "1", PLACE_ANY),
							  row(1, "a", "1", PLACE_ANY)};
	Verdict *verdict = verdict_new();
	TableVerdict *of;
	Error err = {0};

	assert_int_equal(pair((List){same, 3, 0, 0}, (List){same, 1, 0, 0}, 0,
						  verdict, &of, &err),
					 RC_OK);
	counts_are(of, 2, 0, 0, 0);
	assert_int_equal(pair((List){same, 1, 0, 0}, (List){same, 3, 0, 0}, 0,
						  verdict, &of, &err),
					 RC_OK);
	counts_are(of, 2, 2, 0, 0);
	verdict_free(verdict);
}

/* What belongs elsewhere is not missing here, and not in order where it is. */
static void
rows_of_other_targets(void **state UNUSED)
{
	const PairedRow source[] = {row(1, "a", "1", 0), row(2, "b", "1", 1),
								row(3, "c", "1", 1), row(4, "d", "1", 0)};
	const PairedRow target[] = {row(1, "a", "1", PLACE_ANY),
								row(3, "c", "1", PLACE_ANY)};
	Verdict *verdict = verdict_new();
	TableVerdict *of;
	Error err = {0};

	assert_int_equal(pair((List){source, 4, 0, 0}, (List){target, 2, 0, 0}, 0,
						  verdict, &of, &err),
					 RC_OK);
	counts_are(of, 1, 0, 0, 1);
	assert_string_equal(of->keys[ROW_MISSING][0], "d");
	assert_string_equal(of->keys[ROW_MISPLACED][0], "c");
	verdict_free(verdict);
}

static void
a_reader_that_fails_ends_it(void **state UNUSED)
{
	const PairedRow rows[] = {row(1, "a", "1", PLACE_ANY),
							  row(2, "b", "1", PLACE_ANY)};
	Verdict *verdict = verdict_new();
	TableVerdict *of;
	Error err = {0};

	assert_int_equal(pair((List){rows, 2, 0, 1}, (List){rows, 2, 0, 0}, 0,
						  verdict, &of, &err),
					 RC_FAIL);
	error_reset(&err);
	assert_int_equal(pair((List){rows, 2, 0, 0}, (List){rows, 2, 0, 1}, 0,
						  verdict, &of, &err),
					 RC_FAIL);
	error_reset(&err);
	verdict_free(verdict);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_told_apart),
		cmocka_unit_test(equal_rows_are_paired_one_by_one),
		cmocka_unit_test(rows_of_other_targets),
		cmocka_unit_test(a_reader_that_fails_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
