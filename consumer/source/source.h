/*
 * source.h
 *    The interface of sources: a Source returns messages with changes, in
 *    commit order.
 *
 * A message is a sequence of bytes, which the Source does not interpret;
 * wire/input.h decodes it.  The main loop tells the Source how far the messages
 * were applied, so that the source can remove older WAL.  Opening a Source may
 * wait, nothing after that does: the loop asks with source_interest() what the
 * Source waits for, and calls source_receive() until it returns RC_AGAIN.
 *
 * The first implementation is the replication connection: see stream.h.
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
	SOURCE_KEEPALIVE, /* a keepalive: all messages before `lsn` were returned */
} SourceMessageKind;

typedef struct SourceMessage
{
	SourceMessageKind kind;

	/*
	 * Of a keepalive: position of the source in its WAL, and whether the source
	 * wants an answer.
	 */
	Lsn lsn;
	bool reply_requested;

	/*
	 * Contents of a message with data.  `data` points into `memory`, which the
	 * receiver of the message owns and must free with `memory_free`.
	 */
	void *memory;
	void (*memory_free)(void *);
	const uint8_t *data;
	size_t length;
} SourceMessage;

/*
 * Progress of the changes that a Source has returned: LSNs in the source's WAL.
 */
typedef struct SourcePositions
{
	Lsn received;
	Lsn durable; /* durable on every target: the source may remove earlier
				  * WAL */
	Lsn applied; /* committed on every target */
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
	const SourceOps *ops; /* first member, because implementations cast a Source
						   * to their own struct */
};

/*
 * Returns the next message.  RC_AGAIN: none has arrived yet.  RC_END: the
 * source has ended the stream.  RC_FAIL: the connection is lost, or the source
 * reports an error.  RC_END and RC_FAIL come after all messages that arrived
 * before, and the function must not be called again after them.
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
 * Sets the positions that are reported to the source.  `durable` must be
 * durable on every target and never decreases: the source removes WAL before
 * it.  What is durable is applied, and what is applied was received.
 */
static inline void
source_set_positions(Source *source, const SourcePositions *positions)
{
	CHECK(positions->durable <= positions->received);
	CHECK(positions->durable <= positions->applied);
	ASSERT(positions->applied <= positions->received);
	source->ops->set_positions(source, positions);
}

/* Reports the positions if a report is due.  `now_us` is the monotonic time. */
static inline MUST_CHECK Rc
source_work(Source *source, int64_t now_us, Error *err)
{
	return source->ops->work(source, now_us, err);
}

/*
 * Reports the positions at once and waits until they were sent, but only for a
 * short time.
 */
static inline MUST_CHECK Rc
source_send_last(Source *source, Error *err)
{
	return source->ops->send_last(source, err);
}

/*
 * Adds to `interest` what the Source waits for, and the time of its next
 * report.  `receiving` says whether the caller wants messages.
 */
static inline void
source_interest(const Source *source, bool receiving, Interest *interest)
{
	source->ops->interest(source, receiving, interest);
}

/* Closes the Source without a last report.  Accepts NULL. */
static inline void
source_close(Source *source)
{
	if (source != NULL)
		source->ops->close(source);
}

#endif /* PENSTOCK_SOURCE_SOURCE_H */
