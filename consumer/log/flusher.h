/*
 * flusher.h
 *    Flushes a file to disk while the caller goes on.
 *
 * fdatasync() takes milliseconds or more.  A thread of its own calls it, and
 * nothing else: it shares no other data with the main thread.  There is one
 * flush at a time.  What was written before flusher_begin() is on disk when
 * flusher_take() returns RC_OK.
 */
#ifndef PENSTOCK_LOG_FLUSHER_H
#define PENSTOCK_LOG_FLUSHER_H

#include <stdbool.h>

#include "base/error.h"

typedef struct Flusher Flusher;

MUST_CHECK Rc flusher_new(Flusher **flusher, Error *err);

/* Waits for the flush that is in progress, and frees.  Accepts NULL. */
void flusher_free(Flusher *flusher);

/*
 * Begins to flush a file and, if `directory_fd` is not negative, then the
 * directory.  Both must stay open, and no other flush may be in progress.
 */
void flusher_begin(Flusher *flusher, int fd, int directory_fd);

bool flusher_is_busy(const Flusher *flusher);

/* Descriptor that is readable when the flush has ended. */
int flusher_fd(const Flusher *flusher);

/*
 * Returns the result of the flush that was begun.  RC_AGAIN: it is in progress.
 * RC_FAIL with ERR_IO: it has failed, and must not be tried again, because the
 * kernel may have dropped what was to be written.
 */
MUST_CHECK Rc flusher_take(Flusher *flusher, Error *err);

#endif /* PENSTOCK_LOG_FLUSHER_H */
