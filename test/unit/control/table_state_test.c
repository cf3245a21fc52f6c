/*
 * table_state_test.c
 *    What of the stream is for a sink that has some tables only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/table_state.h"
#include "support/frames.h"

#define END_LSN 1000

static const TableName names[] = {{"shop", "orders"}, {"app", "orders"}};

static Relation orders = {.schema = "shop", .name = "orders"};
static Relation other_schema = {.schema = "shop2", .name = "orders"};
static Relation other_name = {.schema = "app", .name = "order"};

/* What a sink with `names` selects of a change; never held. */
static const Change *
selected(Frame *frame, const Change *change)
{
	TableStates *states = table_states_only(names, LENGTH_OF(names));
	bool hold = true;
	const Change *result = table_states_select(states, frame, change, END_LSN,
											   &hold);

	assert_false(hold);
	table_states_free(states);
	return result;
}

static void
changes_of_other_tables_are_left_out(void **state UNUSED)
{
	static const ChangeKind kinds[] = {CHANGE_INSERT, CHANGE_UPDATE,
									   CHANGE_DELETE};
	Frame *frame = frames_new(0);

	for (size_t i = 0; i < LENGTH_OF(kinds); i++)
	{
		Change ours = {.kind = kinds[i], .relation = &orders};
		Change theirs = {.kind = kinds[i], .relation = &other_schema};
		Change nobodys = {.kind = kinds[i], .relation = &other_name};

		assert_ptr_equal(selected(frame, &ours), &ours);
		assert_null(selected(frame, &theirs));
		assert_null(selected(frame, &nobodys));
	}
	frame_unref(frame);
}

static void
of_a_truncate_our_tables_are_left(void **state UNUSED)
{
	Frame *frame = frames_new(0);
	Relation *all[] = {&other_name, &orders, &other_schema};
	TruncateInfo truncate = {
		.relation_count = LENGTH_OF(all), .relations = all, .cascade = true};
	Change change = {.kind = CHANGE_TRUNCATE, .truncate = &truncate};
	const Change *left = selected(frame, &change);

	assert_non_null(left);
	assert_int_equal(left->truncate->relation_count, 1);
	assert_ptr_equal(left->truncate->relations[0], &orders);
	assert_true(left->truncate->cascade);
	assert_int_equal(truncate.relation_count, LENGTH_OF(all));

	all[1] = &other_name;
	assert_null(selected(frame, &change));
	frame_unref(frame);
}

static void
every_state_has_a_name(void **state UNUSED)
{
	for (TableStateKind kind = TABLE_READY; kind <= TABLE_REMOVED; kind++)
		assert_true(table_state_name(kind)[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_of_other_tables_are_left_out),
		cmocka_unit_test(of_a_truncate_our_tables_are_left),
		cmocka_unit_test(every_state_has_a_name),
	};

	return cmocka_run_group_tests_name("table_state", tests, NULL, NULL);
}
