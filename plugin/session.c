/*
 * session.c
 *		Starts a session; see session.h.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "frame.h"
#include "publish.h"
#include "relinfo.h"
#include "session.h"

PenstockSession *
penstock_session_new(LogicalDecodingContext *ctx, bool creating)
{
	MemoryContext context;
	MemoryContext outer;
	PenstockSession *session;

	context = AllocSetContextCreate(ctx->context, "penstock session",
									PENSTOCK_CONTEXT_SIZES);
	outer = MemoryContextSwitchTo(context);

	session = palloc0(sizeof(PenstockSession));
	session->ctx = ctx;
	session->context = context;
	session->change_context = AllocSetContextCreate(
		ctx->context, "penstock change", PENSTOCK_CONTEXT_SIZES);

	if (!creating)
	{
		penstock_options_parse(ctx->output_plugin_options, &session->options);

		/*
		 * The encoding is fixed here: were it to change later, the Session
		 * record would no longer be true.  Nothing is converted to SQL_ASCII,
		 * and all of pg_server_to_any()'s other cases are left to it.
		 */
		session->client_encoding = pg_get_client_encoding();
		session->converts = session->client_encoding != GetDatabaseEncoding() &&
							session->client_encoding != PG_SQL_ASCII;

		session->publications = penstock_publications_new(session);
		session->relations = penstock_relations_new(session);
		session->frames = penstock_frames_new(session);
	}

	MemoryContextSwitchTo(outer);
	ctx->output_plugin_private = session;
	return session;
}

const char *
penstock_session_convert(const PenstockSession *session, const char *text,
						 Size *bytes)
{
	char *converted;

	if (!session->converts)
		return text;

	converted = pg_server_to_any(text, (int) *bytes, session->client_encoding);
	if (converted != text)
		*bytes = strlen(converted);
	return converted;
}
