/*
 * mask.c
 *    Looks at the text once, from the left.
 */
#include "cmd/report/mask.h"

#include <string.h>
#include <strings.h>

#include "base/macros.h"

/* Returns the end of what is between two quotes; `at` is after the first. */
static const char *
skip_quoted(const char *at, char quote)
{
	while (*at != '\0' && *at != '\n' && *at != quote)
		at++;
	return *at == quote ? at + 1 : at;
}

/* Returns the end of what is in parentheses, which may have others in it; `at`
 * is after the first. */
static const char *
skip_parentheses(const char *at)
{
	int depth = 1;

	for (; *at != '\0' && *at != '\n' && depth > 0; at++)
		depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
	return at;
}

/* Whether what was written last makes a parenthesis one around values. */
static bool
announces_values(const Buf *buf)
{
	static const char word[] = "contains ";
	size_t length = strlen(word);

	if (buf->length == 0)
		return false;
	if (buf->data[buf->length - 1] == '=')
		return true;
	return buf->length >= length &&
		   memcmp(buf->data + buf->length - length, word, length) == 0;
}

/* Returns the length of a name of a secret with its =, or 0. */
static size_t
secret_length(const char *text)
{
	static const char *const names[] = {
		"password=", "passfile=", "sslkey=", "sslpassword="};

	for (size_t i = 0; i < LENGTH_OF(names); i++)
		if (strncasecmp(text, names[i], strlen(names[i])) == 0)
			return strlen(names[i]);
	return 0;
}

/* The password of a URI: from the colon after the user's name to the @. */
static const char *
skip_uri_password(const char *text)
{
	const char *colon;
	const char *end;

	if (strncmp(text, "://", 3) != 0)
		return NULL;
	end = text + strcspn(text, " @\n");
	colon = memchr(text + 3, ':', (size_t) (end - text - 3));
	return *end == '@' && colon != NULL ? end : NULL;
}

void
mask_append(Buf *buf, const char *text, bool double_quotes)
{
	while (*text != '\0')
	{
		size_t secret = secret_length(text);
		const char *uri = skip_uri_password(text);

		if (*text == '\'' || (*text == '"' && double_quotes))
		{
			buf_printf(buf, "%c?%c", *text, *text);
			text = skip_quoted(text + 1, *text);
		}
		else if (*text == '(' && announces_values(buf))
		{
			buf_append_string(buf, "(?)");
			text = skip_parentheses(text + 1);
		}
		else if (secret > 0)
		{
			buf_append(buf, text, secret);
			buf_append_char(buf, '?');
			text += secret;
			text = *text == '\'' ? skip_quoted(text + 1, '\'')
								 : text + strcspn(text, " \n");
		}
		else if (strncmp(text, "row: ", 5) == 0)
		{
			buf_append_string(buf, "row: ?");
			text += strcspn(text, "\n");
		}
		else if (uri != NULL)
		{
			buf_append_string(buf, "://?");
			text = uri;
		}
		else
			buf_append_char(buf, *text++);
	}
}

/* Appends a member whose value is a word, if the line has it. */
static void
append_member(Buf *buf, const char *line, const char *key)
{
	const char *at = strstr(line, key);

	if (at == NULL)
		return;
	at += strlen(key);
	buf_printf(buf, "%.*s ", (int) strcspn(at, "\""), at);
}

/*
 * Whether a line begins something.  One that does not is what comes after a
 * line break in a value, and may have any part of it.
 */
static bool
is_beginning(const char *line)
{
	static const char *const parts[] = {
		"  detail: ", "  hint: ", "  context: "};

	for (size_t i = 0; i < LENGTH_OF(parts); i++)
		if (strncmp(line, parts[i], strlen(parts[i])) == 0)
			return true;
	/* A time: 2026-11-30 05:54:22. */
	return strspn(line, "0123456789") == 4 && line[4] == '-';
}

void
mask_append_log_line(Buf *buf, const char *line)
{
	const char *object = strstr(line, "{\"time\":\"");

	if (object == NULL)
	{
		if (is_beginning(line))
			mask_append(buf, line, true);
		else
			buf_append_string(buf, "?");
		return;
	}
	append_member(buf, object, "\"time\":\"");
	append_member(buf, object, "\"level\":\"");
	append_member(buf, object, "\"event\":\"");
	append_member(buf, object, "\"sqlstate\":\"");
}
