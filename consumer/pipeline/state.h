/*
 * state.h
 *    What one attempt to follow holds, and what is known from one to the next.
 *
 * For follow.c, attempt.c and targets.c alone.
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
#include "pipeline/keys.h"
#include "pipeline/large_objects.h"
#include "pipeline/place.h"
#include "pipeline/sequences.h"
#include "pipeline/streaming.h"
#include "route/directory.h"
#include "sink/postgres/postgres_sink.h"
#include "sink/sink.h"
#include "source/slot.h"
#include "source/source.h"

/* What can be said of tables that are left out: 10,000 and more. */
#define LEFT_OUT_MAX MB

/* object_in_use */
#define SLOT_IN_USE_SQLSTATE "55006"

/* How far an attempt got. */
typedef enum Reached
{
	REACHED_NOTHING,
	REACHED_SLOT,    /* it is there */
	REACHED_STREAM,  /* it is ours */
	REACHED_TARGETS, /* all of them are ready */
} Reached;

/*
 * What the pipeline is, from attempt to attempt.  It is read before the stream
 * is opened, and again if a target turns out to know something newer.
 */
typedef struct Identity
{
	Arena *arena;
	Config config; /* with what is remembered in place of what is not given */
	PipelineMemory memory; /* what the targets are to remember */
	Words publications;    /* their names */
	bool known;
	bool change; /* what is given counts: it is not yet written */
	int target;  /* that knows more, or REMEMBER_ANY_TARGET */
} Identity;

/* What is known of a target from attempt to attempt. */
typedef struct Known
{
	bool unreachable; /* it has not answered since it was */
	bool slow;        /* it did answer, and took long: the next attempt waits */
	Backoff backoff;  /* as for unreachable_new() */
	int64_t rows;     /* applied until now, by sinks that are gone */
	int64_t transactions;
} Known;

/* How the sink of one target is opened. */
typedef struct Opening
{
	struct Attempt *attempt;
	int index;  /* of the target */
	Task *task; /* that opens it; NULL: none is under way */
	Sink *sink; /* that it has opened, until it is among the attempt's */
	Error err;  /* why there is none */
} Opening;

/* Everything that one attempt holds. */
typedef struct Attempt
{
	const Config *config; /* the identity's, from check_slot() on */
	Identity *identity;   /* borrowed */
	Streaming *streaming; /* borrowed; from attempt to attempt */
	Known *known;         /* the same; of each target */
	Sequences *sequences; /* the same */
	LargeObjects *large_objects;
	PgConn *server; /* an ordinary session of the source, while it is needed */
	Buf *left_out;  /* the same; what the stream is told to leave out */
	Source *stream;
	SourceHistory source;
	Lsn confirmed_lsn; /* of the slot */
	Place place;
	Directory *directory; /* NULL: nothing is placed by one */
	Lsn start_lsn;        /* where the first target is */
	bool can_stream;      /* the source can send open transactions */
	Opening openings[CONFIG_TARGETS_MAX];
	Sink *sinks[CONFIG_TARGETS_MAX];
	int sink_count;    /* 0 before all are there */
	SchemaNotes notes; /* for targets that do not know the source's schema */
	bool noting;       /* for one of them; the next waits for that */
	Keys *keys;        /* NULL: none was postponed */
	Reached reached;
	bool progressed;
	bool fenced;    /* it ended because the targets are at a fence */
	Lsn fence_lsn;  /* where it did; 0: nowhere */
	bool cut_short; /* it ended before the position that it was to come to */
} Attempt;

#endif /* PENSTOCK_PIPELINE_STATE_H */
