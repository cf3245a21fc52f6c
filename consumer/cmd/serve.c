/*
 * serve.c
 *    Begins the numbers of this process, and opens the server of them.
 */
#include "cmd/serve.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/watch.h"
#include "metrics/metrics.h"

/* Sets what is known before anything has begun. */
static void
begin_numbers(const Config *config)
{
	MetricsNumbers *numbers = metrics_numbers();

	snprintf(numbers->pipeline, sizeof(numbers->pipeline), "%s", config->name);
	if (config->source_name != NULL)
		snprintf(numbers->source_name, sizeof(numbers->source_name), "%s",
				 config->source_name);
	numbers->started_wall_us = clock_wall_us() +
							   CLOCK_POSTGRES_EPOCH_S * INT64_C(1000000);
	/* A log has no server that could be asked where it is. */
	numbers->lag_limit_us = config_source_log(config) != NULL
								? 0
								: config->watchdog_s * INT64_C(1000000);
	numbers->heartbeats.interval_us = config->heartbeat_s * INT64_C(1000000);
	for (int i = 0; i < config->target_count; i++)
	{
		char label[CONFIG_LABEL_SIZE];

		config_name_target(config, i, label);
		snprintf(metrics_target(i)->name, METRICS_NAME_SIZE, "%s", label);
	}
	metrics_enter(METRICS_STARTING, clock_monotonic_us());
}

static MUST_CHECK Rc
open_server(const Config *config, HttpServer **server, Error *err)
{
	ListenAddress address;
	Buf text;
	Rc rc = RC_OK;

	if (!listen_parse(&address, config->metrics_listen))
		CHECK(!"--metrics-listen is checked where it is read");
	if (config->source_name != NULL)
		rc = listen_shift(&address,
						  config_find_source(config, config->source_name),
						  config->source_name, err);
	if (rc == RC_OK)
		rc = http_server_open(server, &address, watch_paths, err);
	if (rc != RC_OK)
		return rc;
	buf_init(&text, BUF_TEXT_MAX);
	listen_append(&address, &text);
	log_info("metrics", "listening at %s", text.data);
	buf_release(&text);
	return RC_OK;
}

Rc
serve_begin(const Config *config, HttpServer **server, Error *err)
{
	*server = NULL;
	begin_numbers(config);
	return config->metrics_listen != NULL ? open_server(config, server, err)
										  : RC_OK;
}
