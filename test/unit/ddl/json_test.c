/*
 * json_test.c
 *    Definitions are the same after writing and reading JSON; invalid ones are
 *    refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ddl/json.h"
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

static const char *
written(const Definition *definition)
{
	const char *text;
	Json json;
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	json_init(&json, &buf);
	ddl_json_append(&json, definition);
	text = arena_strdup(arena, buf.data);
	buf_release(&buf);
	return text;
}

static const Definition *
read_back(const char *text)
{
	const Definition *definition = NULL;
	Error err = {0};

	if (ddl_json_read(text, strlen(text), arena, &definition, &err) != RC_OK)
		fail_msg("refused: %s, of %s", err.message, text);
	return definition;
}

static void
refuse(const char *text, const char *message)
{
	const Definition *definition = NULL;
	Error err = {0};

	assert_int_equal(
		ddl_json_read(text, strlen(text), arena, &definition, &err), RC_FAIL);
	assert_null(definition);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.message, message);
	error_reset(&err);
}

/* ---- Both ways ---- */

static void
every_field_survives(void **state UNUSED)
{
	for (size_t i = 0; i < LENGTH_OF(definition_kinds); i++)
	{
		const Definition *definition = definition_filled(definition_kinds[i],
														 arena);

		assert_true(
			definition_equal(definition, read_back(written(definition))));
	}
}

/* As far as that can be a definition. */
static void
what_is_usual_is_left_out(void **state UNUSED)
{
	Definition table = {.kind = DEFINITION_TABLE};
	ColumnDefinition column;

	definition_set_usual(definition_shape(DEFINITION_TABLE), &table);
	definition_set_usual(definition_member_shape(&table, "columns"), &column);
	table.oid = 16385;
	table.schema = "public";
	table.name = "it\"em";
	table.table.column_count = 1;
	table.table.columns = &column;
	column.attnum = 1;
	column.name = "id";
	column.type = "integer";
	column.type_oid = 23;
	assert_string_equal(
		written(&table),
		"{\"kind\":\"table\",\"oid\":16385,\"schema\":\"public\","
		"\"name\":\"it\\\"em\",\"columns\":[{\"attnum\":1,\"name\":\"id\","
		"\"type_oid\":23,\"type\":\"integer\"}]}");
	assert_true(definition_equal(&table, read_back(written(&table))));
}

static void
an_empty_missing_value_is_kept(void **state UNUSED)
{
	Definition *table = definition_filled(DEFINITION_TABLE, arena);

	table->table.columns[0].missing_value = "";
	table->table.columns[1].missing_value = NULL;
	assert_true(definition_equal(table, read_back(written(table))));
}

static void
numbers_keep_all_their_digits(void **state UNUSED)
{
	Definition *sequence = definition_filled(DEFINITION_SEQUENCE, arena);

	sequence->oid = UINT32_MAX;
	sequence->sequence.minimum = INT64_MIN;
	sequence->sequence.maximum = INT64_MAX;
	sequence->sequence.increment = -INT64_MAX;
	assert_true(definition_equal(sequence, read_back(written(sequence))));
}

static void
the_order_of_members_means_nothing(void **state UNUSED)
{
	const Definition *definition = read_back(
		" {\"name\": \"s\",\n\"oid\": 7, \"kind\": \"schema\"} ");

	assert_int_equal(definition->kind, DEFINITION_NAMESPACE);
	assert_int_equal(definition->oid, 7);
	assert_string_equal(definition->name, "s");
	assert_string_equal(definition->schema, "");
}

/* ---- What is refused ---- */

#define CANNOT "definition of table \"public\".\"t\" cannot be read: "
#define TABLE(x)                                                               \
	"{\"kind\":\"table\",\"oid\":1,\"schema\":\"public\","                     \
	"\"name\":\"t\"," x "}"

static void
what_is_no_json_is_refused(void **state UNUSED)
{
	refuse("", "definition cannot be read: it is no JSON: '[' or '{' expected "
			   "near end of file");
	refuse("{\"kind\":\"table\",",
		   "definition cannot be read: it is no JSON: string or '}' expected "
		   "near end of file");
	refuse("{\"oid\":1,\"oid\":1}",
		   "definition cannot be read: it is no JSON: duplicate object key "
		   "near '\"oid\"'");
	refuse("{\"oid\":99999999999999999999}",
		   "definition cannot be read: it is no JSON: too big integer near "
		   "'99999999999999999999'");
	refuse("[]", "definition of an object with OID 0 cannot be read: \"kind\" "
				 "is not there");
}

static void
a_kind_that_is_not_known_is_refused(void **state UNUSED)
{
	refuse("{\"oid\":1}", "definition of an object with OID 1 cannot be read: "
						  "\"kind\" is not there");
	refuse("{\"kind\":\"view\",\"name\":\"v\",\"oid\":1}",
		   "definition of view \"v\" cannot be read: \"kind\" is a word that "
		   "is not known");
	refuse("{\"kind\":7,\"oid\":1}",
		   "definition of an object with OID 1 cannot be read: \"kind\" is not "
		   "there");
}

static void
members_that_are_not_known_are_refused(void **state UNUSED)
{
	refuse(TABLE("\"tablespace\":\"x\""), CANNOT "\"tablespace\" is not known");
	refuse(TABLE("\"columns\":[{\"kind\":\"table\"}]"),
		   CANNOT "\"kind\" of \"columns\"[0] is not known");
	refuse(TABLE("\"increment\":1"), CANNOT "\"increment\" is not known");
}

static void
members_of_another_type_are_refused(void **state UNUSED)
{
	refuse(TABLE("\"bound\":1"), CANNOT "\"bound\" is no string");
	refuse(TABLE("\"bound\":null"), CANNOT "\"bound\" is no string");
	refuse(TABLE("\"unlogged\":\"true\""),
		   CANNOT "\"unlogged\" is neither true nor false");
	refuse(TABLE("\"replica_identity\":1"),
		   CANNOT "\"replica_identity\" is no string");
	refuse(TABLE("\"replica_identity\":\"key\""),
		   CANNOT "\"replica_identity\" is a word that is not known");
	refuse(TABLE("\"parents\":1"), CANNOT "\"parents\" is no array");
	refuse(TABLE("\"parents\":[\"1\"]"),
		   CANNOT "\"parents\" is no whole number");
	refuse(TABLE("\"options\":{}"), CANNOT "\"options\" is no array");
	refuse(TABLE("\"options\":[1]"), CANNOT "\"options\" is no string");
	refuse(TABLE("\"columns\":{}"), CANNOT "\"columns\" is no array");
	refuse(TABLE("\"columns\":[1]"),
		   CANNOT "\"columns\" has what is no object");
	refuse(TABLE("\"columns\":[{\"attnum\":1.0}]"),
		   CANNOT "\"attnum\" of \"columns\"[0] is no whole number");
}

static void
numbers_out_of_range_are_refused(void **state UNUSED)
{
	refuse(TABLE("\"parents\":[-1]"), CANNOT "\"parents\" is out of range");
	refuse(TABLE("\"parents\":[4294967296]"),
		   CANNOT "\"parents\" is out of range");
	refuse(TABLE("\"columns\":[{\"attnum\":65536}]"),
		   CANNOT "\"attnum\" of \"columns\"[0] is out of range");
	refuse(TABLE("\"columns\":[{},{\"typmod\":2147483648}]"),
		   CANNOT "\"typmod\" of \"columns\"[1] is out of range");
}

static void
what_cannot_be_a_definition_is_refused(void **state UNUSED)
{
	refuse("{\"kind\":\"table\",\"oid\":1,\"name\":\"t\"}",
		   "definition of table \"t\" cannot be one: it is in no schema");
	refuse(
		TABLE("\"columns\":[{\"name\":\"a\"}]"),
		"definition of table \"public\".\"t\" cannot be one: it has a column "
		"with a number out of range");
}

static void
a_text_that_is_too_long_is_not_read(void **state UNUSED)
{
	const Definition *definition = NULL;
	Error err = {0};

	assert_int_equal(
		ddl_json_read("", DDL_JSON_BYTES_MAX + 1, arena, &definition, &err),
		RC_FAIL);
	assert_int_equal(err.code, ERR_LIMIT);
	error_reset(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(every_field_survives),
		TEST(what_is_usual_is_left_out),
		TEST(an_empty_missing_value_is_kept),
		TEST(numbers_keep_all_their_digits),
		TEST(the_order_of_members_means_nothing),
		TEST(what_is_no_json_is_refused),
		TEST(a_kind_that_is_not_known_is_refused),
		TEST(members_that_are_not_known_are_refused),
		TEST(members_of_another_type_are_refused),
		TEST(numbers_out_of_range_are_refused),
		TEST(what_cannot_be_a_definition_is_refused),
		TEST(a_text_that_is_too_long_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
