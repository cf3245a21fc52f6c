/*
 * input.h
 *    How messages become frames: the interface between the loop, which has
 *    messages from a source, and whatever knows their format.
 *
 * An input lives as long as one session with the source, and is given every
 * message of it, in order.  It remembers what the session has said so far, such
 * as the tables that were described.  A message may have several frames, or
 * none: after input_decode() the others come from input_next(), until that says
 * RC_AGAIN, and only then may the next message come.
 *
 * An input trusts nothing that it reads.  After a failure it is of no use: the
 * session is to be ended, and the input freed.  None of its functions waits.
 *
 * The first of its kind is the decoder of the output plugin: see decode.h.
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
	const InputOps *ops; /* first: see the casts of its implementations */
	bool keeps_bytes;    /* see input_keep_bytes() */
};

/*
 * Has every frame from now on keep the serialized message that it was made of
 * (Frame.bytes).  What a message holds is in memory anyway; only one that came
 * compressed costs a copy of that.
 */
static inline void
input_keep_bytes(Input *input)
{
	input->keeps_bytes = true;
}

/* What must be so of whatever an input has returned. */
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

	/* Progress is counted by these positions. */
	CHECK(!(*frame)->begins ||
		  (*frame)->txn.end_lsn > (*frame)->txn.commit_lsn);
	CHECK((*frame)->open_txn.xid != 0 || !(*frame)->commits ||
		  !input->ops->in_transaction(input));
	ASSERT((*frame)->change_count == 0 || (*frame)->changes != NULL);
}

/*
 * Decodes a message, of which the one before has no frame left.  Takes
 * ownership of the message's memory in every case.  RC_OK: *frame is a new
 * frame with one reference, the caller's.  RC_AGAIN: the message has none.
 * RC_FAIL: ERR_PROTOCOL, for what is not as the format says, and ERR_LIMIT, for
 * what is too large.
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

/* The next frame of that message, in the same way. */
static inline MUST_CHECK Rc
input_next(Input *input, Frame **frame, Error *err)
{
	Rc rc = input->ops->next(input, frame, err);

	input_check_result(input, rc, frame, err);
	return rc;
}

/*
 * Whether the last frame left a transaction without its end.  An open
 * transaction does not count.
 */
static inline bool
input_in_transaction(const Input *input)
{
	return input->ops->in_transaction(input);
}

/*
 * Whether the source may have held back transactions that came before a
 * keepalive, or their frames are still to be handed out: its position is then
 * not one to be confirmed.
 */
static inline bool
input_is_holding(const Input *input)
{
	return input->ops->is_holding(input);
}

/* Accepts NULL.  Frames live on by their own references. */
static inline void
input_free(Input *input)
{
	if (input != NULL)
		input->ops->free(input);
}

#endif /* PENSTOCK_WIRE_INPUT_H */
