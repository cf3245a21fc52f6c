/*
 * applier_copy.c
 *    Runs a COPY.
 *
 * A COPY runs outside of pipeline mode, between two rounds: the server requests
 * the data, receives them, and confirms the end.
 */
#include "base/fault.h"
#include "sink/postgres/apply/applier.h"

Rc
applier_start_copy(Applier *self, Error *err)
{
	const TargetTable *table = self->step.table;
	Buf sql;
	int sent;
	Rc rc = lane_leave_pipeline(self->lane, err);

	ASSERT(self->step.kind == STEP_COPY && table->column_count > 0);
	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "COPY %s (", table->name_sql);
	for (int i = 0; i < table->column_count; i++)
		buf_printf(&sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name_sql);
	buf_append_string(&sql, ") FROM STDIN (FORMAT binary)");
	sent = PQsendQuery(pgconn_raw(lane_conn(self->lane)), sql.data);
	buf_release(&sql);
	if (!sent)
		return pgconn_connection_error(lane_conn(self->lane),
									   "lost the connection to", err);
	applier_set_state(self, APPLIER_COPYING);
	self->copy_state = COPY_STARTING;
	return lane_flush(self->lane, err);
}

/* Returns RC_OK when libpq can return a result without waiting. */
static MUST_CHECK Rc
copy_result_is_here(Applier *self, Error *err)
{
	PgConn *conn = lane_conn(self->lane);

	if (!PQconsumeInput(pgconn_raw(conn)))
		return pgconn_connection_error(conn, "lost the connection to", err);
	return PQisBusy(pgconn_raw(conn)) ? RC_AGAIN : RC_OK;
}

/* Continues after a COPY, successful or not. */
static MUST_CHECK Rc
finish_copy(Applier *self, Error *err)
{
	Rc rc = lane_enter_pipeline(self->lane, err);

	ASSERT(self->state == APPLIER_COPYING);
	FAULT("apply.after_copy");
	self->step_state = STEP_WANTED;
	applier_set_state(self, APPLIER_SENDING);
	return rc;
}

static MUST_CHECK Rc
receive_copy_result(Applier *self, Error *err)
{
	PGconn *pg = pgconn_raw(lane_conn(self->lane));
	Expectation expectation = {.rows_expected = self->step.rows_expected,
							   .change_index = PLAN_NO_CHANGE,
							   .table = self->step.table};

	for (;;)
	{
		Rc rc = copy_result_is_here(self, err);
		PGresult *result;

		if (rc != RC_OK)
			return rc;
		result = PQgetResult(pg);
		if (result == NULL)
			return finish_copy(self, err);
		if (PQresultStatus(result) == PGRES_COPY_IN)
		{
			PQclear(result);
			self->copy_state = COPY_SENDING;
			return RC_OK;
		}
		if (PQstatus(pg) == CONNECTION_BAD)
		{
			PQclear(result);
			return pgconn_connection_error(lane_conn(self->lane),
										   "lost the connection to", err);
		}
		expectation.kind = EXPECT_ROWS;
		rc = applier_handle_result(self, result, &expectation, err);
		if (rc != RC_OK)
			return rc;
	}
}

static MUST_CHECK Rc
send_copy_rows(Applier *self, Error *err)
{
	PgConn *conn = lane_conn(self->lane);
	PGconn *pg = pgconn_raw(conn);
	Buf *rows = &self->copy_buffer;

	ASSERT(self->copy_state == COPY_SENDING);
	while (!lane_is_blocked(self->lane))
	{
		bool more;
		int sent;
		Rc rc;

		buf_reset(rows);
		more = plan_copy_rows(self->plan, rows);
		CHECK(!rows->overflowed);
		sent = more ? PQputCopyData(pg, rows->data, (int) rows->length)
					: PQputCopyEnd(pg, NULL);
		if (sent != 1)
			return pgconn_connection_error(conn, "lost the connection to", err);
		rc = lane_flush(self->lane, err);
		if (rc != RC_OK)
			return rc;
		if (!more)
		{
			self->copy_state = COPY_ENDING;
			return RC_OK;
		}
	}
	return RC_AGAIN;
}

Rc
applier_work_copy(Applier *self, Error *err)
{
	Rc rc = lane_flush(self->lane, err);

	if (rc != RC_OK)
		return rc;
	switch (self->copy_state)
	{
		case COPY_STARTING:
		case COPY_ENDING:
			return receive_copy_result(self, err);
		case COPY_SENDING:
			return send_copy_rows(self, err);
	}
	return RC_OK;
}
