/*
 * script_test.c
 *    Which statements of a script belong to which entry of the dump.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "copy/schema/script.h"

static Arena *arena;

static Script
parse(const char *text)
{
	Script script;

	script_parse(&script, text, arena);
	return script;
}

static void
an_entry_has_the_statements_behind_its_header(void **state UNUSED)
{
	Script script = parse("\\restrict key\n"
						  "SET client_encoding = 'UTF8';\n"
						  "--\n"
						  "-- TOC entry 7 (class 1259 OID 16544)\n"
						  "-- Name: i; Type: INDEX\n"
						  "--\n\n"
						  "CREATE INDEX i ON s.t (a);\n\n"
						  "ALTER TABLE s.t CLUSTER ON i;\n"
						  "ALTER TABLE s.t REPLICA IDENTITY USING INDEX i;\n\n"
						  "--\n"
						  "-- TOC entry 8 (class 0 OID 0)\n"
						  "--\n"
						  "ALTER INDEX s.p ATTACH PARTITION s.i;\n"
						  "\\unrestrict key\n");

	assert_int_equal(script.count, 2);
	assert_int_equal(script.entries[0].class_oid, 1259);
	assert_int_equal(script.entries[0].oid, 16544);
	assert_string_equal(script.entries[0].first, "CREATE INDEX i ON s.t (a);");
	assert_string_equal(script.entries[0].rest,
						"ALTER TABLE s.t CLUSTER ON i;\n"
						"ALTER TABLE s.t REPLICA IDENTITY USING INDEX i;\n");
	assert_string_equal(script.entries[0].tablespace, "");
	assert_int_equal(script.entries[1].class_oid, 0);
	assert_string_equal(script.entries[1].first,
						"ALTER INDEX s.p ATTACH PARTITION s.i;");
	assert_string_equal(script.entries[1].rest, "");
}

static void
a_tablespace_holds_until_it_is_set_again(void **state UNUSED)
{
	Script script = parse("SET default_tablespace = fast;\n"
						  "-- TOC entry 1 (class 1259 OID 1)\nSELECT 1;\n"
						  "-- TOC entry 2 (class 1259 OID 2)\nSELECT 2;\n"
						  "SET default_tablespace = '';\n"
						  "-- TOC entry 3 (class 1259 OID 3)\nSELECT 3;\n");

	assert_int_equal(script.count, 3);
	assert_string_equal(script.entries[0].tablespace,
						"SET default_tablespace = fast;");
	assert_string_equal(script.entries[1].tablespace,
						"SET default_tablespace = fast;");
	assert_string_equal(script.entries[1].rest, "");
	assert_string_equal(script.entries[2].tablespace,
						"SET default_tablespace = '';");
}

/* Each of these is one statement, whatever stands in it. */
static void
literals_are_no_statements_and_no_headers(void **state UNUSED)
{
	static const char *const statements[] = {
		"CREATE INDEX i ON t ((a || '\n-- TOC entry 9 (class 1 OID 1)\n; '));",
		"SELECT 'it''s; ' || E'a\\'b; \\\\' || e'\\\\';",
		"SELECT \"a;\"\"b\" FROM \"-- TOC entry 9 (class 1 OID 1)\";",
		"SELECT $$a;'b$$, $x$ $$; $x$, a$b, $1;",
		"SELECT 1 -- a ; comment's\n + 2;",
		"SELECT name'x; y', type 'z;';",
	};

	for (size_t i = 0; i < LENGTH_OF(statements); i++)
	{
		Buf text;
		Script script;

		buf_init(&text, BUF_TEXT_MAX);
		buf_printf(&text, "-- TOC entry 1 (class 1259 OID 5)\n%s\nSELECT 2;\n",
				   statements[i]);
		script = parse(text.data);
		assert_int_equal(script.count, 1);
		assert_string_equal(script.entries[0].first, statements[i]);
		assert_string_equal(script.entries[0].rest, "SELECT 2;\n");
		buf_release(&text);
	}
}

/* It ends somewhere, and within the text. */
static void
what_is_not_closed_ends_with_the_text(void **state UNUSED)
{
	static const char *const rests[] = {"'",  "\"", "$$", "$a$", "$a",  "E'\\",
										"--", "a",  "",   "$",   "'a''"};

	for (size_t i = 0; i < LENGTH_OF(rests); i++)
	{
		Buf text;

		buf_init(&text, BUF_TEXT_MAX);
		buf_printf(&text, "-- TOC entry 1 (class 1259 OID 5)\nSELECT %s",
				   rests[i]);
		assert_int_equal(parse(text.data).count, 1);
		buf_release(&text);
	}
}

static int
set_up(void **state UNUSED)
{
	arena = arena_new(4 * KB);
	return 0;
}

static int
tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_has_the_statements_behind_its_header),
		cmocka_unit_test(a_tablespace_holds_until_it_is_set_again),
		cmocka_unit_test(literals_are_no_statements_and_no_headers),
		cmocka_unit_test(what_is_not_closed_ends_with_the_text),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
