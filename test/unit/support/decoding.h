/*
 * decoding.h
 *    Handing messages to a decoder, and what must come of them.
 *
 * Every message is handed over in memory of just its size, behind a header as
 * the stream's messages have one, and its freeing is counted: whatever comes of
 * a message, its memory is given back once.
 */
#ifndef PENSTOCK_TEST_SUPPORT_DECODING_H
#define PENSTOCK_TEST_SUPPORT_DECODING_H

#include <stddef.h>

#include "support/draft.h"
#include "wire/input.h"

/* How a refusal begins. */
#define DECODING_INVALID "invalid frame from source: "

/* What a draft may be packed into. */
#define DECODING_PACKED_MAX (64 * KB)

/* Decodes a message; as input_decode(). */
MUST_CHECK Rc decoding_bytes(Input *decoder, const void *bytes, size_t length,
							 Frame **frame, Error *err);
MUST_CHECK Rc decoding_draft(Input *decoder, const Draft *draft, Frame **frame,
							 Error *err);

/* Decodes what must be good; the caller has the frame's reference. */
Frame *decoding_accept(Input *decoder, const Draft *draft);
void decoding_accept_and_forget(Input *decoder, const Draft *draft);

/* What must have been refused, in these words. */
void decoding_check_refused(Rc rc, const Frame *frame, Error *err,
							const char *message);

/* Decodes what must be refused, in these words. */
void decoding_refuse(Input *decoder, const Draft *draft, const char *message);
void decoding_refuse_bytes(Input *decoder, const void *bytes, size_t length,
						   const char *message);

/* Messages that have not been freed. */
int decoding_messages_held(void);

/* All messages have been freed. */
void decoding_check_memory(void);

#endif /* PENSTOCK_TEST_SUPPORT_DECODING_H */
