/*
 * state.h
 *    The state of one attempt to follow, and the state kept between attempts.
 *
 * Only for follow.c, attempt.c and targets.c.
 */
#ifndef PENSTOCK_PIPELINE_STATE_H
#define PENSTOCK_PIPELINE_STATE_H

#include "base/arena.h"
#include "base/backoff.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/task.h"
#include "config/config.h"
#include "config/memory.h"
#include "control/pipeline_table.h"
#include "model/words.h"
#include "net/pgconn.h"
#include "pipeline/beside/heartbeat.h"
#include "pipeline/beside/index_builds.h"
#include "pipeline/beside/keys.h"
#include "pipeline/beside/large_objects.h"
#include "pipeline/beside/place.h"
#include "pipeline/beside/sequences.h"
#include "pipeline/beside/watchdog.h"
#include "pipeline/log/recording.h"
#include "pipeline/streaming.h"
#include "route/directory.h"
#include "sink/postgres/postgres_sink.h"
#include "sink/sink.h"
#include "source/slot.h"
#include "source/source.h"

/*
 * Largest size in bytes of the list of tables left out: room for 10,000 and
 * more.
 */
#define LEFT_OUT_MAX MB

/* object_in_use */
#define SLOT_IN_USE_SQLSTATE "55006"

/* The last step that an attempt has completed. */
typedef enum Reached
{
	REACHED_NOTHING,
	REACHED_SLOT,    /* the slot exists */
	REACHED_STREAM,  /* we stream from the slot */
	REACHED_TARGETS, /* all targets are ready, or replaced as unreachable */
} Reached;

/*
 * The options of the pipeline, kept between attempts.  They are read before the
 * stream is opened, and again if a target turns out to have newer ones.
 */
typedef struct Identity
{
	Arena *arena;
	Config config; /* the configuration, completed with the stored options */
	PipelineMemory memory; /* the options that the targets have to store */
	Words publications;    /* names of the publications */
	bool known;
	bool change; /* whether the given options replace the stored ones, until
				  * they are written */
	int target;  /* target with newer options, or REMEMBER_ANY_TARGET */
} Identity;

/* What is known of a target, kept between attempts. */
typedef struct Known
{
	bool unreachable; /* whether the target was unreachable and has not answered
					   * since */
	bool slow;        /* whether the target did answer, but slowly: the next
					   * attempt waits for it */
	Backoff backoff;  /* pause before the target is tried again: see
					   * UnreachableOptions */
	int64_t rows;     /* rows and transactions applied by sinks of earlier
					   * attempts */
	int64_t transactions;
} Known;

/* The opening of one target's sink. */
typedef struct Opening
{
	struct Attempt *attempt;
	int index;  /* index of the target */
	Task *task; /* task that opens the sink; NULL: it does not run */
	Sink *sink; /* sink that was opened, until it is moved to Attempt.sinks */
	Error err;  /* error if opening has failed */
} Opening;

/* The state of one attempt. */
typedef struct Attempt
{
	const Config *config; /* from check_slot() on: &identity->config */
	Identity *identity;   /* borrowed */
	Streaming *streaming; /* borrowed; kept between attempts */
	Known *known;         /* borrowed; kept between attempts; one for each
						   * target */
	Sequences *sequences; /* borrowed; kept between attempts */
	LargeObjects *large_objects;
	HeartbeatWriter *heartbeat;   /* borrowed; kept between attempts */
	Watchdog *watchdog;           /* the same */
	Recording **recording;        /* the same; NULL: not opened, or there is no
								   * log beside the targets */
	IndexBuilder *index_builders; /* of this attempt; NULL: not made yet */
	PgConn *server;   /* an ordinary session with the source, while it is
					   * needed */
	Buf *left_out;    /* borrowed; kept between attempts; tables that the source
					   * is told to leave out */
	bool lacked_lock; /* whether a schema change of the attempt before did not
					   * get its lock */
	Source *stream;
	SourceHistory source;
	Lsn confirmed_lsn; /* confirmed position of the slot */
	Lsn log_from;      /* LSN from which on a log is read that is the source */
	Place place;
	Directory *directory; /* NULL: no rule uses a directory */
	Lsn start_lsn;        /* least start_lsn of the targets */
	bool can_stream;      /* whether the source can send open transactions */
	Opening openings[CONFIG_TARGETS_MAX];
	Sink *sinks[CONFIG_TARGETS_MAX + 1]; /* those of the targets, and of the log
										  * if there is one */
	PlacedColumnsList columns[CONFIG_TARGETS_MAX]; /* columns by which the rows
													* of each target are placed
													*/
	const PlacedColumnsList
		*noted[CONFIG_TARGETS_MAX + 1]; /* the same; NULL: the
										 * target is unreachable
										 */
	int sink_count;    /* of targets; 0 until all sinks are in `sinks` */
	SchemaNotes notes; /* stores the definitions of the source's schema on
						* targets that have none */
	bool noting;       /* whether definitions are being stored on a target; the
						* next target waits */
	Keys *keys;        /* NULL: no foreign key was postponed */
	Reached reached;
	bool progressed;
	bool fenced;    /* whether the attempt ended because the targets have
					 * reached a fence */
	Lsn fence_lsn;  /* LSN of the fence; 0: none */
	bool cut_short; /* whether the attempt ended before config->endpos was
					 * durable on every target */
} Attempt;

#endif /* PENSTOCK_PIPELINE_STATE_H */
