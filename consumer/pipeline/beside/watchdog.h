/*
 * watchdog.h
 *    Reports that a target gets nothing although the source has moved, why, and
 *    when that is over.
 *
 * A target is stuck if it lags by more than --watchdog, and nothing was applied
 * to it, and nothing taken for it from the source, for that time.  One that
 * only lags is not stuck.  The report says what our sessions with it wait for,
 * and who makes them wait.  It is repeated now and then.
 *
 * It pings a service manager (base/service.h), which ends a process that is
 * stuck for no other reason than itself.
 *
 * It also reports how much WAL the source keeps for the slot, if that exceeds
 * --slot-wal-warning.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_WATCHDOG_H
#define PENSTOCK_PIPELINE_BESIDE_WATCHDOG_H

#include "base/error.h"
#include "config/config.h"

typedef struct Watchdog Watchdog;

/* Returns one for all attempts of a follower; borrows the Config. */
Watchdog *watchdog_new(const Config *config);

/* Accepts NULL. */
void watchdog_free(Watchdog *self);

/* Returns milliseconds from one look to the next. */
int64_t watchdog_interval_ms(const Config *config);

/*
 * Looks at all targets.  Function of a task; the context is the Watchdog.
 * Fails only if a stop is requested.  To be called between attempts, too.
 */
MUST_CHECK Rc watchdog_step(void *context, Error *err);

/*
 * Only pings the service manager.  Function of a task, like watchdog_step(),
 * for the time in which the targets finish what they have: one that has
 * finished waits for the others, and is not stuck.  Never fails.
 */
MUST_CHECK Rc watchdog_ping(void *context, Error *err);

#endif /* PENSTOCK_PIPELINE_BESIDE_WATCHDOG_H */
