/*
 * anchor.c
 *    The steps of an anchor, by their numbers in anchor.h.
 */
#include "job/verify/anchor.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/task.h"
#include "job/fence.h"
#include "net/pgconn_open.h"
#include "net/sql.h"

#define APPLICATION_NAME "penstock verify"

/* Interval at which we query whether transactions have ended, and interval at
 * which we log that they have not. */
#define OPEN_POLL_MS 100
#define OPEN_SAY_MS  10000

static MUST_CHECK Rc
open_server(PgConn **conn, const char *conninfo, const char *label,
			PgConnKind kind, Error *err)
{
	return pgconn_open(conn,
					   &(PgConnOptions){.conninfo = conninfo,
										.label = label,
										.application_name = APPLICATION_NAME,
										.kind = kind},
					   err);
}

Rc
anchor_open_reader(PgConn **conn, const char *conninfo, const char *label,
				   Error *err)
{
	Rc rc = open_server(conn, conninfo, label, PGCONN_DATA, err);

	if (rc == RC_OK)
		rc = pgconn_exec(*conn, "SET jit = off", NULL, err);
	return rc;
}

Rc
anchor_open_source(PgConn **conn, const Anchor *anchor, Error *err)
{
	Rc rc = anchor_open_reader(conn, anchor->config->source, "source", err);

	return rc == RC_OK ? sql_begin_snapshot(*conn, anchor->snapshot.name, err)
					   : rc;
}

Rc
anchor_open_target(PgConn **conn, const Anchor *anchor, int number, Error *err)
{
	const AnchorTarget *target = &anchor->targets[number];
	Rc rc = anchor_open_reader(conn, anchor->config->targets[number],
							   target->label, err);

	return rc == RC_OK ? sql_begin_snapshot(*conn, target->snapshot, err) : rc;
}

/* ---- 1: transactions that are open -------------------------------------- */

/* Reads the source's next transaction ID, as text: all transactions that are
 * open now are before it. */
static MUST_CHECK Rc
read_open(PgConn *source, char *open, size_t size, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source,
						"SELECT txid_snapshot_xmax("
						"txid_current_snapshot())",
						&result, err);

	if (rc == RC_OK)
		snprintf(open, size, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
have_ended(PgConn *source, const char *before, bool *ended, Error *err)
{
	const char *params[] = {before};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(
		source,
		"SELECT txid_snapshot_xmin(txid_current_snapshot()) >= $1::bigint", 1,
		params, &result, err);

	*ended = rc == RC_OK && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
wait_for_open(PgConn *source, Error *err)
{
	int64_t say_us = clock_monotonic_us() + OPEN_SAY_MS * 1000;
	char before[32] = "";
	Rc rc = read_open(source, before, sizeof(before), err);

	while (rc == RC_OK)
	{
		bool ended;

		rc = have_ended(source, before, &ended, err);
		if (rc != RC_OK || ended)
			break;
		if (clock_monotonic_us() >= say_us)
		{
			log_info("verify", "waiting for transactions that are open on the "
							   "source to end");
			say_us += OPEN_SAY_MS * 1000;
		}
		rc = interrupt_wait(-1, 0, OPEN_POLL_MS, err);
		if (rc == RC_AGAIN)
			rc = RC_OK;
	}
	return rc;
}

/* ---- 3: the slot -------------------------------------------------------- */

static Rc
create_slot(void *context, Error *err)
{
	Anchor *anchor = context;
	char name[SLOT_NAME_SIZE];
	Rc rc = open_server(&anchor->replication, anchor->config->source, "source",
						PGCONN_REPLICATION, err);
	if (rc == RC_OK)
		slot_make_temporary_name(name, anchor->replication,
								 anchor->config->name, "verify");
	if (rc == RC_OK)
		rc = slot_create(anchor->replication, anchor->source, name,
						 SLOT_SNAPSHOT, &anchor->snapshot, err);
	return rc;
}

/* FenceUse.choose: creates the slot and sets *lsn to its consistent point.
 * Returns RC_AGAIN if that takes longer than ANCHOR_HOLD_MAX_MS. */
static Rc
choose_position(void *context, Lsn *lsn, Error *err)
{
	Anchor *anchor = context;
	int64_t deadline_us = clock_monotonic_us() +
						  (int64_t) ANCHOR_HOLD_MAX_MS * 1000;
	Task *task = task_new(create_slot, anchor);
	Rc rc = RC_AGAIN;

	anchor->taken_us = clock_monotonic_us();
	while (rc == RC_AGAIN)
	{
		rc = task_work(task, err);
		if (rc != RC_AGAIN)
			break;
		rc = interrupt_wait_tasks(&task, 1, deadline_us, err);
		if (rc == RC_AGAIN)
			break;
		rc = rc == RC_OK ? RC_AGAIN : rc;
	}
	task_free(task);
	*lsn = anchor->snapshot.consistent_lsn;
	return rc;
}

/* ---- 5: the targets ----------------------------------------------------- */

static MUST_CHECK Rc
export_target(AnchorTarget *target, Error *err)
{
	PGresult *result = NULL;
	Rc rc = sql_begin_snapshot(target->conn, NULL, err);

	if (rc == RC_OK)
		rc = pgconn_exec(target->conn, "SELECT pg_export_snapshot()", &result,
						 err);
	if (rc == RC_OK)
		snprintf(target->snapshot, sizeof(target->snapshot), "%s",
				 PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

static Rc
export_targets(void *context, Lsn lsn UNUSED, Error *err)
{
	Anchor *anchor = context;
	Rc rc = RC_OK;

	for (int i = 0; i < anchor->config->target_count && rc == RC_OK; i++)
		rc = export_target(&anchor->targets[i], err);
	if (rc == RC_OK && anchor->held != NULL)
		rc = anchor->held(anchor->held_context, err);
	return rc;
}

static MUST_CHECK Rc
open_all(Anchor *anchor, Error *err)
{
	const Config *config = anchor->config;
	Rc rc = anchor_open_reader(&anchor->source, config->source, "source", err);

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
	{
		AnchorTarget *target = &anchor->targets[i];

		config_label_target(config, i, target->label);
		rc = anchor_open_reader(&target->conn, config->targets[i],
								target->label, err);
	}
	return rc;
}

static MUST_CHECK Rc
try_to_take(Anchor *anchor, Error *err)
{
	const FenceUse use = {.choose = choose_position,
						  .reached = export_targets,
						  .context = anchor,
						  .is_brief = true,
						  .follows = true};
	Rc rc = wait_for_open(anchor->source, err);

	if (rc == RC_OK)
		rc = fence_hold(anchor->config, &use, err);
	if (rc != RC_AGAIN)
		return rc;
	pgconn_close(anchor->replication);
	anchor->replication = NULL;
	log_info("verify",
			 "the source could not make a snapshot within %d s, because of "
			 "transactions that are open: the targets go on",
			 ANCHOR_HOLD_MAX_MS / 1000);
	return RC_AGAIN;
}

static MUST_CHECK Rc
refuse_open(Error *err)
{
	Rc rc = error_set(err, ERR_LIMIT,
					  "the source could not make a snapshot within %d s, tried "
					  "%d times",
					  ANCHOR_HOLD_MAX_MS / 1000, ANCHOR_TRIES_MAX);

	error_hint(err, "Transactions on the source last longer than that all the "
					"time: run this again when there are fewer of them.");
	return rc;
}

Rc
anchor_take(Anchor *anchor, const Config *config, Error *err)
{
	Rc rc;

	anchor->config = config;
	rc = open_all(anchor, err);
	if (rc != RC_OK)
		return rc;
	rc = RC_AGAIN;
	for (int i = 0; i < ANCHOR_TRIES_MAX && rc == RC_AGAIN; i++)
		rc = try_to_take(anchor, err);
	if (rc == RC_AGAIN)
		rc = refuse_open(err);
	if (rc == RC_OK)
		log_info("verify", "comparing as of LSN " LSN_FORMAT,
				 LSN_ARGS(anchor->snapshot.consistent_lsn));
	return rc;
}

void
anchor_release(Anchor *anchor)
{
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
		pgconn_close(anchor->targets[i].conn);
	pgconn_close(anchor->replication);
	pgconn_close(anchor->source);
	*anchor = (Anchor){0};
}
