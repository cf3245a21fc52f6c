/*
 * postgres_sink.h
 *    The sink that applies changes to a PostgreSQL database, exactly once.
 *
 * It collects source transactions into a batch while the batch before is being
 * applied.  A batch is one transaction on the target, which also moves the
 * pipeline's progress there; a source transaction larger than a batch is
 * applied in parts, into one open transaction on the target.  See
 * postgres_sink.c for how, and plan.h for what is sent.
 */
#ifndef PENSTOCK_SINK_POSTGRES_POSTGRES_SINK_H
#define PENSTOCK_SINK_POSTGRES_POSTGRES_SINK_H

#include <stddef.h>

#include "control/node_table.h"
#include "control/pipeline_table.h"
#include "control/postponed_key.h"
#include "control/progress_table.h"
#include "control/table_state.h"
#include "model/policy.h"
#include "model/words.h"
#include "net/pgconn_open.h"
#include "sink/sink.h"

/*
 * Who notes what the source's schema is, on a target that does not know it.
 * `target` is a session of the target outside of a transaction, with pg_catalog
 * alone as search_path; the lease of the token may be lost by now.
 */
typedef struct SchemaNotes
{
	Rc (*note)(void *context, PgConn *target, int64_t lease_token, Error *err);
	void *context;
} SchemaNotes;

typedef struct PostgresSinkOptions
{
	const char *conninfo;        /* borrowed while the sink lives */
	const char *label;           /* for messages: target, or target "2" */
	const char *pipeline;        /* copied */
	bool impatient;              /* as PgConnOptions has it */
	const SourceHistory *source; /* borrowed during the call */
	size_t memory_bytes;         /* for changes that are held */
	int memory_shares;           /* such parts of what --memory says; 0: one */
	SchemaPolicy schema_policy;  /* for changes of the source's schema */
	const Words *publications;   /* of the pipeline; borrowed while the sink
								  * lives, or NULL: not known */
	const SchemaRules
		*schema_rules;        /* otherwise than that; borrowed, or NULL */
	const SchemaNotes *notes; /* with a policy for these: of what is not
							   * noted yet; borrowed while the sink lives */
	bool lacked_lock;     /* a schema change did before: say when it is made */
	int sequence_stride;  /* of the target's sequences; 0: none */
	bool per_transaction; /* each source transaction is one there, too */
	int lanes;            /* connections for that; else 1 */
	const ConflictRules *rules; /* borrowed while the sink lives, or NULL */
	const NodeIdentity *node;   /* what the target must have been loaded as; or
								 * NULL: without a placement */
	const PipelineMemory *memory; /* what it is to remember; borrowed while the
								   * sink lives; or NULL: it is not asked */
	const TableName *only;        /* apply nothing to other tables; or NULL */
	int only_count;
} PostgresSinkOptions;

/* How to connect for postgres_sink_open(). */
PgConnOptions postgres_sink_connection(const PostgresSinkOptions *options);

/*
 * Claims the pipeline's lease, and reads where the target is.  Waits for the
 * target.  Takes ownership of the connection also when it fails; NULL: it
 * connects itself.
 */
MUST_CHECK Rc postgres_sink_open(Sink **sink, PgConn *conn,
								 const PostgresSinkOptions *options,
								 Error *err);

/* What of the stream is not for it; as long as the sink lives.  The sink may be
 * a filter in front of it, here and below. */
const TableStates *postgres_sink_table_states(const Sink *sink);

/* Keys of the target that were postponed when the lease was claimed; likewise.
 */
const PostponedKeys *postgres_sink_keys(const Sink *sink);

#endif /* PENSTOCK_SINK_POSTGRES_POSTGRES_SINK_H */
