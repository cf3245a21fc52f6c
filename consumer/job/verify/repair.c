/*
 * repair.c
 *    Repairs rows that differ; repair.h numbers the steps.
 */
#include "job/verify/repair.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/own_command.h"
#include "control/progress_table.h"
#include "control/repair_table.h"
#include "control/switch_table.h"
#include "copy/rows/guard.h"
#include "job/verify/anchor.h"
#include "job/verify/tables.h"
#include "net/sql.h"
#include "net/sqlstate.h"
#include "net/writer.h"
#include "verify/statements.h"

#define ARENA_BLOCK_BYTES ((size_t) KB)

/* Maximum number of keys that one statement looks up. */
#define BATCH_KEYS 100

/* Maximum size of a statement. */
#define STATEMENT_BYTES_MAX ((size_t) 512 * MB)

/*
 * Maximum number of fences under which the repair of a table is tried, if the
 * table was locked or rewritten each time.
 */
#define TRIES_MAX 10

/*
 * The kinds of faults in the order in which they are repaired.  Rows that are
 * to be deleted come first: such a row may have a value of a unique index that
 * another row is to get.
 */
static const RowFault order[ROW_FAULTS] = {ROW_EXTRA, ROW_MISPLACED,
										   ROW_DIFFERENT, ROW_MISSING};

typedef struct Repair
{
	const Config *config;
	Verdict *verdict;
	Anchor anchor;
	ComparedTables tables; /* as the anchor's snapshots show them */
	PgConn *source;
	PgConn *targets[CONFIG_TARGETS_MAX]; /* marked with an origin; NULL: not
										  * opened yet */
	int64_t until_us; /* monotonic time when the fence is to end */
} Repair;

/* A table that is repaired on one target. */
typedef struct RepairedTable
{
	Repair *repair;
	const ComparedTable *table;
	TableVerdict *of;
	int number; /* index of the target */
} RepairedTable;

/* Keys of such a table that are repaired together. */
typedef struct Batch
{
	const RepairedTable *table;
	RowFault fault;
	const char *const *keys;
	int count;
	PGresult *source; /* the rows with these keys on the source, */
	PGresult *target; /* and on the target */
	Buf notes;        /* statements of the notes */
	int64_t done[ROW_REPAIRS];
} Batch;

/* ---- whether a table is repaired ---------------------------------------- */

static void
refuse(const Repair *self, TableVerdict *of, const char *reason)
{
	of->reason = arena_printf(self->verdict->arena, "not repaired: %s", reason);
}

static bool
is_left(const TableVerdict *of)
{
	if (of->outcome != TABLE_DIFFERENT || of->reason != NULL)
		return false;
	for (int fault = 0; fault < ROW_FAULTS; fault++)
		if (of->repair_next[fault] < of->key_count[fault])
			return true;
	return false;
}

static bool
are_any_left(const Repair *self)
{
	for (int i = 0; i < self->verdict->table_count; i++)
		if (is_left(self->verdict->tables[i]))
			return true;
	return false;
}

static void
judge_share(const Repair *self, TableVerdict *of)
{
	int64_t deleted = of->faults[ROW_EXTRA] + of->faults[ROW_MISPLACED];
	char reason[256];

	if (deleted * 100 <= of->rows * self->config->max_delete_percent)
		return;
	snprintf(reason, sizeof(reason),
			 "that would delete %" PRId64 " of %" PRId64
			 " rows; if that is right, add --max-delete=%" PRId64,
			 deleted, of->rows,
			 of->rows > 0 ? (deleted * 100 + of->rows - 1) / of->rows : 100);
	refuse(self, of, reason);
}

static void
judge_all(const Repair *self)
{
	for (int i = 0; i < self->verdict->table_count; i++)
	{
		TableVerdict *of = self->verdict->tables[i];

		if (!is_left(of))
			continue;
		of->repairs = true;
		judge_share(self, of);
		for (int fault = 0; fault < ROW_FAULTS; fault++)
			if (of->faults[fault] > of->key_count[fault])
				refuse(self, of, "too many of its rows differ");
	}
}

/* ---- 1: looking up ------------------------------------------------------ */

static MUST_CHECK Rc
look_up(const Batch *batch, PgConn *conn, const VerifySide *side,
		PGresult **result, Error *err)
{
	Buf sql;

	buf_init(&sql, STATEMENT_BYTES_MAX);
	verify_append_lookup(&sql, &batch->table->table->statements, side,
						 batch->keys, batch->count);
	return sql_run(conn, &sql, result, err);
}

/* Begins the transaction on the target, and checks that the target is still
 * held. */
static MUST_CHECK Rc
begin_target(const Batch *batch, PgConn *conn, Error *err)
{
	const Repair *repair = batch->table->repair;
	ProgressRow progress = {0};
	Rc rc = pgconn_exec(
		conn, "BEGIN; SET LOCAL session_replication_role = replica", NULL, err);

	if (rc == RC_FAIL && strcmp(err->sqlstate, "42501") == 0)
		error_hint(err,
				   "A role that repairs needs the right to set "
				   "session_replication_role: \"%s\" says how to give it.",
				   OWN_COMMAND("check"));
	if (rc == RC_OK)
		rc = progress_table_lock(conn, repair->config->name, &progress, err);
	if (rc == RC_OK &&
		progress.end_lsn != repair->anchor.snapshot.consistent_lsn)
		rc = error_set(err, ERR_CHANGED, "%s has left the fence",
					   pgconn_label(conn));
	return rc;
}

/* ---- 3: writing --------------------------------------------------------- */

static void
append_table(Buf *sql, const Batch *batch)
{
	const RepairedTable *table = batch->table;
	const TableEnd *end = &table->table->targets[table->number].end;

	buf_printf(sql, "%s%s", end->relation.partitioned ? "" : "ONLY ",
			   table->table->statements.qualified);
}

static void
append_identity(Buf *sql, const Batch *batch, int row)
{
	buf_printf(sql,
			   " WHERE ctid OPERATOR(pg_catalog.=) '%s'::pg_catalog.tid"
			   " AND tableoid OPERATOR(pg_catalog.=) %s::pg_catalog.oid",
			   PQgetvalue(batch->target, row, LOOKUP_CTID),
			   PQgetvalue(batch->target, row, LOOKUP_TABLEOID));
}

static void
append_source_value(Buf *sql, const Batch *batch, int row, int column)
{
	int field = LOOKUP_COLUMNS + column;

	if (PQgetisnull(batch->source, row, field))
		buf_append_string(sql, "NULL");
	else
		buf_append_literal(sql, PQgetvalue(batch->source, row, field));
}

static void
append_insert(Buf *sql, const Batch *batch, int row)
{
	const VerifyTable *table = &batch->table->table->statements;

	buf_printf(sql, "INSERT INTO %s (", table->qualified);
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		buf_append_identifier(sql, table->columns[i].name);
	}
	buf_append_string(sql, ") OVERRIDING SYSTEM VALUE VALUES (");
	for (int i = 0; i < table->column_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		append_source_value(sql, batch, row, i);
	}
	buf_append_char(sql, ')');
}

/*
 * Appends an UPDATE of the target's row `target` to the values of the source's
 * row `source`.  A row with the fault ROW_DIFFERENT has the same key on both
 * sides, so its key is not set.  With another fault, the key may have another
 * text.
 */
static void
append_update(Buf *sql, const Batch *batch, int source, int target)
{
	const VerifyTable *table = &batch->table->table->statements;
	const char *separator = " SET ";

	buf_append_string(sql, "UPDATE ");
	append_table(sql, batch);
	for (int i = 0; i < table->column_count; i++)
	{
		if (batch->fault == ROW_DIFFERENT && table->columns[i].is_key)
			continue;
		buf_append_string(sql, separator);
		buf_append_identifier(sql, table->columns[i].name);
		buf_append_string(sql, " = ");
		append_source_value(sql, batch, source, i);
		separator = ", ";
	}
	append_identity(sql, batch, target);
}

static void
append_note(Batch *batch, int key, RowRepair what, int target)
{
	static const char *const operations[ROW_REPAIRS] = {
		[REPAIR_INSERT] = "insert",
		[REPAIR_UPDATE] = "update",
		[REPAIR_DELETE] = "delete",
	};
	const RepairedTable *table = batch->table;
	const Repair *repair = table->repair;

	repair_table_append(
		&batch->notes,
		&(RepairNote){.pipeline = repair->config->name,
					  .lsn = repair->anchor.snapshot.consistent_lsn,
					  .schema = table->table->table->schema,
					  .table = table->table->table->name,
					  .operation = operations[what],
					  .key = batch->keys[key - 1],
					  .before = target < 0 ? NULL
										   : PQgetvalue(batch->target, target,
														LOOKUP_JSON)});
	buf_append_char(&batch->notes, ';');
}

/*
 * Runs a statement for one row.  A row that another session has changed since
 * it was looked up is not found, and stays as it is.
 */
static MUST_CHECK Rc
write_row(Batch *batch, PgConn *conn, int key, RowRepair what, int source,
		  int target, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, STATEMENT_BYTES_MAX);
	if (what == REPAIR_INSERT)
		append_insert(&sql, batch, source);
	else if (what == REPAIR_UPDATE)
		append_update(&sql, batch, source, target);
	else
	{
		buf_append_string(&sql, "DELETE FROM ");
		append_table(&sql, batch);
		append_identity(&sql, batch, target);
	}
	rc = sql_run(conn, &sql, &result, err);
	if (rc == RC_OK && strcmp(PQcmdTuples(result), "1") != 0)
		what = REPAIR_NOTHING;
	PQclear(result);
	if (rc != RC_OK)
		return rc;
	batch->done[what]++;
	if (what != REPAIR_NOTHING)
		append_note(batch, key, what, target);
	return RC_OK;
}

/* ---- 2: one key --------------------------------------------------------- */

static int
key_of(const PGresult *result, int row)
{
	return row < PQntuples(result)
			   ? (int) strtol(PQgetvalue(result, row, LOOKUP_KEY), NULL, 10)
			   : 0;
}

/* Returns the source's row for a key, if it belongs on this target, or -1.
 * *next is the first row of the result that may be of the key, and is set to
 * the first row after it. */
static int
find_source(const Batch *batch, int key, int *next)
{
	int found = -1;

	for (; key_of(batch->source, *next) == key; (*next)++)
		if (PQgetisnull(batch->source, *next, LOOKUP_PLACE) ||
			strtol(PQgetvalue(batch->source, *next, LOOKUP_PLACE), NULL, 10) ==
				batch->table->number)
			found = *next;
	return found;
}

static bool
is_same(const Batch *batch, int source, int target)
{
	return strcmp(PQgetvalue(batch->source, source, LOOKUP_ROW),
				  PQgetvalue(batch->target, target, LOOKUP_ROW)) == 0;
}

/*
 * Repairs the rows of the target that have one key: those from `first` to
 * before `end`.  One of them becomes, or already is, the source's row `source`;
 * the remaining ones are deleted.  If `source` is -1, the source has no such
 * row, and all are deleted.
 */
static MUST_CHECK Rc
repair_key(Batch *batch, PgConn *conn, int key, int source, int first, int end,
		   Error *err)
{
	int kept = source < 0 ? -1 : first;
	bool same = source < 0 && first == end;
	Rc rc = RC_OK;

	for (int i = first; i < end && source >= 0 && !same; i++)
	{
		same = is_same(batch, source, i);
		kept = same ? i : kept;
	}
	for (int i = first; i < end && rc == RC_OK; i++)
		if (i != kept)
			rc = write_row(batch, conn, key, REPAIR_DELETE, -1, i, err);
	if (rc != RC_OK)
		return rc;
	if (same)
		batch->done[REPAIR_NOTHING]++;
	else if (source >= 0 && first == end)
		rc = write_row(batch, conn, key, REPAIR_INSERT, source, -1, err);
	else if (source >= 0)
		rc = write_row(batch, conn, key, REPAIR_UPDATE, source, kept, err);
	return rc;
}

static MUST_CHECK Rc
repair_keys(Batch *batch, PgConn *conn, Error *err)
{
	int source = 0;
	int target = 0;
	Rc rc = pgconn_exec(conn, PGCONN_SET_LOCAL_OWN_PATH_SQL, NULL, err);

	for (int key = 1; key <= batch->count && rc == RC_OK; key++)
	{
		int found = find_source(batch, key, &source);
		int first = target;

		while (key_of(batch->target, target) == key)
			target++;
		rc = repair_key(batch, conn, key, found, first, target, err);
	}
	return rc;
}

/* ---- one batch ---------------------------------------------------------- */

static MUST_CHECK Rc
open_target(Repair *self, int number, Error *err)
{
	const PgConnOptions options = {
		.conninfo = self->config->targets[number],
		.label = self->anchor.targets[number].label,
		.application_name = "penstock verify",
		.kind = PGCONN_DATA,
	};
	bool marked;
	Rc rc;

	if (self->targets[number] != NULL)
		return RC_OK;
	rc = writer_open(&self->targets[number], &options, self->config->name,
					 &marked, err);
	if (rc == RC_OK && !marked)
		writer_say_unmarked(self->targets[number]);
	return rc;
}

static MUST_CHECK Rc
write_batch(Batch *batch, PgConn *conn, Error *err)
{
	const RepairedTable *table = batch->table;
	const VerifySide side = compared_table_target_side(table->table,
													   table->number);
	Rc rc = begin_target(batch, conn, err);

	if (rc == RC_OK)
		rc = look_up(batch, conn, &side, &batch->target, err);
	if (rc == RC_OK)
		rc = repair_keys(batch, conn, err);
	if (rc == RC_OK && batch->notes.length > 0)
		rc = pgconn_exec(conn, batch->notes.data, NULL, err);
	return rc == RC_OK ? pgconn_exec(conn, "COMMIT", NULL, err) : rc;
}

static void
roll_back(PgConn *conn)
{
	Error ignored = {0};

	if (PQtransactionStatus(pgconn_raw(conn)) != PQTRANS_IDLE &&
		pgconn_exec(conn, "ROLLBACK", NULL, &ignored) == RC_FAIL)
		error_reset(&ignored);
}

static MUST_CHECK Rc
repair_batch(Batch *batch, Error *err)
{
	const RepairedTable *table = batch->table;
	Repair *repair = table->repair;
	const VerifySide side = compared_table_source_side(table->table,
													   repair->config);
	PgConn *conn = repair->targets[table->number];
	Rc rc;

	buf_init(&batch->notes, STATEMENT_BYTES_MAX);
	rc = look_up(batch, repair->source, &side, &batch->source, err);
	if (rc == RC_OK)
		rc = write_batch(batch, conn, err);
	if (rc != RC_OK)
		roll_back(conn);
	PQclear(batch->source);
	PQclear(batch->target);
	buf_release(&batch->notes);
	return rc;
}

/* ---- one table ---------------------------------------------------------- */

static bool
is_over(const Repair *self)
{
	return clock_monotonic_us() >= self->until_us;
}

/*
 * Repairs batches of keys until no row has this kind of fault any more, or the
 * fence is about to end.
 */
static MUST_CHECK Rc
repair_fault(const RepairedTable *table, RowFault fault, Error *err)
{
	TableVerdict *of = table->of;
	int *next = &of->repair_next[fault];
	Rc rc = RC_OK;

	while (rc == RC_OK && *next < of->key_count[fault])
	{
		int left = of->key_count[fault] - *next;
		Batch batch = {
			.table = table,
			.fault = fault,
			.keys = &of->keys[fault][*next],
			.count = left < BATCH_KEYS ? left : BATCH_KEYS,
		};

		rc = repair_batch(&batch, err);
		if (rc != RC_OK)
			return rc;
		*next += batch.count;
		for (int i = 0; i < ROW_REPAIRS; i++)
			of->repaired[i] += batch.done[i];
		if (is_over(table->repair))
			return RC_AGAIN;
	}
	return rc;
}

static MUST_CHECK Rc
begin_source(const RepairedTable *table, Error *err)
{
	Repair *repair = table->repair;
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	guard_append_begin(&sql, &table->table->source.relation,
					   repair->anchor.snapshot.name);
	return sql_run(repair->source, &sql, NULL, err);
}

/*
 * Decides what an SQL error means for a table.  A table that was locked or
 * rewritten is tried again under another fence, up to TRIES_MAX times; after
 * another error that the table causes, it is not repaired.  Returns RC_FAIL for
 * all remaining errors.
 */
static MUST_CHECK Rc
judge_failure(const RepairedTable *table, Error *err)
{
	GuardVerdict guard = guard_judge(err);

	if ((err->code != ERR_SQL && err->code != ERR_LIMIT) ||
		sqlstate_is_server_gone(err) || strcmp(err->sqlstate, "42501") == 0)
		return RC_FAIL;
	if ((guard != GUARD_BUSY && guard != GUARD_CHANGED) ||
		++table->of->changed >= TRIES_MAX)
		refuse(table->repair, table->of, err->message);
	error_reset(err);
	return RC_OK;
}

static MUST_CHECK Rc
repair_table(const RepairedTable *table, Error *err)
{
	Rc rc = open_target(table->repair, table->number, err);

	if (rc == RC_OK)
		rc = begin_source(table, err);
	for (int i = 0; i < ROW_FAULTS && rc == RC_OK; i++)
		rc = repair_fault(table, order[i], err);
	roll_back(table->repair->source);
	if (rc == RC_FAIL)
		rc = judge_failure(table, err);
	else if (rc == RC_OK)
		table->of->outcome = TABLE_REPAIRED;
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
		error_context(err, "repairing table %s on %s",
					  table->table->table->qualified,
					  table->repair->anchor.targets[table->number].label);
	return rc;
}

/* ---- all tables, under one fence ---------------------------------------- */

/*
 * Refuses to repair a table without a key, and says how to copy it.  Tables
 * that are placed on nodes cannot be copied one by one.
 */
static void
refuse_keyless(const RepairedTable *table)
{
	const Repair *repair = table->repair;
	const CopyTable *named = table->table->table;

	if (repair->config->placement != NULL)
		refuse(repair, table->of, "it has no key");
	else
		refuse(repair, table->of,
			   arena_printf(
				   repair->verdict->arena,
				   "it has no key; \"%s\" copies it again",
				   OWN_COMMAND_TABLE("resync", named->schema, named->name)));
}

/*
 * Repairs a table on a target, if its verdict says so.  `now` is its verdict
 * under the current anchor, which is pending if the table can be compared.
 */
static MUST_CHECK Rc
repair_compared(Repair *self, const ComparedTable *table, int number,
				Error *err)
{
	const TableVerdict *now = table->targets[number].verdict;
	const RepairedTable repaired = {
		.repair = self,
		.table = table,
		.of = now == NULL ? NULL
						  : verdict_of(self->verdict, now->table, now->target),
		.number = number,
	};

	if (repaired.of == NULL || !is_left(repaired.of))
		return RC_OK;
	if (now->outcome != TABLE_PENDING)
		refuse(self, repaired.of,
			   now->reason != NULL ? now->reason : "it cannot be compared now");
	else if (!table->statements.has_key)
		refuse_keyless(&repaired);
	else
		return repair_table(&repaired, err);
	return RC_OK;
}

/* Tables that are not there any more cannot be repaired. */
static void
refuse_gone(const Repair *self)
{
	for (int i = 0; i < self->verdict->table_count; i++)
		if (is_left(self->verdict->tables[i]) &&
			catalog_find_table(self->tables.catalog,
							   self->verdict->tables[i]->table) == NULL)
			refuse(self, self->verdict->tables[i], "it is not there any more");
}

static MUST_CHECK Rc
repair_tables(Repair *self, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < self->tables.count; i++)
		for (int n = 0; n < self->config->target_count && rc == RC_OK; n++)
			rc = repair_compared(self, &self->tables.tables[i], n, err);
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* Anchor.held */
static Rc
repair_held(void *context, Error *err)
{
	Repair *self = context;
	Verdict *now = verdict_new();
	Rc rc = compared_tables_read(&self->tables, &self->anchor, now, err);

	self->until_us = clock_monotonic_us() + (int64_t) REPAIR_HOLD_MS * 1000;
	if (rc == RC_OK)
		rc = anchor_open_reader(&self->source, self->config->source, "source",
								err);
	if (rc == RC_OK)
		refuse_gone(self);
	if (rc == RC_OK)
		rc = repair_tables(self, err);
	pgconn_close(self->source);
	self->source = NULL;
	compared_tables_release(&self->tables);
	verdict_free(now);
	return rc;
}

static MUST_CHECK Rc
repair_at_position(Repair *self, Error *err)
{
	Rc rc;

	self->anchor = (Anchor){.held = repair_held, .held_context = self};
	rc = anchor_take(&self->anchor, self->config, err);
	anchor_release(&self->anchor);
	return rc;
}

/* Number of keys that were looked up, and of tables that are settled. */
static int64_t
count_progress(const Repair *self)
{
	int64_t count = 0;

	for (int i = 0; i < self->verdict->table_count; i++)
	{
		const TableVerdict *of = self->verdict->tables[i];

		count += is_left(of) ? 0 : 1;
		for (int fault = 0; fault < ROW_FAULTS; fault++)
			count += of->repair_next[fault];
	}
	return count;
}

static void
refuse_all(const Repair *self)
{
	for (int i = 0; i < self->verdict->table_count; i++)
		if (is_left(self->verdict->tables[i]))
			refuse(self, self->verdict->tables[i],
				   "it could not be read each time");
}

static MUST_CHECK Rc
refuse_moved(const Config *config, const SwitchRow *row, Error *err)
{
	Rc rc = error_set(
		err, ERR_CONFIG,
		"the writes of pipeline \"%s\" were moved to the target at "
		"%s, so its rows are not made like the source's",
		config->name, row->switched_at);

	if (row->state == SWITCH_SWITCHED)
		error_hint(err, "That switch is not complete: run the same \"penstock "
						"switch\" again first.");
	return rc;
}

Rc
repair_check(const Config *config, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	PgConn *source = NULL;
	SwitchRow row = {0};
	Rc rc = anchor_open_reader(&source, config->source, "source", err);

	if (rc == RC_OK)
		rc = switch_table_read(source, config->name, arena, &row, err);
	if (rc == RC_OK &&
		(row.state == SWITCH_SWITCHED || row.state == SWITCH_DONE))
		rc = refuse_moved(config, &row, err);
	pgconn_close(source);
	arena_free(arena);
	return rc;
}

Rc
repair_run(const Config *config, Verdict *verdict, Error *err)
{
	Repair self = {.config = config, .verdict = verdict};
	int idle = 0; /* fences in a row under which nothing was done */
	Rc rc = RC_OK;

	judge_all(&self);
	while (rc == RC_OK && are_any_left(&self))
	{
		int64_t before = count_progress(&self);

		rc = repair_at_position(&self, err);
		idle = count_progress(&self) == before ? idle + 1 : 0;
		if (idle == TRIES_MAX)
			refuse_all(&self);
	}
	for (int i = 0; i < config->target_count; i++)
		writer_close(self.targets[i]);
	return rc;
}
