/*
 * session.c
 *		Converts text for a session; see session.h.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "session/session.h"

const char *
penstock_session_convert(const PenstockSession *session, const char *text,
						 Size *bytes)
{
	char *converted;

	Assert(text != NULL);
	if (!session->converts)
		return text;

	converted = pg_server_to_any(text, (int) *bytes, session->client_encoding);
	if (converted != text)
		*bytes = strlen(converted);
	return converted;
}
