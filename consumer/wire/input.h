/*
 * input.h
 *    The interface of decoders: an Input makes frames of messages of the
 *    source.
 *
 * A message is what the source sends in one piece (source/source.h).  A frame
 * has changes of one transaction, decoded (model/change.h).  The main loop
 * passes every message of one session with the source to one Input, in order.
 * The Input keeps what the session has said so far, such as the descriptions of
 * tables.  A message may contain several frames, or none: input_decode()
 * returns the first, and the caller calls input_next() until it returns
 * RC_AGAIN before it passes on the next message.
 *
 * An Input checks everything that it reads.  After a failure it cannot be used
 * any more: the caller ends the session and frees the Input.  No function
 * waits.
 *
 * The first implementation is the decoder of the output plugin's format: see
 * decode.h.
 */
#ifndef PENSTOCK_WIRE_INPUT_H
#define PENSTOCK_WIRE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/change.h"
#include "wire/message.h"

typedef struct Input Input;

typedef struct InputOps
{
	const char *name;
	Rc (*decode)(Input *input, const WireMessage *message, Frame **frame,
				 Error *err);
	Rc (*next)(Input *input, Frame **frame, Error *err);
	bool (*in_transaction)(const Input *input);
	bool (*is_holding)(const Input *input);
	void (*free)(Input *input);
} InputOps;

struct Input
{
	const InputOps *ops; /* first member, because implementations cast an Input
						  * to their own struct */
	bool keeps_bytes;    /* set by input_keep_bytes() */
};

/*
 * Has every frame from now on keep the serialized message that it was made of
 * (Frame.bytes), and every Relation its record.  For frames this needs no more
 * memory, because their values point into the message anyway.
 */
static inline void
input_keep_bytes(Input *input)
{
	input->keeps_bytes = true;
}

/* Asserts what has to be true of each result of an Input. */
static inline void
input_check_result(const Input *input, Rc rc, Frame *const *frame,
				   const Error *err)
{
	CHECK(rc == RC_OK || rc == RC_AGAIN || rc == RC_FAIL);
	ASSERT(rc != RC_OK || (*frame)->references == 1);
	ASSERT(rc != RC_OK || ((*frame)->bytes != NULL) == input->keeps_bytes);
	ASSERT(rc != RC_FAIL || err->code != ERR_NONE);
	if (rc != RC_OK)
		return;

	/* We count progress by these LSNs. */
	CHECK(!(*frame)->begins ||
		  (*frame)->txn.end_lsn > (*frame)->txn.commit_lsn);
	CHECK((*frame)->open_txn.xid != 0 || !(*frame)->commits ||
		  !input->ops->in_transaction(input));
	ASSERT((*frame)->change_count == 0 || (*frame)->changes != NULL);
}

/*
 * Decodes a message and returns its first frame.  No frame of the message
 * before may be left.  Takes ownership of the message's memory, also when it
 * fails.  RC_OK: *frame is a new frame with one reference, which belongs to the
 * caller.  RC_AGAIN: the message has no frame.  Fails with ERR_PROTOCOL if the
 * message violates the format, with ERR_LIMIT if something in it is too large.
 */
static inline MUST_CHECK Rc
input_decode(Input *input, const WireMessage *message, Frame **frame,
			 Error *err)
{
	Rc rc;

	ASSERT(message->data != NULL || message->length == 0);
	rc = input->ops->decode(input, message, frame, err);
	input_check_result(input, rc, frame, err);
	return rc;
}

/*
 * Returns the next frame of the message that input_decode() was given, with the
 * same results.
 */
static inline MUST_CHECK Rc
input_next(Input *input, Frame **frame, Error *err)
{
	Rc rc = input->ops->next(input, frame, err);

	input_check_result(input, rc, frame, err);
	return rc;
}

/*
 * Whether the end of the transaction of the last frame has still to come.
 * False for an open transaction (one that is in progress on the source).
 */
static inline bool
input_in_transaction(const Input *input)
{
	return input->ops->in_transaction(input);
}

/*
 * Whether the LSN of a keepalive may not be confirmed: either the source holds
 * back transactions before that LSN, or frames with such transactions were not
 * returned yet.
 */
static inline bool
input_is_holding(const Input *input)
{
	return input->ops->is_holding(input);
}

/*
 * Frees the Input; its frames stay valid as long as they have references.
 * Accepts NULL.
 */
static inline void
input_free(Input *input)
{
	if (input != NULL)
		input->ops->free(input);
}

#endif /* PENSTOCK_WIRE_INPUT_H */
