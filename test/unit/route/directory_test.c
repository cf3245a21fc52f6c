/*
 * directory_test.c
 *    Entries of a directory, and the targets that they name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "route/directory.h"

#define START_LSN 100
#define MANY      5000

static const char *const targets[] = {"a", "b"};
static PlacementDirectory place;
static RelationColumn columns[2];
static Relation listing;
static Relation orders;
static Directory *directory;

static int
set_up(void **state UNUSED)
{
	place = (PlacementDirectory){.schema = "public",
								 .table = "tenant",
								 .key = "id",
								 .node = "node",
								 .default_target = -1,
								 .target_names = targets,
								 .target_count = LENGTH_OF(targets)};
	columns[0] = (RelationColumn){.name = "id", .type_oid = TYPE_INT4};
	columns[1] = (RelationColumn){.name = "node", .type_oid = TYPE_TEXT};
	listing = (Relation){.schema = "public",
						 .name = "tenant",
						 .column_count = 2,
						 .columns = columns};
	orders = listing;
	orders.name = "orders";
	directory = directory_new(&place, START_LSN);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	directory_free(directory);
	directory_free(NULL);
	return 0;
}

static Value
number(int64_t n)
{
	return (Value){.kind = VALUE_INTEGER, .integer = n};
}

static Value
text(const char *string)
{
	return (Value){.kind = VALUE_BINARY,
				   .bytes = (const uint8_t *) string,
				   .length = (uint32_t) strlen(string)};
}

static Rc
note(ChangeKind kind, const Value *old_row, const Value *new_row, Lsn end_lsn,
	 Error *err)
{
	const Change change = {.kind = kind,
						   .relation = &listing,
						   .old_row = old_row,
						   .new_row = new_row};

	return directory_note(directory, &change, end_lsn, err);
}

static void
list(int64_t key, const char *node, Lsn end_lsn)
{
	const Value row[] = {number(key), text(node)};
	Error err = {0};

	if (note(CHANGE_INSERT, NULL, row, end_lsn, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
}

/* The target of a key; -1: it has none. */
static int
target_of(Value key)
{
	const Value row[] = {key, text("")};
	Error err = {0};
	int target = -1;
	Rc rc = directory_find(directory, &orders, "id", row, &target, &err);

	if (rc != RC_OK)
		assert_int_equal(err.code, ERR_CONFIG);
	error_reset(&err);
	return target;
}

static void
keys_are_listed_and_found(void **state UNUSED)
{
	Error err = {0};

	assert_int_equal(directory_add(directory, "1", "b", &err), RC_OK);
	list(2, "a", START_LSN + 1);
	assert_int_equal(target_of(number(1)), 1);
	assert_int_equal(target_of(number(2)), 0);
	assert_int_equal(target_of(number(3)), -1);
	assert_int_equal(target_of((Value){.kind = VALUE_NULL}), -1);
	place.default_target = 1;
	assert_int_equal(target_of(number(3)), 1);
	assert_int_equal(target_of((Value){.kind = VALUE_NULL}), 1);
}

static void
what_was_there_at_the_start_is_not_noted_again(void **state UNUSED)
{
	list(1, "a", START_LSN);
	assert_int_equal(target_of(number(1)), -1);
}

static void
keys_are_removed(void **state UNUSED)
{
	const Value row[] = {number(1), text("a")};
	Relation *relations[] = {&orders, &listing};
	const TruncateInfo info = {.relation_count = 2, .relations = relations};
	const Change truncate = {.kind = CHANGE_TRUNCATE, .truncate = &info};
	Error err = {0};

	list(1, "a", START_LSN + 1);
	list(2, "b", START_LSN + 1);
	assert_int_equal(note(CHANGE_DELETE, row, NULL, START_LSN + 2, &err),
					 RC_OK);
	assert_int_equal(target_of(number(1)), -1);
	list(1, "b", START_LSN + 3);
	assert_int_equal(target_of(number(1)), 1);
	assert_int_equal(directory_note(directory, &truncate, START_LSN + 4, &err),
					 RC_OK);
	assert_int_equal(target_of(number(2)), -1);
}

static void
a_rewrite_removes_all_keys_and_brings_others(void **state UNUSED)
{
	const SchemaChange gone = {.kind = SCHEMA_GONE, .oid = 1};
	const Change schema = {.kind = CHANGE_SCHEMA, .schema = &gone};
	Change rewrite = {.kind = CHANGE_REWRITE, .relation = &orders};
	Error err = {0};

	list(1, "a", START_LSN + 1);
	list(2, "b", START_LSN + 1);
	assert_int_equal(directory_note(directory, &schema, START_LSN + 2, &err),
					 RC_OK);
	assert_int_equal(directory_note(directory, &rewrite, START_LSN + 2, &err),
					 RC_OK);
	assert_int_equal(target_of(number(2)), 1);
	rewrite.relation = &listing;
	assert_int_equal(directory_note(directory, &rewrite, START_LSN + 2, &err),
					 RC_OK);
	list(1, "b", START_LSN + 2);
	assert_int_equal(target_of(number(1)), 1);
	assert_int_equal(target_of(number(2)), -1);
}

static void
a_key_does_not_change_its_target(void **state UNUSED)
{
	const Value moved[] = {number(1), text("b")};
	const Value before[] = {number(1), text("a")};
	const Value renamed[] = {number(7), text("a")};
	Error err = {0};

	list(1, "a", START_LSN + 1);
	list(1, "a", START_LSN + 2);
	assert_int_equal(note(CHANGE_UPDATE, NULL, moved, START_LSN + 3, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	error_reset(&err);
	assert_int_equal(note(CHANGE_UPDATE, before, moved, START_LSN + 3, &err),
					 RC_FAIL);
	error_reset(&err);
	assert_int_equal(note(CHANGE_UPDATE, before, renamed, START_LSN + 3, &err),
					 RC_OK);
	assert_int_equal(target_of(number(1)), -1);
	assert_int_equal(target_of(number(7)), 0);
}

static void
a_target_that_is_not_there_is_refused(void **state UNUSED)
{
	Error err = {0};

	assert_int_equal(directory_add(directory, "1", "c", &err), RC_FAIL);
	assert_string_equal(err.message,
						"the directory \"public\".\"tenant\" lists key \"1\" "
						"with target \"c\", which is not there");
	error_reset(&err);
}

static void
uuids_are_as_the_server_prints_them(void **state UNUSED)
{
	static const uint8_t bytes[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
									  0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
									  0xcc, 0xdd, 0xee, 0xff};
	Error err = {0};

	columns[0].type_oid = TYPE_UUID;
	assert_int_equal(directory_add(directory,
								   "00112233-4455-6677-8899-aabbccddeeff", "b",
								   &err),
					 RC_OK);
	assert_int_equal(target_of((Value){.kind = VALUE_BINARY,
									   .bytes = bytes,
									   .length = sizeof(bytes)}),
					 1);
}

static void
many_keys_are_told_apart(void **state UNUSED)
{
	for (int i = 0; i < MANY; i++)
		list(i, targets[i % 2], START_LSN + 1);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(target_of(number(i)), i % 2);
}

/* A key that is cut off would be another one. */
static void
a_key_that_is_too_long_is_refused(void **state UNUSED)
{
	const uint32_t length = 16 * MB + 1;
	uint8_t *bytes = xcalloc(length, 1);
	const Value key = {.kind = VALUE_TEXT, .bytes = bytes, .length = length};
	const Value row[] = {key, text("a")};
	const Value node[] = {number(1), key};
	Error err = {0};

	memset(bytes, 'x', length);
	assert_int_equal(note(CHANGE_INSERT, NULL, row, 200, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(note(CHANGE_INSERT, NULL, node, 200, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(note(CHANGE_DELETE, row, NULL, 200, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_LIMIT);
	error_reset(&err);
	free(bytes);
}

/* New keys of it would go to the default. */
static void
one_that_was_renamed_is_refused(void **state UNUSED)
{
	const Value row[] = {number(2), text("b")};
	Error err = {0};

	directory_set_oid(directory, 77);
	listing.oid = 77;
	list(1, "b", START_LSN + 1);
	columns[1].name = "target";
	assert_int_equal(note(CHANGE_INSERT, NULL, row, START_LSN + 2, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	error_reset(&err);
	columns[1].name = "node";
	listing.name = "tenants";
	assert_int_equal(note(CHANGE_INSERT, NULL, row, START_LSN + 2, &err),
					 RC_FAIL);
	assert_int_equal(err.code, ERR_CONFIG);
	error_reset(&err);
	listing.oid = 78;
	assert_int_equal(note(CHANGE_INSERT, NULL, row, START_LSN + 2, &err),
					 RC_OK);
	assert_int_equal(target_of(number(2)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_was_renamed_is_refused, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(keys_are_listed_and_found, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_there_at_the_start_is_not_noted_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_are_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_rewrite_removes_all_keys_and_brings_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_key_does_not_change_its_target,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_target_that_is_not_there_is_refused,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(uuids_are_as_the_server_prints_them,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_key_that_is_too_long_is_refused,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_keys_are_told_apart, set_up,
										tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
