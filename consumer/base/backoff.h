/*
 * backoff.h
 *    Pauses between attempts, each twice as long as the one before.
 *
 *     Backoff backoff = {.first_ms = 100, .max_ms = 10000};
 */
#ifndef PENSTOCK_BASE_BACKOFF_H
#define PENSTOCK_BASE_BACKOFF_H

#include <stdint.h>

#include "base/error.h"

typedef struct Backoff
{
	int64_t first_ms;
	int64_t max_ms;
	int64_t last_ms; /* the pause that was taken last; 0: none was */
} Backoff;

/* How long the next pause is. */
int64_t backoff_ms(const Backoff *backoff);

/* Takes it, without waiting: the same as backoff_ms() before. */
int64_t backoff_take(Backoff *backoff);

/* Takes it, and waits.  RC_FAIL with ERR_INTERRUPTED: a stop was asked for. */
MUST_CHECK Rc backoff_wait(Backoff *backoff, Error *err);

/* The next pause is a first one. */
void backoff_reset(Backoff *backoff);

#endif /* PENSTOCK_BASE_BACKOFF_H */
