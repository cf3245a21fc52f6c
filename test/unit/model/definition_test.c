/*
 * definition_test.c
 *    Definitions are compared and copied with all their fields, and sets keep
 *    them in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/definitions.h"

#define ARENA_BYTES ((size_t) 1024)

static Arena *arena;

static int
set_up(void **state UNUSED)
{
	arena = arena_new(ARENA_BYTES);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

/* ---- Tests of one definition ---- */

/* Every field for itself makes two definitions differ; those of members, too.
 */
static void
expect_each_field_counts(DefinitionKind kind, const DefinitionField *member,
						 const DefinitionShape *shape)
{
	Definition usual = {.kind = kind};

	definition_set_usual(shape, &usual);
	for (int i = 0; i < shape->field_count; i++)
	{
		Definition *changed = definition_filled(kind, arena);
		void *record = changed;
		int count;

		if (kind == DEFINITION_NAMESPACE &&
			shape->fields[i].offset == offsetof(Definition, schema))
			continue; /* it is in none */
		if (member != NULL)
			record = definition_members(member, changed, &count);
		definition_set_usual(
			&(DefinitionShape){.field_count = 1, .fields = &shape->fields[i]},
			record);
		if (definition_equal(changed, definition_filled(kind, arena)))
			fail_msg("\"%s\" of a %s does not count", shape->fields[i].name,
					 definition_kind_name(kind));
		if (member == NULL && shape->fields[i].type == FIELD_MEMBERS)
			expect_each_field_counts(kind, &shape->fields[i],
									 shape->fields[i].member);
	}
}

static void
every_field_makes_a_difference(void **state UNUSED)
{
	for (size_t i = 0; i < LENGTH_OF(definition_kinds); i++)
	{
		assert_true(
			definition_equal(definition_filled(definition_kinds[i], arena),
							 definition_filled(definition_kinds[i], arena)));
		expect_each_field_counts(definition_kinds[i], NULL,
								 definition_shape(definition_kinds[i]));
	}
}

static void
definitions_of_different_kinds_differ(void **state UNUSED)
{
	Definition namespace = {.kind = DEFINITION_NAMESPACE};
	Definition type = {.kind = DEFINITION_ENUM};

	definition_set_usual(definition_shape(DEFINITION_NAMESPACE), &namespace);
	definition_set_usual(definition_shape(DEFINITION_ENUM), &type);
	assert_false(definition_equal(&namespace, &type));
}

static void
a_copy_owns_all_that_it_points_to(void **state UNUSED)
{
	for (size_t i = 0; i < LENGTH_OF(definition_kinds); i++)
	{
		Arena *others = arena_new(ARENA_BYTES);
		Definition *copy = definition_copy(
			definition_filled(definition_kinds[i], arena), others);

		/* Whatever still pointed there would be something else. */
		arena_reset(arena);
		memset(arena_alloc(arena, ARENA_BYTES), 'x', ARENA_BYTES);
		assert_true(definition_equal(
			copy, definition_filled(definition_kinds[i], arena)));
		arena_free(others);
	}
}

static void
what_nobody_sets_is_usual(void **state UNUSED)
{
	Definition *table = definition_filled(DEFINITION_TABLE, arena);
	ColumnDefinition *column = &table->table.columns[0];

	definition_set_usual(definition_member_shape(table, "columns"), column);
	assert_int_equal(column->attnum, 0);
	assert_string_equal(column->name, "");
	assert_int_equal(column->typmod, -1);
	assert_int_equal(column->statistics, -1);
	assert_int_equal(column->generated, GENERATED_NOT);
	assert_int_equal(column->options.count, 0);
	assert_null(column->missing_value);
	definition_set_usual(definition_shape(DEFINITION_TABLE), table);
	assert_string_equal(table->table.bound, "");
	assert_int_equal(table->table.column_count, 0);
	assert_int_equal(table->table.index_count, 0);
}

static void
an_empty_missing_value_is_not_none(void **state UNUSED)
{
	Definition *empty = definition_filled(DEFINITION_TABLE, arena);
	Definition *none = definition_filled(DEFINITION_TABLE, arena);

	empty->table.columns[0].missing_value = "";
	none->table.columns[0].missing_value = NULL;
	assert_false(definition_equal(empty, none));
	assert_null(definition_copy(none, arena)->table.columns[0].missing_value);
}

static void
a_column_is_found_by_its_attnum(void **state UNUSED)
{
	ColumnDefinition columns[] = {
		{.attnum = 1, .name = "a"},
		{.attnum = 4, .name = "d"},
		{.attnum = 1600, .name = "z"},
	};
	TableDefinition table = {
		.column_count = LENGTH_OF(columns),
		.columns = columns,
	};

	assert_string_equal(definition_column(&table, 1)->name, "a");
	assert_string_equal(definition_column(&table, 4)->name, "d");
	assert_string_equal(definition_column(&table, 1600)->name, "z");
	assert_null(definition_column(&table, 2));
	assert_null(definition_column(&(TableDefinition){0}, 1));
}

/* ---- Tests of sets ---- */

static void
put_named(DefinitionSet *set, DefinitionKind kind, uint32_t oid,
		  const char *name)
{
	Definition definition = {.kind = kind};

	definition_set_usual(definition_shape(kind), &definition);
	definition.oid = oid;
	definition.name = name;
	definition_set_put(set, &definition);
}

/* Names of the members, in their order. */
static const char *
names(const DefinitionSet *set)
{
	const char *all = "";

	for (size_t i = 0; i < definition_set_count(set); i++)
		all = arena_printf(arena, "%s %s", all,
						   definition_set_at(set, i)->name);
	return all;
}

static void
a_set_is_in_the_order_of_catalog_and_oid(void **state UNUSED)
{
	DefinitionSet *set = definition_set_new();

	put_named(set, DEFINITION_DOMAIN, 5, "domain");
	put_named(set, DEFINITION_TABLE, 4000000000, "high");
	put_named(set, DEFINITION_SEQUENCE, 5, "sequence");
	put_named(set, DEFINITION_NAMESPACE, 9, "schema");
	put_named(set, DEFINITION_TABLE, 1, "low");
	assert_string_equal(names(set), " schema low sequence high domain");
	definition_set_free(set);
}

static void
the_newest_definition_of_an_object_is_in(void **state UNUSED)
{
	DefinitionSet *set = definition_set_new();

	put_named(set, DEFINITION_TABLE, 1, "before");
	put_named(set, DEFINITION_TABLE, 1, "after");
	put_named(set, DEFINITION_ENUM, 1, "another");
	assert_string_equal(names(set), " after another");
	assert_string_equal(definition_set_find(set, DEFINITION_IN_CLASS, 1)->name,
						"after");
	assert_null(definition_set_find(set, DEFINITION_IN_CLASS, 2));
	assert_null(definition_set_find(set, DEFINITION_IN_NAMESPACE, 1));
	definition_set_free(set);
}

static void
what_is_removed_is_not_in(void **state UNUSED)
{
	DefinitionSet *set = definition_set_new();

	definition_set_remove(set, DEFINITION_IN_CLASS, 1);
	for (uint32_t oid = 1; oid <= 40; oid++)
		put_named(set, DEFINITION_TABLE, oid, "table");
	for (uint32_t oid = 2; oid <= 40; oid += 2)
		definition_set_remove(set, DEFINITION_IN_CLASS, oid);
	definition_set_remove(set, DEFINITION_IN_TYPE, 1);
	assert_int_equal(definition_set_count(set), 20);
	for (uint32_t oid = 1; oid <= 40; oid++)
		assert_int_equal(definition_set_find(set, DEFINITION_IN_CLASS, oid) !=
							 NULL,
						 oid % 2 == 1);
	definition_set_free(set);
}

static void
a_copied_set_has_a_life_of_its_own(void **state UNUSED)
{
	DefinitionSet *set = definition_set_new();
	DefinitionSet *copy;

	put_named(set, DEFINITION_TABLE, 1, "one");
	put_named(set, DEFINITION_TABLE, 2, "two");
	copy = definition_set_copy(set);
	definition_set_remove(set, DEFINITION_IN_CLASS, 1);
	definition_set_free(set);
	assert_string_equal(names(copy), " one two");
	definition_set_free(copy);
	definition_set_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_field_makes_a_difference, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(definitions_of_different_kinds_differ,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_copy_owns_all_that_it_points_to,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_sets_is_usual, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(an_empty_missing_value_is_not_none,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_column_is_found_by_its_attnum, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(
			a_set_is_in_the_order_of_catalog_and_oid, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_newest_definition_of_an_object_is_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_removed_is_not_in, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(a_copied_set_has_a_life_of_its_own,
										set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
