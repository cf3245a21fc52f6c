/*
 * change_schema.c
 *    Applies schema changes, and refuses what lacks rows; see change_schema.h.
 */
#include "sink/postgres/change_schema.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/own_command.h"
#include "sink/postgres/apply/lock_holders.h"
#include "sink/postgres/lease.h"

/* The function of a SchemaFollowed. */
static bool
is_followed(const void *context, const Definition *table)
{
	const PostgresSink *self = context;

	return uncopied_is_followed(self->uncopied, table->oid,
								table->table.published);
}

/* Adds to an error which sessions hold the lock. */
static void
explain_lock(const PostgresSink *self, Error *err)
{
	const char *sql = schema_step_failed_sql(self->schema_step);
	PgConn *aside = NULL;
	Error ignored = {0};

	if (!lock_holders_matter(err) || sql == NULL)
		return;
	if (lease_open_connection(self, &aside, &ignored) == RC_OK)
		lock_holders_add(aside, lane_conn(self->applier.lane), sql, err);
	error_reset(&ignored);
	pgconn_close(aside);
}

/* Records the tables whose rows were deleted and must be sent again. */
static void
expect_rewrites(const PostgresSink *self)
{
	OidList emptied = schema_step_emptied(self->schema_step);

	for (int i = 0; i < emptied.count; i++)
		stages_expect_rewrite(self->stages, emptied.oids[i]);
}

Rc
change_schema_refuse_missing_rows(const PostgresSink *self, uint32_t oid,
								  const TxnInfo *txn, Error *err)
{
	const Definition *table = definition_set_find(
		schema_step_known(self->schema_step), DEFINITION_IN_CLASS, oid);
	Rc rc = error_set(
		err, ERR_CONFIG,
		"transaction %" PRIu32 ", which ends at " LSN_FORMAT
		", has altered table \"%s\".\"%s\" in a way that is not possible on "
		"%s with the rows that are there",
		txn->xid, LSN_ARGS(txn->end_lsn), table != NULL ? table->schema : "",
		table != NULL ? table->name : "", self->target.label);

	error_detail(err, "The source has not written the table anew.  Nothing of "
					  "the transaction is applied.");
	error_hint(
		err,
		"See with \"%s\" what differs, alter the table on %s, and follow "
		"again.",
		OWN_COMMAND("schema diff"), self->target.label);
	return rc;
}

Rc
change_schema_apply(PostgresSink *self, const SchemaSet *schema, Error *err)
{
	PgConn *conn = lane_conn(self->applier.lane);
	size_t count = schema->count;
	const FollowedTables tables = sink_state_followed_tables(self);
	const DefinitionSet *known;
	const SchemaFollowed followed = {.is_followed = is_followed,
									 .context = self,
									 .whole = uncopied_is_whole(self->uncopied),
									 .chooses_tables = self->chooses_tables};
	Rc rc = RC_OK;

	if (!self->applier.txn_open)
		rc = applier_begin(&self->applier, err);
	if (rc == RC_OK)
		rc = schema_step_read(self->schema_step, conn, &known, err);
	if (rc == RC_OK)
		rc = followed_tables_check(&tables, known, schema, err);
	if (rc == RC_OK)
		rc = schema_step_apply(self->schema_step, conn, schema, &followed, err);
	if (rc == RC_FAIL)
		explain_lock(self, err);
	self->report.index_build_lsn = lsn_max(
		self->report.index_build_lsn,
		schema_step_index_build_lsn(self->schema_step));
	if (rc == RC_OK)
	{
		followed_tables_settle(&tables, schema);
		rc = followed_tables_note(
			&tables, conn, schema_step_known(self->schema_step), schema, err);
	}
	if (rc == RC_OK)
		rc = pgconn_exec(conn, target_restore_lock_timeout_sql(&self->target),
						 NULL, err);
	if (rc != RC_OK)
		return rc;

	if (self->lacked_lock)
		log_info("apply",
				 "the schema change of transaction %" PRIu32
				 ", which ends at " LSN_FORMAT ", is made on %s",
				 schema->txn.xid, LSN_ARGS(schema->txn.end_lsn),
				 self->target.label);
	self->lacked_lock = false;

	/* Changes that were delivered while this waited are in another set. */
	CHECK(schema->count == count);
	applier_forget_table(&self->applier, NULL, NULL);
	lanes_forget_table(self->lanes, NULL, NULL);
	expect_rewrites(self);
	stages_schema_done(self->stages);
	return RC_OK;
}
