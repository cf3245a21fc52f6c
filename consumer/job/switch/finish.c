/*
 * finish.c
 *    Checks both servers, and then removes what a switch has made.
 */
#include "job/switch/finish.h"

#include <stdlib.h>

#include "base/own_command.h"
#include "base/xalloc.h"
#include "check/ends.h"
#include "control/progress_table.h"
#include "control/refusal.h"
#include "control/schema.h"
#include "control/switch_table.h"
#include "job/switch/way_back.h"
#include "net/origin.h"
#include "net/pgconn_open.h"
#include "source/slot.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/* Milliseconds that we wait for the lock of each table whose triggers are to be
 * dropped. */
#define DROP_LOCK_MS 2000

typedef struct Finish
{
	const Config *config;
	const Report *report;
	Arena *arena;
	const char *back; /* name of the way back */
	PgConn *source;
	PgConn *target;
	SwitchRow row;      /* state of the switch to the target */
	SwitchRow row_back; /* state of the switch back */
} Finish;

static MUST_CHECK Rc
open_server(PgConn **conn, const char *conninfo, const char *label, Error *err)
{
	return pgconn_open(conn,
					   &(PgConnOptions){.conninfo = conninfo,
										.label = label,
										.application_name = "penstock finish",
										.kind = PGCONN_DATA},
					   err);
}

static MUST_CHECK Rc
open_both(Finish *self, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	Rc rc = open_server(&self->source, self->config->source, "source", err);

	config_label_target(self->config, 0, label);
	if (rc == RC_OK)
		rc = open_server(&self->target, self->config->targets[0], label, err);
	if (rc == RC_OK)
		rc = ends_check(self->source, self->target, self->config->name, NULL,
						err);
	return rc;
}

static MUST_CHECK Rc
take_move(const Finish *self, PgConn *conn, Error *err)
{
	const char *holder = NULL;
	bool taken;
	Rc rc = switch_table_take(conn, self->config->name, self->arena, &taken,
							  &holder, err);

	if (rc != RC_OK || taken)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "another command works on pipeline \"%s\" now",
				   self->config->name);
	error_detail(err, "On %s it is %s.", pgconn_label(conn), holder);
	return rc;
}

static MUST_CHECK Rc
check_complete(const Finish *self, Error *err)
{
	bool there = self->row.state == SWITCH_SWITCHED;
	Rc rc;

	if (!there && self->row_back.state != SWITCH_SWITCHED)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "the switch of pipeline \"%s\"%s is not complete",
				   self->config->name, there ? "" : " back");
	error_hint(err, "Run \"%s\" first, which completes it.",
			   there ? OWN_COMMAND("switch") : OWN_COMMAND("switch --back"));
	return rc;
}

static MUST_CHECK Rc
check_unused(PgConn *conn, const char *name, Error *err)
{
	SlotInfo slot;
	Rc rc = slot_read(conn, name, &slot, err);

	if (rc != RC_OK || !slot.is_this_database || slot.active_pid == 0)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "replication slot \"%s\" is in use by PID %d of %s", name,
				   slot.active_pid, pgconn_label(conn));
	error_hint(err, "Stop the follower first.");
	return rc;
}

/* Whether the writes are at the target. */
static bool
is_moved(const Finish *self)
{
	return self->row.state == SWITCH_DONE;
}

/* Whether there was a switch.  Without one, a slot or a pipeline with the name
 * of the way back is not ours to remove. */
static bool
was_begun(const Finish *self)
{
	return self->row.state != SWITCH_NONE ||
		   self->row_back.state != SWITCH_NONE;
}

static MUST_CHECK Rc
look(Finish *self, Error *err)
{
	const char *name = self->config->name;
	Rc rc = take_move(self, self->source, err);

	if (rc == RC_OK)
		rc = take_move(self, self->target, err);
	if (rc == RC_OK)
		rc = switch_table_read(self->source, name, self->arena, &self->row,
							   err);
	if (rc == RC_OK)
		rc = switch_table_read(self->target, self->back, self->arena,
							   &self->row_back, err);
	if (rc == RC_OK)
		rc = check_complete(self, err);
	if (rc == RC_OK && was_begun(self))
		rc = check_unused(self->target, self->back, err);
	if (rc == RC_OK && is_moved(self))
		rc = check_unused(self->source, name, err);
	return rc;
}

static const char *
verb(const Finish *self)
{
	return self->config->dry_run ? "would remove" : "removed";
}

static MUST_CHECK Rc
remove_slot(const Finish *self, PgConn *conn, const char *name, Error *err)
{
	SlotInfo slot;
	Rc rc = slot_read(conn, name, &slot, err);

	if (rc != RC_OK || !slot.is_this_database)
		return rc;
	if (!self->config->dry_run)
		rc = slot_drop(conn, name, err);
	if (rc == RC_OK)
		report_line(self->report, "%s replication slot \"%s\" on %s",
					verb(self), name, pgconn_label(conn));
	return rc;
}

static MUST_CHECK Rc
remove_publication(const Finish *self, Error *err)
{
	bool exists;
	Rc rc = self->config->dry_run
				? way_back_has_publication(self->target, self->back, &exists,
										   err)
				: way_back_drop_publication(self->target, self->back, &exists,
											err);

	if (rc == RC_OK && exists)
		report_line(self->report, "%s publication \"%s\" on %s", verb(self),
					self->back, pgconn_label(self->target));
	return rc;
}

static MUST_CHECK Rc
remove_refusal(const Finish *self, PgConn *conn, const char *pipeline,
			   bool refuses, Error *err)
{
	int count = 0;
	int left = 0;
	Rc rc = self->config->dry_run ? refusal_count(conn, pipeline, &count, err)
								  : refusal_drop(conn, pipeline, DROP_LOCK_MS,
												 &count, &left, err);

	if (rc == RC_OK && count > 0)
		report_line(self->report, "%s the triggers of %d table%s on %s%s",
					verb(self), count, PLURAL(count), pgconn_label(conn),
					refuses ? ", which refused writes" : "");
	if (rc != RC_OK || left == 0)
		return rc;
	rc = error_set(err, ERR_LIMIT,
				   "could not lock %d table%s on %s to drop the triggers", left,
				   PLURAL(left), pgconn_label(conn));
	error_hint(err, "Run the same again, when nobody is in the way.");
	return rc;
}

/*
 * Removes the progress of a pipeline, and all else that its target stores about
 * it.
 */
static MUST_CHECK Rc
remove_progress(const Finish *self, PgConn *conn, const char *pipeline,
				Error *err)
{
	ProgressRow progress;
	bool removed = false;
	Rc rc = progress_table_read(conn, pipeline, &progress, err);

	if (rc == RC_OK && !self->config->dry_run)
		rc = progress_table_remove(conn, pipeline, &removed, err);
	if (rc == RC_OK && progress.exists)
		report_line(self->report, "%s progress of pipeline \"%s\" on %s",
					verb(self), pipeline, pgconn_label(conn));
	if (rc == RC_OK && !self->config->dry_run)
		rc = origin_drop(conn, pipeline, &removed, err);
	return rc;
}

/* Removes the states of the switches, as the last step. */
static MUST_CHECK Rc
remove_rows(const Finish *self, Error *err)
{
	Rc rc = switch_table_remove(self->target, self->back, err);

	if (rc == RC_OK)
		rc = switch_table_remove(self->source, self->config->name, err);
	if (rc == RC_OK)
		rc = control_tidy(self->target, err);
	if (rc == RC_OK)
		rc = control_tidy(self->source, err);
	return rc;
}

static MUST_CHECK Rc
remove_all(const Finish *self, Error *err)
{
	const char *name = self->config->name;
	bool moved = is_moved(self);
	Rc rc = remove_slot(self, self->target, self->back, err);

	if (rc == RC_OK)
		rc = remove_publication(self, err);
	if (rc == RC_OK && moved)
		rc = remove_slot(self, self->source, name, err);
	/* Before the progress, with which the last table of the schema may go; the
	 * schema itself cannot while a function of a refusal is in it. */
	if (rc == RC_OK)
		rc = remove_refusal(self, self->target, self->back, false, err);
	if (rc == RC_OK)
		rc = remove_refusal(self, self->source, name, moved, err);
	if (rc == RC_OK)
		rc = remove_progress(self, self->source, self->back, err);
	if (rc == RC_OK && moved)
		rc = remove_progress(self, self->target, name, err);
	if (rc == RC_OK && moved)
		report_line(self->report,
					"the tables of the source %s writes again, and nothing "
					"follows them",
					self->config->dry_run ? "would take" : "take");
	if (rc == RC_OK && !self->config->dry_run)
		rc = remove_rows(self, err);
	return rc;
}

/* Drops the empty tables that a switch which was undone has left. */
static MUST_CHECK Rc
say_nothing(const Finish *self, Error *err)
{
	report_line(self->report, "no switch of pipeline \"%s\" is to be finished",
				self->config->name);
	return self->config->dry_run ? RC_OK : remove_rows(self, err);
}

Rc
finish_run(const Config *config, const Report *report, Error *err)
{
	Finish *self = xcalloc(1, sizeof(Finish));
	Rc rc;

	self->config = config;
	self->report = report;
	self->arena = arena_new(ARENA_BLOCK_BYTES);
	rc = config_name_back(config, self->arena, &self->back, err);
	if (rc == RC_OK)
		rc = open_both(self, err);
	if (rc == RC_OK)
		rc = look(self, err);
	if (rc == RC_OK && was_begun(self))
		rc = remove_all(self, err);
	else if (rc == RC_OK)
		rc = say_nothing(self, err);
	pgconn_close(self->source);
	pgconn_close(self->target);
	arena_free(self->arena);
	free(self);
	return rc;
}
