/*
 * history.c
 *    Positions of targets against the source's timelines.
 */
#include "check/history.h"

#include <stdlib.h>
#include <string.h>

#include "check/connect.h"
#include "check/target.h"
#include "model/history.h"
#include "net/pgconn_open.h"

/*
 * Whether a target has a position to be compared with the source's history.
 * Progress of another system is a finding of its own.
 */
static bool
has_position(const CheckContext *context, int index)
{
	const ProgressRow *row = &context->progress[index];
	const char *ours = context->source.system_identifier;

	return context->progress_known[index] && row->exists && ours != NULL &&
		   strcmp(row->source.system_identifier, ours) == 0;
}

static bool
is_asked(const CheckContext *context)
{
	if (!context->source.known)
		return false;
	for (int i = 0; i < context->config->target_count; i++)
		if (has_position(context, i))
			return true;
	return false;
}

static MUST_CHECK Rc
read_history(const CheckContext *context, SourceHistory *history, Error *err)
{
	const PgConnOptions options = {
		.conninfo = context->config->source,
		.label = CHECK_SOURCE,
		.application_name = "penstock check",
		.kind = PGCONN_REPLICATION,
	};
	PgConn *replication = NULL;
	PgConn *source = NULL;
	Rc rc = pgconn_open(&replication, &options, err);

	if (rc == RC_OK)
		rc = slot_read_history(replication, history, err);
	pgconn_close(replication);

	/* The targets were asked before, and may have gone on meanwhile. */
	if (rc == RC_OK)
		rc = check_open_session(&source, context->config->source, CHECK_SOURCE,
								err);
	if (rc == RC_OK)
		rc = slot_read_log_end(source, history, err);
	pgconn_close(source);
	return rc;
}

/* A source that is a standby and lags gets to the target's position later. */
static void
add_refusal(CheckContext *context, const char *target, Error *err)
{
	findings_add_error(context->findings,
					   &(Finding){.level = err->code == ERR_CONNECT
											   ? FINDING_WARNING
											   : FINDING_ERROR,
								  .code = "history",
								  .server = target,
								  .object = "progress"},
					   err);
}

static void
prove(CheckContext *context, const SourceHistory *history, int index)
{
	const ProgressRow *row = &context->progress[index];
	char *target = check_target_name(context->config, index);
	const HistoryPoint point = {
		.source = &row->source,
		.lsn = row->end_lsn,
		.label = target,
		.pipeline = context->config->name,
	};
	Error err = {0};

	if (history_prove(history, &point, &err) == RC_OK)
		findings_add(context->findings,
					 &(Finding){
						 .level = FINDING_OK,
						 .code = "history",
						 .server = target,
						 .message = "what it has is in the source's history",
					 });
	else
		add_refusal(context, target, &err);
	free(target);
}

/* The history could not be read; why, another finding may say better. */
static void
add_unknown(CheckContext *context, Error *err)
{
	findings_add_error(context->findings,
					   &(Finding){.level = FINDING_WARNING,
								  .code = "history",
								  .server = CHECK_SOURCE,
								  .object = "history",
								  .fix = "-- whether the targets have followed "
										 "this server is not known"},
					   err);
}

Rc
check_history(CheckContext *context, Error *err)
{
	SourceHistory history = {0};
	Rc rc;

	if (!is_asked(context))
		return RC_OK;
	rc = read_history(context, &history, err);
	for (int i = 0; i < context->config->target_count && rc == RC_OK; i++)
		if (has_position(context, i))
			prove(context, &history, i);
	history_release(&history);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		add_unknown(context, err);
		rc = RC_OK;
	}
	return rc;
}
