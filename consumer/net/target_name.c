/*
 * target_name.c
 *    Makes names of the parts of a connection string that tell one target from
 *    another.
 */
#include "net/target_name.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"

static const char *
find_option(const PQconninfoOption *options, const char *keyword)
{
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val && o->val[0] != '\0')
			return o->val;
	return NULL;
}

char *
target_address(const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	const char *database = find_option(options, "dbname");
	const char *service = find_option(options, "service");
	const char *host = find_option(options, "host");
	const char *port = find_option(options, "port");
	char *address;
	Buf buf;

	if (host == NULL)
		host = find_option(options, "hostaddr");
	buf_init(&buf, BUF_TEXT_MAX);
	buf_append_string(&buf, database ? database : service ? service : "");
	if (host != NULL)
		buf_printf(&buf, "%s%s", buf.length > 0 ? "@" : "", host);
	if (port != NULL)
		buf_printf(&buf, ":%s", port);
	address = xstrdup(buf.data);
	buf_release(&buf);
	PQconninfoFree(options);
	return address;
}

char *
target_name(const char *conninfo)
{
	char *address = target_address(conninfo);
	char *name;

	if (address[0] == '\0')
		name = xstrdup("target");
	else
		name = xasprintf("target \"%s\"", address);
	free(address);
	return name;
}

static bool
is_secret(const PQconninfoOption *option)
{
	return strcmp(option->keyword, "password") == 0 ||
		   strcmp(option->keyword, "sslpassword") == 0;
}

/* Appends keyword=value, quoted for a connection string. */
static void
append_keyword(Buf *buf, const PQconninfoOption *option)
{
	bool quoted = option->val[0] == '\0' ||
				  strpbrk(option->val, " '\\") != NULL;

	buf_printf(buf, "%s%s=%s", buf->length > 0 ? " " : "", option->keyword,
			   quoted ? "'" : "");
	for (const char *c = option->val; *c != '\0'; c++)
	{
		if (*c == '\'' || *c == '\\')
			buf_append_char(buf, '\\');
		buf_append_char(buf, *c);
	}
	if (quoted)
		buf_append_char(buf, '\'');
}

char *
conninfo_without_password(const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	bool has_secret = false;
	char *text = NULL;
	Buf buf;

	if (options == NULL)
		return NULL;
	buf_init(&buf, BUF_TEXT_MAX);
	buf_append_string(&buf, "");
	for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
	{
		if (o->val == NULL)
			continue;
		if (is_secret(o))
			has_secret = true;
		else
			append_keyword(&buf, o);
	}
	/* Without a password the string is printed as the user wrote it. */
	text = xstrdup(has_secret ? buf.data : conninfo);
	buf_release(&buf);
	PQconninfoFree(options);
	return text;
}
