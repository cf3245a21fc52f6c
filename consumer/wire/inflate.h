/*
 * inflate.h
 *    Decompresses frames.
 *
 * A compressed frame contains its size after decompression.  We accept that
 * size only if the zstd format allows it for that many compressed bytes, so
 * nobody can make us allocate much memory with a short message.
 */
#ifndef PENSTOCK_WIRE_INFLATE_H
#define PENSTOCK_WIRE_INFLATE_H

#include "base/error.h"
#include "wire/message.h"

/* Number of the protobuf field of a Frame that holds a compressed frame. */
#define INFLATE_FIELD 5

/*
 * Largest size in bytes of a decompressed frame: that of an uncompressed
 * message.
 */
#define INFLATE_BYTES_MAX ((size_t) 1024 * MB)

typedef struct Inflater Inflater;

Inflater *inflater_new(void);

/* Frees an Inflater.  Accepts NULL. */
void inflater_free(Inflater *inflater);

/*
 * If the message is a compressed frame, *opened is the decompressed frame,
 * whose memory the caller owns.  Otherwise *opened is a copy of *message, with
 * the same memory.  The message is unchanged.  Fails with ERR_PROTOCOL if the
 * compressed frame is damaged or too large, or if the message has other fields
 * beside it.
 */
MUST_CHECK Rc inflater_open_message(Inflater *inflater,
									const WireMessage *message,
									WireMessage *opened, Error *err);

#endif /* PENSTOCK_WIRE_INFLATE_H */
