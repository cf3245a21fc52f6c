/*
 * session.h
 *    Sessions that apply changes: settings, the mark on what they write, and
 *    the lease.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SESSION_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SESSION_H

#include <stdbool.h>

#include "control/copied_table.h"
#include "control/node_table.h"
#include "control/pipeline_table.h"
#include "control/postponed_key.h"
#include "control/progress_table.h"
#include "control/table_state.h"
#include "model/policy.h"
#include "net/pgconn.h"
#include "net/pgconn_open.h"

typedef struct SessionOptions
{
	const char *conninfo;
	const char *label;
	bool impatient; /* as PgConnOptions has it */
	const char *pipeline;
	const SourceHistory *source;
	const ConflictRules *rules;   /* or NULL */
	const NodeIdentity *node;     /* as PostgresSinkOptions has it */
	const PipelineMemory *memory; /* the same */
	const TableName *only;        /* the same */
	int only_count;
} SessionOptions;

typedef struct Session
{
	PgConn *conn;
	bool independent_tables; /* foreign keys and triggers do not fire */
	bool marked;             /* what it writes has the origin's mark */
	ProgressRow progress;    /* as it stood when the lease was claimed */
	TableStates *table_states;
	CopiedTables *copied; /* NULL: all are taken for copied */
	PostponedKeys keys;
	Lsn fence_lsn;       /* see fence.h */
	Lsn index_build_lsn; /* newest position in penstock.index_build; 0: none */
	bool has_kept;       /* penstock.moved has something of the pipeline */
} Session;

/* How to connect for a session. */
PgConnOptions session_connection(const SessionOptions *options);

/*
 * Checks that the target belongs to the source, claims the pipeline's
 * lease, and ends what further sessions a former holder may have left.  Waits
 * for the target.  Takes ownership of the connection, which is new and as
 * session_connection() says, also when it fails; NULL: it connects itself.  On
 * success the connection, the table states, the list of copied tables and that
 * of keys are the caller's.
 */
MUST_CHECK Rc session_open(Session *session, PgConn *conn,
						   const SessionOptions *options, Error *err);

/*
 * Connects once more, for a session under the lease that is held.  It has the
 * settings of the first, and an origin of its own: with `must_mark` it fails if
 * it cannot have one.  Waits for the target.  On success the connection is the
 * caller's.
 */
MUST_CHECK Rc session_open_another(PgConn **conn, const SessionOptions *options,
								   bool must_mark, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SESSION_H */
