/*
 * json_line_test.c
 *    The line of JSON for a change, for each kind of value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/json/json_line.h"

enum
{
	TYPE_FLOAT8 = 701,
	TYPE_NUMERIC = 1700,
	TYPE_JSONB = 3802,
};

#define HEAD                                                                   \
	"{\"time\":\"2000-01-01T00:00:00.000001Z\",\"lsn\":\"0/10\",\"xid\":7,"    \
	"\"seq\":3,"
#define TABLE "\"schema\":\"public\",\"table\":\"item\""

static JsonLineTxn
example_txn(void)
{
	JsonLineTxn txn = {.commit_lsn = 0x10, .xid = 7};

	json_line_format_time(txn.time, 1);
	return txn;
}

static void
assert_line(const Change *change, int part, const char *expected)
{
	JsonLineTxn txn = example_txn();
	Buf buf;

	buf_init(&buf, 64 * KB);
	json_line_append(&buf, &txn, 3, change, part);
	assert_string_equal(buf.data, expected);
	buf_release(&buf);
}

static Value
text(const char *value)
{
	return (Value){.kind = VALUE_TEXT,
				   .bytes = (const uint8_t *) value,
				   .length = (uint32_t) strlen(value)};
}

/* What becomes of one value of a type. */
static void
assert_value(uint32_t type_oid, Value value, const char *expected)
{
	RelationColumn column = {.name = "c", .type_oid = type_oid};
	Relation relation = {.schema = "public",
						 .name = "item",
						 .column_count = 1,
						 .columns = &column};
	Change change = {
		.kind = CHANGE_INSERT, .relation = &relation, .new_row = &value};
	Buf line;

	buf_init(&line, KB);
	buf_printf(&line,
			   HEAD "\"operation\":\"insert\"," TABLE ",\"new\":{\"c\":%s}}\n",
			   expected);
	assert_line(&change, 0, line.data);
	buf_release(&line);
}

static void
what_json_does_not_know_as_a_number_is_a_string(void **state UNUSED)
{
	static const char *const no_numbers[] = {
		"NaN", "Infinity", "-Infinity", "",   "-",  ".5",  "5.",
		"01",  "1e",       "1e+",       "+1", "1 ", "0x1", "1e5.5"};

	for (size_t i = 0; i < LENGTH_OF(no_numbers); i++)
	{
		char expected[32];

		snprintf(expected, sizeof(expected), "\"%s\"", no_numbers[i]);
		assert_value(TYPE_NUMERIC, text(no_numbers[i]), expected);
		assert_value(TYPE_FLOAT8, text(no_numbers[i]), expected);
	}
}

static void
numbers_keep_all_their_digits(void **state UNUSED)
{
	static const char *const numbers[] = {
		"0",       "-0",      "12.50", "1e+300",
		"1.5e-07", "-3.0E10", "0.000", "123456789012345678901234567890.5"};

	for (size_t i = 0; i < LENGTH_OF(numbers); i++)
		assert_value(TYPE_NUMERIC, text(numbers[i]), numbers[i]);
	assert_value(TYPE_INT8, text("9007199254740993"), "9007199254740993");
	assert_value(TYPE_OID, text("4294967295"), "4294967295");
	assert_value(TYPE_INT4,
				 (Value){.kind = VALUE_INTEGER, .integer = INT32_MIN},
				 "-2147483648");
}

static void
booleans_and_nulls_are_those_of_json(void **state UNUSED)
{
	assert_value(TYPE_BOOL, text("t"), "true");
	assert_value(TYPE_BOOL, text("f"), "false");
	assert_value(TYPE_BOOL, (Value){.kind = VALUE_INTEGER, .integer = 1},
				 "true");
	assert_value(TYPE_BOOL, (Value){.kind = VALUE_NULL}, "null");
}

static void
documents_are_embedded_on_one_line(void **state UNUSED)
{
	assert_value(TYPE_JSON, text("{\"a\":\r\n [1,\n2]}"), "{\"a\":   [1, 2]}");
	assert_value(TYPE_JSONB, text("\"a\\nb\""), "\"a\\nb\"");
	assert_value(TYPE_JSONB, text("1.50"), "1.50");
	/* Not UTF-8, as a database without encoding may hold: no valid JSON. */
	assert_value(TYPE_JSON, text("\"\xff\""), "\"\\\"\xEF\xBF\xBD\\\"\"");
	assert_value(TYPE_JSON, text(""), "\"\"");
}

static void
all_other_types_are_strings(void **state UNUSED)
{
	assert_value(TYPE_TEXT, text("a\"b\n"), "\"a\\\"b\\n\"");
	assert_value(TYPE_TEXT, text("12"), "\"12\"");
	assert_value(TYPE_DATE, text("2026-01-31"), "\"2026-01-31\"");
	assert_value(TYPE_TIMESTAMPTZ, (Value){.kind = VALUE_INTEGER, .integer = 0},
				 "\"2000-01-01 00:00:00+00\"");
	assert_value(TYPE_BYTEA,
				 (Value){.kind = VALUE_BINARY,
						 .bytes = (const uint8_t *) "\x00\xaf",
						 .length = 2},
				 "\"\\\\x00af\"");
	assert_value(16400, text("happy"), "\"happy\"");
}

/* id int4 (key), v text */
static RelationColumn item_columns[] = {
	{.name = "id", .type_oid = TYPE_INT4, .key = true},
	{.name = "v", .type_oid = TYPE_TEXT}};
static Relation item = {.schema = "public",
						.name = "item",
						.column_count = 2,
						.key_count = 1,
						.columns = item_columns};

static void
rows_are_objects_of_what_is_known(void **state UNUSED)
{
	const Value new_row[] = {text("2"), {.kind = VALUE_UNCHANGED}};
	const Value old_row[] = {text("1"), {.kind = VALUE_MISSING}};
	const Change update = {.kind = CHANGE_UPDATE,
						   .relation = &item,
						   .new_row = new_row,
						   .old_row = old_row};
	const Change delete = {
		.kind = CHANGE_DELETE, .relation = &item, .old_row = old_row};

	assert_line(&update, 0,
				HEAD "\"operation\":\"update\"," TABLE
					 ",\"key\":{\"id\":1},\"new\":{\"id\":2},\"old\":{\"id\":1}"
					 ",\"unchanged\":[\"v\"]}\n");
	assert_line(&delete, 0,
				HEAD "\"operation\":\"delete\"," TABLE
					 ",\"key\":{\"id\":1},\"old\":{\"id\":1}}\n");
}

static void
a_full_old_row_needs_no_key(void **state UNUSED)
{
	Relation full = item;
	const Value old_row[] = {text("1"), {.kind = VALUE_NULL}};
	const Change delete = {
		.kind = CHANGE_DELETE, .relation = &full, .old_row = old_row};

	full.identity = IDENTITY_FULL;
	full.key_count = 2;
	assert_line(&delete, 0,
				HEAD "\"operation\":\"delete\"," TABLE
					 ",\"old\":{\"id\":1,\"v\":null}}\n");
}

static void
a_truncate_is_a_line_for_each_table(void **state UNUSED)
{
	Relation other = item;
	Relation *relations[] = {&item, &other};
	const TruncateInfo info = {
		.relation_count = 2, .relations = relations, .cascade = true};
	const Change truncate = {.kind = CHANGE_TRUNCATE, .truncate = &info};

	other.name = "other";
	assert_int_equal(json_line_count(&truncate), 2);
	assert_line(&truncate, 0,
				HEAD "\"operation\":\"truncate\"," TABLE
					 ",\"cascade\":true,\"restart_identity\":false}\n");
	assert_line(&truncate, 1,
				HEAD "\"operation\":\"truncate\",\"schema\":\"public\","
					 "\"table\":\"other\",\"cascade\":true,"
					 "\"restart_identity\":false}\n");
}

static void
a_message_outside_a_transaction_has_its_own_position(void **state UNUSED)
{
	const MessageInfo info = {.lsn = 0x20,
							  .prefix = "p",
							  .content = (const uint8_t *) "a\n",
							  .content_length = 2};
	const Change message = {.kind = CHANGE_MESSAGE, .message = &info};
	Buf buf;

	buf_init(&buf, KB);
	json_line_append(&buf, NULL, 0, &message, 0);
	assert_string_equal(buf.data,
						"{\"lsn\":\"0/20\",\"operation\":\"message\","
						"\"transactional\":false,\"message_lsn\":\"0/20\","
						"\"prefix\":\"p\",\"content\":\"a\\n\"}\n");
	buf_release(&buf);
}

static void
content_that_is_no_text_is_hex(void **state UNUSED)
{
	const MessageInfo info = {.transactional = true,
							  .lsn = 0x20,
							  .prefix = "p",
							  .content = (const uint8_t *) "\xff\x00",
							  .content_length = 2};
	const Change message = {.kind = CHANGE_MESSAGE, .message = &info};

	assert_line(&message, 0,
				HEAD "\"operation\":\"message\",\"transactional\":true,"
					 "\"message_lsn\":\"0/20\",\"prefix\":\"p\","
					 "\"content_hex\":\"ff00\"}\n");
}

static void
a_schema_change_is_a_line_with_the_definition(void **state UNUSED)
{
	const Definition definition = {
		.kind = DEFINITION_NAMESPACE, .oid = 9, .schema = "", .name = "shop"};
	const SchemaChange schema = {
		.kind = SCHEMA_DEFINED, .lsn = 0x20, .definition = &definition};
	const Change change = {.kind = CHANGE_SCHEMA, .schema = &schema};

	assert_line(&change, 0,
				HEAD "\"operation\":\"schema\",\"change_lsn\":\"0/20\","
					 "\"defined\":{\"kind\":\"schema\",\"oid\":9,"
					 "\"name\":\"shop\"}}\n");
}

static void
what_is_gone_is_said_by_catalog_and_oid(void **state UNUSED)
{
	static const char *const catalogs[] = {"pg_namespace", "pg_class",
										   "pg_type"};

	for (size_t i = 0; i < LENGTH_OF(catalogs); i++)
	{
		const SchemaChange schema = {.kind = SCHEMA_GONE,
									 .lsn = 0x20,
									 .oid = 16385,
									 .catalog = (DefinitionCatalog) i};
		const Change change = {.kind = CHANGE_SCHEMA, .schema = &schema};
		Buf line;

		buf_init(&line, KB);
		buf_printf(&line,
				   HEAD "\"operation\":\"schema\",\"change_lsn\":\"0/20\","
						"\"gone\":{\"catalog\":\"%s\",\"oid\":16385}}\n",
				   catalogs[i]);
		assert_line(&change, 0, line.data);
		buf_release(&line);
	}
}

static void
what_is_untranslated_is_named(void **state UNUSED)
{
	SchemaChange schema = {.kind = SCHEMA_UNTRANSLATED,
						   .lsn = 0x20,
						   .oid = 5,
						   .untranslated_catalog = "pg_proc",
						   .untranslated_identity = "function f()",
						   .untranslated_part = ""};
	const Change change = {.kind = CHANGE_SCHEMA, .schema = &schema};

	assert_line(&change, 0,
				HEAD "\"operation\":\"schema\",\"change_lsn\":\"0/20\","
					 "\"untranslated\":{\"catalog\":\"pg_proc\",\"oid\":5,"
					 "\"identity\":\"function f()\",\"gone\":false}}\n");
	schema.untranslated_identity = "";
	schema.untranslated_part = "owner";
	schema.untranslated_gone = true;
	assert_line(&change, 0,
				HEAD "\"operation\":\"schema\",\"change_lsn\":\"0/20\","
					 "\"untranslated\":{\"catalog\":\"pg_proc\",\"oid\":5,"
					 "\"identity\":null,\"part\":\"owner\",\"gone\":true}}\n");
}

static void
a_rewrite_names_its_table(void **state UNUSED)
{
	const Change rewrite = {.kind = CHANGE_REWRITE, .relation = &item};

	assert_line(&rewrite, 0, HEAD "\"operation\":\"rewrite\"," TABLE "}\n");
}

static void
times_are_utc_with_microseconds(void **state UNUSED)
{
	static const struct
	{
		int64_t time_us;
		const char *text;
	} times[] = {
		{0, "2000-01-01T00:00:00.000000Z"},
		{-1, "1999-12-31T23:59:59.999999Z"},
		{-946684800500000, "1969-12-31T23:59:59.500000Z"},
		{762525296789000, "2024-02-29T12:34:56.789000Z"},
	};

	for (size_t i = 0; i < LENGTH_OF(times); i++)
	{
		char time[JSON_LINE_TIME_SIZE];

		json_line_format_time(time, times[i].time_us);
		assert_string_equal(time, times[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_json_does_not_know_as_a_number_is_a_string),
		cmocka_unit_test(numbers_keep_all_their_digits),
		cmocka_unit_test(booleans_and_nulls_are_those_of_json),
		cmocka_unit_test(documents_are_embedded_on_one_line),
		cmocka_unit_test(all_other_types_are_strings),
		cmocka_unit_test(rows_are_objects_of_what_is_known),
		cmocka_unit_test(a_full_old_row_needs_no_key),
		cmocka_unit_test(a_truncate_is_a_line_for_each_table),
		cmocka_unit_test(a_message_outside_a_transaction_has_its_own_position),
		cmocka_unit_test(content_that_is_no_text_is_hex),
		cmocka_unit_test(a_schema_change_is_a_line_with_the_definition),
		cmocka_unit_test(what_is_gone_is_said_by_catalog_and_oid),
		cmocka_unit_test(what_is_untranslated_is_named),
		cmocka_unit_test(a_rewrite_names_its_table),
		cmocka_unit_test(times_are_utc_with_microseconds),
	};

	return cmocka_run_group_tests_name("json_line", tests, NULL, NULL);
}
