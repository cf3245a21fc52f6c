/*
 * definition_check_test.c
 *    Invalid definitions are recognized.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/definition_check.h"
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

/* Each test bends one field of a definition that is good. */
#define EXPECT(fault, kind, assignment)                                        \
	do                                                                         \
	{                                                                          \
		Definition *definition = definition_filled((kind), arena);             \
                                                                               \
		definition->assignment;                                                \
		assert_string_equal(definition_fault(definition), (fault));            \
	} while (0)

static void
good_ones_have_no_fault(void **state UNUSED)
{
	for (size_t i = 0; i < LENGTH_OF(definition_kinds); i++)
		assert_null(
			definition_fault(definition_filled(definition_kinds[i], arena)));
}

static void
objects_have_names(void **state UNUSED)
{
	EXPECT("has no OID or no name", DEFINITION_ENUM, oid = 0);
	EXPECT("has no OID or no name", DEFINITION_TABLE, name = "");
	EXPECT("is in no schema", DEFINITION_DOMAIN, schema = "");
	EXPECT("is in a schema", DEFINITION_NAMESPACE, schema = "public");
}

static void
columns_are_in_their_order(void **state UNUSED)
{
	EXPECT("has a column with a number out of range", DEFINITION_TABLE,
		   table.columns[0].attnum = 0);
	EXPECT("has a column with a number out of range", DEFINITION_TABLE,
		   table.columns[1].attnum = RELATION_COLUMNS_MAX + 1);
	EXPECT("has columns that are not in their order", DEFINITION_TABLE,
		   table.columns[1].attnum = 3);
	EXPECT("has columns that are not in their order", DEFINITION_COMPOSITE,
		   composite.columns[0].attnum = 9);
}

static void
columns_have_what_a_column_has(void **state UNUSED)
{
	EXPECT("has a column without name or type", DEFINITION_TABLE,
		   table.columns[0].name = "");
	EXPECT("has a column without name or type", DEFINITION_COMPOSITE,
		   composite.columns[1].type = "");
	EXPECT("has a column without name or type", DEFINITION_TABLE,
		   table.columns[0].type_oid = 0);
	EXPECT("has a column with a storage or compression that is none",
		   DEFINITION_TABLE, table.columns[0].storage = "ex");
	EXPECT("has a column with a storage or compression that is none",
		   DEFINITION_TABLE, table.columns[0].compression = "lz4");
	EXPECT("has a column with a statistics target out of range",
		   DEFINITION_TABLE, table.columns[0].statistics = 10001);
	EXPECT("has a column with a statistics target out of range",
		   DEFINITION_TABLE, table.columns[0].statistics = -2);
	EXPECT("has a column with less than no parents", DEFINITION_TABLE,
		   table.columns[0].inherited = -1);
	EXPECT("has a generated column without an expression", DEFINITION_TABLE,
		   table.columns[0].default_expression = "");
}

static void
constraints_and_indexes_have_definitions(void **state UNUSED)
{
	EXPECT("has a constraint without OID, name or definition", DEFINITION_TABLE,
		   table.constraints[0].oid = 0);
	EXPECT("has a constraint without OID, name or definition",
		   DEFINITION_DOMAIN, domain.constraints[1].name = "");
	EXPECT("has a constraint without OID, name or definition", DEFINITION_TABLE,
		   table.constraints[0].definition = "");
	EXPECT("has a constraint with less than no parents", DEFINITION_TABLE,
		   table.constraints[0].inherited = -1);
	EXPECT("has an index without OID, name or definition", DEFINITION_TABLE,
		   table.indexes[0].oid = 0);
	EXPECT("has an index without OID, name or definition", DEFINITION_TABLE,
		   table.indexes[0].definition = "");
}

static void
a_foreign_key_refers_to_a_table(void **state UNUSED)
{
	Definition *table = definition_filled(DEFINITION_TABLE, arena);

	table->table.constraints[1].kind = CONSTRAINT_FOREIGN_KEY;
	assert_null(definition_fault(table));
	table->table.constraints[1].referenced_table = 0;
	assert_string_equal(definition_fault(table),
						"has a foreign key that refers to no table");
}

static void
partitions_fit_together(void **state UNUSED)
{
	EXPECT("is partitioned without a key", DEFINITION_TABLE,
		   table.partition_key = "");
	EXPECT("is a partition without a parent", DEFINITION_TABLE,
		   table.parents.count = 0);
}

static void
sequences_have_numbers_in_range(void **state UNUSED)
{
	EXPECT("is of a type that sequences are not of", DEFINITION_SEQUENCE,
		   sequence.type = "int8");
	EXPECT("has numbers out of range", DEFINITION_SEQUENCE,
		   sequence.increment = 0);
	EXPECT("has numbers out of range", DEFINITION_SEQUENCE, sequence.cache = 0);
	EXPECT("has numbers out of range", DEFINITION_SEQUENCE,
		   sequence.minimum = INT64_MAX);
	EXPECT("has an owner that is no column", DEFINITION_SEQUENCE,
		   sequence.owner_attnum = 0);
	EXPECT("has an owner that is no column", DEFINITION_SEQUENCE,
		   sequence.owner_table = 0);
	EXPECT("has an owner that is no column", DEFINITION_SEQUENCE,
		   sequence.owner_attnum = RELATION_COLUMNS_MAX + 1);
}

static void
types_have_what_they_are_made_of(void **state UNUSED)
{
	EXPECT("has a label without OID", DEFINITION_ENUM,
		   enumeration.labels[1].oid = 0);
	EXPECT("has no type", DEFINITION_DOMAIN, domain.base_type = "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(good_ones_have_no_fault),
		TEST(objects_have_names),
		TEST(columns_are_in_their_order),
		TEST(columns_have_what_a_column_has),
		TEST(constraints_and_indexes_have_definitions),
		TEST(a_foreign_key_refers_to_a_table),
		TEST(partitions_fit_together),
		TEST(sequences_have_numbers_in_range),
		TEST(types_have_what_they_are_made_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
