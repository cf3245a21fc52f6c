/*
 * undo.c
 *    Drops the slot and removes the work lists, or logs why they remain.
 */
#include "job/clone/undo.h"

#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/own_command.h"
#include "control/pipeline_table.h"
#include "control/placed_column_table.h"
#include "control/schema.h"
#include "job/clone/check.h"
#include "net/pgconn_open.h"

/* Attempts to drop a slot, which is in use until its walsender has noticed that
 * the connection is closed. */
#define SLOT_DROP_ATTEMPTS  20
#define SLOT_DROP_PERIOD_MS 100

Rc
clone_drop_slot(PgConn *source, const char *name, Error *err)
{
	for (int attempt = 1;; attempt++)
	{
		Rc rc = slot_drop(source, name, err);

		/* object_in_use */
		if (rc == RC_OK || strcmp(err->sqlstate, "55006") != 0 ||
			attempt == SLOT_DROP_ATTEMPTS)
			return rc;
		rc = interrupt_wait(-1, 0, SLOT_DROP_PERIOD_MS, err);
		if (rc == RC_FAIL)
			return rc;
		error_reset(err);
	}
}

/*
 * Drops the slot if this run has created it, and warns if the slot may still
 * exist.
 */
static void
undo_slot(const CloneSource *source)
{
	const char *name = source->config->name;
	PgConn *conn = NULL;
	SlotInfo slot = {0};
	Error err = {0};
	Rc rc = clone_open_source(&conn, source->config, PGCONN_DATA, &err);

	if (rc == RC_OK)
		rc = slot_read(conn, name, &slot, &err);
	if (rc == RC_OK && slot.exists && source->slot_created)
		rc = clone_drop_slot(conn, name, &err);
	if (rc != RC_OK)
		log_error(LOG_WARNING, "clone.slot-left", &err);
	if (rc == RC_OK && slot.exists && source->slot_created)
		log_info("clone", "dropped replication slot \"%s\"", name);
	else if (rc != RC_OK || slot.exists)
		log_warning("clone.slot-left",
					"replication slot \"%s\" may be left on the source, where "
					"it keeps WAL: remove it with \"%s\"",
					name, OWN_COMMAND("drop"));
	pgconn_close(conn);
	error_reset(&err);
}

/* Opens a new connection to a target, without an open transaction, if this run
 * may have written to penstock's tables there. */
static MUST_CHECK Rc
reopen_target(Clone *clone, int number, Error *err)
{
	CloneTarget *target = &clone->targets[number];

	if (!target->table_begun)
		return RC_OK;
	pgconn_close(target->conn);
	target->conn = NULL;
	return clone_open_target(clone, number, err);
}

Rc
clone_forget_columns(const Clone *clone, PgConn *target, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->source_count && rc == RC_OK; i++)
		rc = placed_column_table_forget(target, clone->sources[i].config->name,
										err);
	return rc;
}

/* Removes the work list from a target to which nothing was copied, and the
 * schema "penstock" if it is empty then. */
static MUST_CHECK Rc
remove_notes(Clone *clone, int number, Error *err)
{
	CloneTarget *target = &clone->targets[number];
	Rc rc = RC_OK;

	if (!target->table_begun)
		return RC_OK;
	/* If this run has not begun the work list, the list is not ours. */
	if (target->list_begun)
		rc = work_list_remove(target->conn, clone->config->name, err);
	if (rc == RC_OK && target->list_begun)
		rc = clone_forget_columns(clone, target->conn, err);
	if (rc == RC_OK && target->list_begun)
		rc = control_forget(target->conn, clone->config->name, err);
	if (rc == RC_OK)
		rc = control_tidy(target->conn, err);
	return rc;
}

/*
 * Removes the work lists from all targets.  Connects to all targets first, so
 * that if one cannot be reached none is removed: without one of the lists, or
 * without the slot, the clone could not be resumed.
 */
static bool
undo_notes(Clone *clone)
{
	Error err = {0};
	Rc rc = RC_OK;

	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		rc = reopen_target(clone, i, &err);
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		rc = remove_notes(clone, i, &err);
	if (rc != RC_OK)
		log_error(LOG_WARNING, "clone.undo-failed", &err);
	error_reset(&err);
	return rc == RC_OK;
}

/* Whether something was copied with which a later run can continue. */
static bool
is_worth_keeping(const Clone *clone)
{
	if (clone->resumed)
		return true;
	for (int i = 0; i < clone->config->target_count; i++)
		if (clone->targets[i].list_begun &&
			(clone->targets[i].schema_begun ||
			 clone->targets[i].tables_written > 0))
			return true;
	return false;
}

/* Warns of objects that a clone with --schema-only has left: it cannot be
 * resumed. */
static void
say_schema_remains(const Clone *clone)
{
	for (int i = 0; i < clone->config->target_count; i++)
		if (clone->targets[i].schema_begun)
			log_warning("clone.objects-left",
						"what was created on %s stays there: drop it, or the "
						"database, before the next clone",
						clone->targets[i].label);
}

static void
say_what_remains(const Clone *clone)
{
	if (clone_has_several(clone))
		log_warning("clone.interrupted",
					"what was copied stays: \"%s\" removes it and starts "
					"over",
					OWN_COMMAND("clone --restart"));
	else
		log_warning("clone.interrupted",
					"what was copied stays: \"%s\" goes on with it, with "
					"--restart instead it is removed",
					OWN_COMMAND("clone --resume"));
	log_warning("clone.slot-kept",
				"until then replication slot \"%s\" keeps the source's WAL; "
				"\"%s\" removes it",
				clone->config->name, OWN_COMMAND("drop"));
}

/*
 * The failure may be the user's request to stop, which must not interrupt this
 * function, too.
 *
 * A clone that remains can always be resumed: we drop the slot only after the
 * work lists are removed.
 */
void
clone_undo(Clone *clone)
{
	bool is_kept = is_worth_keeping(clone);

	interrupt_defer(true);
	for (int i = 0; i < clone->source_count; i++)
	{
		pgconn_close(clone->sources[i].replication);
		clone->sources[i].replication = NULL;
	}
	if (is_kept || !undo_notes(clone))
		say_what_remains(clone);
	else
	{
		for (int i = clone->source_count - 1; i >= 0; i--)
			if (clone->sources[i].slot_begun)
				undo_slot(&clone->sources[i]);
		say_schema_remains(clone);
	}
	interrupt_defer(false);
}
