/*
 * current.c
 *    SQL that compares fingerprints.
 */
#include "sink/postgres/plan/current.h"

#include <inttypes.h>
#include <string.h>

/*
 * Finds the tables whose fingerprints differ from these.  The SQL runs under
 * the search_path of users.
 */
#define CHANGED_SQL(names, fingerprints)                                       \
	" FROM ROWS FROM (pg_catalog.unnest(" names "::pg_catalog.text[]),"        \
	" pg_catalog.unnest(" fingerprints "::bigint[])) AS k(name, fingerprint)"  \
	" WHERE (k.fingerprint OPERATOR(pg_catalog.=)"                             \
	" (SELECT " TARGET_FINGERPRINT_SQL " FROM pg_catalog.pg_class c"           \
	" WHERE c.oid OPERATOR(pg_catalog.=)"                                      \
	" pg_catalog.to_regclass(k.name)::pg_catalog.oid)) IS NOT TRUE"

/*
 * Fails if there is such a table: the cast of a text that is not a number
 * fails.
 */
#define CHECK_SQL                                                              \
	"SELECT CAST(pg_catalog.min(pg_catalog.concat('table ', k.name,"           \
	" ' has changed')) AS integer)"

const char current_check_sql[] = CHECK_SQL CHANGED_SQL("$1::pg_catalog.text",
													   "$2::pg_catalog.text");

const char current_find_changed_sql[] =
	"SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0" CHANGED_SQL(
		"$1::pg_catalog.text", "$2::pg_catalog.text");

const char current_changed_sqlstate[] = "PN001";

#define FUNCTION_SQL "pg_temp.penstock_current"

/* A macro, because it is used inside other macros. */
#define CHANGED_NOW_SQL CHANGED_SQL("names", "fingerprints")

#define ARGUMENTS_SQL   "(names pg_catalog.text, fingerprints pg_catalog.text)"

const char current_create_functions_sql[] =
	"CREATE OR REPLACE FUNCTION " FUNCTION_SQL "_now" ARGUMENTS_SQL
	" RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$"
	" BEGIN"
	"  IF EXISTS (SELECT" CHANGED_NOW_SQL ") THEN"
	"   RAISE EXCEPTION 'a table has changed' USING ERRCODE = 'PN001';"
	"  END IF;"
	"  RETURN true;"
	" END $$;"
	"CREATE OR REPLACE FUNCTION " FUNCTION_SQL ARGUMENTS_SQL
	" RETURNS boolean LANGUAGE sql IMMUTABLE AS $$"
	" SELECT " FUNCTION_SQL "_now(names, fingerprints) $$";

static void
append_names(Buf *text, const CurrentTables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
	{
		const char *name = tables->tables[i]->name_sql;

		buf_append_char(text, i == 0 ? '{' : ',');
		buf_append_element(text, name, strlen(name));
	}
	buf_append_char(text, '}');
}

static void
append_fingerprints(Buf *text, const CurrentTables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		buf_printf(text, "%c%" PRId64, i == 0 ? '{' : ',',
				   tables->tables[i]->fingerprint);
	buf_append_char(text, '}');
}

void
current_text_init(CurrentText *text, const CurrentTables *tables)
{
	ASSERT(tables->count > 0);
	buf_init(&text->names, BUF_TEXT_MAX);
	buf_init(&text->fingerprints, BUF_TEXT_MAX);
	append_names(&text->names, tables);
	append_fingerprints(&text->fingerprints, tables);
	CHECK(!text->names.overflowed && !text->fingerprints.overflowed);
}

void
current_text_release(CurrentText *text)
{
	buf_release(&text->names);
	buf_release(&text->fingerprints);
}

static void
add_text(Params *params, const Buf *text)
{
	ASSERT(!text->overflowed && text->length <= INT32_MAX);
	params_add_bytes(params, TYPE_TEXT,
					 arena_dup(params->arena, text->data, text->length),
					 (int) text->length);
}

void
current_add_params(Params *params, const CurrentTables *tables)
{
	CurrentText text;

	current_text_init(&text, tables);
	add_text(params, &text.names);
	add_text(params, &text.fingerprints);
	current_text_release(&text);
}

void
current_append_condition(Buf *sql, const CurrentTables *tables)
{
	CurrentText text;

	current_text_init(&text, tables);
	buf_append_string(sql, FUNCTION_SQL "(");
	buf_append_literal(sql, text.names.data);
	buf_append_string(sql, ", ");
	buf_append_literal(sql, text.fingerprints.data);
	buf_append_char(sql, ')');
	current_text_release(&text);
}
