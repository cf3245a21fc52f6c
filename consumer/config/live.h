/*
 * live.h
 *    Options that may change while the program runs: those with
 *    OptionDef.live.
 *
 * A Config is what the program was started with, and never changes.  Whoever
 * uses one of these options asks here instead, each time.  Only one thread may
 * use this.
 */
#ifndef PENSTOCK_CONFIG_LIVE_H
#define PENSTOCK_CONFIG_LIVE_H

#include "config/config.h"

/* The values of these options. */
typedef struct LiveOptions
{
	int watchdog_s;          /* as in Config */
	size_t slot_wal_warning; /* as in Config */
} LiveOptions;

/* Returns what counts now: what was set, or, if nothing was, what `config` has.
 */
LiveOptions live_options(const Config *config);

/*
 * Has the values of `config` count from now on, and those of the level and the
 * format of the log, too.
 */
void live_options_set(const Config *config);

#endif /* PENSTOCK_CONFIG_LIVE_H */
