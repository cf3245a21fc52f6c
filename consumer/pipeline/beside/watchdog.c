/*
 * watchdog.c
 *    Compares the numbers of the follower with those of the look before.
 */
#include "pipeline/beside/watchdog.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/service.h"
#include "base/xalloc.h"
#include "config/live.h"
#include "metrics/metrics.h"
#include "net/blocked.h"
#include "pipeline/beside/reach.h"

/* Shortest and longest time from one look to the next. */
#define LOOK_MS_MIN 500
#define LOOK_MS_MAX 10000

/* Looks within the limit. */
#define LOOKS_PER_LIMIT 4

/* How often it is said again that a target is stuck, or that WAL is kept. */
#define SAID_AGAIN_US (600 * INT64_C(1000000))

/* What was found in the look before. */
typedef struct Seen
{
	uint64_t applied_lsn;
	int64_t rows;
	int64_t received_bytes;
	int64_t moved_us; /* time at which one of these had last changed */
	int64_t said_us;  /* time of the last report; 0: it is not stuck */
	bool is_idle;     /* whether our sessions with it did nothing then, although
					   * there was something to apply */
} Seen;

struct Watchdog
{
	const Config *config;
	Seen seen[CONFIG_TARGETS_MAX];
	int64_t wal_said_us; /* time of the last report about the slot's WAL; 0:
						  * it is below the limit */
};

Watchdog *
watchdog_new(const Config *config)
{
	Watchdog *self = xcalloc(1, sizeof(Watchdog));

	self->config = config;
	return self;
}

void
watchdog_free(Watchdog *self)
{
	free(self);
}

int64_t
watchdog_interval_ms(const Config *config)
{
	int64_t ms = live_options(config).watchdog_s * INT64_C(1000) /
				 LOOKS_PER_LIMIT;

	return ms < LOOK_MS_MIN ? LOOK_MS_MIN : ms > LOOK_MS_MAX ? LOOK_MS_MAX : ms;
}

/* Whether it is time to say something again that was said at `said_us`. */
static bool
is_due(int64_t said_us, int64_t now_us)
{
	return said_us == 0 || now_us - said_us > SAID_AGAIN_US;
}

/* Records whether anything has moved since the look before. */
static void
note(Seen *seen, const MetricsTarget *target, int64_t now_us)
{
	const MetricsNumbers *numbers = metrics_numbers();
	bool takes = target->is_up && !target->is_full &&
				 numbers->received_bytes != seen->received_bytes;

	if (takes || target->applied_lsn != seen->applied_lsn ||
		target->rows != seen->rows || seen->moved_us == 0 ||
		numbers->state == METRICS_HELD)
		seen->moved_us = now_us;
	seen->applied_lsn = target->applied_lsn;
	seen->rows = target->rows;
	seen->received_bytes = numbers->received_bytes;
}

static bool
is_stuck(const Watchdog *self, const Seen *seen, const MetricsTarget *target,
		 int64_t now_us)
{
	int64_t limit_us = live_options(self->config).watchdog_s * INT64_C(1000000);
	double seconds;

	return target->applied_lsn != 0 && now_us - seen->moved_us >= limit_us &&
		   lag_read(&target->applied_lag, &metrics_numbers()->heartbeats,
					target->applied_lsn, now_us, &seconds) &&
		   seconds * 1e6 >= (double) limit_us;
}

/* Asks the target what our sessions wait for.  Says instead that it cannot be
 * asked, if so. */
static MUST_CHECK Rc
diagnose(const Watchdog *self, int index, Buf *text, Error *err)
{
	PgConn *target = NULL;
	Rc rc = reach_target_again(self->config, index, &target, err);

	if (rc == RC_OK)
		rc = blocked_describe(target, text, err);
	pgconn_close(target);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		buf_printf(text, "It could not be asked why: %s.  ", err->message);
		error_reset(err);
		rc = RC_OK;
	}
	return rc;
}

static MUST_CHECK Rc
report(const Watchdog *self, int index, Seen *seen, int64_t now_us, Error *err)
{
	const MetricsNumbers *numbers = metrics_numbers();
	char label[CONFIG_LABEL_SIZE];
	Error warning = {0};
	Buf text;
	Rc rc;

	ASSERT(index >= 0 && index < self->config->target_count);
	config_label_target(self->config, index, label);
	buf_init(&text, BUF_TEXT_MAX);
	rc = diagnose(self, index, &text, err);
	if (rc != RC_OK)
	{
		buf_release(&text);
		return rc;
	}
	seen->is_idle = text.length == 0 &&
					numbers->received_lsn > seen->applied_lsn &&
					numbers->state == METRICS_FOLLOWING;
	if (text.length == 0)
		buf_append_string(
			&text, seen->is_idle ? "Our sessions with it have nothing to do.  "
								 : "All that has come whole from the source is "
								   "applied; the source has to send more.  ");
	if (error_set(&warning, ERR_CONNECT,
				  "%s is stuck: nothing was applied there for %" PRId64
				  " s, and the source has written more",
				  label, (now_us - seen->moved_us) / 1000000) == RC_FAIL)
		error_detail(
			&warning,
			"It has everything up to LSN " LSN_FORMAT
			"; the source was at " LSN_FORMAT ".  %sThe follower is %s.",
			LSN_ARGS(seen->applied_lsn), LSN_ARGS(numbers->source.wal_end_lsn),
			text.data, metrics_state_name(numbers->state));
	error_hint(&warning,
			   "If a session holds a lock, end its transaction, or the "
			   "session with pg_terminate_backend(PID) on the target.");
	log_error(LOG_WARNING, "watchdog.target-stuck", &warning);
	error_reset(&warning);
	buf_release(&text);
	return RC_OK;
}

static MUST_CHECK Rc
look_at_target(Watchdog *self, int index, Error *err)
{
	int64_t now_us = clock_monotonic_us();
	MetricsTarget *target = metrics_target(index);
	Seen *seen = &self->seen[index];
	char label[CONFIG_LABEL_SIZE];
	Rc rc = RC_OK;

	note(seen, target, now_us);
	if (!is_stuck(self, seen, target, now_us))
	{
		config_label_target(self->config, index, label);
		if (seen->said_us != 0)
			log_info("watchdog",
					 "%s is not stuck any more: it takes changes again; it has "
					 "everything up to LSN " LSN_FORMAT,
					 label, LSN_ARGS(target->applied_lsn));
		seen->said_us = 0;
		seen->is_idle = false;
		target->is_stuck = false;
		return RC_OK;
	}
	if (!is_due(seen->said_us, now_us))
		return RC_OK;
	if (seen->said_us == 0)
		target->stalls++;
	target->is_stuck = true;
	seen->said_us = now_us;
	rc = report(self, index, seen, now_us, err);
	return rc;
}

/* Reports that the source keeps more WAL for the slot than it should. */
static void
look_at_slot(Watchdog *self)
{
	const MetricsSource *source = &metrics_numbers()->source;
	size_t limit = live_options(self->config).slot_wal_warning;
	int64_t now_us = clock_monotonic_us();
	uint64_t kept = source->wal_end_lsn - source->restart_lsn;

	if (limit == 0 || !source->has_slot || source->restart_lsn == 0)
		return;
	if (source->wal_end_lsn < source->restart_lsn || kept <= limit)
	{
		if (self->wal_said_us != 0)
			log_info("watchdog",
					 "slot \"%s\" keeps %" PRIu64 " MB of WAL on the source: "
					 "less than --slot-wal-warning again",
					 self->config->name, kept / MB);
		self->wal_said_us = 0;
		return;
	}
	if (!is_due(self->wal_said_us, now_us))
		return;
	self->wal_said_us = now_us;
	log_warning("watchdog.slot-wal",
				"slot \"%s\" keeps %" PRIu64
				" MB of WAL on the source, from LSN " LSN_FORMAT
				" on: more than --slot-wal-warning; \"penstock status\" says "
				"which target lags, and \"penstock drop\" gives the pipeline "
				"up",
				self->config->name, kept / MB, LSN_ARGS(source->restart_lsn));
}

/*
 * Tells a service manager that we are well: unless a target is stuck and our
 * sessions with it have nothing to do, for which nobody but we can be the
 * reason.
 */
static void
ping(const Watchdog *self)
{
	for (int i = 0; i < self->config->target_count; i++)
		if (self->seen[i].is_idle)
			return;
	service_ping();
}

Rc
watchdog_step(void *context, Error *err)
{
	Watchdog *self = context;
	Rc rc = RC_OK;

	for (int i = 0; i < self->config->target_count && rc == RC_OK; i++)
		rc = look_at_target(self, i, err);
	if (rc == RC_OK)
		look_at_slot(self);
	if (rc == RC_OK)
		ping(self);
	metrics_publish();
	return rc;
}

Rc
watchdog_ping(void *context, Error *err UNUSED)
{
	ping(context);
	return RC_OK;
}
