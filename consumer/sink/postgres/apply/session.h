/*
 * session.h
 *    Opens the sessions that apply changes: settings, replication origin,
 *    lease.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_SESSION_H
#define PENSTOCK_SINK_POSTGRES_APPLY_SESSION_H

#include <stdbool.h>

#include "control/copy/copied_table.h"
#include "control/copy/postponed_key.h"
#include "control/copy/table_state.h"
#include "control/node_table.h"
#include "control/pipeline_table.h"
#include "control/progress_table.h"
#include "model/placed_columns.h"
#include "model/policy.h"
#include "net/pgconn.h"
#include "net/pgconn_open.h"

typedef struct SessionOptions
{
	const char *conninfo;
	const char *label;
	bool impatient; /* see PgConnOptions */
	const char *pipeline;
	const SourceHistory *source;
	const ConflictRules *rules;   /* NULL: conflicts stop the sink */
	const NodeIdentity *node;     /* see PostgresSinkOptions */
	const PipelineMemory *memory; /* see PostgresSinkOptions */
	const TableName *only;        /* see PostgresSinkOptions */
	int only_count;
} SessionOptions;

typedef struct Session
{
	PgConn *conn;
	bool independent_tables; /* whether foreign keys and triggers do not fire */
	bool marked;             /* whether the session has a replication origin */
	ProgressRow progress;    /* as of when the lease was claimed */
	TableStates *table_states;
	CopiedTables *copied; /* NULL: all tables count as copied */
	PostponedKeys keys;
	PlacedColumnsList columns; /* empty without a placement */
	Lsn fence_lsn;             /* see fence.h; 0: no fence */
	Lsn index_build_lsn; /* newest position in penstock.index_build; 0: none */
	bool has_kept;       /* whether penstock.moved has rows of the pipeline */
} Session;

/* Returns the options for connecting a session. */
PgConnOptions session_connection(const SessionOptions *options);

/*
 * Checks that the target belongs to the source, claims the pipeline's lease,
 * and ends further sessions of an earlier holder.  Waits for the target.  Takes
 * ownership of the connection, even if it fails; it must be new and opened with
 * session_connection(); NULL: opens one.  After success, the connection, the
 * table states, and the lists of copied tables, keys and columns are owned by
 * the caller.
 */
MUST_CHECK Rc session_open(Session *session, PgConn *conn,
						   const SessionOptions *options, Error *err);

/*
 * Opens another session under the lease that is held, with the same settings
 * and a replication origin of its own; with `must_mark` it fails if there is
 * none.  Waits for the target.  After success, the caller owns the connection.
 */
MUST_CHECK Rc session_open_another(PgConn **conn, const SessionOptions *options,
								   bool must_mark, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_SESSION_H */
