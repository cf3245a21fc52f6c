/*
 * backoff.c
 *    Doubles the pause, up to a limit.
 */
#include "base/backoff.h"

#include "base/interrupt.h"

int64_t
backoff_ms(const Backoff *backoff)
{
	int64_t ms = backoff->last_ms > 0 ? 2 * backoff->last_ms
									  : backoff->first_ms;

	return ms < backoff->max_ms ? ms : backoff->max_ms;
}

int64_t
backoff_take(Backoff *backoff)
{
	backoff->last_ms = backoff_ms(backoff);
	return backoff->last_ms;
}

Rc
backoff_wait(Backoff *backoff, Error *err)
{
	Rc rc = interrupt_wait(-1, 0, backoff_take(backoff), err);

	return rc == RC_AGAIN ? RC_OK : rc;
}

void
backoff_reset(Backoff *backoff)
{
	backoff->last_ms = 0;
}
