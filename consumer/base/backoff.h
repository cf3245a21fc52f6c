/*
 * backoff.h
 *    Pauses between attempts.  Each pause is twice as long as the one before.
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
	int64_t last_ms; /* last pause that was taken; 0: none */
} Backoff;

/* Returns the length of the next pause in milliseconds. */
int64_t backoff_ms(const Backoff *backoff);

/*
 * Counts the next pause as taken, without waiting.  Returns its length in
 * milliseconds, as backoff_ms() did before.
 */
int64_t backoff_take(Backoff *backoff);

/*
 * Counts the next pause as taken, and waits that long.  Fails with
 * ERR_INTERRUPTED when a stop is requested.
 */
MUST_CHECK Rc backoff_wait(Backoff *backoff, Error *err);

/* Makes the next pause as long as the first one. */
void backoff_reset(Backoff *backoff);

#endif /* PENSTOCK_BASE_BACKOFF_H */
