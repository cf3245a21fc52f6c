/*
 * moment.c
 *    The source's side of a clone: its slot, and the snapshots that go with it.
 */
#include "job/clone/moment.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "copy/rows/standby.h"
#include "copy/rows/work_tables.h"
#include "job/clone/check.h"
#include "job/clone/resume.h"

/* Behind the pipeline's name, the name of the slot of a later snapshot. */
#define SNAPSHOT_SLOT_TAIL "_resume"

Rc
clone_identify_source(Clone *clone, Error *err)
{
	SourceIdentity before = clone->history.identity;
	Rc rc;

	history_release(&clone->history);
	rc = slot_read_history(clone->replication, &clone->history, err);
	if (rc != RC_OK || before.timeline == 0)
		return rc;

	/* The server that answers now may be another one. */
	return history_prove(
		&clone->history,
		&(HistoryPoint){
			.source = &before,
			.lsn = lsn_max(clone->start_lsn, clone->snapshot.consistent_lsn),
			.label = "what is copied",
			.pipeline = clone->config->name_asked},
		err);
}

static Rc
create_slot(Clone *clone, Error *err)
{
	const char *name = clone->config->name;
	Rc rc;

	log_info("clone",
			 "creating replication slot \"%s\"; waits for transactions that "
			 "are open on the source",
			 name);
	clone->slot_begun = true;
	rc = slot_create(clone->replication, clone->source, name, SLOT_LASTING,
					 &clone->snapshot, err);
	if (rc != RC_OK)
		return rc;
	clone->slot_created = true;
	clone->start_lsn = clone->snapshot.consistent_lsn;
	FAULT("clone.slot_created");
	return RC_OK;
}

/* A temporary slot, for its snapshot alone. */
static Rc
create_snapshot(Clone *clone, Error *err)
{
	char name[CONFIG_NAME_MAX + 1];
	char command[sizeof("DROP_REPLICATION_SLOT \"\"") + CONFIG_NAME_MAX];
	Rc rc = RC_OK;

	/* Of the pipeline's name there may be no room for all. */
	snprintf(name, sizeof(name), "%.*s%s",
			 (int) (CONFIG_NAME_MAX - sizeof(SNAPSHOT_SLOT_TAIL) + 1),
			 clone->config->name, SNAPSHOT_SLOT_TAIL);
	snprintf(command, sizeof(command), "DROP_REPLICATION_SLOT \"%s\"", name);
	log_info("clone", "taking a snapshot for what is left; waits for "
					  "transactions that are open on the source");
	if (clone->snapshot_slot)
		rc = pgconn_exec(clone->replication, command, NULL, err);
	clone->snapshot_slot = false;
	if (rc == RC_OK)
		rc = slot_create(clone->replication, clone->source, name, SLOT_SNAPSHOT,
						 &clone->snapshot, err);
	clone->snapshot_slot = rc == RC_OK;
	return rc;
}

/* What of the tables is not known to be there is read anew. */
static Rc
reread_catalog(Clone *clone, Error *err)
{
	CopyCatalog *catalog = clone->catalog;
	Rc rc;

	if (!clone->listed)
		return clone_read_catalog(clone, false, err);
	for (int i = 0; i < catalog->table_count; i++)
		catalog->tables[i].stale |= catalog->tables[i].ended_us == 0;
	rc = clone_renew_catalog(clone, err);
	clone->snapshot_due = false;
	return rc;
}

/* A new clone's tables, or those of one that did not come to this. */
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
								 clone->start_lsn, clone->catalog, err);
	}
	clone->listed = rc == RC_OK;
	FAULT("clone.listed");
	return rc;
}

Rc
clone_fix_moment(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	if (clone->start_lsn == 0)
		rc = create_slot(clone, err);
	else if (clone_needs_snapshot(clone) && clone->standby == NULL)
		rc = create_snapshot(clone, err);
	if (rc != RC_OK)
		return rc;
	if (clone->snapshot.name[0] != '\0' && clone->standby == NULL)
		log_info("clone", "the copy is of position " LSN_FORMAT,
				 LSN_ARGS(clone->snapshot.consistent_lsn));
	rc = reread_catalog(clone, err);
	return rc == RC_OK ? list_tables(clone, err) : rc;
}


/* ---- The standby ---- */

Rc
clone_check_standby(const Clone *clone, Error *err)
{
	char identifier[SLOT_SYSTEM_ID_SIZE];
	Rc rc;

	if (clone->standby == NULL)
		return RC_OK;
	rc = slot_read_system_identifier(clone->standby, identifier, err);
	if (rc != RC_OK || identifier[0] == '\0' ||
		strcmp(identifier, clone->history.identity.system_identifier) == 0)
		return rc;
	rc = error_set(err, ERR_CONFIG,
				   "the standby to copy from is not one of the source");
	error_detail(err,
				 "It is of the system with identifier %s, and the source's is "
				 "%s.",
				 identifier, clone->history.identity.system_identifier);
	return rc;
}

const char *
clone_rows_source(const Clone *clone)
{
	return clone->config->copy_from != NULL ? clone->config->copy_from
											: clone->config->source;
}

static Rc
export_from_standby(Clone *clone, Error *err)
{
	SlotSnapshot *snapshot = &clone->snapshot;
	PGresult *result = NULL;
	Lsn least = 0;
	Rc rc = pgconn_exec(clone->source, "SELECT pg_current_wal_flush_lsn()",
						&result, err);

	if (rc != RC_OK)
		return rc;
	(void) lsn_parse(PQgetvalue(result, 0, 0), &least);
	PQclear(result);
	rc = standby_export(clone->standby, lsn_max(least, clone->start_lsn),
						snapshot->name, sizeof(snapshot->name),
						&snapshot->consistent_lsn, err);
	if (rc == RC_OK)
		log_info("clone",
				 "rows are read from the standby, as of " LSN_FORMAT
				 ", where its replay was paused for a moment; the slot starts "
				 "at " LSN_FORMAT,
				 LSN_ARGS(snapshot->consistent_lsn),
				 LSN_ARGS(clone->start_lsn));
	return rc;
}

Rc
clone_join_standby(Clone *clone, Error *err)
{
	if (clone->standby == NULL || !clone_needs_snapshot(clone))
		return RC_OK;
	return export_from_standby(clone, err);
}


/* ---- Another moment ---- */

Rc
clone_renew_catalog(Clone *clone, Error *err)
{
	CopyCatalog *kept = clone->catalog;
	Rc rc;

	clone->catalog = NULL;
	rc = clone_read_catalog(clone, false, err);
	if (rc == RC_OK)
		catalog_renew(kept, clone->catalog);
	clone->catalog = kept;
	clone->snapshot_due = true;
	return rc;
}

Rc
clone_renew_snapshot(Clone *clone, Error *err)
{
	Rc rc;

	clone->snapshot_due = false;
	if (clone->standby == NULL)
		return create_snapshot(clone, err);
	rc = pgconn_exec(clone->standby, "COMMIT", NULL, err);
	if (rc == RC_OK)
		rc = export_from_standby(clone, err);
	return rc;
}


/* ---- The end ---- */

void
clone_release_source(Clone *clone)
{
	pgconn_close(clone->replication);
	clone->replication = NULL;
	pgconn_close(clone->standby);
	clone->standby = NULL;
}
