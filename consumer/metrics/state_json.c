/*
 * state_json.c
 *    Writes the object from its beginning to its end.
 */
#include "metrics/state_json.h"

#include <string.h>

#include "base/json.h"
#include "base/recent.h"
#include "metrics/health.h"
#include "metrics/metrics.h"

typedef struct Page
{
	Json json;
	const MetricsNumbers *numbers;
	const History *history;
	int64_t now_us;
} Page;

static void
number(Page *page, const char *key, double value, bool known)
{
	json_key(&page->json, key);
	if (known)
		json_fixed(&page->json, value, 1);
	else
		json_nothing(&page->json);
}

static void
whole(Page *page, const char *key, int64_t value, bool known)
{
	if (known)
		json_member_int(&page->json, key, value);
	else
		json_member_null(&page->json, key);
}

static double
age_s(const Page *page, int64_t then_us)
{
	return (double) (page->now_us - then_us) / 1e6;
}

static bool
source_is_known(const Page *page)
{
	return page->numbers->source.as_of_us != 0 &&
		   heartbeats_are_recent(&page->numbers->heartbeats, page->now_us);
}

/* ---- what to do next ---------------------------------------------------- */

static void
advise_of_source(Page *page)
{
	const MetricsSource *source = &page->numbers->source;

	if (page->numbers->heartbeats.last_us != 0 && !source_is_known(page))
		json_text(&page->json,
				  "The source does not answer. See whether it is up, and "
				  "whether the role may connect; after a failover, point the "
				  "pipeline to the new primary.");
	if (!source_is_known(page))
		return;
	if (!source->has_slot)
		json_text(&page->json,
				  "The slot does not exist on the source. If nobody is about "
				  "to make it again, the targets have to be copied anew: "
				  "runbook \"slot lost\".");
	else if (strcmp(source->wal_status, "lost") == 0)
		json_text(&page->json,
				  "The source has removed WAL that the slot needs. The targets "
				  "have to be copied anew: runbook \"slot lost\".");
	else if (strcmp(source->wal_status, "unreserved") == 0)
		json_text(&page->json,
				  "The source will remove WAL that the slot needs at its next "
				  "checkpoint. Raise max_slot_wal_keep_size there now.");
}

static void
advise_of_target(Page *page, const MetricsTarget *target)
{
	Buf text;

	buf_init(&text, BUF_TEXT_MAX);
	if (!target->is_up && page->numbers->state != METRICS_STARTING &&
		page->numbers->state != METRICS_COPYING)
		buf_printf(&text,
				   "Target %s cannot be reached. See whether it is up, and "
				   "whether the role may connect: runbook \"target down\".",
				   target->name);
	else if (target->is_stuck)
		buf_printf(&text,
				   "Target %s gets nothing. The event watchdog.target-stuck in "
				   "the log says which session blocks it.",
				   target->name);
	if (text.length > 0)
		json_text(&page->json, text.data);
	buf_release(&text);
}

static void
advise(Page *page)
{
	const MetricsNumbers *numbers = page->numbers;

	json_key(&page->json, "next");
	json_begin_array(&page->json);
	if (numbers->state == METRICS_RETRYING)
		json_text(&page->json,
				  "The follower has failed, and tries again. Its log says why: "
				  "look for the event follow.trying-again.");
	else if (numbers->state == METRICS_HELD)
		json_text(&page->json,
				  "A fence holds the targets. Whoever has set it lets them go "
				  "on by ending penstock fence.");
	advise_of_source(page);
	for (int i = 0; i < numbers->target_count; i++)
		advise_of_target(page, &numbers->targets[i]);
	json_end_array(&page->json);
}

/* ---- the parts ---------------------------------------------------------- */

/* Appends the lines that /readyz has. */
static void
append_problems(Page *page)
{
	Buf why;
	bool ready;
	char *rest;

	buf_init(&why, BUF_TEXT_MAX);
	ready = health_is_ready(page->numbers, page->now_us, &why);
	json_member_bool(&page->json, "ready", ready);
	json_key(&page->json, "problems");
	json_begin_array(&page->json);
	rest = why.data;
	for (char *line = strsep(&rest, "\n"); !ready && line != NULL;
		 line = strsep(&rest, "\n"))
		if (line[0] != '\0')
			json_text(&page->json, line);
	json_end_array(&page->json);
	buf_release(&why);
}

static void
append_source(Page *page)
{
	const MetricsSource *source = &page->numbers->source;

	json_key(&page->json, "source");
	if (!source_is_known(page))
	{
		json_nothing(&page->json);
		return;
	}
	json_begin_object(&page->json);
	json_member_bool(&page->json, "slot_exists", source->has_slot);
	json_member_string(&page->json, "wal_status",
					   source->wal_status[0] != '\0' ? source->wal_status
													 : NULL);
	whole(page, "retained_bytes",
		  (int64_t) (source->wal_end_lsn - source->restart_lsn),
		  source->has_slot && source->restart_lsn != 0 &&
			  source->wal_end_lsn >= source->restart_lsn);
	whole(page, "safe_bytes", source->safe_wal_size, source->has_safe_wal_size);
	number(page, "heartbeat_s", age_s(page, page->numbers->heartbeats.last_us),
		   true);
	json_end_object(&page->json);
}

static void
append_points(Page *page, const char *key, int target, bool of_lag)
{
	const History *history = page->history;

	json_key(&page->json, key);
	json_begin_array(&page->json);
	for (int i = 0; i < history->count; i++)
	{
		const HistoryTargetPoint
			*point = &history->points[target][history_index(history, i)];
		float value = of_lag ? point->lag_s : point->rows_per_s;

		if (value < 0)
			json_nothing(&page->json);
		else
			json_fixed(&page->json, (double) value, 2);
	}
	json_end_array(&page->json);
}

static void
append_target(Page *page, int index)
{
	const MetricsNumbers *numbers = page->numbers;
	const MetricsTarget *target = &numbers->targets[index];
	uint64_t end = numbers->source.wal_end_lsn;
	double seconds = 0;
	bool known = target->applied_lsn != 0 &&
				 lag_read(&target->applied_lag, &numbers->heartbeats,
						  target->applied_lsn, page->now_us, &seconds);

	json_begin_object(&page->json);
	json_member_string(&page->json, "name", target->name);
	json_member_bool(&page->json, "up", target->is_up);
	json_member_bool(&page->json, "stuck", target->is_stuck);
	json_member_bool(&page->json, "full", target->is_full);
	number(page, "lag_s", seconds, known);
	whole(page, "lag_bytes",
		  end > target->applied_lsn ? (int64_t) (end - target->applied_lsn) : 0,
		  target->applied_lsn != 0 && source_is_known(page));
	json_member_int(&page->json, "rows", target->rows);
	json_member_int(&page->json, "transactions", target->transactions);
	json_member_int(&page->json, "conflicts", target->conflicts);
	json_member_int(&page->json, "failures", target->failures);
	json_member_int(&page->json, "open_transactions",
					target->open_transactions);
	append_points(page, "lag", index, true);
	append_points(page, "rate", index, false);
	json_end_object(&page->json);
}

static void
append_ages(Page *page)
{
	json_key(&page->json, "ages_s");
	json_begin_array(&page->json);
	for (int i = 0; i < page->history->count; i++)
		json_fixed(
			&page->json,
			age_s(page,
				  page->history->times_us[history_index(page->history, i)]),
			0);
	json_end_array(&page->json);
}

static void
append_events(Page *page)
{
	RecentEvent events[RECENT_EVENTS_MAX];
	int count = recent_read(events);

	json_key(&page->json, "events");
	json_begin_array(&page->json);
	for (int i = 0; i < count; i++)
	{
		json_begin_object(&page->json);
		json_member_string(&page->json, "name", events[i].name);
		json_member_string(&page->json, "level",
						   events[i].is_error ? "error" : "warning");
		number(page, "age_s", age_s(page, events[i].last_us), true);
		json_member_int(&page->json, "times", events[i].times);
		json_end_object(&page->json);
	}
	json_end_array(&page->json);
}

void
metrics_state_json(Buf *buf, const MetricsNumbers *numbers,
				   const History *history, int64_t now_us)
{
	Page page = {.numbers = numbers, .history = history, .now_us = now_us};

	json_init(&page.json, buf);
	json_begin_object(&page.json);
	json_member_string(&page.json, "pipeline", numbers->pipeline);
	json_member_string(&page.json, "version", PENSTOCK_VERSION);
	json_member_string(&page.json, "state", metrics_state_name(numbers->state));
	number(&page, "state_s", age_s(&page, numbers->state_since_us),
		   numbers->state_since_us != 0);
	append_problems(&page);
	advise(&page);
	append_source(&page);
	json_key(&page.json, "targets");
	json_begin_array(&page.json);
	for (int i = 0; i < numbers->target_count; i++)
		append_target(&page, i);
	json_end_array(&page.json);
	append_ages(&page);
	append_events(&page);
	json_end_object(&page.json);
}
