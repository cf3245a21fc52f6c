/*
 * postgres_sink.h
 *    The sink that applies changes to a PostgreSQL database, exactly once.
 *
 * The sink collects source transactions in a batch while it applies the
 * previous batch.  A batch is one transaction on the target, which also moves
 * the pipeline's progress; a source transaction larger than a batch is applied
 * in parts, in one open transaction on the target.  postgres_sink.c describes
 * how, plan.h what is sent.
 */
#ifndef PENSTOCK_SINK_POSTGRES_POSTGRES_SINK_H
#define PENSTOCK_SINK_POSTGRES_POSTGRES_SINK_H

#include <stddef.h>

#include "control/copy/postponed_key.h"
#include "control/copy/table_state.h"
#include "control/node_table.h"
#include "control/pipeline_table.h"
#include "control/progress_table.h"
#include "model/placed_columns.h"
#include "model/policy.h"
#include "model/words.h"
#include "net/pgconn_open.h"
#include "sink/sink.h"

/*
 * Stores the definitions of the source's schema on a target that has none.
 * `target` is a session of the target in no transaction, with search_path =
 * pg_catalog.  The lease with that token may be lost.
 */
typedef struct SchemaNotes
{
	Rc (*note)(void *context, PgConn *target, int64_t lease_token, Error *err);
	void *context;
} SchemaNotes;

typedef struct PostgresSinkOptions
{
	const char *conninfo;            /* borrowed as long as the sink exists */
	const char *label;               /* label for messages: target, or target
									  * "2"; copied */
	const char *pipeline;            /* copied */
	bool impatient;                  /* see PgConnOptions */
	const SourceHistory *source;     /* borrowed during the call */
	size_t memory_bytes;             /* memory for changes that are held */
	int memory_shares;               /* number of sinks that share --memory; 0:
									  * one */
	SchemaPolicy schema_policy;      /* policy for schema changes */
	const Words *publications;       /* publications of the pipeline; borrowed
									  * as long as the sink exists; NULL: not
									  * known */
	const SchemaRules *schema_rules; /* rules that override schema_policy;
									  * borrowed; NULL: none */
	bool chooses_tables;             /* whether some published tables may have
									  * been excluded */
	const SchemaNotes *notes;        /* required unless schema_policy is
									  * SCHEMA_OFF; borrowed as long as the sink
									  * exists */
	bool lacked_lock;                /* whether the last schema change failed
									  * for a lock: log when it succeeds */
	int sequence_stride;             /* stride of the target's sequences; 0:
									  * none */
	bool per_transaction;            /* whether each source transaction is one
									  * on the target, too */
	int lanes;                       /* number of connections for
									  * per_transaction; else 1 */
	const ConflictRules *rules;      /* borrowed as long as the sink exists;
									  * NULL: conflicts stop the sink */
	const NodeIdentity *node;        /* node as which the target must have been
									  * copied; NULL: without a placement */
	const PipelineMemory *memory;    /* options that the target must store;
									  * borrowed as long as the sink exists;
									  * NULL: not checked */
	const TableName *only;           /* apply only changes to these tables;
									  * NULL: to all */
	int only_count;
} PostgresSinkOptions;

/* Returns the connection options for postgres_sink_open(). */
PgConnOptions postgres_sink_connection(const PostgresSinkOptions *options);

/*
 * Opens a sink: claims the pipeline's lease, and reads the target's progress.
 * Waits for the target.  Takes ownership of the connection, even if it fails;
 * NULL: opens one.
 */
MUST_CHECK Rc postgres_sink_open(Sink **sink, PgConn *conn,
								 const PostgresSinkOptions *options,
								 Error *err);

/*
 * Returns the states of the target's tables, valid as long as the sink.  Here
 * and below, `sink` may be a filter in front of this sink.
 */
const TableStates *postgres_sink_table_states(const Sink *sink);

/*
 * Returns the keys that were postponed when the lease was claimed; valid as
 * long as the sink.
 */
const PostponedKeys *postgres_sink_keys(const Sink *sink);

/*
 * Moves the list of the columns by which the target's rows were placed when the
 * lease was claimed, empty without a placement, to the caller.
 */
void postgres_sink_take_columns(Sink *sink, PlacedColumnsList *list);

#endif /* PENSTOCK_SINK_POSTGRES_POSTGRES_SINK_H */
