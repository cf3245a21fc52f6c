/*
 * inflate.h
 *    The frame in a compressed frame.
 *
 * What is compressed says how large it is, and that is believed only as far as
 * the format can make it true: so nobody has us allocate much for little.
 */
#ifndef PENSTOCK_WIRE_INFLATE_H
#define PENSTOCK_WIRE_INFLATE_H

#include "base/error.h"
#include "wire/message.h"

/* Number of the field of a Frame that holds a compressed one. */
#define INFLATE_FIELD 5

/* As large as a frame can be that is not compressed. */
#define INFLATE_BYTES_MAX ((size_t) 1024 * MB)

typedef struct Inflater Inflater;

Inflater *inflater_new(void);

/* Accepts NULL. */
void inflater_free(Inflater *inflater);

/*
 * If the message is a compressed frame, *opened is the frame in there, with
 * memory of its own, which is the caller's.  Otherwise it is the message, with
 * the same memory.  The message stays as it is.  Fails with ERR_PROTOCOL on
 * what is damaged, larger than it may be, or has other fields.
 */
MUST_CHECK Rc inflater_open_message(Inflater *inflater,
									const WireMessage *message,
									WireMessage *opened, Error *err);

#endif /* PENSTOCK_WIRE_INFLATE_H */
