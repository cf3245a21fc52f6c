/*
 * sample.h
 *    The state of a pipeline, as its servers report it.
 *
 * The follower is another process, so everything is read from the servers.  The
 * source reports the end of its WAL and what the follower has reported to its
 * walsender; each target has its progress.  Two samples about a second apart
 * give rates, and show which changes are durable.
 *
 *     received   the follower has received it (walsender's write_lsn)
 *     applied    committed on the target
 *     durable    would survive a crash of the target
 *     confirmed  durable on every target, and reported to the slot
 *
 * A target's progress moves with published transactions, and only now and then
 * with other WAL.  The follower reports as replayed only what every target has
 * applied, so each target has at least that.
 */
#ifndef PENSTOCK_CMD_STATUS_SAMPLE_H
#define PENSTOCK_CMD_STATUS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/status/cloning.h"
#include "cmd/status/tables.h"
#include "config/config.h"
#include "control/copy/index_build.h"
#include "control/copy/postponed_key.h"
#include "control/copy/work_list.h"
#include "control/follower_table.h"
#include "control/pipeline_table.h"
#include "control/progress_table.h"
#include "control/switch_table.h"
#include "model/lsn.h"
#include "net/pgconn.h"
#include "source/slot.h"

/* Milliseconds between the two samples. */
#define STATUS_INTERVAL_MS 1000

typedef struct SourceSample
{
	Lsn lsn;        /* end of the source's WAL */
	int64_t now_us; /* time on the source, in microseconds since 2000 */
	SlotInfo slot;
	bool following;        /* whether a walsender uses the slot */
	bool positions_hidden; /* whether our role may not see the walsender's
							* positions */
	Lsn received_lsn;      /* write_lsn of the walsender; 0: no follower, or not
							* known */
	Lsn replayed_lsn;      /* replay_lsn of the walsender: applied on every
							* target; 0: as above */
} SourceSample;

/* Bytes for a line about an unfinished clone. */
#define CLONE_TEXT_SIZE 128

typedef struct TargetSample
{
	ProgressRow progress;
	WorkRun clone;   /* an unfinished clone; its strings are NULL */
	Cloning cloning; /* progress of the clone; in the status's arena */
	char clone_text[CLONE_TEXT_SIZE];
	char *clone_running; /* owned; current activity of the clone as JSON; NULL:
						  * not running or not known */
	Lsn insert_lsn;      /* end of the target's own WAL, read after
						  * `progress` */
	Lsn flush_lsn;       /* up to where the target has flushed its own WAL */
	int64_t taken_us;    /* monotonic time of the sample, in microseconds */
} TargetSample;

typedef struct SourceStatus
{
	PgConn *conn;
	bool reached; /* if false, `failure` has the reason */
	Error failure;
	char system_identifier[SLOT_SYSTEM_ID_SIZE]; /* empty: not known */
	SourceHistory history;                       /* identity.timeline 0: our
												  * role may not read it */
	SourceSample sample;                         /* the later sample */
	SwitchRow move; /* state of "penstock switch"; in the status's arena */
} SourceStatus;

typedef struct TargetStatus
{
	PgConn *conn;
	char *address; /* owned; name in the file, or target_address() */
	bool reached;  /* if false, `failure` has the reason */
	Error failure;
	TargetSample first;
	TargetSample second;
	TableStatusList tables; /* tables that are not followed */
	PostponedKeys keys;     /* foreign keys that are not valid yet */
	IndexBuilds builds;     /* indexes to be built; in the status's arena */
	PipelineMemory memory;  /* options that the pipeline stores; in the status's
							 * arena */
	FollowerRow follower;   /* last report of the follower there; in the
							 * status's arena */

	/*
	 * Error of history_prove(): the target's progress is not in the source's
	 * history.  No message: it is, or the history is not known.
	 */
	Error mismatch;
	const char *mismatch_text; /* short text for `mismatch` */
	bool held;                 /* whether a fence holds the target */
} TargetStatus;

typedef struct PipelineStatus
{
	Arena *arena;
	SourceStatus source;
	int target_count;
	TargetStatus targets[CONFIG_TARGETS_MAX];
} PipelineStatus;

/* Positions and rates of a target with progress, derived from both samples. */
typedef struct TargetPosition
{
	Lsn applied_lsn;
	Lsn durable_lsn;
	bool has_lag; /* whether the lag is known: the source was reached */
	uint64_t lag_bytes;
	double lag_seconds; /* upper bound; negative: not known */
	double transactions_per_s;
	double rows_per_s;
} TargetPosition;

/*
 * Connects to all servers and takes both samples; waits for the servers, and
 * for STATUS_INTERVAL_MS.  A server that cannot be reached is not a failure.
 * RC_FAIL: a stop was requested.  The caller must call status_release() in any
 * case.
 */
MUST_CHECK Rc status_take(PipelineStatus *status, const Config *config,
						  Error *err);

/*
 * The same for a status that may have been taken before, or is zeroed: sessions
 * with servers that were reached are used again, and everything else is read
 * anew.  Not for a status that status_take() has failed for.
 */
MUST_CHECK Rc status_take_again(PipelineStatus *status, const Config *config,
								Error *err);

/*
 * Closes the connections and frees everything in *status.  Accepts a zeroed
 * status.
 */
void status_release(PipelineStatus *status);

/*
 * Whether a target's progress is known to be a position of another server's
 * WAL.
 */
bool status_is_foreign(const SourceStatus *source, const TargetStatus *target);

/*
 * Whether the slot was confirmed beyond a target's progress, so that the target
 * lacks changes.  A follower confirms only what every target has in its
 * progress.
 */
bool status_is_passed(const SourceStatus *source, const TargetStatus *target);

/*
 * Derives positions and rates.  The target must have been reached, and have
 * progress that is not foreign.
 */
TargetPosition status_position(const SourceStatus *source,
							   const TargetStatus *target);

#endif /* PENSTOCK_CMD_STATUS_SAMPLE_H */
