/*
 * live.c
 *    One set of options for the process.
 */
#include "config/live.h"

#include "base/log.h"

static LiveOptions live;
static bool is_set;

static LiveOptions
options_of(const Config *config)
{
	return (LiveOptions){.watchdog_s = config->watchdog_s,
						 .slot_wal_warning = config->slot_wal_warning};
}

LiveOptions
live_options(const Config *config)
{
	return is_set ? live : options_of(config);
}

void
live_options_set(const Config *config)
{
	live = options_of(config);
	is_set = true;
	log_set_level(config->verbose ? LOG_DEBUG
				  : config->quiet ? LOG_WARNING
								  : LOG_INFO);
	log_set_format(config_logs_json(config) ? LOG_JSON : LOG_TEXT);
}
