/*
 * run.c
 *    One turn of the loop, and the conditions under which it ends.
 */
#include "pipeline/run.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/task.h"
#include "config/config.h"
#include "metrics/metrics.h"
#include "metrics/state.h"
#include "pipeline/run_numbers.h"
#include "pipeline/worker.h"
#include "progress/proof.h"
#include "route/router.h"
#include "wire/decode.h"

/*
 * Largest number of messages and, roughly, of bytes that one turn reads from
 * the stream.  Reading them has to take less time than a target needs for what
 * is in its socket.
 */
#define MESSAGES_PER_TURN 64
#define BYTES_PER_TURN    (64 * KB)

/* Milliseconds that the sinks may still work after a stop was requested. */
#define STOP_GRACE_MS 1500

/*
 * Milliseconds that received changes may still be applied after the stream was
 * lost, before that is logged.
 */
#define SETTLE_QUIET_MS 1000

/* Milliseconds between two log lines about progress. */
#define REPORT_INTERVAL_MS 10000

_Static_assert(PIPELINE_SINKS_MAX <= PROOF_MAX, "a proof for each sink");

typedef struct Run
{
	const Pipeline *pipeline;
	Input *input;
	Router *router;
	Progress progress;
	Proof proof;
	Lsn endpos; /* Pipeline.endpos, or the LSN that the watch has set; 0:
				 * none */
	int64_t watch_due_us;
	Interest interest;                   /* what poll() waits for at the end of
										  * the turn */
	Worker *workers[PIPELINE_SINKS_MAX]; /* worker of each sink */
	Worker *leaving[PIPELINE_SINKS_MAX]; /* workers of replaced sinks, until
										  * those are released; or NULL */
	Task *watching;                    /* task of the watch, while it waits; or
										* NULL */
	Lsn watched;                       /* endpos set by the watch */
	Task *beside[PIPELINE_BESIDE_MAX]; /* tasks of Pipeline.beside, while they
										* wait; or NULL */
	int64_t beside_due_us[PIPELINE_BESIDE_MAX];
	Lsn streamed;        /* LSN up to which this stream has come; 0: none yet */
	Lsn confirmed;       /* LSN confirmed to the source in this stream; 0:
						  * none */
	Progress kept;       /* what the source need not keep: `progress`, or that
						  * of the log alone */
	bool reading;        /* whether messages are still read from the stream */
	bool source_idle;    /* whether no message had arrived when we last tried to
						  * read one */
	bool held_up;        /* whether we did not try to read, because a sink was
						  * full */
	bool inside_commits; /* whether the frame that the router has not finished
						  * ends its transaction */
	bool renewing;       /* whether to end this run for one with open
						  * transactions */

	bool lost;     /* whether the stream is lost: we report nothing any more,
					* and apply what has arrived */
	bool settling; /* whether the sinks were told to finish after the stream was
					* lost */
	Error loss;    /* error with which the run fails after the stream was
					* lost */
	int64_t settle_due_us; /* time at which the loss is logged if the sinks take
							* that long; 0: it was logged */
	int64_t now_us;
	int64_t stop_deadline_us; /* 0: no stop was requested */
	int64_t report_due_us;
	int64_t reported_rows;
	RunNumbers numbers;
	int64_t rows_gone; /* rows and transactions applied by replaced sinks */
	int64_t transactions_gone;
} Run;

/* ---- the source --------------------------------------------------------- */

/*
 * Stops reading from the stream, and sets the mode in which the sinks finish.
 */
static void
stop_reading(Run *run, SinkMode mode)
{
	run->reading = false;
	for (int i = 0; i < run->pipeline->sink_count; i++)
		sink_set_mode(run->pipeline->sinks[i], mode);
}

/*
 * Records that the stream was lost.  Messages that have arrived are still
 * applied: the source's error may concern a later position of its WAL, and then
 * no attempt would ever apply the changes before it.
 */
static void
lose_stream(Run *run, Error *err)
{
	ASSERT(err->code != ERR_NONE);
	error_take(&run->loss, err);
	run->lost = true;
	run->settle_due_us = run->now_us + SETTLE_QUIET_MS * 1000;
}

/*
 * If the stream was lost and all that had arrived was read, has the sinks
 * finish with it.  Returns true if this call has told them.
 */
static bool
begin_settling(Run *run)
{
	if (!run->lost || run->reading || run->settling ||
		run->stop_deadline_us != 0)
		return false;
	ASSERT(run->loss.code != ERR_NONE);
	run->settling = true;
	stop_reading(run, SINK_SETTLING);
	return true;
}

/*
 * Records that everything before `lsn` was passed to the sinks, and tells them.
 */
static void
note_received(Run *run, Lsn lsn)
{
	Lsn endpos = run->endpos;

	ASSERT(run->reading);
	if (endpos != 0 && lsn >= endpos)
	{
		lsn = endpos;
		stop_reading(run, SINK_DRAINING);
	}
	progress_received(&run->progress, lsn);
	run->streamed = lsn_max(run->streamed, lsn);
	for (int i = 0; i < run->pipeline->sink_count; i++)
	{
		Sink *sink = run->pipeline->sinks[i];
		SinkOrders orders = sink->orders;

		orders.received_lsn = run->progress.received;
		orders.streamed_lsn = run->streamed;
		sink_order(sink, &orders);
	}
}

/* Whether the current transaction has not been passed on completely. */
static bool
in_transaction(const Run *run)
{
	return router_is_inside(run->router) || input_in_transaction(run->input);
}

/* Logs why the stream begins again. */
static void
say_renewal(const Streaming *streaming, StreamingEnd end)
{
	Buf reason;

	ASSERT(end != STREAMING_GOES_ON);
	buf_init(&reason, BUF_TEXT_MAX);
	if (end == STREAMING_REACHED)
		buf_printf(&reason,
				   "what the targets had, up to LSN " LSN_FORMAT
				   ", is confirmed",
				   LSN_ARGS(streaming->until_lsn));
	else if (end == STREAMING_PASSED)
		buf_printf(&reason, "transaction %u has committed and come",
				   streaming->xid);
	else
		buf_printf(&reason, "the transaction has not come for %" PRId64 " s",
				   streaming->hold_ms / 1000);
	log_info("follow", "%s: the stream begins again, with open transactions",
			 reason.data);
	buf_release(&reason);
}

/*
 * If the session does without open transactions and need not any more
 * (streaming.h), applies what was read and ends the run, so that another
 * session begins.  It starts at the position that this session has confirmed.
 * As long as this session may not confirm anything, because the proof is open,
 * the run does not end: the transaction would come, and be refused, again and
 * again.
 */
static void
check_streaming(Run *run)
{
	Streaming *streaming = run->pipeline->streaming;
	StreamingEnd end;

	if (streaming == NULL || !run->reading || in_transaction(run) ||
		proof_is_open(&run->proof))
		return;
	end = streaming_end(streaming, run->confirmed, run->now_us);
	if (end == STREAMING_GOES_ON)
		return;
	say_renewal(streaming, end);
	streaming_release(streaming, end);
	ASSERT(!run->renewing);
	run->renewing = true;
	stop_reading(run, SINK_SETTLING);
}

/* Returns the number of sinks that are those of targets: the first ones. */
static int
target_count(const Run *run)
{
	return run->pipeline->sink_count - (run->pipeline->keeps_log ? 1 : 0);
}

static MUST_CHECK Rc
handle_keepalive(Run *run, const SourceMessage *message, Error *err)
{
	if (!in_transaction(run) && !input_is_holding(run->input))
	{
		Rc rc = proof_position(&run->proof, message->lsn, err);

		if (rc != RC_OK)
			return rc;
		note_received(run, message->lsn);
	}
	if (!message->reply_requested)
		return RC_OK;
	for (int i = 0; i < run->pipeline->sink_count; i++)
	{
		Sink *sink = run->pipeline->sinks[i];
		SinkOrders orders = sink->orders;

		orders.position_wanted = true;
		sink_order(sink, &orders);
	}
	return RC_OK;
}

/*
 * Records the end of the current transaction, which was passed on completely.
 */
static void
note_commit(Run *run)
{
	const TxnInfo *txn = router_transaction(run->router);

	/* Every sink has got all changes of the transaction that are for it. */
	CHECK(!router_is_inside(run->router));
	for (int i = 0; i < run->pipeline->sink_count; i++)
		CHECK(!run->pipeline->sinks[i]->in_transaction);
	note_received(run, txn->end_lsn);
	if (run->pipeline->streaming != NULL)
		streaming_pass(run->pipeline->streaming, txn->xid);
	check_streaming(run);
}

/*
 * Fails if transactions do not come in the order of their commits, because the
 * sinks count what they have applied by end_lsn.
 */
static MUST_CHECK Rc
check_order(const Run *run, const TxnInfo *txn, Error *err)
{
	const TxnInfo *before = router_transaction(run->router);

	if (txn->end_lsn > before->end_lsn)
		return RC_OK;
	return error_set(
		err, ERR_PROTOCOL,
		"the source sends transaction %u, which ends at " LSN_FORMAT
		", after transaction %u, which ends at " LSN_FORMAT,
		txn->xid, LSN_ARGS(txn->end_lsn), before->xid,
		LSN_ARGS(before->end_lsn));
}

static MUST_CHECK Rc
handle_frame(Run *run, Frame *frame, Error *err)
{
	Lsn endpos = run->endpos;
	Rc rc = RC_OK;

	ASSERT(run->reading && !router_is_inside(run->router));
	if (frame->begins)
		rc = check_order(run, &frame->txn, err);
	if (rc == RC_OK && frame->begins && proof_is_open(&run->proof))
		rc = proof_transaction(&run->proof, &frame->txn, err);
	if (rc != RC_OK)
		return rc;
	if (endpos != 0 && frame->begins && frame->txn.end_lsn > endpos)
	{
		/*
		 * The transaction ends after endpos, so everything before endpos has
		 * come.
		 */
		note_received(run, endpos);
		return RC_OK;
	}
	rc = router_frame(run->router, frame, err);
	if (rc == RC_AGAIN)
	{
		run->inside_commits = frame->commits;
		return RC_OK;
	}
	if (rc == RC_OK && frame->commits)
		note_commit(run);
	if (rc == RC_FAIL && err->code == ERR_CONFIG)
		error_context(
			err, "passing on the transaction that comes after LSN " LSN_FORMAT,
			LSN_ARGS(run->progress.received));
	return rc;
}

/*
 * Continues with the frame that the router has not finished.  RC_AGAIN: the
 * router still waits.
 */
static MUST_CHECK Rc
go_on(Run *run, Error *err)
{
	Rc rc = RC_AGAIN;

	ASSERT(router_is_inside(run->router));
	if (router_can_go_on(run->router))
		rc = router_go_on(run->router, err);
	if (rc == RC_OK && run->inside_commits)
		note_commit(run);
	return rc;
}

/*
 * Returns the first frame of a message, or, if `message` is NULL, the next
 * frame of the last message.
 */
static MUST_CHECK Rc
next_frame(Run *run, const WireMessage *message, Frame **frame, Error *err)
{
	Rc rc = message != NULL ? input_decode(run->input, message, frame, err)
							: input_next(run->input, frame, err);

	ASSERT(rc != RC_OK || *frame != NULL);
	if (rc == RC_FAIL)
		error_context(err, "reading the stream, after LSN " LSN_FORMAT,
					  LSN_ARGS(run->progress.received));
	return rc;
}

/*
 * Passes on the frames of a message, beginning with `frame`.  Frames that are
 * left when the router can take no more, or when reading stops, stay in the
 * Input.
 */
static MUST_CHECK Rc
handle_frames(Run *run, Frame *frame, Error *err)
{
	for (;;)
	{
		Rc rc = handle_frame(run, frame, err);

		frame_unref(frame);
		if (rc != RC_OK || !run->reading || router_is_full(run->router) ||
			router_is_inside(run->router))
			return rc;
		rc = next_frame(run, NULL, &frame, err);
		if (rc != RC_OK)
			return rc == RC_AGAIN ? RC_OK : rc;
	}
}

static MUST_CHECK Rc
handle_data(Run *run, const SourceMessage *message, Error *err)
{
	const WireMessage wire = {message->memory, message->memory_free,
							  message->data, message->length};
	Frame *frame = NULL;
	Rc rc = next_frame(run, &wire, &frame, err);

	if (rc == RC_OK)
		return handle_frames(run, frame, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

/*
 * Passes on frames that were left of the last message.  RC_AGAIN: there are
 * none.
 */
static MUST_CHECK Rc
handle_rest(Run *run, Error *err)
{
	Frame *frame = NULL;
	Rc rc = next_frame(run, NULL, &frame, err);

	return rc == RC_OK ? handle_frames(run, frame, err) : rc;
}

/*
 * Handles that no message has arrived.  If the stream is lost (`rc` is RC_FAIL,
 * or it was lost before), none will come, and reading ends.
 */
static MUST_CHECK Rc
note_silence(Run *run, Rc rc, Error *err)
{
	ASSERT(rc != RC_OK);
	if (rc == RC_END)
		rc = error_set(err, ERR_CONNECT, "source ended the stream");
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
		return rc;
	if (rc == RC_FAIL)
		lose_stream(run, err);
	if (run->lost)
		run->reading = false;
	return RC_AGAIN;
}

/*
 * Reads the next message and adds its size to *bytes.  RC_AGAIN: none has
 * arrived.
 */
static MUST_CHECK Rc
receive_message(Run *run, size_t *bytes, Error *err)
{
	SourceMessage message;
	Rc rc = source_receive(run->pipeline->source, &message, err);

	ASSERT(!router_is_inside(run->router));
	if (rc != RC_OK)
		return note_silence(run, rc, err);
	*bytes += message.length;
	if (run->pipeline->counted && message.kind == SOURCE_DATA)
		run_numbers_count_message(message.length);
	if (message.kind == SOURCE_DATA)
		return handle_data(run, &message, err);
	return handle_keepalive(run, &message, err);
}

/* Processes the next frame or message.  RC_AGAIN: there is none now. */
static MUST_CHECK Rc
take_next(Run *run, size_t *bytes, Error *err)
{
	Rc rc;

	if (router_is_inside(run->router))
		return go_on(run, err);
	rc = handle_rest(run, err);
	return rc == RC_AGAIN ? receive_message(run, bytes, err) : rc;
}

/* Reads messages that have arrived, up to the limits of a turn. */
static MUST_CHECK Rc
receive_messages(Run *run, Error *err)
{
	size_t bytes = 0;

	run->source_idle = true;
	for (int i = 0; i < MESSAGES_PER_TURN && bytes < BYTES_PER_TURN; i++)
	{
		Rc rc;

		run->held_up = router_is_full(run->router);
		if (!run->reading || run->held_up)
			return RC_OK;
		rc = take_next(run, &bytes, err);
		if (rc != RC_OK)
			return rc == RC_AGAIN ? RC_OK : rc;
	}
	run->source_idle = false;
	return RC_OK;
}

/* ---- positions ---------------------------------------------------------- */

/*
 * Computes what the source need not keep.  With a log that is what the log has,
 * which is the last sink.
 */
static void
note_kept(Run *run, const ProgressTarget *last)
{
	if (!run->pipeline->keeps_log)
	{
		run->kept = run->progress;
		return;
	}
	progress_received(&run->kept, run->progress.received);
	progress_update(&run->kept, last, 1);
}

/*
 * Computes which positions are reported to the source and told to the sinks.
 *
 * The targets may have applied more than the source knows of, if the connection
 * broke before it was confirmed.  The server starts decoding at the position it
 * knows.  If we confirmed a later position, the server could remove catalog
 * rows that it still needs for decoding ("could not map filenode").  So we
 * confirm no position that this stream has not reached, and none (0) as long as
 * the proof is open.
 */
static void
update_positions(Run *run)
{
	const Pipeline *pipeline = run->pipeline;
	ProgressTarget targets[PIPELINE_SINKS_MAX];
	SourcePositions positions;

	for (int i = 0; i < pipeline->sink_count; i++)
	{
		const SinkReport *report = pipeline->sinks[i]->report;

		targets[i] = (ProgressTarget){report->applied_lsn, report->durable_lsn};
	}
	progress_update(&run->progress, targets, pipeline->sink_count);
	note_kept(run, &targets[pipeline->sink_count - 1]);
	for (int i = 0; i < pipeline->sink_count; i++)
	{
		Sink *sink = pipeline->sinks[i];
		SinkOrders orders = sink->orders;

		if (sink->report->durable_lsn >= orders.received_lsn)
			orders.position_wanted = false;
		orders.everywhere_lsn = run->progress.confirmed;
		sink_order(sink, &orders);
	}
	run->confirmed = proof_is_open(&run->proof)
						 ? 0
						 : lsn_min(run->kept.confirmed, run->streamed);
	positions = (SourcePositions){.received = run->kept.received,
								  .durable = run->confirmed,
								  .applied = run->kept.applied};
	CHECK(run->confirmed <= run->kept.confirmed);
	CHECK(positions.durable <= positions.applied);
	CHECK(positions.applied <= positions.received);
	source_set_positions(pipeline->source, &positions);
}

/* ---- the end ------------------------------------------------------------ */

static bool
sink_is_done(const Sink *sink)
{
	if (sink->orders.mode == SINK_STOPPING ||
		sink->orders.mode == SINK_SETTLING)
		return sink->report->stopped;
	return sink->report->durable_lsn >= sink->orders.received_lsn;
}

static bool
is_done(const Run *run)
{
	ASSERT(run->pipeline->sink_count > 0);
	if (run->reading)
		return false;
	for (int i = 0; i < run->pipeline->sink_count; i++)
		if (!sink_is_done(run->pipeline->sinks[i]))
			return run->stop_deadline_us != 0 &&
				   run->now_us >= run->stop_deadline_us;
	return true;
}

static void
check_interrupt(Run *run)
{
	if (!interrupt_requested() || run->stop_deadline_us != 0)
		return;
	run->stop_deadline_us = run->now_us + STOP_GRACE_MS * 1000;
	stop_reading(run, SINK_STOPPING);
}

/* ---- the watch ---------------------------------------------------------- */

/*
 * Sets endpos.  If the stream is beyond it already, the run ends after the
 * current transaction.
 */
static void
set_endpos(Run *run, Lsn endpos)
{
	ASSERT(endpos != 0 && run->endpos == 0);
	run->endpos = lsn_max(endpos, run->progress.received);
	if (in_transaction(run))
		run->endpos = lsn_max(run->endpos,
							  router_transaction(run->router)->end_lsn);
	else if (run->endpos == run->progress.received)
		stop_reading(run, SINK_DRAINING);
}

static bool
is_watching(const Run *run)
{
	return run->pipeline->watch != NULL && run->endpos == 0 && run->reading;
}

/*
 * Runs Pipeline.watch as a task, so that its queries do not make the loop wait.
 */
static Rc
watch(void *context, Error *err)
{
	Run *run = context;

	return run->pipeline->watch(run->pipeline->watch_context, &run->watched,
								err);
}

/*
 * Starts or resumes the watch.  It is called again after it has returned.  A
 * watch that has begun continues even if nothing is read any more, because it
 * may hold locks on a target; its result is ignored then.
 */
static MUST_CHECK Rc
work_watch(Run *run, Error *err)
{
	Rc rc;

	if (run->watching == NULL &&
		(!is_watching(run) || run->now_us < run->watch_due_us))
		return RC_OK;
	if (run->watching == NULL)
		run->watching = task_new(watch, run);
	rc = task_work(run->watching, err);
	if (rc == RC_AGAIN)
		return RC_OK;
	task_free(run->watching);
	run->watching = NULL;
	run->watch_due_us = run->now_us + PIPELINE_WATCH_INTERVAL_MS * 1000;
	if (!is_watching(run))
	{
		error_reset(err);
		return RC_OK;
	}
	if (rc == RC_OK && run->watched != 0)
		set_endpos(run, run->watched);
	return rc;
}

/*
 * Ends the watch.  It may use a connection of a sink that is about to be
 * released.
 */
static void
stop_watching(Run *run)
{
	task_free(run->watching);
	run->watching = NULL;
}

/* ---- beside ------------------------------------------------------------ */

/* Returns the function of a Beside that is to run now, or NULL. */
static TaskFunction
wanted_step(const Run *run, const Beside *beside)
{
	if (run->reading)
		return beside->step;
	return run->stop_deadline_us == 0 ? beside->step_after : NULL;
}

static void
stop_beside(Run *run)
{
	for (int i = 0; i < PIPELINE_BESIDE_MAX; i++)
	{
		task_free(run->beside[i]);
		run->beside[i] = NULL;
	}
}

static void
work_one_beside(Run *run, int number)
{
	const Beside *beside = &run->pipeline->beside[number];
	Task **task = &run->beside[number];
	Error ignored = {0};

	ASSERT(number >= 0 && number < run->pipeline->beside_count);
	if (*task == NULL)
	{
		TaskFunction step = wanted_step(run, beside);

		if (step == NULL || run->now_us < run->beside_due_us[number])
			return;
		*task = task_new(step, beside->context);
	}
	if (task_work(*task, &ignored) == RC_AGAIN)
		return;
	error_reset(&ignored);
	task_free(*task);
	*task = NULL;
	run->beside_due_us[number] = run->now_us + beside->interval_ms * 1000;
}

static void
work_beside(Run *run)
{
	for (int i = 0; i < run->pipeline->beside_count; i++)
		work_one_beside(run, i);
}

static void
collect_beside(const Run *run, Interest *interest)
{
	for (int i = 0; i < run->pipeline->beside_count; i++)
	{
		if (run->beside[i] != NULL)
			task_interest(run->beside[i], interest);
		else if (wanted_step(run, &run->pipeline->beside[i]) != NULL)
			interest_until(interest, run->beside_due_us[i]);
	}
}

/* ---- the loop ----------------------------------------------------------- */

static void
report(Run *run)
{
	int64_t rows = run->pipeline->rows_before + run->rows_gone;
	int64_t transactions = run->pipeline->transactions_before +
						   run->transactions_gone;

	if (run->now_us < run->report_due_us || !run->pipeline->verbose)
		return;
	for (int i = 0; i < target_count(run); i++)
	{
		rows += run->pipeline->sinks[i]->report->rows;
		transactions += run->pipeline->sinks[i]->report->transactions;
	}
	if (run->report_due_us != 0 && rows != run->reported_rows)
		log_info("follow",
				 "applied %" PRId64 " changes in %" PRId64
				 " transactions, %" PRId64 " changes/s, up to LSN " LSN_FORMAT,
				 rows, transactions,
				 (rows - run->reported_rows) * 1000 / REPORT_INTERVAL_MS,
				 LSN_ARGS(run->progress.applied));
	run->reported_rows = rows;
	run->report_due_us = run->now_us + REPORT_INTERVAL_MS * 1000;
}

/* Updates the numbers of this process. */
static void
note_numbers(Run *run)
{
	const RunState state = {.progress = &run->progress,
							.sinks = run->pipeline->sinks,
							.workers = run->workers,
							.sink_count = target_count(run),
							.confirmed_lsn = run->kept.confirmed,
							.now_us = run->now_us};

	if (run->pipeline->counted)
		run_numbers_note(&run->numbers, &state);
}

/* Counts what the sinks have done; their targets are not up any more. */
static void
end_numbers(Run *run)
{
	for (int i = 0; run->pipeline->counted && i < target_count(run); i++)
		run_numbers_end_sink(&run->numbers, i, run->pipeline->sinks[i]);
}

/* If USR1 was received, logs the state of the run, sinks and router. */
static void
report_on_request(Run *run)
{
	if (!interrupt_take_report_request())
		return;
	metrics_log_state(metrics_numbers(), run->now_us);
	log_info("follow",
			 "received " LSN_FORMAT ", applied " LSN_FORMAT
			 ", confirmed " LSN_FORMAT ", %s",
			 LSN_ARGS(run->progress.received), LSN_ARGS(run->progress.applied),
			 LSN_ARGS(run->kept.confirmed),
			 run->lost ? "applying what came before the stream was interrupted"
			 : !run->reading ? "not reading"
			 : router_waits_for(run->router) != NULL
				 ? "waiting for values of a row that moves"
			 : router_is_full(run->router) ? "waiting for a target"
			 : run->source_idle            ? "waiting for the source"
										   : "reading");
	for (int i = 0; i < run->pipeline->sink_count; i++)
	{
		const Sink *sink = run->pipeline->sinks[i];

		log_info(
			"follow",
			"%s %d: applied " LSN_FORMAT ", durable " LSN_FORMAT ", %" PRId64
			" transactions, %" PRId64 " changes%s%s%s",
			i < target_count(run) ? "target" : "log", i + 1,
			LSN_ARGS(sink->report->applied_lsn),
			LSN_ARGS(sink->report->durable_lsn), sink->report->transactions,
			sink->report->rows, sink->report->full ? ", full" : "",
			worker_is_waiting(run->workers[i]) ? ", waiting for an answer of it"
											   : "",
			sink == router_waits_for(run->router)
				? ", waited for: values of a row that moves away"
				: "");
	}
}

/* Logs that the stream was lost, if applying the rest takes long. */
static void
report_settling(Run *run)
{
	if (run->settle_due_us == 0 || run->now_us < run->settle_due_us)
		return;
	run->settle_due_us = 0;
	log_info("source",
			 "applying what was received up to LSN " LSN_FORMAT
			 ", before the stream is started again: %s",
			 LSN_ARGS(run->progress.received), run->loss.message);
}

/*
 * Replaces a sink that has failed.  Fails if the run cannot continue without
 * it.
 */
static MUST_CHECK Rc
replace_sink(Run *run, int index, Error *err)
{
	const Pipeline *pipeline = run->pipeline;
	Sink *failed = pipeline->sinks[index];
	Sink *sink = NULL;
	SinkOrders orders;

	ASSERT(index >= 0 && index < pipeline->sink_count);
	if (index >= target_count(run))
		return RC_FAIL; /* the log, without which nothing may go on */
	if (pipeline->counted)
		metrics_target(index)->failures++;
	if (pipeline->replace != NULL)
		sink = pipeline->replace(pipeline->replace_context, index, err);
	if (sink == NULL)
		return RC_FAIL;
	/* The new sink must not report more as durable than the failed one did. */
	ASSERT(sink != failed);
	CHECK(sink->report->durable_lsn <= failed->report->durable_lsn);
	stop_watching(run);
	stop_beside(run);
	orders = (SinkOrders){.mode = failed->orders.mode,
						  .received_lsn = failed->orders.received_lsn};
	sink_order(sink, &orders);
	if (pipeline->counted)
		run_numbers_end_sink(&run->numbers, index, failed);
	run->rows_gone += failed->report->rows;
	run->transactions_gone += failed->report->transactions;
	pipeline->sinks[index] = sink;
	router_replace_sink(run->router, index, sink);
	worker_free(run->leaving[index]);
	run->leaving[index] = run->workers[index];
	run->workers[index] = worker_new(sink);
	error_reset(err);
	return RC_OK;
}

/* Continues to release the sinks that were replaced. */
static void
work_leaving(Run *run)
{
	for (int i = 0; i < run->pipeline->sink_count; i++)
	{
		if (run->leaving[i] == NULL ||
			worker_release_sink(run->leaving[i]) == RC_AGAIN)
			continue;
		worker_free(run->leaving[i]);
		run->leaving[i] = NULL;
	}
}

/*
 * Ends the work of all sinks.  No sink refers to a row that the router waits
 * for after that.
 */
static void
stop_working(Run *run)
{
	for (int i = 0; i < run->pipeline->sink_count; i++)
	{
		worker_free(run->workers[i]);
		worker_free(run->leaving[i]);
	}
}

/*
 * Reports positions to the source.  If that fails, the messages that have
 * arrived are still applied.
 */
static MUST_CHECK Rc
tell_source(Run *run, Error *err)
{
	Rc rc;

	if (run->lost)
		return RC_OK;
	rc = source_work(run->pipeline->source, run->now_us, err);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		lose_stream(run, err);
		rc = RC_OK;
	}
	return rc;
}

static MUST_CHECK Rc
work(Run *run, Error *err)
{
	const Pipeline *pipeline = run->pipeline;
	Rc rc = receive_messages(run, err);

	for (int i = 0; rc == RC_OK && i < pipeline->sink_count; i++)
	{
		rc = worker_work(run->workers[i], run->source_idle, err);
		if (rc == RC_FAIL)
			rc = replace_sink(run, i, err);
	}
	work_leaving(run);
	if (rc != RC_OK)
		return rc;
	update_positions(run);
	return tell_source(run, err);
}

/* Collects what poll() has to wait for, the descriptor for signals first. */
static void
collect_interest(Run *run, bool receiving)
{
	const Pipeline *pipeline = run->pipeline;
	Interest *interest = &run->interest;

	interest_reset(interest);
	interest_add(interest, interrupt_fd(), POLLIN);
	if (!run->lost)
		source_interest(pipeline->source, receiving, interest);
	for (int i = 0; i < pipeline->sink_count; i++)
	{
		worker_interest(run->workers[i], interest);
		if (run->leaving[i] != NULL)
			worker_interest(run->leaving[i], interest);
	}
	if (run->watching != NULL)
		task_interest(run->watching, interest);
	else if (is_watching(run))
		interest_until(interest, run->watch_due_us);
	collect_beside(run, interest);
	if (pipeline->counted)
		interest_until(interest, run_numbers_due_us(&run->numbers));
	if (run->settle_due_us > 0)
		interest_until(interest, run->settle_due_us);
	if (run->stop_deadline_us != 0)
		interest_until(interest, run->stop_deadline_us);
}

static MUST_CHECK Rc
wait_for_events(Run *run, Error *err)
{
	bool taking = run->reading && !router_is_full(run->router);
	bool receiving = taking && !router_is_inside(run->router);
	int64_t left_ms;

	collect_interest(run, receiving);
	left_ms = interest_left_ms(&run->interest);
	if ((receiving && (!run->source_idle || run->held_up)) ||
		(taking && router_can_go_on(run->router)))
		left_ms = 0;
	if (left_ms > INT_MAX)
		left_ms = INT_MAX;
	if (poll(run->interest.fds, (nfds_t) run->interest.count, (int) left_ms) <
			0 &&
		errno != EINTR)
		return error_set(err, ERR_IO, "could not wait for events: %s",
						 strerror(errno));
	if (run->interest.count > 0 && run->interest.fds[0].revents != 0)
		interrupt_drain();
	return RC_OK;
}

/*
 * Ends the run when the sinks have finished: last report to the source, or the
 * error with which the stream was lost.
 */
static MUST_CHECK Rc
end(Run *run, Error *err)
{
	Rc rc;

	ASSERT(is_done(run));
	if (run->lost)
	{
		error_take(err, &run->loss);
		error_context(err, "streaming from the source, after LSN " LSN_FORMAT,
					  LSN_ARGS(run->progress.received));
		return RC_FAIL;
	}

	/*
	 * The server decodes nothing more for us, so all that was received can be
	 * confirmed.
	 */
	CHECK(!run->reading);
	run->streamed = run->progress.received;
	update_positions(run);
	rc = source_send_last(run->pipeline->source, err);
	return rc == RC_OK && run->renewing && run->stop_deadline_us == 0 ? RC_AGAIN
																	  : rc;
}

static MUST_CHECK Rc
loop(Run *run, Error *err)
{
	for (;;)
	{
		Rc rc;

		run->now_us = clock_monotonic_us();
		check_interrupt(run);
		check_streaming(run);
		work_beside(run);
		rc = work_watch(run, err);
		if (rc == RC_OK)
			rc = work(run, err);
		if (rc != RC_OK)
			return rc;
		note_numbers(run);
		if (begin_settling(run))
			continue;
		report(run);
		report_settling(run);
		report_on_request(run);
		if (is_done(run))
			return end(run, err);
		rc = wait_for_events(run, err);
		if (rc != RC_OK)
			return rc;
	}
}

/* Records which open transaction the router or a sink has refused. */
static void
note_refusal(Run *run)
{
	Streaming *streaming = run->pipeline->streaming;

	if (streaming == NULL)
		return;
	streaming->refused_xid = router_refused_xid(run->router);
	streaming->refused_until_lsn = 0;
	for (int i = 0; i < run->pipeline->sink_count; i++)
	{
		const SinkReport *report = run->pipeline->sinks[i]->report;

		if (report->refused_xid == 0)
			continue;
		streaming->refused_xid = report->refused_xid;
		streaming->refused_until_lsn = report->refused_until_lsn;
	}
}

/*
 * Confirms to the source what has become durable before a failure.  If that
 * fails, the next run confirms it.
 */
static void
confirm_before_failing(Run *run)
{
	Error ignored = {0};

	update_positions(run);
	if (source_send_last(run->pipeline->source, &ignored) == RC_FAIL)
		error_reset(&ignored);
}

Rc
pipeline_run(const Pipeline *pipeline, bool *progressed, Error *err)
{
	Run run = {.pipeline = pipeline,
			   .endpos = pipeline->endpos,
			   .reading = true,
			   .interest = INTEREST_NONE};
	Lsn durable = UINT64_MAX;
	Lsn kept = UINT64_MAX; /* what the log has at the start, if there is one */
	Rc rc;

	ASSERT(pipeline->sink_count > 0 &&
		   pipeline->sink_count <= PIPELINE_SINKS_MAX);
	ASSERT(pipeline->beside_count <= PIPELINE_BESIDE_MAX);
	run.input = pipeline->from_log ? decoder_new_for_log() : decoder_new();
	for (int i = 0; i < pipeline->sink_count; i++)
	{
		const Sink *sink = pipeline->sinks[i];
		const ProofItem last = {
			.label = sink->report->label,
			.commit_lsn = sink->report->last_commit_lsn,
			.commit_time_us = sink->report->last_commit_time_us,
			.may_lack = pipeline->may_lack,
			.from_log = pipeline->from_log};

		CHECK(sink->orders.mode == SINK_RUNNING && !sink->in_transaction);
		if (sink->ops->frame != NULL)
			input_keep_bytes(run.input);
		durable = lsn_min(durable, sink->report->durable_lsn);
		run.workers[i] = worker_new(pipeline->sinks[i]);
		if (pipeline->start_lsn != 0)
			proof_add(&run.proof, &last, pipeline->start_lsn);
	}
	ASSERT(durable != UINT64_MAX);
	progress_init(&run.progress, durable);
	run.kept = run.progress;
	if (pipeline->keeps_log)
	{
		kept = pipeline->sinks[pipeline->sink_count - 1]->report->durable_lsn;
		progress_init(&run.kept, kept);
	}
	run.router = router_new(&(RouterOptions){
		.sinks = pipeline->sinks,
		.sink_count = pipeline->sink_count,
		.placement = pipeline->placement,
		.noted = pipeline->noted,
		.node_count = pipeline->node_count,
		.directory = pipeline->directory,
		.pipeline = pipeline->name,
	});
	if (pipeline->endpos != 0 && durable >= pipeline->endpos)
		stop_reading(&run, SINK_DRAINING);
	rc = loop(&run, err);
	if (rc == RC_FAIL && err->code == ERR_OPEN_TXN)
		note_refusal(&run);
	if (rc == RC_FAIL && !run.lost)
		confirm_before_failing(&run);
	end_numbers(&run);
	if (run.loss.code != ERR_NONE)
		log_error(LOG_WARNING, "source.stream-lost", &run.loss);
	error_reset(&run.loss);
	*progressed = run.progress.confirmed > durable || run.kept.confirmed > kept;
	stop_watching(&run);
	stop_beside(&run);
	stop_working(&run);
	interest_release(&run.interest);
	router_free(run.router);
	input_free(run.input);
	return rc;
}

Rc
pipeline_judge_end(const char *component, Lsn endpos, const Sink *sink, Rc rc,
				   Error *err)
{
	ASSERT(rc != RC_FAIL || err->code != ERR_NONE);
	if (rc == RC_OK && endpos != 0 && sink->report->durable_lsn < endpos &&
		interrupt_requested())
		return error_set(err, ERR_INTERRUPTED,
						 "stopped before LSN " LSN_FORMAT " was reached",
						 LSN_ARGS(endpos));
	if (rc != RC_FAIL || err->code != ERR_INTERRUPTED || endpos != 0)
		return rc;
	log_info(component, "stopped on request");
	error_reset(err);
	return RC_OK;
}
