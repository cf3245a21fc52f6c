/*
 * lease.c
 *    Compares the lease with what this sink has claimed; see lease.h.
 */
#include "sink/postgres/lease.h"

#include "base/clock.h"
#include "control/fence.h"
#include "control/progress_table.h"
#include "net/pgconn_open.h"

/* Milliseconds between two checks whether a joining table is ready. */
#define HOLD_LOOK_INTERVAL_MS 20

Rc
lease_states_changed(const PostgresSink *self, PgConn *conn, Error *err)
{
	Error ignored = {0};
	Lsn fence = 0;

	if (fence_read(conn, self->target.pipeline, &fence, &ignored) == RC_FAIL)
		error_reset(&ignored);
	if (fence != 0)
		return error_set(err, ERR_CHANGED,
						 "a fence was put up on %s, at LSN " LSN_FORMAT,
						 self->target.label, LSN_ARGS(fence));
	return error_set(err, ERR_CHANGED,
					 "the tables that are followed on %s have changed",
					 self->target.label);
}

Rc
lease_open_connection(const PostgresSink *self, PgConn **conn, Error *err)
{
	const PgConnOptions options = {.conninfo = self->conninfo,
								   .label = self->target.label,
								   .application_name = "penstock",
								   .kind = PGCONN_DATA,
								   .impatient = self->impatient};

	return pgconn_open(conn, &options, err);
}

void
lease_explain_failure(const PostgresSink *self, Error *err)
{
	LeaseState lease = LEASE_LOST;
	Error failure = {0};
	PgConn *conn = NULL;
	Rc rc;

	if (error_is_transient(err) || err->code == ERR_INTERRUPTED)
		return;
	rc = lease_open_connection(self, &conn, &failure);
	if (rc == RC_OK)
		rc = progress_table_check_lease(conn, self->target.pipeline,
										self->target.lease_token,
										self->lease_holder, &lease, &failure);
	if (rc == RC_FAIL && err->code == ERR_CONFIG &&
		(error_is_transient(&failure) || failure.code == ERR_INTERRUPTED))
		error_take(err, &failure);
	error_reset(&failure);
	if (rc == RC_OK && lease == LEASE_DISTURBED)
	{
		rc = lease_states_changed(self, conn, err);
		ASSERT(rc == RC_FAIL);
	}
	else if (rc == RC_OK && lease == LEASE_LOST)
	{
		rc = progress_table_check_open(conn, self->target.pipeline, &failure);
		if (rc == RC_FAIL && failure.code == ERR_CONFIG)
			error_take(err, &failure);
		error_reset(&failure);
	}
	pgconn_close(conn);
}

Rc
lease_wait_for_table(PostgresSink *self, Error *err)
{
	PgConn *conn = lane_conn(self->applier.lane);
	int64_t now_us = clock_monotonic_us();
	LeaseState lease = LEASE_HELD;
	Rc rc;

	if (now_us < self->hold_look_us)
		return RC_AGAIN;
	self->hold_look_us = now_us + HOLD_LOOK_INTERVAL_MS * 1000;
	rc = pgconn_set_plain_path(conn, err);
	if (rc == RC_OK)
		rc = progress_table_check_lease(conn, self->target.pipeline,
										self->target.lease_token,
										self->lease_holder, &lease, err);
	if (rc == RC_OK && lease == LEASE_HELD && now_us < self->hold_until_us)
	{
		rc = pgconn_set_own_path(conn, err);
		return rc == RC_OK ? RC_AGAIN : rc;
	}
	if (rc == RC_OK && lease == LEASE_HELD)
		rc = table_states_refuse_joining(conn, self->target.pipeline,
										 self->target.lease_token, err);
	return rc == RC_OK ? lease_states_changed(self, conn, err) : rc;
}
