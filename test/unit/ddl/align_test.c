/*
 * align_test.c
 *    Which objects and columns of a target get the OIDs and attnums of the
 *    source's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ddl/align.h"
#include "ddl/json.h"

#define ARENA_BYTES ((size_t) 1024)

/* Of a server that cannot change the expression of a generated column. */
#define VERSION_NUM 150000

static Arena *arena;
static DefinitionSet *source;
static DefinitionSet *target;
static DdlAlignment alignment;

static int
set_up(void **state UNUSED)
{
	arena = arena_new(ARENA_BYTES);
	source = definition_set_new();
	target = definition_set_new();
	alignment = (DdlAlignment){0};
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	ddl_alignment_release(&alignment);
	definition_set_free(source);
	definition_set_free(target);
	arena_free(arena);
	return 0;
}

static void
put(DefinitionSet *set, const char *json)
{
	const Definition *definition = NULL;
	Error err = {0};

	if (ddl_json_read(json, strlen(json), arena, &definition, &err) != RC_OK)
		fail_msg("refused: %s", err.message);
	definition_set_put(set, definition);
}

static void
align(void)
{
	ddl_align(&alignment, source, target, VERSION_NUM);
}

/* What an OID of the target has become. */
static uint32_t
aligned(OidCatalog catalog, uint32_t oid)
{
	uint32_t now = oid_table_get(&alignment.aligned, catalog, oid);

	assert_int_not_equal(now, 0);
	return now;
}

static void
expect_fresh(OidCatalog catalog, uint32_t oid)
{
	assert_int_equal(
		oid_table_get(&alignment.source, catalog, aligned(catalog, oid)), 0);
}

static const TableDefinition *
aligned_table(uint32_t oid)
{
	const Definition *table = definition_set_find(alignment.target,
												  DEFINITION_IN_CLASS, oid);

	assert_non_null(table);
	return &table->table;
}

/* attnum:name of each column. */
static const char *
columns_of(const TableDefinition *table)
{
	const char *text = "";

	for (int i = 0; i < table->column_count; i++)
		text = arena_printf(arena, "%s %d:%s", text, table->columns[i].attnum,
							table->columns[i].name);
	return text;
}

#define TABLE(oid, members)                                                    \
	"{\"kind\":\"table\",\"oid\":" oid ",\"schema\":\"s\",\"name\":\"t\""      \
	"," members "}"
#define COLUMN(attnum, name)                                                   \
	"{\"attnum\":" attnum ",\"name\":\"" name "\",\"type_oid\":23,"            \
	"\"type\":\"integer\"}"
#define TYPED(attnum, name, oid, type)                                         \
	"{\"attnum\":" attnum ",\"name\":\"" name "\",\"type_oid\":" oid           \
	",\"type\":\"" type "\"}"
#define CHECKED(oid, name, definition, validated)                              \
	"{\"oid\":" oid ",\"name\":\"" name "\",\"definition\":\"" definition      \
	"\",\"validated\":" validated ",\"attnums\":[1,2]}"

static void
objects_are_known_by_kind_and_name(void **state UNUSED)
{
	put(source, "{\"kind\":\"schema\",\"oid\":10,\"name\":\"s\"}");
	put(source, TABLE("11", "\"unlogged\":true"));
	put(target, "{\"kind\":\"schema\",\"oid\":20,\"name\":\"s\"}");
	put(target, "{\"kind\":\"schema\",\"oid\":10,\"name\":\"other\"}");
	put(target, TABLE("22", "\"unlogged\":false"));
	put(target, "{\"kind\":\"composite\",\"oid\":11,\"schema\":\"s\","
				"\"name\":\"t\"}");
	align();
	assert_int_equal(aligned(OID_NAMESPACE, 20), 10);
	expect_fresh(OID_NAMESPACE, 10);
	assert_int_equal(aligned(OID_CLASS, 22), 11);
	expect_fresh(OID_TYPE, 11);
	assert_int_equal(definition_set_count(alignment.target), 4);
}

static void
what_cannot_be_altered_is_another_object(void **state UNUSED)
{
	put(source, TABLE("11", "\"partitioned\":true,\"partition_key\":\"a\""));
	put(source, "{\"kind\":\"domain\",\"oid\":12,\"schema\":\"s\","
				"\"name\":\"d\",\"base_type\":\"integer\"}");
	put(target, TABLE("21", "\"partitioned\":true,\"partition_key\":\"b\""));
	put(target, "{\"kind\":\"domain\",\"oid\":22,\"schema\":\"s\","
				"\"name\":\"d\",\"base_type\":\"bigint\"}");
	align();
	expect_fresh(OID_CLASS, 21);
	expect_fresh(OID_TYPE, 22);
}

static void
columns_get_the_numbers_of_the_source(void **state UNUSED)
{
	put(source, TABLE("11", "\"columns\":[" COLUMN("1", "a") "," COLUMN(
								"2", "b") "," COLUMN("7", "c") "]"));
	put(target, TABLE("21", "\"columns\":[" COLUMN("1", "c") "," COLUMN(
								"2", "x") "," COLUMN("3", "a") "]"));
	align();
	assert_string_equal(columns_of(aligned_table(11)), " 1:a 7:c 1600:x");
}

static void
a_generated_column_with_another_expression_is_another_one(void **state UNUSED)
{
	put(source, TABLE("11", "\"columns\":[{\"attnum\":1,\"name\":\"g\","
							"\"type_oid\":23,\"type\":\"integer\","
							"\"generated\":\"stored\","
							"\"default_expression\":\"1\"}]"));
	put(target, TABLE("21", "\"columns\":[{\"attnum\":1,\"name\":\"g\","
							"\"type_oid\":23,\"type\":\"integer\","
							"\"generated\":\"stored\","
							"\"default_expression\":\"2\"}]"));
	align();
	assert_string_equal(columns_of(aligned_table(11)), " 1600:g");
	ddl_alignment_release(&alignment);
	ddl_align(&alignment, source, target, 170000);
	assert_string_equal(columns_of(aligned_table(11)), " 1:g");
}

static void
types_are_known_by_what_they_are_called(void **state UNUSED)
{
	put(source, "{\"kind\":\"enum\",\"oid\":30,\"schema\":\"s\","
				"\"name\":\"e\"}");
	put(source,
		TABLE("11", "\"columns\":[" TYPED("1", "a", "30", "s.e") "," TYPED(
						"2", "b", "31", "s.e[]") "]"));
	put(target, "{\"kind\":\"enum\",\"oid\":40,\"schema\":\"s\","
				"\"name\":\"e\"}");
	put(target,
		TABLE("21", "\"columns\":[" TYPED("1", "a", "40", "s.e") "," TYPED(
						"2", "b", "41", "s.e[]") "]"));
	align();
	assert_int_equal(aligned_table(11)->columns[0].type_oid, 30);
	assert_int_equal(aligned_table(11)->columns[1].type_oid, 31);
}

static const char *
checks(const char *const *list, int count)
{
	const char *text = "";

	for (int i = 0; i < count; i++)
		text = arena_printf(arena, "%s%s%s", text, i > 0 ? "," : "", list[i]);
	return text;
}

static void
put_checked(DefinitionSet *set, const char *oid, const char *columns,
			const char *const *list, int count)
{
	put(set, arena_printf(arena,
						  "{\"kind\":\"table\",\"oid\":%s,\"schema\":\"s\","
						  "\"name\":\"t\",\"columns\":[%s],"
						  "\"constraints\":[%s]}",
						  oid, columns, checks(list, count)));
}

static void
constraints_are_known_by_what_they_say(void **state UNUSED)
{
	static const char *const on_source[] = {
		CHECKED("51", "same", "CHECK (a > b)", "true"),
		CHECKED("52", "changed", "CHECK (a > 1)", "true"),
		CHECKED("53", "renamed", "CHECK (a > 3)", "true"),
		CHECKED("54", "valid", "CHECK (a > 4)", "true"),
		CHECKED("55", "weaker", "CHECK (a > 5) NOT VALID", "false"),
	};
	static const char *const on_target[] = {
		CHECKED("61", "same", "CHECK (a > b)", "true"),
		CHECKED("62", "changed", "CHECK (a > 2)", "true"),
		CHECKED("63", "old", "CHECK (a > 3)", "true"),
		CHECKED("64", "valid", "CHECK (a > 4) NOT VALID", "false"),
		CHECKED("65", "weaker", "CHECK (a > 5)", "true"),
	};

	put_checked(source, "11", COLUMN("1", "b") "," COLUMN("2", "a"), on_source,
				LENGTH_OF(on_source));
	put_checked(target, "21", COLUMN("1", "a") "," COLUMN("2", "b"), on_target,
				LENGTH_OF(on_target));
	align();
	assert_int_equal(aligned(OID_CONSTRAINT, 61), 51);
	expect_fresh(OID_CONSTRAINT, 62);
	assert_int_equal(aligned(OID_CONSTRAINT, 63), 53);
	assert_int_equal(aligned(OID_CONSTRAINT, 64), 54);
	expect_fresh(OID_CONSTRAINT, 65);
	assert_int_equal(aligned_table(11)->constraints[0].attnums.oids[0], 2);
	assert_int_equal(aligned_table(11)->constraints[0].attnums.oids[1], 1);
}

#define KEYED(oid, constraint, index, plain)                                   \
	TABLE(oid, "\"constraints\":[{\"oid\":" constraint ",\"name\":\"k\","      \
			   "\"kind\":\"primary key\",\"definition\":\"PRIMARY KEY (a)\","  \
			   "\"index\":" index "}],\"indexes\":[{\"oid\":" index            \
			   ",\"schema\":\"s\",\"name\":\"k\",\"definition\":\"k\","        \
			   "\"constraint\":" constraint "},{\"oid\":" plain                \
			   ",\"schema\":\"s\",\"name\":\"i\",\"definition\":\"i\"}]")

static void
indexes_go_with_their_constraints(void **state UNUSED)
{
	put(source, KEYED("11", "51", "52", "53"));
	put(target, KEYED("21", "61", "62", "63"));
	align();
	assert_int_equal(aligned(OID_CLASS, 62), 52);
	assert_int_equal(aligned(OID_CLASS, 63), 53);
	assert_true(definition_equal(
		definition_set_find(source, DEFINITION_IN_CLASS, 11),
		definition_set_find(alignment.target, DEFINITION_IN_CLASS, 11)));
}

#define SEQUENCE(oid, name, table, attnum)                                     \
	"{\"kind\":\"sequence\",\"oid\":" oid ",\"schema\":\"s\",\"name\":\"" name \
	"\",\"type\":\"bigint\",\"increment\":1,\"cache\":1,\"owner_"              \
	"table\":" table ",\"owner_attnum\":" attnum ",\"identity\":true}"

static void
sequences_of_identity_columns_go_with_these(void **state UNUSED)
{
	put(source, TABLE("15", "\"columns\":[" COLUMN("1", "a") "," COLUMN(
								"2", "id") "]"));
	put(source, SEQUENCE("11", "t_id_seq", "15", "2"));
	put(target, TABLE("25", "\"columns\":[" COLUMN("1", "id") "]"));
	put(target, SEQUENCE("21", "old_id_seq", "25", "1"));
	align();
	assert_int_equal(aligned(OID_CLASS, 21), 11);
	assert_int_equal(
		definition_set_find(alignment.target, DEFINITION_IN_CLASS, 11)
			->sequence.owner_attnum,
		2);
}

/* A selection of tables may lack the parent of one. */
static void
what_is_not_defined_is_nothing_of_the_source(void **state UNUSED)
{
	const TableDefinition *table;

	put(source,
		"{\"kind\":\"table\",\"oid\":30,\"schema\":\"s\",\"name\":\"other\"}");
	put(source, TABLE("11", "\"parents\":[12]"));
	put(target, TABLE("21", "\"parents\":[30]"));
	align();
	table = aligned_table(11);
	assert_int_equal(table->parents.count, 1);
	assert_int_equal(
		oid_table_get(&alignment.source, OID_CLASS, table->parents.oids[0]), 0);
}

#define ENUM(oid, labels)                                                      \
	"{\"kind\":\"enum\",\"oid\":" oid ",\"schema\":\"s\",\"name\":\"e\","      \
	"\"labels\":[" labels "]}"
#define LABEL(oid, label) "{\"oid\":" oid ",\"label\":\"" label "\"}"

static void
labels_are_added_but_not_moved(void **state UNUSED)
{
	put(source,
		ENUM("11", LABEL("1", "a") "," LABEL("2", "b") "," LABEL("3", "c")));
	put(target, ENUM("21", LABEL("5", "a") "," LABEL("6", "c")));
	align();
	assert_int_equal(aligned(OID_TYPE, 21), 11);
	assert_int_equal(aligned(OID_LABEL, 5), 1);
	assert_int_equal(aligned(OID_LABEL, 6), 3);
	ddl_alignment_release(&alignment);
	put(target, ENUM("21", LABEL("6", "c") "," LABEL("5", "a")));
	align();
	expect_fresh(OID_TYPE, 21);
}

static void
a_table_of_oids_keeps_catalogs_apart(void **state UNUSED)
{
	OidTable table = {0};

	assert_int_equal(oid_table_get(&table, OID_CLASS, 1), 0);
	for (uint32_t oid = 1; oid <= 1000; oid++)
		oid_table_put(&table, oid % 2 == 0 ? OID_CLASS : OID_TYPE, oid,
					  oid + 5);
	oid_table_put(&table, OID_CLASS, 2, 3);
	assert_int_equal(oid_table_get(&table, OID_CLASS, 2), 3);
	assert_int_equal(oid_table_get(&table, OID_TYPE, 2), 0);
	assert_int_equal(oid_table_get(&table, OID_TYPE, 999), 1004);
	assert_int_equal(oid_table_get(&table, OID_TYPE, 0), 0);
	oid_table_release(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(objects_are_known_by_kind_and_name),
		TEST(what_cannot_be_altered_is_another_object),
		TEST(columns_get_the_numbers_of_the_source),
		TEST(a_generated_column_with_another_expression_is_another_one),
		TEST(types_are_known_by_what_they_are_called),
		TEST(constraints_are_known_by_what_they_say),
		TEST(indexes_go_with_their_constraints),
		TEST(sequences_of_identity_columns_go_with_these),
		TEST(what_is_not_defined_is_nothing_of_the_source),
		TEST(labels_are_added_but_not_moved),
		TEST(a_table_of_oids_keeps_catalogs_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
