/*
 * numbers.h
 *    The numbers that a follower knows about itself: plain data.
 *
 * They are for whoever watches a pipeline: the metrics, the page for a browser,
 * USR1.  The loop's thread writes them; see metrics.h for how others read them.
 *
 * What the follower was told by a server has the time at which that was.  A
 * reader leaves out what is too old to be true: unknown is absent, never stale.
 */
#ifndef PENSTOCK_METRICS_NUMBERS_H
#define PENSTOCK_METRICS_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/lag.h"

/* Bytes for the name of a pipeline, source or target. */
#define METRICS_NAME_SIZE 128

/* Largest number of targets: as many as a pipeline can have. */
#define METRICS_TARGETS_MAX 64

/* Bytes for a word of pg_replication_slots.wal_status. */
#define METRICS_WORD_SIZE 16

/* What the process does. */
typedef enum MetricsState
{
	METRICS_STARTING,  /* connects, and looks at both ends */
	METRICS_COPYING,   /* copies tables */
	METRICS_FOLLOWING, /* reads the stream and applies it */
	METRICS_RETRYING,  /* has failed, and waits for the next attempt */
	METRICS_HELD,      /* waits at a fence */
	METRICS_STOPPING,
} MetricsState;

#define METRICS_STATE_COUNT (METRICS_STOPPING + 1)

/* What the source has told about its WAL and our slot. */
typedef struct MetricsSource
{
	int64_t as_of_us; /* monotonic time; 0: nothing is known */
	uint64_t wal_end_lsn;
	bool has_slot; /* whether the slot exists */
	uint64_t restart_lsn;
	char wal_status[METRICS_WORD_SIZE]; /* empty: not known */
	bool has_safe_wal_size; /* false: the source keeps WAL without a limit */
	int64_t safe_wal_size;
} MetricsSource;

typedef struct MetricsTarget
{
	char name[METRICS_NAME_SIZE];

	/* Whether the follower applies to it; false: it cannot be reached. */
	bool is_up;
	uint64_t applied_lsn; /* up to here everything is visible; 0: not known */
	uint64_t durable_lsn; /* up to here everything would survive a crash */
	LagMeter applied_lag;
	LagMeter durable_lag;
	bool is_full;      /* whether it has enough, so that nothing is read */
	bool is_answering; /* whether its sink does not wait for an answer */
	int open_transactions;
	bool is_stuck; /* whether the watchdog has found that nothing is applied */

	/* Counted since the process started. */
	int64_t rows;
	int64_t transactions;
	int64_t batches;   /* transactions on the target */
	int64_t replays;   /* batches that were applied again, one by one */
	int64_t conflicts; /* conflicts that a policy has settled */
	int64_t failures;  /* times that the sink has failed */
	int64_t stalls;    /* times that the watchdog has found it stuck */
} MetricsTarget;

typedef struct MetricsNumbers
{
	char pipeline[METRICS_NAME_SIZE];
	char source_name[METRICS_NAME_SIZE]; /* empty: the source has no name */
	int64_t started_wall_us;             /* since 1970-01-01 UTC */
	int64_t lag_limit_us; /* longest lag of a follower that is well; 0: there
						   * are no heartbeats, so that no lag is known */

	MetricsState state;
	int64_t state_since_us; /* monotonic */
	int64_t attempts; /* number of attempts to follow, this one included */
	int64_t failures; /* number of those that have failed */

	/* Positions: 0 until the stream was opened for the first time. */
	uint64_t received_lsn;
	uint64_t applied_lsn;
	uint64_t confirmed_lsn;
	LagMeter received_lag;
	LagMeter applied_lag;
	LagMeter confirmed_lag;
	int64_t messages;       /* messages received from the source */
	int64_t received_bytes; /* bytes of these */

	Heartbeats heartbeats;
	MetricsSource source;
	int target_count;
	MetricsTarget targets[METRICS_TARGETS_MAX]; /* last: only those that there
												 * are get copied */
} MetricsNumbers;

#endif /* PENSTOCK_METRICS_NUMBERS_H */
