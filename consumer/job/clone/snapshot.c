/*
 * snapshot.c
 *    Creates the slot on the source, and takes the snapshots.
 */
#include "job/clone/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/own_command.h"
#include "copy/rows/standby.h"
#include "copy/rows/work_tables.h"
#include "job/clone/check.h"
#include "job/clone/resume.h"
#include "job/clone/several.h"
#include "net/pgconn_open.h"

Rc
clone_identify_source(CloneSource *source, Error *err)
{
	SourceIdentity before = source->history.identity;
	Rc rc;

	/* Any command on the replication connection would end it. */
	ASSERT(source->snapshot.name[0] == '\0');
	history_release(&source->history);
	rc = slot_read_history(source->replication, &source->history, err);
	if (rc != RC_OK || before.timeline == 0)
		return rc;

	/* The source may have failed over since. */
	return history_prove(
		&source->history,
		&(HistoryPoint){
			.source = &before,
			.lsn = lsn_max(source->start_lsn, source->snapshot.consistent_lsn),
			.label = "what is copied",
			.pipeline = source->config->name_asked},
		err);
}

static Rc
create_slot(CloneSource *source, Error *err)
{
	const char *name = source->config->name;
	Rc rc;

	ASSERT(source->start_lsn == 0);
	log_info("clone",
			 "creating replication slot \"%s\"; waits for transactions that "
			 "are open on the source",
			 name);
	source->slot_begun = true;
	rc = slot_create(source->replication, source->conn, name, SLOT_LASTING,
					 &source->snapshot, err);
	if (rc == RC_FAIL &&
		strcmp(err->sqlstate, "42710") == 0) /* duplicate_object */
		error_hint(err,
				   "If it is left over from an earlier run, remove it with "
				   "\"%s\"; else choose another --name.",
				   OWN_COMMAND("drop"));
	if (rc != RC_OK)
		return rc;
	source->slot_created = true;
	if (source->snapshot.consistent_lsn == 0)
		return error_set(err, ERR_PROTOCOL,
						 "the source has created replication slot \"%s\" "
						 "without a consistent point",
						 name);
	source->start_lsn = source->snapshot.consistent_lsn;
	FAULT("clone.slot_created");
	return RC_OK;
}

/*
 * Fails if the snapshot is older than the slot: it would lack transactions that
 * the slot does not have either.
 */
static Rc
require_newer(const CloneSource *source, Error *err)
{
	if (source->snapshot.consistent_lsn >= source->start_lsn)
		return RC_OK;
	return error_set(
		err, ERR_PROTOCOL,
		"the snapshot of the source is of " LSN_FORMAT
		", before the start of replication slot \"%s\" at " LSN_FORMAT,
		LSN_ARGS(source->snapshot.consistent_lsn), source->config->name,
		LSN_ARGS(source->start_lsn));
}

/* Creates a temporary slot, only for the snapshot that it exports. */
static Rc
create_snapshot(CloneSource *source, Error *err)
{
	char name[SLOT_NAME_SIZE];
	char command[sizeof("DROP_REPLICATION_SLOT \"\"") + SLOT_NAME_SIZE];
	Rc rc = RC_OK;

	slot_make_temporary_name(name, source->replication, source->config->name,
							 "resume");
	snprintf(command, sizeof(command), "DROP_REPLICATION_SLOT \"%s\"", name);
	log_info("clone", "taking a snapshot for what is left; waits for "
					  "transactions that are open on the source");
	if (source->snapshot_slot)
		rc = pgconn_exec(source->replication, command, NULL, err);
	source->snapshot_slot = false;
	if (rc == RC_OK)
		rc = slot_create(source->replication, source->conn, name, SLOT_SNAPSHOT,
						 &source->snapshot, err);
	source->snapshot_slot = rc == RC_OK;
	return rc == RC_OK ? require_newer(source, err) : rc;
}

/*
 * Reads the definitions of the tables again that are not known to be copied.
 * With several sources, these are the tables that are not `noted`; with one,
 * those that this run has not copied completely.
 */
static Rc
reread_catalog(const Clone *clone, CloneSource *source, Error *err)
{
	CopyCatalog *catalog = source->catalog;
	bool several = clone_has_several(clone);
	Rc rc;

	if (!source->listed)
		return clone_read_catalog(source, err);
	for (int i = 0; i < catalog->table_count; i++)
		catalog->tables[i].stale |= several ? !catalog->tables[i].noted
											: catalog->tables[i].ended_us == 0;
	rc = clone_renew_catalog(source, err);
	source->snapshot_due = false;
	return rc;
}

/* Writes the tables to the work lists, of a new clone or of one that was
 * interrupted before it had. */
static Rc
list_tables(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	if (!clone->resumed)
		rc = clone_check_targets(clone, err);
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
	{
		CloneTarget *target = &clone->targets[i];

		if (!target->complete && target->run.start_lsn == 0)
			rc = work_tables_set(target->conn, clone->config->name,
								 clone->lead->start_lsn, clone->lead->catalog,
								 err);
	}
	clone->lead->listed = rc == RC_OK;
	FAULT("clone.listed");
	return rc;
}

static Rc
take_snapshot(const Clone *clone, CloneSource *source, Error *err)
{
	Rc rc = RC_OK;

	if (source->start_lsn == 0)
		rc = create_slot(source, err);
	else if (clone_needs_snapshot(clone) && source->standby == NULL)
		rc = create_snapshot(source, err);
	if (rc != RC_OK)
		return rc;
	if (source->snapshot.name[0] != '\0' && source->standby == NULL)
		log_info("clone", "the copy is of position " LSN_FORMAT,
				 LSN_ARGS(source->snapshot.consistent_lsn));
	return reread_catalog(clone, source, err);
}

/* The tables may have changed since they were checked, so they are read again
 * under the snapshot. */
Rc
clone_take_snapshots(Clone *clone, Error *err)
{
	Rc rc = take_snapshot(clone, clone->lead, err);

	if (rc == RC_OK)
		rc = list_tables(clone, err);
	for (int i = 1; i < clone->source_count && rc == RC_OK; i++)
	{
		rc = take_snapshot(clone, &clone->sources[i], err);
		if (rc == RC_OK)
			rc = clone_check_same_tables(clone, &clone->sources[i], err);
		clone->sources[i].listed = rc == RC_OK;
	}
	return rc;
}


/* ---- The standby ---- */

/*
 * Proves that the WAL which the standby has is the source's.  Only a walsender
 * tells the timeline that a standby replays.  Closing the connection and not
 * keeping it costs another one for each snapshot, which is rare.
 */
static MUST_CHECK Rc
prove_standby(CloneSource *source, Error *err)
{
	const PgConnOptions options = {
		.conninfo = source->config->copy_from,
		.label = "standby",
		.application_name = "penstock clone",
		.kind = PGCONN_REPLICATION,
	};
	SourceHistory history = {0};
	PgConn *replication = NULL;
	Rc rc = pgconn_open(&replication, &options, err);

	if (rc == RC_OK)
		rc = slot_read_history(replication, &history, err);
	pgconn_close(replication);
	if (rc == RC_OK)
		rc = slot_read_log_end(source->conn, &source->history, err);
	if (rc == RC_OK)
		rc = history_prove_standby(&source->history, &history, err);
	history_release(&history);
	return rc;
}

/* Refuses a wrong standby before anything is written. */
Rc
clone_check_standby(const Clone *clone, Error *err)
{
	if (clone->lead->standby == NULL)
		return RC_OK;
	return prove_standby(clone->lead, err);
}

const char *
clone_rows_source(const Clone *clone)
{
	return clone->config->copy_from != NULL ? clone->config->copy_from
											: clone->config->source;
}

static Rc
export_from_standby(CloneSource *source, Error *err)
{
	SlotSnapshot *snapshot = &source->snapshot;
	PGresult *result = NULL;
	Lsn least = 0;
	Rc rc = pgconn_exec(source->conn, "SELECT pg_current_wal_flush_lsn()",
						&result, err);

	if (rc != RC_OK)
		return rc;
	(void) lsn_parse(PQgetvalue(result, 0, 0), &least);
	PQclear(result);
	rc = standby_export(source->standby, lsn_max(least, source->start_lsn),
						snapshot->name, sizeof(snapshot->name),
						&snapshot->consistent_lsn, err);
	/* It may have been given another primary since it was checked. */
	if (rc == RC_OK)
		rc = prove_standby(source, err);
	if (rc == RC_OK)
		log_info("clone",
				 "rows are read from the standby, as of " LSN_FORMAT
				 ", where its replay was paused for a moment; the slot starts "
				 "at " LSN_FORMAT,
				 LSN_ARGS(snapshot->consistent_lsn),
				 LSN_ARGS(source->start_lsn));
	return rc;
}

Rc
clone_join_standby(Clone *clone, Error *err)
{
	if (clone->lead->standby == NULL || !clone_needs_snapshot(clone))
		return RC_OK;
	return export_from_standby(clone->lead, err);
}


/* ---- A newer snapshot ---- */

static bool
has_left(const CopyCatalog *catalog)
{
	for (int i = 0; i < catalog->table_count; i++)
		if (!catalog->tables[i].done && !catalog->tables[i].gone)
			return true;
	return false;
}

bool
clone_lacks_snapshot(const CloneSource *source)
{
	return source->snapshot_due ||
		   (source->snapshot.name[0] == '\0' && has_left(source->catalog));
}

Rc
clone_renew_catalog(CloneSource *source, Error *err)
{
	CopyCatalog *kept = source->catalog;
	Rc rc;

	source->catalog = NULL;
	rc = clone_read_catalog(source, err);
	if (rc == RC_OK)
		catalog_renew(kept, source->catalog);
	source->catalog = kept;
	source->snapshot_due = true;
	return rc;
}

Rc
clone_renew_snapshot(CloneSource *source, Error *err)
{
	Rc rc;

	source->snapshot_due = false;
	if (source->standby == NULL)
		return create_snapshot(source, err);
	rc = pgconn_exec(source->standby, "COMMIT", NULL, err);
	if (rc == RC_OK)
		rc = export_from_standby(source, err);
	return rc;
}


/* ---- The end ---- */

void
clone_release_sources(Clone *clone)
{
	for (int i = 0; i < clone->source_count; i++)
	{
		CloneSource *source = &clone->sources[i];

		pgconn_close(source->replication);
		source->replication = NULL;
		pgconn_close(source->standby);
		source->standby = NULL;
	}
}
