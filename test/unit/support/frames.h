/*
 * frames.h
 *    Frames that no decoder has made.
 */
#ifndef PENSTOCK_TEST_SUPPORT_FRAMES_H
#define PENSTOCK_TEST_SUPPORT_FRAMES_H

#include <stddef.h>

#include "model/change.h"

/* A frame with room for so many changes, of which it has none; the caller has a
 * reference. */
Frame *frames_new(size_t capacity);

/* Adds a change, of which everything is borrowed, and returns the frame's. */
Change *frames_add(Frame *frame, const Change *change);

/* A frame with one change. */
Frame *frames_of(const Change *change);

#endif /* PENSTOCK_TEST_SUPPORT_FRAMES_H */
