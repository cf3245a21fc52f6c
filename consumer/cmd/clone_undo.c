/*
 * clone_undo.c
 *    Leaves nothing behind that would do harm.
 */
#include "cmd/clone_undo.h"

#include <string.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "cmd/clone_check.h"

/* A slot stays in use for a moment after its walsender has lost us. */
#define SLOT_DROP_ATTEMPTS  20
#define SLOT_DROP_PERIOD_MS 100

/* Drops the slot; what still uses it is about to notice that we are gone. */
static Rc
drop_slot(PgConn *source, const char *name, Error *err)
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
 * Drops the slot if this run has created it, and warns if it may be there all
 * the same.
 */
static void
undo_slot(Clone *clone)
{
	const char *name = clone->config->name;
	PgConn *source = NULL;
	SlotInfo slot = {0};
	Error err = {0};
	Rc rc = clone_open_source(&source, clone->config, PGCONN_DATA, &err);

	if (rc == RC_OK)
		rc = slot_read(source, name, &slot, &err);
	if (rc == RC_OK && slot.exists && clone->slot_created)
		rc = drop_slot(source, name, &err);
	if (rc != RC_OK)
		log_error(LOG_WARNING, "clone", &err);
	if (rc == RC_OK && slot.exists && clone->slot_created)
		log_info("clone", "dropped replication slot \"%s\"", name);
	else if (rc != RC_OK || slot.exists)
		log_warning("clone",
					"replication slot \"%s\" may be left on the source, where "
					"it keeps log: remove it with \"penstock drop --name=%s\"",
					name, name);
	pgconn_close(source);
	error_reset(&err);
}

/* Takes back the progress of targets that were ready before another failed. */
static void
undo_progress(Clone *clone, int number)
{
	CloneTarget *target = &clone->targets[number];
	bool removed;
	Error err = {0};
	Rc rc;

	if (!target->table_begun)
		return;
	pgconn_close(target->conn);
	target->conn = NULL;
	rc = clone_open_target(clone, number, &err);
	if (rc == RC_OK && target->progress_begun)
		rc = progress_table_remove(target->conn, clone->config->name, &removed,
								   &err);
	if (rc == RC_OK)
		rc = progress_table_tidy(target->conn, &err);
	if (rc != RC_OK)
		log_error(LOG_WARNING, "clone", &err);
	error_reset(&err);
}

static void
say_what_remains(const Clone *clone, const CloneTarget *target)
{
	int tables = clone->catalog != NULL ? clone->catalog->table_count : 0;

	if (target->schema_begun)
		log_warning("clone",
					"what was created on %s stays there, with rows in %d of %d "
					"tables: drop it, or the database, before the next clone",
					target->label, target->tables_touched, tables);
	else if (target->tables_touched > 0)
		log_warning("clone",
					"%d of %d tables on %s have rows now, some maybe not all, "
					"and keep them: empty the tables (TRUNCATE) before the "
					"next clone",
					target->tables_touched, tables, target->label);
}

/*
 * After a failure.  A request to stop is what may have brought us here; it must
 * not stop this too.
 */
void
clone_undo(Clone *clone)
{
	interrupt_defer(true);
	pgconn_close(clone->replication);
	clone->replication = NULL;
	if (clone->slot_begun)
		undo_slot(clone);
	for (int i = 0; i < clone->config->target_count; i++)
	{
		undo_progress(clone, i);
		say_what_remains(clone, &clone->targets[i]);
	}
	interrupt_defer(false);
}
