/*
 * way_back.c
 *    Makes and removes the pipeline in the other direction.
 */
#include "job/switch/way_back.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/task.h"
#include "config/memory.h"
#include "control/pipeline_table.h"
#include "control/progress_table.h"
#include "control/schema.h"
#include "job/clone/copied.h"
#include "net/pgconn_open.h"
#include "net/sql.h"
#include "pipeline/remember.h"
#include "source/slot.h"

/* ---- the publication ---- */

/* Whether the target has a publication of that name, and whether it is ours. */
static MUST_CHECK Rc
find_publication(PgConn *conn, const char *name, bool *exists, bool *ours,
				 Error *err)
{
	const char *params[] = {name, WAY_BACK_COMMENT};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(
		conn,
		"SELECT coalesce(obj_description(oid, 'pg_publication') = $2, false)"
		" FROM pg_publication WHERE pubname = $1",
		LENGTH_OF(params), params, &result, err);

	*exists = rc == RC_OK && PQntuples(result) > 0;
	*ours = *exists && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

Rc
way_back_has_publication(PgConn *conn, const char *name, bool *exists,
						 Error *err)
{
	bool any;

	return find_publication(conn, name, &any, exists, err);
}

Rc
way_back_drop_publication(PgConn *conn, const char *name, bool *dropped,
						  Error *err)
{
	bool exists;
	Buf sql;
	Rc rc = find_publication(conn, name, &exists, dropped, err);

	if (rc != RC_OK || !*dropped)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "DROP PUBLICATION ");
	buf_append_identifier(&sql, name);
	return sql_run(conn, &sql, NULL, err);
}

/* Whether the pipeline's publications publish partitioned tables as such. */
static MUST_CHECK Rc
read_via_root(const Switch *self, bool *via_root, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "SELECT bool_or(pubviaroot) FROM pg_publication"
							" WHERE pubname IN (");
	publications_append_literals(&self->catalog->publications, &sql);
	buf_append_string(&sql, ")");
	rc = sql_run(self->source, &sql, &result, err);
	*via_root = rc == RC_OK && sql_bool(result, 0, 0);
	PQclear(result);
	return rc;
}

/*
 * Creates the publication, in place of an existing one if `replace` is true. It
 * is one transaction, so that no crash leaves the way back without one.
 */
static MUST_CHECK Rc
create_publication(Switch *self, bool replace, Error *err)
{
	bool via_root;
	Buf sql;
	Rc rc = read_via_root(self, &via_root, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(&sql, "BEGIN; SET LOCAL synchronous_commit = on;");
	if (replace)
	{
		buf_append_string(&sql, "DROP PUBLICATION ");
		buf_append_identifier(&sql, self->back);
		buf_append_char(&sql, ';');
	}
	buf_append_string(&sql, "CREATE PUBLICATION ");
	buf_append_identifier(&sql, self->back);
	for (int i = 0; i < self->catalog->table_count; i++)
		buf_printf(&sql, "%s %s", i == 0 ? " FOR TABLE ONLY" : ", ONLY",
				   self->catalog->tables[i].qualified);
	buf_printf(&sql, " WITH (publish_via_partition_root = %s);",
			   via_root ? "true" : "false");
	buf_append_string(&sql, "COMMENT ON PUBLICATION ");
	buf_append_identifier(&sql, self->back);
	buf_append_string(&sql, " IS '" WAY_BACK_COMMENT "'; COMMIT");
	rc = sql_run(self->target, &sql, NULL, err);
	self->has_publication = rc == RC_OK;
	if (rc == RC_FAIL)
		error_context(err, "creating publication \"%s\" on %s for the way back",
					  self->back, pgconn_label(self->target));
	return rc;
}

/*
 * Creates the publication of the way back anew.  A publication of that name
 * that the user has made stays as it is, and so do those that the way back has
 * had before.  One of that name that does not exist is created: a switch that
 * was undone has dropped it.
 */
static MUST_CHECK Rc
prepare_publication(Switch *self, Error *err)
{
	PipelineMemory memory = {0};
	bool exists;
	bool ours;
	Rc rc = pipeline_table_read(self->source, self->back, self->arena, &memory,
								err);

	if (rc == RC_OK && memory.revision > 0)
		rc = memory_recall(&self->turned, &memory.words, MEMORY_REPLACE, err);
	if (rc == RC_OK)
		rc = find_publication(self->target, self->back, &exists, &ours, err);
	if (rc != RC_OK)
		return rc;
	if (ours || (!exists && strcmp(self->turned.publications, self->back) == 0))
		return create_publication(self, ours, err);
	return RC_OK;
}

/* Reads what the way back publishes, and checks that it is all that is moved.
 */
static MUST_CHECK Rc
read_published(Switch *self, Error *err)
{
	const CatalogOptions options = {
		.publications = self->turned.publications,
		.selection = &self->turned.selection,
		.without_unlogged = true,
	};
	Rc rc = catalog_read(&self->back_catalog, self->target, &options, err);

	return rc == RC_OK ? way_back_check_tables(self, err) : rc;
}

Rc
way_back_check_tables(const Switch *self, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < self->catalog->table_count; i++)
	{
		const CopyTable *table = &self->catalog->tables[i];

		if (catalog_find_table(self->back_catalog, table->qualified) == NULL)
			rc = error_set(err, ERR_CONFIG,
						   "table %s is not in the publications of the way "
						   "back on %s (%s)",
						   table->qualified, pgconn_label(self->target),
						   self->turned.publications);
	}
	return rc;
}

/* ---- the slot ---- */

static MUST_CHECK Rc
refuse_slot(const Switch *self, Error *err)
{
	Rc rc = error_set(
		err, ERR_CONFIG,
		"slot \"%s\", which the way back would have, exists on %s "
		"already",
		self->back, pgconn_label(self->target));

	error_hint(err,
			   "If nothing needs it, drop it there: SELECT "
			   "pg_drop_replication_slot('%s').",
			   self->back);
	return rc;
}

static MUST_CHECK Rc
refuse_pipeline(const Switch *self, Error *err)
{
	Rc rc = error_set(
		err, ERR_CONFIG,
		"pipeline \"%s\", as the way back would be called, ends at "
		"%s already",
		self->back, pgconn_label(self->source));

	error_hint(err, "Switch without a way back: --no-way-back; or end that "
					"pipeline first, if it is not needed any more.");
	return rc;
}

/*
 * An earlier switch may have left a pipeline of this name.  Either that
 * pipeline is not followed any more (PROGRESS_SWITCHED), or the switch was
 * interrupted. An interrupted switch has made a slot at most: the transaction
 * that commits the switch is the first that writes progress.
 */
Rc
way_back_check_names(const Switch *self, Error *err)
{
	ProgressRow progress = {0};
	SlotInfo slot;
	Rc rc = progress_table_read(self->source, self->back, &progress, err);

	if (rc == RC_OK)
		rc = slot_read(self->target, self->back, &slot, err);
	if (rc != RC_OK || (progress.exists && progress_is_switched(&progress)))
		return rc;
	if (slot.exists && self->found.state != SWITCH_BEGUN)
		return refuse_slot(self, err);
	return progress.exists ? refuse_pipeline(self, err) : RC_OK;
}

/* Drops the slot that an earlier switch has left: way_back_check_names() has
 * found that it is not of anything else. */
static MUST_CHECK Rc
drop_old_slot(Switch *self, Error *err)
{
	SlotInfo slot;
	Rc rc = slot_read(self->target, self->back, &slot, err);

	if (rc == RC_OK && slot.exists)
		rc = slot_end_making(self->target, self->back, err);
	if (rc == RC_OK && slot.exists)
		rc = slot_read(self->target, self->back, &slot, err);
	if (rc != RC_OK || !slot.exists)
		return rc;
	if (slot.active_pid != 0 || !slot.is_this_database)
		return refuse_slot(self, err);
	return slot_drop(self->target, self->back, err);
}

/* The replication connection of create_slot(). */
typedef struct Making
{
	Switch *self;
	PgConn *replication;
} Making;

static Rc
create_slot(void *context, Error *err)
{
	Making *making = context;
	Switch *self = making->self;
	SlotSnapshot snapshot;
	Rc rc = pgconn_open(&making->replication,
						&(PgConnOptions){.conninfo = self->config.targets[0],
										 .label = pgconn_label(self->target),
										 .application_name = "penstock switch",
										 .kind = PGCONN_REPLICATION},
						err);

	if (rc == RC_OK)
		rc = slot_read_history(making->replication, &self->history, err);
	if (rc == RC_OK)
		rc = slot_create(making->replication, self->target, self->back,
						 SLOT_LASTING, &snapshot, err);
	return rc;
}

/*
 * Creates the slot, within max_wait_s.  The server waits for open transactions
 * first.
 */
static MUST_CHECK Rc
create_slot_in_time(Switch *self, Error *err)
{
	Making making = {.self = self};
	int64_t deadline_us = clock_monotonic_us() +
						  (int64_t) self->config.max_wait_s * 1000000;
	Task *task = task_new(create_slot, &making);
	Rc rc = RC_AGAIN;

	while (rc == RC_AGAIN)
	{
		rc = task_work(task, err);
		if (rc != RC_AGAIN)
			break;
		rc = interrupt_wait_tasks(&task, 1, deadline_us, err);
		if (rc == RC_AGAIN)
			rc = error_set(err, ERR_LIMIT,
						   "%s could not create slot \"%s\" within %d s, "
						   "because of transactions that are open there",
						   pgconn_label(self->target), self->back,
						   self->config.max_wait_s);
		else if (rc == RC_OK)
			rc = RC_AGAIN;
	}
	task_free(task);
	pgconn_close(making.replication);
	self->has_slot = rc == RC_OK;
	return rc;
}

Rc
way_back_prepare(Switch *self, Error *err)
{
	Rc rc = prepare_publication(self, err);

	FAULT("switch.has_publication");
	if (rc == RC_OK)
		rc = read_published(self, err);
	if (rc == RC_OK)
		rc = drop_old_slot(self, err);
	if (rc == RC_OK)
		rc = create_slot_in_time(self, err);
	return rc;
}

/* ---- the notes ---- */

/* Writes the options of the way back: those that it has had, or new ones. */
static MUST_CHECK Rc
write_options(Switch *self, const PipelineMemory *had, Error *err)
{
	PipelineMemory memory = *had;

	if (memory.revision == 0)
		remember_copied(&self->turned, self->arena, &memory);
	return pipeline_table_write(self->source, self->back, &memory, err);
}

Rc
way_back_write(Switch *self, Error *err)
{
	const CloneSource source = {.config = &self->turned,
								.conn = self->target,
								.catalog = self->back_catalog};
	PipelineMemory memory = {0};
	Rc rc = pipeline_table_read(self->source, self->back, self->arena, &memory,
								err);

	if (rc == RC_OK)
		rc = control_forget(self->source, self->back, err);
	if (rc == RC_OK)
		rc = write_options(self, &memory, err);
	if (rc == RC_OK)
		rc = clone_note_copied(&source, self->source, self->arena, err);
	if (rc == RC_OK)
		rc = progress_table_begin(self->source, self->back,
								  &self->history.identity, self->lsn, err);
	if (rc == RC_OK)
		rc = progress_table_close(self->source, self->back, PROGRESS_SWITCHING,
								  err);
	return rc;
}

Rc
way_back_undo(Switch *self, Error *err)
{
	bool dropped;
	Rc rc = RC_OK;

	if (self->has_slot)
		rc = slot_drop(self->target, self->back, err);
	if (rc == RC_OK && self->has_publication)
		rc = way_back_drop_publication(self->target, self->back, &dropped, err);
	return rc;
}
