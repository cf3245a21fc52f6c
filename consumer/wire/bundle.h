/*
 * bundle.h
 *    Frames that came together in one message of the source (a bundle).
 *
 * The plugin sends several small transactions as one message.  bundle_next()
 * returns their frames one after the other, without copying them: the frames
 * share the memory of the message, which is freed when none of them needs it
 * any more.
 */
#ifndef PENSTOCK_WIRE_BUNDLE_H
#define PENSTOCK_WIRE_BUNDLE_H

#include <stdbool.h>

#include "wire/message.h"

/* Number of the protobuf field of a Frame that holds the frames of a bundle. */
#define BUNDLE_FIELD 8

typedef struct Bundle Bundle;

/*
 * Makes a Bundle of a message, whose fields must be well formed.  Takes
 * ownership of the message's memory.
 */
Bundle *bundle_new(const WireMessage *message);

/* Frees the bundle, except the memory that frames still use.  Accepts NULL. */
void bundle_free(Bundle *bundle);

/*
 * Returns in *frame the next frame; false if there is none left.  The caller
 * owns frame->memory and frees it with frame->memory_free, as for a message of
 * its own.
 */
bool bundle_next(Bundle *bundle, WireMessage *frame);

#endif /* PENSTOCK_WIRE_BUNDLE_H */
