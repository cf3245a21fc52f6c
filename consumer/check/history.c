/*
 * history.c
 *    Compares the end_lsn of each target's progress with the source's timeline
 *    history.
 */
#include "check/history.h"

#include <stdlib.h>
#include <string.h>

#include "check/connect.h"
#include "check/target.h"
#include "model/history.h"
#include "net/pgconn_open.h"

/*
 * Whether a target has progress that we can compare with the source's history.
 * Progress with the system identifier of another server is not compared; there
 * is a finding about it in target.c.
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

	/* Reads the end of the source's WAL after the targets' progress, which is
	 * therefore not beyond it. */
	if (rc == RC_OK)
		rc = check_open_session(&source, context->config->source, CHECK_SOURCE,
								err);
	if (rc == RC_OK)
		rc = slot_read_log_end(source, history, err);
	pgconn_close(source);
	return rc;
}

/* Adds the finding that a target's progress is not in the source's history.
 * ERR_CONNECT means that the source is a standby, which may still receive the
 * WAL that the target has: that is only a warning. */
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

/* Adds the finding that the source's history could not be read. */
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
