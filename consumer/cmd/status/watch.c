/*
 * watch.c
 *    Takes the state, shows it, waits, and so on.
 */
#include "cmd/status/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "cmd/status/amount.h"
#include "cmd/status/graph.h"
#include "cmd/status/judge.h"
#include "cmd/status/people.h"
#include "cmd/status/sample.h"
#include "cmd/status/screen.h"

/* Between two states; to take one lasts STATUS_INTERVAL_MS itself. */
#define PAUSE_MS 1000

typedef struct TargetGraphs
{
	Graph lag;  /* bytes */
	Graph rows; /* a second */
} TargetGraphs;

typedef struct Watch
{
	const Config *config;
	PipelineStatus status;
	TargetGraphs graphs[CONFIG_TARGETS_MAX];
	bool unicode;
} Watch;

/* Adds what this state says to the graphs. */
static void
note_state(Watch *self)
{
	const SourceStatus *source = &self->status.source;

	for (int i = 0; i < self->status.target_count; i++)
	{
		const TargetStatus *target = &self->status.targets[i];
		TargetPosition position = {.rows_per_s = -1};

		if (status_target_problem(source, target) == NULL)
			position = status_position(source, target);
		graph_add(&self->graphs[i].lag,
				  position.has_lag ? (double) position.lag_bytes : -1);
		graph_add(&self->graphs[i].rows, position.rows_per_s);
	}
}

/* Prints both graphs of a target below its line. */
static void
print_graphs(FILE *out, void *context, int index)
{
	const Watch *self = context;
	const TargetGraphs *graphs = &self->graphs[index];
	double lag = graph_max(&graphs->lag);
	double rows = graph_max(&graphs->rows);
	char text[AMOUNT_TEXT_SIZE];

	fprintf(out, "  lag     ");
	graph_print(out, &graphs->lag, self->unicode);
	fprintf(out, "  max %s\n",
			lag < 0 ? "-" : amount_bytes((uint64_t) lag, text));
	fprintf(out, "  rows/s  ");
	graph_print(out, &graphs->rows, self->unicode);
	if (rows < 0)
		fprintf(out, "  max -\n");
	else
		fprintf(out, "  max %.0f\n", rows);
}

static void
print_frame(FILE *out, Watch *self)
{
	Error slot_error = {0};
	const char *problem = status_slot_problem(&self->status, self->config,
											  &slot_error);
	bool in_order = status_is_in_order(&self->status, problem);
	time_t now = time(NULL);
	struct tm fields;
	char clock[16] = "";

	if (localtime_r(&now, &fields) != NULL)
		(void) strftime(clock, sizeof(clock), "%H:%M:%S", &fields);
	fprintf(out, "%-44s%s   q: quit\n\n",
			in_order ? "in order" : "NOT IN ORDER: see below", clock);
	status_print(out, &self->status, self->config, problem, print_graphs, self);
	error_reset(&slot_error);
}

static MUST_CHECK Rc
show_state(Watch *self, Error *err)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return error_set(err, ERR_IO, "could not write to memory: %s",
						 strerror(errno));
	print_frame(out, self);
	if (fclose(out) == 0)
		screen_show(text);
	free(text);
	return RC_OK;
}

/* Shows states until q (RC_END) or a request to stop (RC_FAIL). */
static MUST_CHECK Rc
watch(Watch *self, Screen *screen, Error *err)
{
	for (;;)
	{
		Rc rc = status_take_again(&self->status, self->config, err);

		if (rc != RC_OK)
			return rc;
		note_state(self);
		rc = show_state(self, err);
		if (rc == RC_OK)
			rc = screen_wait(screen, PAUSE_MS, err);
		if (rc != RC_AGAIN)
			return rc;
	}
}

static MUST_CHECK Rc
require_one_source(const Config *config, Error *err)
{
	Rc rc;

	if (config->source_count <= 1 || config->from != NULL)
		return RC_OK;
	rc = error_set(err, ERR_USAGE,
				   "--watch shows one source, and the configuration file has "
				   "several");
	error_hint(err, "Choose one: --from=%s.", config->source_names[0]);
	return rc;
}

Rc
status_watch(const Config *config, Error *err)
{
	Watch *self = xcalloc(1, sizeof(Watch));
	Screen screen;
	Rc rc = require_one_source(config, err);

	self->config = config;
	self->unicode = screen_is_unicode();
	if (rc == RC_OK)
		rc = screen_open(&screen, err);
	if (rc == RC_OK)
	{
		/* Nothing else may write to the terminal. */
		log_set_level(LOG_ERROR);
		rc = watch(self, &screen, err);
		screen_close(&screen);
		if (rc == RC_END || err->code == ERR_INTERRUPTED)
		{
			error_reset(err);
			rc = RC_OK;
		}
	}
	status_release(&self->status);
	free(self);
	return rc;
}
