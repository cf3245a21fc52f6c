/*
 * drop.c
 *    The steps of a drop.
 */
#include "job/drop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/own_command.h"
#include "check/ends.h"
#include "control/copy/index_build.h"
#include "control/copy/postponed_key.h"
#include "control/copy/table_state.h"
#include "control/copy/work_list.h"
#include "control/progress_table.h"
#include "job/large_objects.h"
#include "job/sequences.h"
#include "log/description.h"
#include "log/directory.h"
#include "net/origin.h"
#include "net/pgconn_open.h"
#include "net/target_name.h"
#include "source/slot.h"

#define ARENA_BLOCK_BYTES (4 * KB)

typedef struct DropTarget
{
	PgConn *conn;
	ProgressRow progress;
	PGresult *tables; /* result of table_states_list(), or NULL */
	PostponedKeys keys;
	IndexBuilds builds; /* indexes that are not built yet; in the arena */
	WorkRun run;        /* the pipeline's unfinished clone, if there is one */
	bool origin_removed;
} DropTarget;

typedef struct Drop
{
	const Config *config;
	const DropExpected *expected; /* NULL: the source may be any */
	const Report *report;
	Arena *arena;
	PgConn *source; /* NULL: the user has given no source */
	char system_identifier[SLOT_SYSTEM_ID_SIZE]; /* the source's; empty:
												  * unknown */
	SlotInfo slot;
	DropTarget targets[CONFIG_TARGETS_MAX];
} Drop;

static Rc
open_server(PgConn **conn, const char *conninfo, const char *label,
			const char *option, Error *err)
{
	Rc rc = pgconn_open(conn,
						&(PgConnOptions){
							.conninfo = conninfo,
							.label = label,
							.application_name = "penstock drop",
							.kind = PGCONN_DATA,
						},
						err);

	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		error_detail(err, "Nothing was removed.");
		error_hint(err,
				   "If that server is gone for good, leave out --%s to remove "
				   "what is on the other side.",
				   option);
	}
	return rc;
}


/* ---- Step 1: queries and refusals ---- */

static Rc
refuse_slot(const Drop *drop, Error *err)
{
	const char *name = drop->config->name;
	const SlotInfo *slot = &drop->slot;
	Rc rc;

	if (slot->active_pid != 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "replication slot \"%s\" is in use by PID %d of the "
					   "source",
					   name, slot->active_pid);
		error_hint(err, "Stop the follower first.");
		return rc;
	}
	rc = slot_require_usable(slot, name, err);
	if (rc == RC_OK || !slot->lost || !slot->is_this_database)
		return rc;
	error_reset(err); /* a slot that is lost can be dropped, too */
	return RC_OK;
}

/* Slots of the same name are on many servers. */
static Rc
check_expected(const Drop *drop, Error *err)
{
	const DropExpected *expected = drop->expected;
	const char *database = PQdb(pgconn_raw(drop->source));
	Rc rc = RC_OK;

	if (expected == NULL)
		return RC_OK;
	if (strcmp(expected->system_identifier, drop->system_identifier) != 0)
		rc = error_set(err, ERR_CONFIG,
					   "log \"%s\" is of another server, with system "
					   "identifier %s",
					   expected->log, expected->system_identifier);
	else if (expected->database != NULL &&
			 strcmp(expected->database, database) != 0)
		rc = error_set(err, ERR_CONFIG,
					   "log \"%s\" is of database \"%s\", not \"%s\"",
					   expected->log, expected->database, database);
	if (rc == RC_FAIL)
		error_detail(err, "Nothing was removed.");
	return rc;
}

static Rc
look_at_source(Drop *drop, Error *err)
{
	Rc rc;

	if (drop->config->source == NULL)
		return RC_OK;
	rc = open_server(&drop->source, drop->config->source, "source", "source",
					 err);
	if (rc == RC_OK)
		rc = slot_read_system_identifier(drop->source, drop->system_identifier,
										 err);
	if (rc == RC_OK)
		rc = check_expected(drop, err);
	if (rc == RC_OK)
		rc = slot_read(drop->source, drop->config->name, &drop->slot, err);
	if (rc == RC_OK && drop->slot.exists)
		rc = refuse_slot(drop, err);
	return rc;
}

/* Whether the target has progress or an unfinished clone of the pipeline. */
static bool
has_notes(const DropTarget *target)
{
	return target->progress.exists || target->run.exists;
}

/* Refuses a target to which a clone of the pipeline is running: without its
 * work list the clone would fail. */
static Rc
refuse_running(const Drop *drop, const DropTarget *target, Error *err)
{
	bool running;
	Rc rc = work_list_is_running(target->conn, drop->config->name, &running,
								 err);

	if (rc != RC_OK || !running)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "a clone of pipeline \"%s\" to %s is running",
				   drop->config->name, pgconn_label(target->conn));
	error_hint(err, "Stop it first.");
	return rc;
}

/* Refuses a target whose pipeline of this name has another source. */
static Rc
refuse_foreign(const Drop *drop, const DropTarget *target, Error *err)
{
	const char *theirs = target->run.exists
							 ? target->run.source.system_identifier
							 : target->progress.source.system_identifier;
	Rc rc;

	if (!has_notes(target) || drop->system_identifier[0] == '\0' ||
		strcmp(drop->system_identifier, theirs) == 0)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "the progress of pipeline \"%s\" on %s is of another source",
				   drop->config->name, pgconn_label(target->conn));
	error_detail(err,
				 "It is of the system with identifier %s, and the source's is "
				 "%s.",
				 theirs, drop->system_identifier);
	error_hint(err, "To remove it all the same, leave out --source.");
	return rc;
}

static Rc
look_at_target(Drop *drop, int index, Error *err)
{
	DropTarget *target = &drop->targets[index];
	const char *conninfo = drop->config->targets[index];
	char *name = target_name(conninfo);
	Rc rc = open_server(&target->conn, conninfo, name, "target", err);

	free(name);
	if (rc == RC_OK)
		rc = progress_table_read(target->conn, drop->config->name,
								 &target->progress, err);
	if (rc == RC_OK)
		rc = work_list_read(&target->run, target->conn, drop->config->name,
							drop->arena, err);
	if (rc == RC_OK)
		rc = refuse_foreign(drop, target, err);
	if (rc == RC_OK && target->progress.exists)
		rc = postponed_keys_read(&target->keys, target->conn,
								 drop->config->name, err);
	if (rc == RC_OK && target->progress.exists)
		rc = index_builds_read(target->conn, drop->config->name, drop->arena,
							   &target->builds, err);
	if (rc == RC_OK && target->progress.exists)
		rc = table_states_list(target->conn, drop->config->name,
							   &target->tables, err);
	if (rc == RC_OK && target->run.exists)
		rc = refuse_running(drop, target, err);
	return rc;
}

/*
 * Error: the source has the pipeline's slot, but the target has no progress of
 * it, so the slot may belong to another target.  To drop it nevertheless, the
 * user has to give the source alone.
 */
static Rc
refuse_stranger(const Drop *drop, const DropTarget *target, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "%s does not know pipeline \"%s\", whose slot is on the "
					  "source",
					  pgconn_label(target->conn), drop->config->name);

	error_detail(err, "Nothing was removed: the slot may feed another target.");
	error_hint(err,
			   "Give the target that it feeds; or, if that is gone, remove the "
			   "slot with \"%s\".",
			   OWN_COMMAND("drop --force"));
	return rc;
}

/* Refuses to drop the slot while a clone is running, which may be one to a
 * target that the user has not given. */
static Rc
refuse_cloning(const Drop *drop, Error *err)
{
	bool running;
	Rc rc = work_list_is_running(drop->source, drop->config->name, &running,
								 err);

	if (rc != RC_OK || !running)
		return rc;
	rc = error_set(err, ERR_CONFIG, "a clone of pipeline \"%s\" is running",
				   drop->config->name);
	error_hint(err, "Stop it first.");
	return rc;
}

static Rc
look_together(const Drop *drop, Error *err)
{
	Rc rc = refuse_cloning(drop, err);

	for (int i = 0; i < drop->config->target_count && rc == RC_OK; i++)
	{
		const DropTarget *target = &drop->targets[i];

		rc = ends_check(drop->source, target->conn, drop->config->name, NULL,
						err);
		if (rc == RC_OK && drop->slot.exists && !has_notes(target) &&
			!drop->config->force)
			rc = refuse_stranger(drop, target, err);
	}
	return rc;
}

static Rc
look(Drop *drop, Error *err)
{
	Rc rc = look_at_source(drop, err);

	for (int i = 0; i < drop->config->target_count && rc == RC_OK; i++)
		rc = look_at_target(drop, i, err);
	if (rc == RC_OK && drop->source != NULL)
		rc = look_together(drop, err);
	return rc;
}


/* ---- Slots of single tables ---- */

typedef Rc (*OnSlot)(Drop *drop, DropTarget *target, const char *slot,
					 Error *err);

/* Calls `call` for each row of the target's tables that has a slot of its own;
 * more than once if several rows have the same slot. */
static Rc
for_each_slot(Drop *drop, DropTarget *target, OnSlot call, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0;
		 target->tables != NULL && i < PQntuples(target->tables) && rc == RC_OK;
		 i++)
		if (!PQgetisnull(target->tables, i, TABLE_LIST_SLOT))
			rc = call(drop, target,
					  PQgetvalue(target->tables, i, TABLE_LIST_SLOT), err);
	return rc;
}

static Rc
remove_slot_progress(Drop *drop UNUSED, DropTarget *target, const char *slot,
					 Error *err)
{
	bool removed;

	return progress_table_remove(target->conn, slot, &removed, err);
}

static Rc
drop_table_slot(Drop *drop, DropTarget *target UNUSED, const char *slot,
				Error *err)
{
	SlotInfo info;
	Rc rc = slot_read(drop->source, slot, &info, err);

	if (rc != RC_OK || !info.exists)
		return rc;
	rc = slot_drop(drop->source, slot, err);
	if (rc == RC_OK)
		report_line(drop->report,
					"removed replication slot \"%s\" on the source", slot);
	else if (strcmp(err->sqlstate, "55006") == 0) /* object_in_use */
		error_hint(err, "Stop \"penstock table\" first.");
	return rc;
}

static Rc
drop_slot_origin(Drop *drop UNUSED, DropTarget *target, const char *slot,
				 Error *err)
{
	bool removed;

	return origin_drop(target->conn, slot, &removed, err);
}


/* ---- Steps 2 to 4: removing ---- */

static Rc
begin_target(Drop *drop, DropTarget *target, Error *err)
{
	bool removed;
	Rc rc;

	ASSERT(PQtransactionStatus(pgconn_raw(target->conn)) == PQTRANS_IDLE);
	rc = pgconn_exec(target->conn, "BEGIN", NULL, err);
	if (rc == RC_OK)
		rc = for_each_slot(drop, target, remove_slot_progress, err);
	if (rc == RC_OK)
		rc = work_list_remove(target->conn, drop->config->name, err);
	if (rc == RC_OK)
		rc = progress_table_remove(target->conn, drop->config->name, &removed,
								   err);
	return rc;
}

static Rc
drop_slot(Drop *drop, Error *err)
{
	Rc rc = slot_drop(drop->source, drop->config->name, err);

	if (rc == RC_FAIL &&
		strcmp(err->sqlstate, "55006") == 0) /* object_in_use */
		error_hint(err, "Stop the follower first.");
	return rc;
}

static Rc
remove_all(Drop *drop, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < drop->config->target_count && rc == RC_OK; i++)
		if (has_notes(&drop->targets[i]))
			rc = begin_target(drop, &drop->targets[i], err);
	for (int i = 0; i < drop->config->target_count && rc == RC_OK; i++)
		if (drop->source != NULL)
			rc = for_each_slot(drop, &drop->targets[i], drop_table_slot, err);
	if (rc == RC_OK && drop->slot.exists)
		rc = drop_slot(drop, err);
	for (int i = 0; i < drop->config->target_count && rc == RC_OK; i++)
		if (has_notes(&drop->targets[i]))
		{
			rc = pgconn_exec(drop->targets[i].conn, "COMMIT", NULL, err);
			if (rc != RC_OK)
				error_hint(err, "Run the same command again.");
		}

	/* Replication origins that remain do no harm, so we drop them last. */
	for (int i = 0; i < drop->config->target_count && rc == RC_OK; i++)
		rc = for_each_slot(drop, &drop->targets[i], drop_slot_origin, err);
	for (int i = 0; i < drop->config->target_count && rc == RC_OK; i++)
		rc = origin_drop(drop->targets[i].conn, drop->config->name,
						 &drop->targets[i].origin_removed, err);
	return rc;
}


/*
 * Advances the sequences and updates the large objects of the targets, which is
 * not possible after the drop.  Targets that have been promoted, to which the
 * writes were moved, or to which the clone was not completed, are left out.
 */
static Rc
take_along(Drop *drop, Error *err)
{
	PgConn *targets[CONFIG_TARGETS_MAX] = {NULL};
	bool any = false;
	bool is_source;
	Rc rc;

	for (int i = 0; i < drop->config->target_count; i++)
	{
		const DropTarget *target = &drop->targets[i];

		if (!target->progress.exists ||
			progress_is_promoted(&target->progress) ||
			progress_is_switched(&target->progress))
			continue;
		targets[i] = target->conn;
		any = true;
	}
	if (drop->source == NULL || !any)
		return RC_OK;
	rc = sequences_take_along(drop->config, drop->source, targets, drop->report,
							  err);
	/* Only the pipeline's own slot shows that the source is the database that
	 * was followed: one that was made again, or restored, has none. */
	is_source = drop->slot.exists && drop->slot.is_this_database;
	return rc == RC_OK
			   ? large_objects_take_along(drop->config, drop->source, is_source,
										  targets, drop->report, err)
			   : rc;
}


/* ---- The report ---- */

/* Reports the postponed foreign keys with their statements, which no follower
 * will run any more. */
static void
report_keys(const Drop *drop, const DropTarget *target, const char *verb)
{
	for (int i = 0; i < target->keys.count; i++)
		report_line(
			drop->report,
			"%s the entry of foreign key %s of table %s on %s, which is not "
			"valid yet; to complete it, run: %s",
			verb, target->keys.keys[i].name, target->keys.keys[i].table,
			pgconn_label(target->conn), target->keys.keys[i].statement);
}

/* Reports the indexes that no follower will build any more. */
static void
report_builds(const Drop *drop, const DropTarget *target, const char *verb)
{
	for (int i = 0; i < target->builds.count; i++)
	{
		const IndexBuild *build = &target->builds.builds[i];

		report_line(drop->report,
					"%s the entry of index \"%s\".\"%s\" on %s, which is not "
					"built yet; to build it, run: %s",
					verb, build->schema, build->name,
					pgconn_label(target->conn), build->statement);
	}
}

static void
report(const Drop *drop)
{
	const char *name = drop->config->name;
	const char *verb = drop->config->dry_run ? "would remove" : "removed";

	if (drop->source == NULL)
		report_line(drop->report,
					"no source is given: a slot there is left alone");
	else if (drop->slot.exists)
		report_line(drop->report, "%s replication slot \"%s\" on the source",
					verb, name);
	else
		report_line(drop->report,
					"there is no replication slot \"%s\" on the source", name);
	if (drop->config->target_count == 0)
		report_line(drop->report,
					"no target is given: progress there is left alone");
	for (int i = 0; i < drop->config->target_count; i++)
	{
		const DropTarget *target = &drop->targets[i];

		if (target->run.exists)
			report_line(
				drop->report,
				"%s the work list of pipeline \"%s\"'s unfinished clone on "
				"%s; what it copied stays there",
				verb, name, pgconn_label(target->conn));
		if (target->progress.exists)
			report_line(drop->report, "%s progress of pipeline \"%s\" on %s",
						verb, name, pgconn_label(target->conn));
		else if (!target->run.exists)
			report_line(drop->report,
						"there is no progress of pipeline \"%s\" on %s", name,
						pgconn_label(target->conn));
		report_keys(drop, target, verb);
		report_builds(drop, target, verb);
		if (target->origin_removed)
			report_line(drop->report,
						"removed replication origin of pipeline \"%s\" on %s",
						name, pgconn_label(target->conn));
	}
}

static void
release(Drop *drop)
{
	for (int i = 0; i < drop->config->target_count; i++)
	{
		PQclear(drop->targets[i].tables);
		postponed_keys_release(&drop->targets[i].keys);
		pgconn_close(drop->targets[i].conn);
	}
	pgconn_close(drop->source);
	arena_free(drop->arena);
}

/* Says what becomes of the log whose slot was removed. */
static void
report_log(const Drop *drop)
{
	if (drop->expected == NULL || !drop->slot.exists)
		return;
	report_line(drop->report,
				drop->config->dry_run
					? "would leave log \"%s\" alone: nothing could be recorded "
					  "into it any more"
					: "log \"%s\" is left alone: nothing can be recorded into "
					  "it any more",
				drop->expected->log);
}

static MUST_CHECK Rc
run(const Config *config, const DropExpected *expected, const Report *lines,
	Error *err)
{
	Drop drop = {.config = config,
				 .expected = expected,
				 .report = lines,
				 .arena = arena_new(ARENA_BLOCK_BYTES)};
	Rc rc = look(&drop, err);

	if (rc == RC_OK && !config->dry_run)
		rc = take_along(&drop, err);
	if (rc == RC_OK && !config->dry_run)
		rc = remove_all(&drop, err);
	if (rc == RC_OK)
	{
		report(&drop);
		report_log(&drop);
	}
	release(&drop);
	return rc;
}

Rc
drop_run(const Config *config, const Report *lines, Error *err)
{
	return run(config, NULL, lines, err);
}

/* ---- the slot of a log -------------------------------------------------- */

/*
 * Reads of what the log is, unless it is written at present.  The texts are
 * allocated in the arena.
 */
static MUST_CHECK Rc
look_at_log(LogDescription *description, const Config *config, Arena *arena,
			Error *err)
{
	int directory_fd = -1;
	Rc rc = log_description_find(description, config->log, arena, err);

	if (rc == RC_OK)
		rc = log_directory_open(config->log, false, &directory_fd, err);
	if (rc == RC_OK && log_description_is_locked(directory_fd))
	{
		rc = error_set(err, ERR_CONFIG, "log \"%s\" is recorded at present",
					   config->log);
		error_hint(err, "Stop \"penstock record\" first.");
	}
	if (rc == RC_OK && config->name_given &&
		strcmp(config->name, description->slot) != 0)
		rc = error_set(err, ERR_CONFIG,
					   "log \"%s\" is of slot \"%s\", not \"%s\"", config->log,
					   description->slot, config->name);
	if (directory_fd >= 0)
		close(directory_fd);
	return rc;
}

Rc
drop_log_run(const Config *config, const Report *lines, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config of_log = *config;
	LogDescription description = {0};
	Rc rc = look_at_log(&description, config, arena, err);

	if (rc == RC_OK)
	{
		const DropExpected expected = {
			.log = config->log,
			.system_identifier = description.system_identifier,
			.database = description.database};

		of_log.name = description.slot;
		if (!config_is_typed(config, "target"))
			of_log.target_count = 0;
		rc = run(&of_log, &expected, lines, err);
	}
	arena_free(arena);
	return rc;
}
