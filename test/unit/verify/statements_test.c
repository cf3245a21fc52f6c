/*
 * statements_test.c
 *    What is asked of both sides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "verify/statements.h"

static const VerifyColumn columns[] = {
	{.name = "id", .is_key = true},
	{.name = "at", .is_lsn = true},
	{.name = "n", .read_as = "numeric(9,2)"},
};

static VerifyTable
table(void)
{
	return (VerifyTable){.qualified = "\"s\".\"t\"",
						 .column_count = LENGTH_OF(columns),
						 .columns = columns,
						 .has_key = true};
}

static void
sums_are(const VerifyTable *of, VerifySide side, bool by_range,
		 const char *expected)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	verify_append_sums(&sql, of, &side, by_range);
	assert_string_equal(sql.data, expected);
	buf_release(&sql);
}

static void
a_target_is_asked_as_it_is(void **state UNUSED)
{
	const VerifyTable of = table();

	sums_are(&of, (VerifySide){0}, false,
			 "SELECT NULL, 0, count(*),"
			 " coalesce(sum(hashtextextended(s.x, 1)), 0),"
			 " coalesce(sum(hashtextextended(s.x, 2)), 0)"
			 " FROM (SELECT NULL::bigint AS p, 0 AS r,"
			 " ROW(\"s\".\"t\".\"id\","
			 " \"s\".\"t\".\"at\" - '0/0'::pg_catalog.pg_lsn,"
			 " \"s\".\"t\".\"n\")::text COLLATE \"C\" AS x"
			 " FROM ONLY \"s\".\"t\" OFFSET 0) s");
}

static void
the_source_reads_its_text_as_the_target(void **state UNUSED)
{
	const VerifyTable of = {
		.qualified = "\"t\"", .column_count = 1, .columns = &columns[2]};

	sums_are(
		&of,
		(VerifySide){.is_source = true, .partitioned = true, .filter = "n > 1"},
		false,
		"SELECT NULL, 0, count(*),"
		" coalesce(sum(hashtextextended(s.x, 1)), 0),"
		" coalesce(sum(hashtextextended(s.x, 2)), 0)"
		" FROM (SELECT NULL::bigint AS p, 0 AS r,"
		" ROW((SELECT r.x FROM json_to_record(json_build_object('x',"
		" CASE WHEN \"t\".\"n\" IS DISTINCT FROM NULL THEN"
		" format('%s', \"t\".\"n\") END)) AS r(x numeric(9,2))))::text"
		" COLLATE \"C\" AS x FROM \"t\" WHERE (n > 1) OFFSET 0) s");
}

/* Of a table without a key by the whole row. */
static void
ranges_are_those_of_the_key(void **state UNUSED)
{
	VerifyTable of = {.qualified = "\"t\"",
					  .column_count = 2,
					  .columns = columns,
					  .has_key = true,
					  .recoded = true};
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	verify_append_sums(&sql, &of, &(VerifySide){0}, true);
	assert_non_null(
		strstr(sql.data, "hashtextextended(encode(convert_to(ROW(\"t\".\"id\")"
						 "::text, 'UTF8'), 'hex') COLLATE \"C\", 0) & 4095"
						 " AS r"));
	assert_non_null(strstr(sql.data, " GROUP BY s.p, s.r ORDER BY s.p, s.r"));
	buf_reset(&sql);
	of.has_key = false;
	of.recoded = false;
	verify_append_sums(&sql, &of, &(VerifySide){0}, true);
	assert_non_null(strstr(sql.data, "hashtextextended(ROW(\"t\".\"id\","
									 " \"t\".\"at\" - "));
	buf_release(&sql);
}

static void
rows_come_in_one_order(void **state UNUSED)
{
	const VerifyTable of = {.qualified = "\"t\"",
							.column_count = 1,
							.columns = columns,
							.has_key = true};
	const int ranges[] = {3, 4095};
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	verify_append_rows(&sql, &of, &(VerifySide){0}, ranges, 2);
	assert_string_equal(
		sql.data,
		"SELECT hashtextextended(ROW(\"t\".\"id\")::text COLLATE \"C\", 0),"
		" ROW(\"t\".\"id\")::text COLLATE \"C\","
		" json_build_object('id', \"t\".\"id\"),"
		" hashtextextended(ROW(\"t\".\"id\")::text COLLATE \"C\", 1),"
		" hashtextextended(ROW(\"t\".\"id\")::text COLLATE \"C\", 2),"
		" NULL::bigint FROM ONLY \"t\""
		" WHERE hashtextextended(ROW(\"t\".\"id\")::text COLLATE \"C\", 0)"
		" & 4095 = ANY ('{3,4095}'::bigint[]) ORDER BY 1, 2, 4, 5");
	buf_release(&sql);
}

static void
places_are_asked_of_the_source(void **state UNUSED)
{
	const VerifyTable of = table();
	const VerifySide side = {.is_source = true,
							 .place_sql = "hashint4extended(id, 9)",
							 .place_count = 1,
							 .node_count = 3};
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	verify_append_sums(&sql, &of, &side, false);
	assert_non_null(strstr(sql.data,
						   "((h1.penstock_high % 3) * (4294967296 % 3)"
						   " + h1.penstock_low) % 3 AS p"));
	assert_non_null(strstr(sql.data, "CROSS JOIN LATERAL"
									 " (SELECT hashint4extended(id, 9)"
									 " OFFSET 0) h (penstock_1)"));
	buf_release(&sql);
}

static void
rows_are_looked_up_by_their_key(void **state UNUSED)
{
	static const VerifyColumn two[] = {
		{.name = "id", .type = "bigint", .is_key = true}, {.name = "a"}};
	const VerifyTable of = {.qualified = "\"t\"",
							.column_count = 2,
							.columns = two,
							.has_key = true};
	const char *const keys[] = {"{\"id\" : 1}", "{\"id\" : 2}"};
	const VerifySide source = {.is_source = true, .filter = "a > 1"};
	const VerifySide target = {.partitioned = true};
	static const char joined[] =
		" JOIN (SELECT r.penstock_n, r.\"id\" AS penstock_1 FROM ROWS FROM"
		" (json_to_recordset('[{\"id\" : 1},{\"id\" : 2}]') AS"
		" (\"id\" bigint)) WITH ORDINALITY r (\"id\", penstock_n)) k"
		" ON \"t\".\"id\" = k.penstock_1";
	Buf sql;
	Buf expected;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_init(&expected, BUF_TEXT_MAX);
	verify_append_lookup(&sql, &of, &source, keys, 2);
	buf_printf(&expected,
			   "SELECT k.penstock_n, ROW(\"t\".\"id\", \"t\".\"a\")::text"
			   " COLLATE \"C\", NULL::bigint, \"t\".\"id\", \"t\".\"a\""
			   " FROM ONLY \"t\"%s WHERE (a > 1) ORDER BY 1",
			   joined);
	assert_string_equal(sql.data, expected.data);
	buf_reset(&sql);
	buf_reset(&expected);
	verify_append_lookup(&sql, &of, &target, keys, 2);
	buf_printf(&expected,
			   "SELECT k.penstock_n, ROW(\"t\".\"id\", \"t\".\"a\")::text"
			   " COLLATE \"C\", \"t\".tableoid, \"t\".ctid,"
			   " to_jsonb(\"t\".*) FROM \"t\"%s ORDER BY 1",
			   joined);
	assert_string_equal(sql.data, expected.data);
	buf_release(&sql);
	buf_release(&expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_is_asked_as_it_is),
		cmocka_unit_test(the_source_reads_its_text_as_the_target),
		cmocka_unit_test(ranges_are_those_of_the_key),
		cmocka_unit_test(rows_are_looked_up_by_their_key),
		cmocka_unit_test(rows_come_in_one_order),
		cmocka_unit_test(places_are_asked_of_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
