/*
 * source.h
 *    Where messages come from: the interface between the loop and whatever has
 *    the changes.
 *
 * A source hands out raw messages in commit order and is told how far they have
 * got; it knows nothing of what is in them.  After it was opened nothing waits:
 * the source tells what it waits for (source_interest()), and the loop calls
 * source_receive() until that says RC_AGAIN.
 *
 * The first of its kind is the replication connection: see stream.h.
 */
#ifndef PENSTOCK_SOURCE_SOURCE_H
#define PENSTOCK_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interest.h"
#include "model/lsn.h"

typedef struct Source Source;

typedef enum SourceMessageKind
{
	SOURCE_DATA,      /* one message of the output plugin */
	SOURCE_KEEPALIVE, /* everything before `lsn` has been handed out */
} SourceMessageKind;

typedef struct SourceMessage
{
	SourceMessageKind kind;

	/* Of a keepalive: where the source is, and whether it wants an answer. */
	Lsn lsn;
	bool reply_requested;

	/* Of data: `data` lies inside `memory`, which is the receiver's, to be
	 * freed with `memory_free`. */
	void *memory;
	void (*memory_free)(void *);
	const uint8_t *data;
	size_t length;
} SourceMessage;

/* How far what was handed out has got. */
typedef struct SourcePositions
{
	Lsn received;
	Lsn durable; /* on every target: the source may forget what is before */
	Lsn applied; /* visible on every target */
} SourcePositions;

typedef struct SourceOps
{
	const char *name;
	Rc (*receive)(Source *source, SourceMessage *message, Error *err);
	void (*set_positions)(Source *source, const SourcePositions *positions);
	Rc (*work)(Source *source, int64_t now_us, Error *err);
	Rc (*send_last)(Source *source, Error *err);
	void (*interest)(const Source *source, bool receiving, Interest *interest);
	void (*close)(Source *source);
} SourceOps;

struct Source
{
	const SourceOps *ops; /* first: see the casts of its implementations */
};

/*
 * The next message.  RC_AGAIN: none is here yet; RC_END: the source has ended;
 * RC_FAIL: it is lost, or reports an error.  All messages that came before
 * either have been handed out then, and it is not to be called again.
 */
static inline MUST_CHECK Rc
source_receive(Source *source, SourceMessage *message, Error *err)
{
	Rc rc = source->ops->receive(source, message, err);

	CHECK(rc != RC_OK || message->kind != SOURCE_DATA ||
		  message->memory_free != NULL);
	ASSERT(rc != RC_FAIL || err->code != ERR_NONE);
	return rc;
}

/*
 * Says where we are.  What is durable must be so everywhere, and never goes
 * back: the source forgets what is before it.
 */
static inline void
source_set_positions(Source *source, const SourcePositions *positions)
{
	CHECK(positions->durable <= positions->received);
	source->ops->set_positions(source, positions);
}

/* Sends what is due.  `now_us` is the loop's time. */
static inline MUST_CHECK Rc
source_work(Source *source, int64_t now_us, Error *err)
{
	return source->ops->work(source, now_us, err);
}

/*
 * Sends the positions at once and waits until they have left, but not for a
 * source that does not take them.
 */
static inline MUST_CHECK Rc
source_send_last(Source *source, Error *err)
{
	return source->ops->send_last(source, err);
}

/* Adds what the source waits for, and the time of its next report.  `receiving`
 * says whether the caller wants messages. */
static inline void
source_interest(const Source *source, bool receiving, Interest *interest)
{
	source->ops->interest(source, receiving, interest);
}

/* Ends it at once.  Accepts NULL. */
static inline void
source_close(Source *source)
{
	if (source != NULL)
		source->ops->close(source);
}

#endif /* PENSTOCK_SOURCE_SOURCE_H */
