/*
 * verify.c
 *    Sends the same query to source and target, and compares the results.
 *
 * The query sums the hashes of the rows.  The sum does not depend on the rows'
 * order, and as a numeric it does not overflow.  hashtextextended() returns the
 * same hash of the same bytes on every server.  If the encodings of the
 * databases differ, both servers convert the text to UTF8 and hash that.
 */
#include "copy/rows/verify.h"

#include <poll.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "copy/rows/exchange.h"
#include "copy/rows/guard.h"
#include "copy/session.h"
#include "model/relation.h"
#include "net/sql.h"
#include "verify/read_as.h"

/* Maximum number of descriptors to poll: two for each pair, and those of the
 * builds. */
#define POLL_MAX (2 * VERIFY_JOBS_MAX + BUILD_JOBS_MAX)

/* Answer of one server to the query about a table. */
typedef struct Answer
{
	PGresult *result; /* the last result with rows so far, or NULL */
	bool ended;       /* whether all results have arrived */
} Answer;

/* A connection to each server; a pair compares one table at a time. */
typedef struct Pair
{
	PgConn *source;
	PgConn *target;
	CopyTable *table; /* table being compared; NULL: the pair is idle */
	Answer source_answer;
	Answer target_answer;
	GuardVerdict refused; /* why the source could not read the table */
} Pair;

typedef struct Verify
{
	CopyCatalog *catalog;
	const VerifyOptions *options;
	int next;     /* index of the next table to compare */
	int compared; /* number of tables compared so far */
	int pair_count;
	Pair pairs[VERIFY_JOBS_MAX];
} Verify;

static bool
is_compared(const CopyTable *table)
{
	return !table->skip && !table->done && !table->changed && !table->gone;
}

static int
count_tables(const CopyCatalog *catalog)
{
	int count = 0;

	for (int i = 0; i < catalog->table_count; i++)
		if (is_compared(&catalog->tables[i]))
			count++;
	return count;
}

static Rc
open_pairs(Verify *verify, Error *err)
{
	const VerifyOptions *options = verify->options;
	int tables = count_tables(verify->catalog);
	int count = tables < options->jobs ? tables : options->jobs;
	Rc rc = RC_OK;

	ASSERT(count <= VERIFY_JOBS_MAX);
	ASSERT(options->jobs > 0);
	for (int i = 0; i < count && rc == RC_OK; i++)
	{
		Pair *pair = &verify->pairs[verify->pair_count++];

		rc = session_open_source(&pair->source, options->source, NULL, err);
		if (rc == RC_OK)
			rc = session_open_reader(&pair->target, options->target,
									 options->target_label, err);
	}
	return rc;
}

static void
close_pairs(Verify *verify)
{
	for (int i = 0; i < verify->pair_count; i++)
	{
		Pair *pair = &verify->pairs[i];

		PQclear(pair->source_answer.result);
		PQclear(pair->target_answer.result);
		pgconn_close(pair->source);
		pgconn_close(pair->target);
	}
}

/* Appends the source's value as the target has read it. */
static void
append_read(const CopyColumn *column, Buf *sql)
{
	Buf value;

	buf_init(&value, BUF_TEXT_MAX);
	buf_append_identifier(&value, column->name);
	read_as_append(sql, value.data, column->read_as);
	buf_release(&value);
}

static void
append_row(const CopyTable *table, bool of_source, Buf *sql)
{
	buf_append_string(sql, "ROW(");
	for (int i = 0; i < table->column_count; i++)
	{
		const CopyColumn *column = &table->columns[i];

		buf_append_string(sql, i > 0 ? ", " : "");
		if (of_source && column->read_as != NULL)
			append_read(column, sql);
		else if (column->type_oid == TYPE_LSN && column->read_as == NULL)
		{
			/* A pg_lsn as a number, because PostgreSQL 19 prints it with
			 * leading zeros. */
			buf_append_identifier(sql, column->name);
			buf_append_string(sql, " - '0/0'::pg_catalog.pg_lsn");
		}
		else
			buf_append_identifier(sql, column->name);
	}
	buf_append_string(sql, ")::text");
}

/* Whether the databases differ in encoding, and so in the bytes of text. */
static bool
encodings_differ(const Pair *pair)
{
	const char *source = PQparameterStatus(pgconn_raw(pair->source),
										   "server_encoding");
	const char *target = PQparameterStatus(pgconn_raw(pair->target),
										   "server_encoding");

	return source == NULL || target == NULL || strcmp(source, target) != 0;
}

/* Appends the query about the pair's table for the source or the target; the
 * table may be partitioned on one of them only. */
static void
append_query(const Pair *pair, bool of_source, Buf *sql)
{
	const CopyTable *table = pair->table;
	bool partitioned = of_source ? table->partitioned
								 : table->target_partitioned;
	bool filtered = table->filter != NULL &&
					(of_source || table->membership == MEMBER_CONFIG);
	bool converts = encodings_differ(pair);

	buf_printf(sql, "SELECT count(*), coalesce(sum(hashtextextended(%s",
			   converts ? "encode(convert_to(" : "");
	append_row(table, of_source, sql);
	buf_printf(sql, "%s COLLATE \"C\", 0)::numeric), 0) FROM %s%s",
			   converts ? ", 'UTF8'), 'hex')" : "", partitioned ? "" : "ONLY ",
			   table->qualified);
	if (filtered)
		buf_printf(sql, " WHERE %s", table->filter);
}

static Rc
send_query(PgConn *conn, Buf *sql, Error *err)
{
	int sent;

	CHECK(!sql->overflowed);
	sent = PQsendQuery(pgconn_raw(conn), sql->data);
	buf_release(sql);
	if (!sent)
		return pgconn_connection_error(conn, "lost the connection to", err);
	return RC_OK;
}

static Rc
ask_pair(const Verify *verify, Pair *pair, Error *err)
{
	Buf sql;
	Rc rc;

	ASSERT(pair->table != NULL);
	pair->refused = GUARD_PASSED;
	buf_init(&sql, BUF_TEXT_MAX);
	guard_append_begin(&sql, pair->table, verify->options->snapshot);
	append_query(pair, true, &sql);
	buf_append_string(&sql, "; COMMIT");
	rc = send_query(pair->source, &sql, err);
	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	append_query(pair, false, &sql);
	return send_query(pair->target, &sql, err);
}

/* Starts to compare the next table with an idle pair, if there is one. */
static Rc
start_pair(Verify *verify, Pair *pair, Error *err)
{
	CopyCatalog *catalog = verify->catalog;

	ASSERT(pair->table == NULL);
	while (verify->next < catalog->table_count &&
		   !is_compared(&catalog->tables[verify->next]))
		verify->next++;
	if (verify->next == catalog->table_count)
		return RC_OK;
	pair->table = &catalog->tables[verify->next++];
	return ask_pair(verify, pair, err);
}

/* Takes the results that have arrived, without blocking. */
static Rc
take_answer(PgConn *conn, Answer *answer, Error *err)
{
	PGconn *pg = pgconn_raw(conn);

	while (!answer->ended)
	{
		PGresult *result;
		Rc rc;

		/* For a broken connection, PQgetResult() returns an error result. */
		if (PQflush(pg) >= 0 && PQconsumeInput(pg) && PQisBusy(pg))
			return RC_OK;
		result = PQgetResult(pg);
		answer->ended = result == NULL;
		if (answer->ended)
			break;
		rc = pgconn_check_result(conn, result, err);
		if (rc == RC_OK && PQresultStatus(result) == PGRES_TUPLES_OK)
		{
			PQclear(answer->result);
			answer->result = result;
		}
		else
			PQclear(result);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static Rc
take_source_answer(Pair *pair, Error *err)
{
	Rc rc = take_answer(pair->source, &pair->source_answer, err);
	GuardVerdict verdict;

	ASSERT(pair->table != NULL);
	if (rc != RC_FAIL)
		return rc;
	verdict = guard_judge(err);
	if (verdict != GUARD_BUSY && verdict != GUARD_CHANGED)
		return rc;
	error_reset(err);
	rc = guard_step_back(pair->source, pair->table, verdict, err);
	pair->source_answer.ended = true;
	pair->refused = verdict;
	return rc;
}

static Rc
differs(const Verify *verify, const Pair *pair, Error *err)
{
	Rc rc = error_set(err, ERR_CONFLICT,
					  "table %s on %s differs from the source",
					  pair->table->qualified, verify->options->target_label);

	error_detail(err,
				 "The source has %s rows, their checksum is %s; %s has %s "
				 "rows, checksum %s.",
				 PQgetvalue(pair->source_answer.result, 0, 0),
				 PQgetvalue(pair->source_answer.result, 0, 1),
				 verify->options->target_label,
				 PQgetvalue(pair->target_answer.result, 0, 0),
				 PQgetvalue(pair->target_answer.result, 0, 1));
	error_hint(err,
			   "Triggers on the target, or another session that writes there, "
			   "may have changed it.");
	return rc;
}

static Rc
compare(Verify *verify, Pair *pair, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(PQntuples(pair->source_answer.result) == 1);
	ASSERT(PQntuples(pair->target_answer.result) == 1);
	for (int column = 0; column < 2 && rc == RC_OK; column++)
		if (strcmp(PQgetvalue(pair->source_answer.result, 0, column),
				   PQgetvalue(pair->target_answer.result, 0, column)) != 0)
			rc = differs(verify, pair, err);
	return rc;
}

/* Called when both servers have answered: compares the answers, or sends the
 * queries again if the table was locked on the source. */
static Rc
end_pair(Verify *verify, Pair *pair, Error *err)
{
	Rc rc = RC_OK;

	ASSERT(pair->source_answer.ended && pair->target_answer.ended);
	if (pair->refused == GUARD_PASSED)
		rc = compare(verify, pair, err);
	PQclear(pair->source_answer.result);
	PQclear(pair->target_answer.result);
	pair->source_answer = (Answer){0};
	pair->target_answer = (Answer){0};
	if (rc != RC_OK)
		return rc;
	if (pair->refused == GUARD_BUSY)
		return ask_pair(verify, pair, err);
	if (pair->refused == GUARD_CHANGED)
		log_warning("copy.table-rewritten",
					"table %s was truncated, rewritten or replaced on the "
					"source since it was copied: it cannot be compared",
					pair->table->qualified);
	else
		verify->compared++;
	pair->table = NULL;
	return RC_OK;
}

static Rc
step_pair(Verify *verify, Pair *pair, Error *err)
{
	Rc rc = RC_OK;

	if (pair->table != NULL)
	{
		rc = take_source_answer(pair, err);
		if (rc == RC_OK)
			rc = take_answer(pair->target, &pair->target_answer, err);
		if (rc != RC_OK || !pair->source_answer.ended ||
			!pair->target_answer.ended)
			return rc;
		rc = end_pair(verify, pair, err);
	}
	if (rc == RC_OK && pair->table == NULL)
		rc = start_pair(verify, pair, err);
	return rc;
}

/* Waits until a server has sent something, or a build can continue. */
static Rc
wait_for_answers(const Verify *verify, Error *err)
{
	struct pollfd fds[POLL_MAX];
	int count = 0;
	Rc rc;

	for (int i = 0; i < verify->pair_count; i++)
	{
		const Pair *pair = &verify->pairs[i];

		if (pair->table != NULL && !pair->source_answer.ended)
			fds[count++] = (struct pollfd){
				.fd = PQsocket(pgconn_raw(pair->source)),
				.events = exchange_events(pair->source)};
		if (pair->table != NULL && !pair->target_answer.ended)
			fds[count++] = (struct pollfd){
				.fd = PQsocket(pgconn_raw(pair->target)),
				.events = exchange_events(pair->target)};
	}
	if (verify->options->build != NULL)
		count += build_poll_fds(verify->options->build, &fds[count]);
	CHECK(count <= POLL_MAX);
	rc = interrupt_wait_any(fds, count, -1, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

static Rc
step_pairs(Verify *verify, int *busy, Error *err)
{
	Rc rc = RC_OK;

	*busy = 0;
	for (int i = 0; i < verify->pair_count && rc == RC_OK; i++)
	{
		Pair *pair = &verify->pairs[i];
		const CopyTable *table = pair->table;

		rc = step_pair(verify, pair, err);
		if (rc != RC_OK && err->code != ERR_INTERRUPTED)
			error_context(err, "comparing table %s",
						  (table ? table : pair->table)->qualified);
		if (pair->table != NULL)
			(*busy)++;
	}
	return rc;
}

static Rc
run(Verify *verify, Error *err)
{
	for (;;)
	{
		int busy;
		Rc rc = step_pairs(verify, &busy, err);

		if (rc == RC_OK && verify->options->build != NULL)
			rc = build_step(verify->options->build, err);
		if (rc != RC_OK || busy == 0)
			return rc;
		rc = wait_for_answers(verify, err);
		if (rc != RC_OK)
			return rc;
	}
}

Rc
verify_tables(CopyCatalog *catalog, const VerifyOptions *options, int *compared,
			  Error *err)
{
	Verify verify = {.catalog = catalog, .options = options};
	Rc rc = open_pairs(&verify, err);

	ASSERT(verify.compared <= catalog->table_count);
	if (rc == RC_OK)
		rc = run(&verify, err);
	close_pairs(&verify);
	*compared = verify.compared;
	return rc;
}
