/*
 * applier_fetch.c
 *    Reads values of rows that are about to move to another node.
 *
 * All queries are sent in one round.  If a transaction is open, they run in it,
 * and so see the rows after all changes that it has made.
 */
#include <string.h>

#include "control/moved_table.h"
#include "sink/postgres/apply/applier.h"

/* ---- asking ------------------------------------------------------------- */

static MUST_CHECK Rc
send_fetch(Applier *self, const SinkFetch *fetch, size_t index, Error *err)
{
	const TargetTable *table = table_cache_get(self->tables,
											   fetch->removal->relation);
	const Value *find = fetch->removal->old_row;
	Expectation expectation = {
		.kind = EXPECT_FETCHED, .change_index = index, .table = table};
	Statement *statement = statement_get(self->statements, STATEMENT_FETCH,
										 table, fetch->row, find);

	ASSERT(fetch->txn.end_lsn > self->target->report->start_lsn);
	params_reset(self->params);
	statement_add_params(self->params, statement, table, fetch->row, find);
	return lane_send_statement(self->lane, statement, self->params,
							   &expectation, err);
}

/*
 * Sends the query for a row that was already removed, and whose values are in
 * penstock.moved.
 */
static MUST_CHECK Rc
send_read_kept(Applier *self, const SinkFetch *fetch, size_t index, Error *err)
{
	Expectation expectation = {
		.kind = EXPECT_KEPT,
		.change_index = index,
		.table = table_cache_get(self->tables, fetch->removal->relation)};

	ASSERT(fetch->txn.end_lsn <= self->target->report->start_lsn);
	params_reset(self->params);
	params_add_bytes(self->params, TYPE_TEXT, fetch->pipeline,
					 (int) strlen(fetch->pipeline));
	params_add_number(self->params, TYPE_LSN, (int64_t) fetch->txn.end_lsn);
	params_add_int8(self->params, fetch->number);
	return lane_send_statement(self->lane, &self->fixed[FIXED_READ_KEPT],
							   self->params, &expectation, err);
}

static MUST_CHECK Rc
send_all(Applier *self, Error *err)
{
	Lsn start_lsn = self->target->report->start_lsn;
	Rc rc = lane_enter_pipeline(self->lane, err);
	CurrentTables tables = table_cache_all(self->tables);
	size_t index = 0;

	for (const SinkFetch *fetch = self->fetches; fetch != NULL && rc == RC_OK;
		 fetch = fetch->next)
		rc = fetch->txn.end_lsn <= start_lsn
				 ? send_read_kept(self, fetch, index++, err)
				 : send_fetch(self, fetch, index++, err);
	if (rc == RC_OK)
		rc = applier_send_check(self, &tables, err);
	return rc == RC_OK ? lane_send_sync(self->lane, err) : rc;
}

Rc
applier_start_fetch(Applier *self, SinkFetch *fetches, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(self->state == APPLIER_IDLE && batch_is_empty(self->batch));
	ASSERT(fetches != NULL && self->fetches == NULL);
	statement_cache_set_counting(self->statements, false);
	if (statement_cache_wants_reset(self->statements))
		rc = applier_forget_statements(self, err);
	table_cache_begin(self->tables);
	for (const SinkFetch *fetch = fetches; fetch != NULL && rc == RC_OK;
		 fetch = fetch->next)
		rc = table_cache_open(self->tables, lane_conn(self->lane),
							  fetch->removal->relation, err);
	if (rc != RC_OK)
		return rc;
	self->fetches = fetches;
	applier_set_state(self, APPLIER_FETCHING);
	return send_all(self, err);
}

/* ---- answers ------------------------------------------------------------ */

static SinkFetch *
find_fetch(const Applier *self, size_t index)
{
	SinkFetch *fetch = self->fetches;

	while (index-- > 0)
	{
		CHECK(fetch != NULL);
		fetch = fetch->next;
	}
	CHECK(fetch != NULL && !fetch->done);
	return fetch;
}

static void
take_value(const SinkFetch *fetch, int column, const PGresult *result, int row,
		   int field)
{
	const Relation *relation = fetch->removal->relation;
	bool is_binary = relation->columns[column].encoding == COLUMN_BINARY;
	int length = PQgetlength(result, row, field);
	Value *value = &fetch->row[column];

	CHECK(value->kind == VALUE_UNCHANGED);
	ASSERT(column >= 0 && column < relation->column_count);
	if (PQgetisnull(result, row, field))
	{
		*value = (Value){.kind = VALUE_NULL};
		return;
	}
	*value = (Value){
		.kind = is_binary ? VALUE_BINARY : VALUE_TEXT,
		.bytes = arena_dup(fetch->arena, PQgetvalue(result, row, field),
						   (size_t) length),
		.length = (uint32_t) length,
	};
}

static void
take_row(const SinkFetch *fetch, const TargetTable *table,
		 const PGresult *result)
{
	int field = 0;

	for (int i = 0; i < table->column_count; i++)
		if (statement_fetches_column(&table->columns[i], fetch->row))
			take_value(fetch, table->columns[i].source_index, result, 0,
					   field++);
}

/* Takes rows of column names and values. */
static void
take_kept(const SinkFetch *fetch, const PGresult *result)
{
	const Relation *relation = fetch->removal->relation;

	for (int row = 0; row < PQntuples(result); row++)
		for (int i = 0; i < relation->column_count; i++)
			if (fetch->row[i].kind == VALUE_UNCHANGED &&
				strcmp(relation->columns[i].name, PQgetvalue(result, row, 0)) ==
					0)
				take_value(fetch, i, result, row, 1);
}

void
applier_take_fetched(Applier *self, const PGresult *result,
					 const Expectation *expectation)
{
	SinkFetch *fetch = find_fetch(self, expectation->change_index);
	bool is_kept = expectation->kind == EXPECT_KEPT;
	int rows = PQntuples(result);

	ASSERT(self->state == APPLIER_FETCHING);
	if (is_kept ? rows > 0 : rows == 1)
	{
		if (is_kept)
			take_kept(fetch, result);
		else
			take_row(fetch, expectation->table, result);
		return;
	}
	if (self->failure.is_there)
		return;
	self->failure.is_there = true;
	self->failure.index = PLAN_NO_CHANGE;
	self->failure.change = (ConflictChange){.table = expectation->table,
											.change = fetch->removal,
											.txn = &fetch->txn};
	conflict_set_no_values(&self->failure.change, is_kept,
						   &self->failure.error);
}

/* Called when all answers were received. */
Rc
applier_end_fetch(Applier *self, Error *err)
{
	Rc rc = lane_leave_pipeline(self->lane, err);

	ASSERT(self->state == APPLIER_FETCHING);
	applier_set_state(self, APPLIER_IDLE);
	if (rc == RC_OK && self->failure.is_there)
	{
		conflict_add_key(lane_conn(self->lane), &self->failure.change,
						 &self->failure.error);
		error_take(err, &self->failure.error);
		rc = RC_FAIL;
	}
	for (SinkFetch *fetch = self->fetches; fetch != NULL && rc == RC_OK;)
	{
		SinkFetch *next = fetch->next;

		fetch->next = NULL;
		fetch->done = true;
		fetch = next;
	}
	self->fetches = NULL;
	return rc;
}
