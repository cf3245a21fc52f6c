/*
 * publications.c
 *    Parses the list of publications, and reads their properties from the
 *    source.
 */
#include "catalog/publications.h"

#include <ctype.h>
#include <string.h>

#include "net/sql.h"

static const char *
skip_space(const char *c)
{
	while (isspace((unsigned char) *c))
		c++;
	return c;
}

/*
 * Reads a quoted name after its opening quote.  Returns a pointer to after the
 * closing quote, or NULL if there is none.
 */
static const char *
read_quoted(const char *c, char *name)
{
	for (; *c != '\0'; c++)
	{
		if (*c == '"' && c[1] != '"')
		{
			*name = '\0';
			return c + 1;
		}
		if (*c == '"')
			c++;
		*name++ = *c;
	}
	return NULL;
}

static const char *
read_bare(const char *c, char *name)
{
	for (; *c != '\0' && *c != ',' && !isspace((unsigned char) *c); c++)
		*name++ = *c >= 'A' && *c <= 'Z' ? (char) (*c - 'A' + 'a') : *c;
	*name = '\0';
	return c;
}

Rc
publications_parse(Publications *publications, const char *list, Arena *arena,
				   Error *err)
{
	const char *c = list;

	*publications = (Publications){0};
	for (;;)
	{
		char *name = arena_alloc(arena, strlen(c) + 1);

		c = skip_space(c);
		c = *c == '"' ? read_quoted(c + 1, name) : read_bare(c, name);
		if (c == NULL || name[0] == '\0')
			break;
		if (publications->count == PUBLICATIONS_MAX)
			return error_set(err, ERR_LIMIT,
							 "more than %d publications are given",
							 PUBLICATIONS_MAX);
		publications->names[publications->count++] = name;
		c = skip_space(c);
		if (*c == '\0')
			return RC_OK;
		if (*c++ != ',')
			break;
	}
	return error_set(err, ERR_CONFIG, "invalid list of publications: \"%s\"",
					 list);
}

Rc
publications_words(Words *words, const char *list, Arena *arena, Error *err)
{
	Publications publications = {0};
	Rc rc = publications_parse(&publications, list, arena, err);

	*words = (Words){0};
	for (int i = 0; i < publications.count && rc == RC_OK; i++)
		words_add(words, arena, publications.names[i]);
	return rc;
}

void
publications_append_literals(const Publications *publications, Buf *sql)
{
	ASSERT(publications->count > 0);
	for (int i = 0; i < publications->count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		buf_append_literal(sql, publications->names[i]);
	}
}

static bool
is_in_result(const PGresult *result, const char *name)
{
	for (int i = 0; i < PQntuples(result); i++)
		if (strcmp(PQgetvalue(result, i, 0), name) == 0)
			return true;
	return false;
}

static Rc
missing(const char *name, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "publication \"%s\" does not exist on the source", name);
	Buf identifier;

	buf_init(&identifier, BUF_TEXT_MAX);
	buf_append_identifier(&identifier, name);
	error_hint(err,
			   "For the whole database run there: CREATE PUBLICATION %s FOR "
			   "ALL TABLES; or name some tables: CREATE PUBLICATION %s FOR "
			   "TABLE …;",
			   identifier.data, identifier.data);
	buf_release(&identifier);
	return rc;
}

Rc
publications_read(Publications *publications, PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	ASSERT(publications->count > 0);
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT pubname, puballtables,"
							" pubupdate OR pubdelete"
							" FROM pg_catalog.pg_publication"
							" WHERE pubname IN (");
	publications_append_literals(publications, &sql);
	buf_append_char(&sql, ')');
	rc = sql_run(source, &sql, &result, err);
	if (rc != RC_OK)
		return rc;
	for (int i = 0; i < PQntuples(result); i++)
	{
		publications->all_tables |= sql_bool(result, i, 1);
		publications->publishes_keys |= sql_bool(result, i, 2);
	}
	for (int i = 0; i < publications->count && rc == RC_OK; i++)
		if (!is_in_result(result, publications->names[i]))
			rc = missing(publications->names[i], err);
	PQclear(result);
	return rc;
}
