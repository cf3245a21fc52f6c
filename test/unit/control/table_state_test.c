/*
 * table_state_test.c
 *    Which changes of the stream are applied, according to the states of
 *    tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/copy/table_state.h"
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

static Definition
table(uint32_t oid, const char *name)
{
	return (Definition){
		.kind = DEFINITION_TABLE, .oid = oid, .schema = "shop", .name = name};
}

static bool
is_ours(const TableStates *states, const Definition *definition)
{
	return table_states_left_out_until_of(states, definition) == 0;
}

/* The states are ahead: they have followed a rename that somebody is still to
 * make. */
static void
a_table_is_known_by_its_oid(void **state UNUSED)
{
	TableStates *states = table_states_only(names, 1);
	DefinitionSet *known = definition_set_new();
	const Definition before = table(7, "orders");
	const Definition after = table(7, "later");
	const Definition other = table(8, "later");
	const Definition successor = table(9, "later");
	SchemaChange change = {.kind = SCHEMA_DEFINED,
						   .oid = 7,
						   .catalog = DEFINITION_IN_CLASS,
						   .definition = &after};

	definition_set_put(known, &before);
	table_states_learn(states, known);
	table_states_follow(states, &change);
	assert_true(is_ours(states, &before));
	assert_true(is_ours(states, &after));
	assert_false(is_ours(states, &other));

	/* What gets the name of one that is gone gets its state. */
	change.kind = SCHEMA_GONE;
	table_states_follow(states, &change);
	assert_true(is_ours(states, &successor));
	assert_true(is_ours(states, &after));
	definition_set_free(known);
	table_states_free(states);
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
		cmocka_unit_test(a_table_is_known_by_its_oid),
		cmocka_unit_test(every_state_has_a_name),
	};

	return cmocka_run_group_tests_name("table_state", tests, NULL, NULL);
}
