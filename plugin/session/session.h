/*
 * session.h
 *		One decoding session: its options, state and memory.
 *
 * A session lasts from the plugin's startup callback until the decoding
 * context goes away.  Everything it allocates lives below that context, in one
 * of three lifetimes:
 *
 *	 context			options and state; as long as the session
 *	 relations			the relation cache (relinfo.h); as long as the session,
 *						each entry in a context of its own
 *	 change				what one callback builds; reset on leaving it
 *
 * Nothing needs the shutdown callback to be called, because decoding through
 * SQL functions ends without it when an error is raised.
 */
#ifndef PENSTOCK_SESSION_H
#define PENSTOCK_SESSION_H

#include "replication/logical.h"
#include "utils/memutils.h"

#include "session/options.h"

struct PenstockBundle;
struct PenstockCompressor;
struct PenstockFrames;
struct PenstockLabels;
struct PenstockLeftOut;
struct PenstockOwnXids;
struct PenstockPublications;
struct PenstockRelations;
struct PenstockSchema;
struct PenstockValueWriter;

/* Where the consumer keeps its progress on targets: never published. */
#define PENSTOCK_OWN_SCHEMA "penstock"

/*
 * Sizes of the contexts above, for AllocSetContextCreate.  A memory checker
 * sees what the server gets from malloc, not the chunks that it cuts that into.
 * So with one, blocks are so small that all but the smallest chunks are blocks
 * of their own.
 */
#ifdef __SANITIZE_ADDRESS__
#define PENSTOCK_CONTEXT_SIZES       0, 1024, 1024
#define PENSTOCK_SMALL_CONTEXT_SIZES PENSTOCK_CONTEXT_SIZES
#else
#define PENSTOCK_CONTEXT_SIZES       ALLOCSET_DEFAULT_SIZES
#define PENSTOCK_SMALL_CONTEXT_SIZES ALLOCSET_SMALL_SIZES
#endif

typedef struct PenstockSession
{
	LogicalDecodingContext *ctx; /* the server's; outlives the session */
	MemoryContext context;
	MemoryContext change_context;

	/*
	 * Clears what an error has left in all parts of the session; see
	 * penstock_session_enter().
	 */
	void (*recover)(struct PenstockSession *session);

	PenstockOptions options;

	/*
	 * Encoding of names and text in the stream, and whether it takes a
	 * conversion to get there.
	 */
	int client_encoding;
	bool converts;

	/*
	 * Settings that output functions depend on have their fixed values, until
	 * the transaction ends that is being replayed; see value.c.
	 */
	bool settings_applied;

	/*
	 * The server's caches of catalogs may have rows as an older snapshot than
	 * the newest has seen them; see newest.h.
	 */
	bool caches_mixed;

	/*
	 * A callback is running.  If this is set when the next one begins, an error
	 * has interrupted the last one without ending the session; see
	 * penstock_session_enter().
	 */
	bool entered;

	/*
	 * The reader was told that finished transactions may be held back; see
	 * bundle.h.
	 */
	bool holding;

	/*
	 * What the transaction or piece that is handed out has changed of the
	 * schema; NULL: nothing, or nobody wants to know.
	 */
	struct PenstockSchema *schema;

	/*
	 * The transaction that `schema` is of, and its subtransactions; NULL: there
	 * is no `schema`.
	 */
	struct PenstockOwnXids *own_xids;

	/* What is being written, for error messages; NULL between rows. */
	const struct PenstockValueWriter *current_value;

	struct PenstockCompressor *compressor; /* NULL: frames go as they are */
	struct PenstockLabels
		*labels; /* NULL: labels are as the server shows them */
	struct PenstockBundle *bundle;             /* NULL: nothing is held back */
	struct PenstockLeftOut *left_out;          /* NULL: no table is left out */
	struct PenstockFrames *frames;             /* see frame.h */
	struct PenstockRelations *relations;       /* see relinfo.h */
	struct PenstockPublications *publications; /* see publish.h */
} PenstockSession;

/* The session of a decoding context. */
static inline PenstockSession *
penstock_session_of(LogicalDecodingContext *ctx)
{
	return (PenstockSession *) ctx->output_plugin_private;
}

/*
 * Every callback that does work is enclosed in these two.  In between, the
 * current memory context is the change context, which the end empties.
 *
 * An error leaves out the end.  The session ends with it, but for one case: a
 * transaction that is handed out while it is in progress may abort meanwhile,
 * and then its catalog rows may be gone.  The server notices when the catalogs
 * are read, raises an error, catches it, and goes on with stream_stop.  What
 * the error interrupted is cleared when the next callback enters.
 */
static inline MemoryContext
penstock_session_enter(PenstockSession *session)
{
	if (unlikely(session->entered))
		session->recover(session);
	session->entered = true;
	return MemoryContextSwitchTo(session->change_context);
}

static inline void
penstock_session_leave(PenstockSession *session, MemoryContext outer)
{
	Assert(session->entered);
	session->entered = false;
	MemoryContextSwitchTo(outer);
	MemoryContextReset(session->change_context);
}

/*
 * Converts text to the stream's encoding.  Returns it unchanged where there is
 * nothing to do, else a copy in the current context; *bytes is its length and
 * is updated.  Raises an error for a character that the encoding lacks.
 */
extern const char *penstock_session_convert(const PenstockSession *session,
											const char *text, Size *bytes);

#endif /* PENSTOCK_SESSION_H */
