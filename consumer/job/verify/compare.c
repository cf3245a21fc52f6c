/*
 * compare.c
 *    The steps of a comparison, by their numbers in compare.h.
 */
#include "job/verify/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "copy/rows/guard.h"
#include "job/verify/deadline.h"
#include "job/verify/row_cursor.h"
#include "net/sql.h"
#include "net/sqlstate.h"
#include "verify/pairing.h"
#include "verify/statements.h"
#include "verify/sums.h"

/* Errors of SET TRANSACTION SNAPSHOT when the session that has exported the
 * snapshot has ended, depending on the version and the moment. */
static const char *const lost_sqlstates[] = {
	"22023", /* invalid_parameter_value */
	"42704", /* undefined_object */
	"55000", /* object_not_in_prerequisite_state */
};

/* The comparison of one table. */
typedef struct Comparison
{
	Comparer *comparer;
	ComparedTable *table;
	CompareOutcome outcome;
	bool importing; /* whether transactions are being begun */
	PGresult *sums[CONFIG_TARGETS_MAX + 1]; /* sums of the targets, by index;
											 * the element after the last
											 * target has the source's */
} Comparison;

/* ---- sessions ----------------------------------------------------------- */

Rc
comparer_open(Comparer *comparer, Error *err)
{
	const Config *config = comparer->anchor->config;
	Rc rc = anchor_open_reader(&comparer->source, config->source, "source",
							   err);

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
		rc = anchor_open_reader(&comparer->targets[i], config->targets[i],
								comparer->anchor->targets[i].label, err);
	return rc;
}

void
comparer_close(Comparer *comparer)
{
	pgconn_close(comparer->source);
	comparer->source = NULL;
	for (int i = 0; i < CONFIG_TARGETS_MAX; i++)
	{
		pgconn_close(comparer->targets[i]);
		comparer->targets[i] = NULL;
	}
}

static int
int_field(const PGresult *result, int row, int column)
{
	return (int) strtol(PQgetvalue(result, row, column), NULL, 10);
}

static int
target_count(const Comparison *self)
{
	return self->comparer->anchor->config->target_count;
}

static bool
is_pending(const Comparison *self, int number)
{
	const TableVerdict *verdict = self->table->targets[number].verdict;

	return verdict != NULL && verdict->outcome == TABLE_PENDING;
}

/* ---- 1: transactions ---------------------------------------------------- */

static MUST_CHECK Rc
renew_timeout(const Comparison *self, PgConn *conn, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	deadline_append(&sql, self->comparer->deadline_us);
	return sql_run(conn, &sql, NULL, err);
}

/* Checks whether the table's columns are still those of the snapshot. */
static MUST_CHECK Rc
check_columns(Comparison *self, PgConn *conn, const TableEnd *end, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;
	bool same;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql, "SELECT * FROM %s%s LIMIT 0",
			   end->relation.partitioned ? "" : "ONLY ",
			   end->relation.qualified);
	rc = sql_run(conn, &sql, &result, err);
	if (rc != RC_OK)
		return rc;
	same = PQnfields(result) == end->attribute_count;
	for (int i = 0; i < end->attribute_count && same; i++)
	{
		const TableAttribute *attribute = &end->attributes[i];

		same = strcmp(PQfname(result, i), attribute->name) == 0 &&
			   PQftablecol(result, i) == attribute->number &&
			   PQftype(result, i) == attribute->type_oid &&
			   PQfmod(result, i) == attribute->type_modifier;
	}
	PQclear(result);
	if (!same)
		self->outcome = COMPARE_CHANGED;
	return RC_OK;
}

static MUST_CHECK Rc
begin(Comparison *self, PgConn *conn, const TableEnd *end, const char *snapshot,
	  Error *err)
{
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	guard_append_begin(&sql, &end->relation, snapshot);
	deadline_append(&sql, self->comparer->deadline_us);
	rc = sql_run(conn, &sql, NULL, err);
	return rc == RC_OK ? check_columns(self, conn, end, err) : rc;
}

static MUST_CHECK Rc
begin_all(Comparison *self, Error *err)
{
	const Comparer *comparer = self->comparer;
	const Anchor *anchor = comparer->anchor;
	Rc rc;

	self->importing = true;
	rc = begin(self, comparer->source, &self->table->source,
			   anchor->snapshot.name, err);
	for (int i = 0; i < target_count(self) && rc == RC_OK; i++)
		if (is_pending(self, i))
			rc = begin(self, comparer->targets[i], &self->table->targets[i].end,
					   anchor->targets[i].snapshot, err);
	self->importing = rc != RC_OK;
	return rc;
}

static MUST_CHECK Rc
end_transaction(PgConn *conn, Error *err)
{
	if (PQtransactionStatus(pgconn_raw(conn)) == PQTRANS_IDLE)
		return RC_OK;
	return pgconn_exec(conn, "ROLLBACK", NULL, err);
}

static MUST_CHECK Rc
end_all(const Comparison *self, Error *err)
{
	const Comparer *comparer = self->comparer;
	Rc rc = end_transaction(comparer->source, err);

	for (int i = 0; i < target_count(self) && rc == RC_OK; i++)
		rc = end_transaction(comparer->targets[i], err);
	return rc;
}

/* ---- 2: sums ------------------------------------------------------------ */

static MUST_CHECK Rc
send_sums(const Comparison *self, PgConn *conn, const VerifySide *side,
		  bool by_range, Error *err)
{
	Buf sql;
	int sent;
	Rc rc = renew_timeout(self, conn, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	verify_append_sums(&sql, &self->table->statements, side, by_range);
	CHECK(!sql.overflowed);
	sent = PQsendQuery(pgconn_raw(conn), sql.data);
	buf_release(&sql);
	return sent ? RC_OK
				: pgconn_connection_error(conn, "lost the connection to", err);
}

/* Receives the result of a query, and the NULL after it. */
static MUST_CHECK Rc
receive(PgConn *conn, PGresult **answer, Error *err)
{
	Rc rc = pgconn_get_result(conn, answer, err);
	PGresult *end = NULL;

	if (rc == RC_OK && *answer != NULL)
		rc = pgconn_get_result(conn, &end, err);
	PQclear(end);
	return rc;
}

static void
clear_sums(Comparison *self)
{
	for (size_t i = 0; i < LENGTH_OF(self->sums); i++)
	{
		PQclear(self->sums[i]);
		self->sums[i] = NULL;
	}
}

/* Receives the results of all servers, or of the source and target `only`, and
 * then checks whether one of them is an error. */
static MUST_CHECK Rc
receive_sums(Comparison *self, int only, Error *err)
{
	const Comparer *comparer = self->comparer;
	int count = target_count(self);
	Rc rc = receive(comparer->source, &self->sums[count], err);

	for (int i = 0; i < count && rc == RC_OK; i++)
		if (is_pending(self, i) && (only < 0 || i == only))
			rc = receive(comparer->targets[i], &self->sums[i], err);
	if (rc == RC_OK)
		rc = pgconn_check_result(comparer->source, self->sums[count], err);
	for (int i = 0; i < count && rc == RC_OK; i++)
		if (is_pending(self, i) && (only < 0 || i == only))
			rc = pgconn_check_result(comparer->targets[i], self->sums[i], err);
	return rc;
}

/* Queries the source and all targets, or only target `only` if that is not
 * negative, for the sums. */
static MUST_CHECK Rc
ask_sums(Comparison *self, int only, bool by_range, Error *err)
{
	const Comparer *comparer = self->comparer;
	const VerifySide source = compared_table_source_side(
		self->table, self->comparer->anchor->config);
	Rc rc = send_sums(self, comparer->source, &source, by_range, err);

	for (int i = 0; i < target_count(self) && rc == RC_OK; i++)
	{
		const VerifySide side = compared_table_target_side(self->table, i);

		if (is_pending(self, i) && (only < 0 || i == only))
			rc = send_sums(self, comparer->targets[i], &side, by_range, err);
	}
	return rc == RC_OK ? receive_sums(self, only, err) : rc;
}

/* Reads the sums of the rows that belong on target `number` from a result, and
 * returns the number of ranges with rows.  The caller releases *sums with
 * free(). */
static int
take_sums(const PGresult *result, int number, RangeSum **sums)
{
	int rows = PQntuples(result);
	int count = 0;

	*sums = xcalloc((size_t) rows + 1, sizeof(**sums));
	for (int i = 0; i < rows; i++)
	{
		RangeSum sum = {
			.range = int_field(result, i, SUMS_RANGE),
			.rows = strtoll(PQgetvalue(result, i, SUMS_ROWS), NULL, 10),
			.first = PQgetvalue(result, i, SUMS_FIRST),
			.second = PQgetvalue(result, i, SUMS_SECOND),
		};

		if (sum.rows > 0 && (PQgetisnull(result, i, SUMS_PLACE) ||
							 int_field(result, i, SUMS_PLACE) == number))
			(*sums)[count++] = sum;
	}
	return count;
}

/* Finds the ranges in which a target differs from the source, and returns their
 * number.  The caller releases *ranges with free(). */
static int
find_ranges(const Comparison *self, int number, int **ranges)
{
	RangeSum *source = NULL;
	RangeSum *target = NULL;
	int source_count = take_sums(self->sums[target_count(self)], number,
								 &source);
	int target_sums = take_sums(self->sums[number], number, &target);
	TableVerdict *verdict = self->table->targets[number].verdict;
	int found;

	*ranges = xcalloc((size_t) source_count + (size_t) target_sums + 1,
					  sizeof(**ranges));
	found = sums_compare(source, source_count, target, target_sums, *ranges);
	verdict->rows = 0;
	for (int i = 0; i < target_sums; i++)
		verdict->rows += target[i].rows;
	free(source);
	free(target);
	return found;
}

/* ---- 3: rows ------------------------------------------------------------ */

static MUST_CHECK Rc
open_rows(const Comparison *self, PgConn *conn, const VerifySide *side,
		  const int *ranges, int count, RowCursor *cursor, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	verify_append_rows(&sql, &self->table->statements, side, ranges, count);
	return row_cursor_open(cursor, conn, self->comparer->deadline_us, &sql,
						   err);
}

static MUST_CHECK Rc
pair_rows(const Comparison *self, int number, RowCursor *source,
		  RowCursor *target, Error *err)
{
	const RowReader from = {.next = row_cursor_next, .context = source};
	const RowReader to = {.next = row_cursor_next, .context = target};
	const Pairing pairing = {
		.source = &from,
		.target = &to,
		.number = number,
		.verdict = self->comparer->verdict,
		.table = self->table->targets[number].verdict,
	};

	return pairing_run(&pairing, err);
}

static MUST_CHECK Rc
compare_rows(const Comparison *self, int number, const int *ranges, int count,
			 Error *err)
{
	const Comparer *comparer = self->comparer;
	const VerifySide source_rows = compared_table_source_side(
		self->table, self->comparer->anchor->config);
	const VerifySide target_rows = compared_table_target_side(self->table,
															  number);
	RowCursor source = {0};
	RowCursor target = {0};
	Error ignored = {0};
	Rc rc = open_rows(self, comparer->source, &source_rows, ranges, count,
					  &source, err);

	if (rc == RC_OK)
		rc = open_rows(self, comparer->targets[number], &target_rows, ranges,
					   count, &target, err);
	if (rc == RC_OK)
		rc = pair_rows(self, number, &source, &target, err);
	if (row_cursor_close(&source, rc == RC_OK ? err : &ignored) != RC_OK)
		rc = RC_FAIL;
	if (row_cursor_close(&target, rc == RC_OK ? err : &ignored) != RC_OK)
		rc = RC_FAIL;
	error_reset(&ignored);
	return rc;
}

/* Finds the rows in which a target differs whose sums differ. */
static MUST_CHECK Rc
find_rows(Comparison *self, int number, Error *err)
{
	TableVerdict *verdict = self->table->targets[number].verdict;
	int *ranges = NULL;
	int count = 0;
	Rc rc;

	clear_sums(self);
	verdict_forget_rows(verdict);
	rc = ask_sums(self, number, true, err);
	if (rc == RC_OK)
		count = find_ranges(self, number, &ranges);
	if (rc == RC_OK)
		rc = compare_rows(self, number, ranges, count, err);
	free(ranges);
	if (rc != RC_OK)
		verdict_forget_rows(verdict);
	return rc;
}

static MUST_CHECK Rc
compare_sums(Comparison *self, bool differs[CONFIG_TARGETS_MAX], Error *err)
{
	Rc rc = ask_sums(self, -1, false, err);

	for (int i = 0; i < target_count(self) && rc == RC_OK; i++)
	{
		int *ranges = NULL;

		if (!is_pending(self, i))
			continue;
		differs[i] = find_ranges(self, i, &ranges) > 0;
		free(ranges);
	}
	return rc;
}

static MUST_CHECK Rc
compare(Comparison *self, Error *err)
{
	bool differs[CONFIG_TARGETS_MAX] = {false};
	Rc rc = compare_sums(self, differs, err);

	for (int i = 0; i < target_count(self) && rc == RC_OK; i++)
	{
		TableVerdict *verdict = self->table->targets[i].verdict;

		if (!is_pending(self, i))
			continue;
		if (differs[i])
			rc = find_rows(self, i, err);
		if (rc != RC_OK)
			break;
		verdict->outcome = differs[i] ? TABLE_DIFFERENT : TABLE_EQUAL;
		verdict->lsn = self->comparer->anchor->snapshot.consistent_lsn;
	}
	return rc;
}

/* ---- the outcome -------------------------------------------------------- */

static bool
is_lost(const Comparison *self, const Error *err)
{
	for (size_t i = 0; i < LENGTH_OF(lost_sqlstates) && self->importing; i++)
		if (strcmp(err->sqlstate, lost_sqlstates[i]) == 0)
			return true;
	return false;
}

/* Sets the outcome, or the verdict, from an SQL error of a query; returns
 * RC_FAIL for any other error. */
static MUST_CHECK Rc
judge_failure(Comparison *self, Error *err)
{
	GuardVerdict guard = guard_judge(err);

	if (err->code != ERR_SQL || sqlstate_is_server_gone(err))
		return RC_FAIL;
	if (is_lost(self, err))
		self->outcome = COMPARE_LOST;
	else if (deadline_is_cause(err))
		self->outcome = COMPARE_LATE;
	else if (guard == GUARD_BUSY)
		self->outcome = COMPARE_BUSY;
	else if (guard == GUARD_CHANGED)
		self->outcome = COMPARE_CHANGED;
	else
		for (int i = 0; i < target_count(self); i++)
			if (is_pending(self, i))
				verdict_refuse(self->comparer->verdict,
							   self->table->targets[i].verdict, err->message);
	error_reset(err);
	return RC_OK;
}

Rc
comparer_run(Comparer *comparer, ComparedTable *table, CompareOutcome *outcome,
			 Error *err)
{
	Comparison self = {.comparer = comparer, .table = table};
	Rc rc = begin_all(&self, err);

	if (rc == RC_OK && self.outcome == COMPARE_DONE)
		rc = compare(&self, err);
	clear_sums(&self);
	if (rc == RC_FAIL)
		rc = judge_failure(&self, err);
	if (rc == RC_OK)
		rc = end_all(&self, err);
	*outcome = self.outcome;
	return rc;
}
