/*
 * watch.c
 *    Makes texts of the numbers that the loop has published last.
 */
#include "http/watch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "http/page.h"
#include "metrics/health.h"
#include "metrics/metrics.h"
#include "metrics/state_json.h"
#include "metrics/text.h"

/* 503: the status of what is not ready. */
#define NOT_READY 503

/* Reads the numbers into memory of our own: they are too large for a stack. */
static MetricsNumbers *
read_numbers(void)
{
	MetricsNumbers *numbers = xmalloc(sizeof(MetricsNumbers));

	metrics_read(numbers);
	return numbers;
}

static void
answer_metrics(const HttpRequest *request, HttpAnswer *answer)
{
	MetricsNumbers *numbers = read_numbers();

	answer->type = request->accepts_openmetrics
					   ? "application/openmetrics-text; version=1.0.0; "
						 "charset=utf-8"
					   : "text/plain; version=0.0.4; charset=utf-8";
	metrics_text(&answer->body, numbers, clock_monotonic_us(),
				 request->accepts_openmetrics);
	free(numbers);
}

static void
answer_alive(const HttpRequest *request UNUSED, HttpAnswer *answer)
{
	buf_append_string(&answer->body, "ok\n");
}

static void
answer_ready(const HttpRequest *request UNUSED, HttpAnswer *answer)
{
	MetricsNumbers *numbers = read_numbers();

	if (!health_is_ready(numbers, clock_monotonic_us(), &answer->body))
		answer->status = NOT_READY;
	free(numbers);
}

static void
answer_state(const HttpRequest *request UNUSED, HttpAnswer *answer)
{
	MetricsNumbers *numbers = read_numbers();
	History *history = xmalloc(sizeof(History));

	metrics_read_history(history);
	answer->type = "application/json";
	metrics_state_json(&answer->body, numbers, history, clock_monotonic_us());
	free(history);
	free(numbers);
}

/* ---- the page ----------------------------------------------------------- */

static void
answer_html(const HttpRequest *request UNUSED, HttpAnswer *answer)
{
	answer->type = "text/html; charset=utf-8";
	buf_append_string(&answer->body, page_html);
}

static void
answer_css(const HttpRequest *request UNUSED, HttpAnswer *answer)
{
	answer->type = "text/css; charset=utf-8";
	buf_append_string(&answer->body, page_css);
}

static void
answer_js(const HttpRequest *request UNUSED, HttpAnswer *answer)
{
	answer->type = "text/javascript; charset=utf-8";
	buf_append_string(&answer->body, page_js);
}

const HttpPath watch_paths[] = {
	{"/", answer_html},           {"/page.css", answer_css},
	{"/page.js", answer_js},      {"/state.json", answer_state},
	{"/metrics", answer_metrics}, {"/healthz", answer_alive},
	{"/readyz", answer_ready},    {NULL, NULL},
};
