/*
 * sample.h
 *    Where a pipeline is, as an onlooker sees it.
 *
 * The follower is another process, so everything is asked of the servers: the
 * source knows where its WAL ends and what the follower reported, each target
 * has its progress.  Two samples about a second apart give rates, and tell what
 * is durable.
 *
 *     received   the follower has it (walsender's write_lsn)
 *     applied    committed on the target
 *     durable    would survive a crash of the target
 *     confirmed  durable on every target, and reported to the slot
 *
 * A target's progress moves with transactions, and only now and then with the
 * rest of the WAL.  What the follower reports as applied holds for every
 * target, so a target has at least that.
 */
#ifndef PENSTOCK_CMD_STATUS_SAMPLE_H
#define PENSTOCK_CMD_STATUS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/status/cloning.h"
#include "cmd/status/tables.h"
#include "config/config.h"
#include "control/follower_table.h"
#include "control/pipeline_table.h"
#include "control/postponed_key.h"
#include "control/progress_table.h"
#include "control/work_list.h"
#include "model/lsn.h"
#include "net/pgconn.h"
#include "source/slot.h"

/* Milliseconds between the two samples. */
#define STATUS_INTERVAL_MS 1000

typedef struct SourceSample
{
	Lsn lsn;        /* the end of its WAL */
	int64_t now_us; /* the source's clock, since 2000 */
	SlotInfo slot;
	bool following;        /* a walsender uses the slot */
	bool positions_hidden; /* the role may not see what it reported */
	Lsn received_lsn;      /* 0: no follower, or not known */
	Lsn replayed_lsn;      /* applied on every target; 0 likewise */
} SourceSample;

/* Longest word about a clone that is not finished. */
#define CLONE_TEXT_SIZE 128

typedef struct TargetSample
{
	ProgressRow progress;
	WorkRun clone;   /* that is not finished; without its strings */
	Cloning cloning; /* its tables; in the status's arena */
	char clone_text[CLONE_TEXT_SIZE];
	char *clone_running; /* what it does now, as JSON; NULL: nothing is known */
	Lsn insert_lsn;   /* of the target's own WAL, after `progress` was read */
	Lsn flush_lsn;    /* of the same */
	int64_t taken_us; /* monotonic */
} TargetSample;

typedef struct SourceStatus
{
	PgConn *conn;
	bool reached; /* else `failure` says why not */
	Error failure;
	char system_identifier[SLOT_SYSTEM_ID_SIZE]; /* empty: not known */
	SourceHistory history; /* its timeline is 0 where the role may not ask */
	SourceSample sample;   /* the later one */
} SourceStatus;

typedef struct TargetStatus
{
	PgConn *conn;
	char *address; /* its name, or as target_address() */
	bool reached;  /* else `failure` says why not */
	Error failure;
	TargetSample first;
	TargetSample second;
	TableStatusList tables; /* that are not followed */
	PostponedKeys keys;     /* that are not valid yet */
	PipelineMemory memory;  /* what it remembers; in the status's arena */
	FollowerRow follower;   /* what the follower said there last; likewise */

	/*
	 * Why what the target has is not in the source's history, as in
	 * history_prove(); no message: it is, or that is not known.
	 */
	Error strange;
	const char *strange_text; /* the same in a few words */
	bool held;                /* a fence is up there */
} TargetStatus;

typedef struct PipelineStatus
{
	Arena *arena;
	SourceStatus source;
	int target_count;
	TargetStatus targets[CONFIG_TARGETS_MAX];
} PipelineStatus;

/* What the samples say of a target that has progress. */
typedef struct TargetPosition
{
	Lsn applied_lsn;
	Lsn durable_lsn;
	bool has_lag; /* the source was reached */
	uint64_t lag_bytes;
	double lag_seconds; /* at most; negative: not known */
	double transactions_per_s;
	double rows_per_s;
} TargetPosition;

/*
 * Connects to all servers and takes the samples.  A server that cannot be
 * reached is no failure.  RC_FAIL: a stop was asked for.  Either way the caller
 * ends it with status_release().
 */
MUST_CHECK Rc status_take(PipelineStatus *status, const Config *config,
						  Error *err);

/* Accepts a zeroed status. */
void status_release(PipelineStatus *status);

/* Whether a target's progress is known to be of another server's WAL. */
bool status_is_foreign(const SourceStatus *source, const TargetStatus *target);

/*
 * Whether the slot was confirmed beyond a target's progress: a follower
 * confirms only what every target itself knows that it has.
 */
bool status_is_passed(const SourceStatus *source, const TargetStatus *target);

/*
 * Derives positions; the target was reached and has progress, and not foreign
 * one.
 */
TargetPosition status_position(const SourceStatus *source,
							   const TargetStatus *target);

#endif /* PENSTOCK_CMD_STATUS_SAMPLE_H */
