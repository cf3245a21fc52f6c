/*
 * bundle.h
 *    Frames that came in one message.
 *
 * They are handed out one after the other without a copy: they share the
 * message's memory, which is freed when the last of them is done with it.
 */
#ifndef PENSTOCK_WIRE_BUNDLE_H
#define PENSTOCK_WIRE_BUNDLE_H

#include <stdbool.h>

#include "wire/message.h"

/* Number of the field of a Frame that holds others. */
#define BUNDLE_FIELD 8

typedef struct Bundle Bundle;

/* Takes ownership of the message's memory.  Its fields must be well formed. */
Bundle *bundle_new(const WireMessage *message);

/* Frees all but what frames still need.  Accepts NULL. */
void bundle_free(Bundle *bundle);

/*
 * The next frame, with memory of its own as far as the caller is concerned;
 * false if there is none left.
 */
bool bundle_next(Bundle *bundle, WireMessage *frame);

#endif /* PENSTOCK_WIRE_BUNDLE_H */
