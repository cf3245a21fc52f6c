/*
 * start.c
 *		Starts a session, with all that it consists of; see start.h.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "catalogs/labels.h"
#include "compat.h"
#include "send/bundle.h"
#include "send/frame.h"
#include "start.h"
#include "tables/left_out.h"
#include "tables/publish.h"
#include "tables/relinfo.h"
#include "wire/compress.h"

static void
set_streaming(PenstockSession *session)
{
	if (set_streaming_compat(session->ctx, session->options.streaming))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("option \"streaming\" is not supported by this server"),
			 errdetail("Transactions in progress can be decoded from "
					   "PostgreSQL 14 on."),
			 errhint("Leave the option out: transactions are then sent when "
					 "they have committed.")));
}

/* Clears what an error has left; see PenstockSession.recover. */
static void
recover(PenstockSession *session)
{
	session->entered = false;
	session->current_value = NULL;
	MemoryContextReset(session->change_context);

	/*
	 * The error may have interrupted the building of an entry, which is marked
	 * as valid from the beginning.
	 */
	penstock_relations_invalidate(session->relations);
	penstock_frames_recover(session);
}

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
	session->recover = recover;
	session->change_context = AllocSetContextCreate(
		ctx->context, "penstock change", PENSTOCK_CONTEXT_SIZES);

	if (creating)
		(void) set_streaming_compat(ctx, false);
	else
	{
		penstock_options_parse(ctx->output_plugin_options, &session->options);
		set_streaming(session);

		/*
		 * The encoding is fixed here: were it to change later, the Session
		 * record would no longer be true.  Nothing is converted to SQL_ASCII,
		 * and all of pg_server_to_any()'s other cases are left to it.
		 */
		session->client_encoding = pg_get_client_encoding();
		session->converts = session->client_encoding != GetDatabaseEncoding() &&
							session->client_encoding != PG_SQL_ASCII;

		session->left_out = penstock_left_out_new(session);
		session->publications = penstock_publications_new(session);
		session->relations = penstock_relations_new(session);
		session->frames = penstock_frames_new(session);
		if (session->options.schema_changes)
			session->labels = penstock_labels_new(session);
		session->caches_mixed = true;
		if (session->options.compression_level != 0)
			session->compressor = penstock_compressor_new(
				session->options.compression_level);
		if (session->options.bundle)
			session->bundle = penstock_bundle_new(session);
	}

	MemoryContextSwitchTo(outer);
	ctx->output_plugin_private = session;
	return session;
}
