/*
 * decode.h
 *    Bytes of the stream to frames of changes.
 *
 * A decoder lives as long as one session with the source: it remembers the
 * relations that the session has described and the open transactions of
 * which it had pieces, and checks that frames follow one another as
 * proto/penstock.proto says.  It trusts nothing: every length, number and order
 * is checked before it is used, and what is wrong is an ERR_PROTOCOL that says
 * what.
 */
#ifndef PENSTOCK_WIRE_DECODE_H
#define PENSTOCK_WIRE_DECODE_H

#include <stddef.h>

#include "base/error.h"
#include "model/change.h"
#include "wire/message.h"

/* The version of the format that this decoder reads. */
#define DECODE_PROTO_VERSION 1

typedef struct Decoder Decoder;

Decoder *decoder_new(void);

/* Accepts NULL.  Frames that were decoded live on by their own references. */
void decoder_free(Decoder *decoder);

/*
 * Decodes one message, of which every frame has been handed out before.  Takes
 * ownership of its memory in every case; on success *frame is a new frame with
 * one reference, the caller's.  A message may have several frames, or none:
 * RC_AGAIN says that the next message is needed.
 */
MUST_CHECK Rc decoder_decode(Decoder *decoder, const WireMessage *message,
							 Frame **frame, Error *err);

/* The next frame of that message, in the same way. */
MUST_CHECK Rc decoder_next(Decoder *decoder, Frame **frame, Error *err);

/*
 * Whether the last frame left a transaction open.  One that is in progress on
 * the source does not count.
 */
bool decoder_in_transaction(const Decoder *decoder);

/*
 * Whether the source may have held back transactions that came before a
 * keepalive, or their frames are still to be handed out: its position is then
 * not one to be confirmed.
 */
bool decoder_is_holding(const Decoder *decoder);

#endif /* PENSTOCK_WIRE_DECODE_H */
