/*
 * ends.c
 *    Compares the databases of two connections.
 */
#include "check/ends.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "catalog/publications.h"
#include "control/progress_table.h"
#include "net/sql.h"
#include "source/slot.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/*
 * The system identifier does not distinguish a server from a copy of it, which
 * may be a target of the server.  So the text has the OID of the database and
 * the time, in microseconds, when the server was started.
 */
Rc
ends_read_identity(PgConn *conn, char identity[static ENDS_IDENTITY_SIZE],
				   Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		conn,
		"SELECT d.oid::text || ' ' ||"
		" extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text"
		" FROM pg_catalog.pg_database d"
		" WHERE d.datname = pg_catalog.current_database()",
		&result, err);

	if (rc == RC_OK)
		snprintf(identity, ENDS_IDENTITY_SIZE, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
check_different(PgConn *source, PgConn *target, Error *err)
{
	char here[ENDS_IDENTITY_SIZE];
	char there[ENDS_IDENTITY_SIZE];
	Rc rc = ends_read_identity(source, here, err);

	if (rc != RC_OK)
		return rc;
	rc = ends_read_identity(target, there, err);
	if (rc != RC_OK || strcmp(here, there) != 0)
		return rc;
	rc = error_set(err, ERR_CONFIG, "%s and %s are the same database",
				   pgconn_label(source), pgconn_label(target));
	error_detail(err, "It is database \"%s\".", PQdb(pgconn_raw(source)));
	error_hint(err, "Name another database as the target.");
	return rc;
}

static MUST_CHECK Rc
refuse_swapped(PgConn *source, PgConn *target, const char *reason, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "%s and %s look swapped",
					  pgconn_label(source), pgconn_label(target));

	error_detail(err, "%s", reason);
	error_hint(err, "Give the database that is written to as the source.  If "
					"it is meant as it is, choose another --name, and "
					"publications that the source has.");
	return rc;
}

/* Reads whether a database has the pipeline's slot, and whether it has the
 * pipeline's progress. */
static MUST_CHECK Rc
read_parts(PgConn *conn, const char *pipeline, bool *has_slot,
		   bool *has_progress, Error *err)
{
	ProgressRow progress = {0};
	SlotInfo slot;
	Rc rc = slot_read(conn, pipeline, &slot, err);

	if (rc == RC_OK)
		rc = progress_table_read(conn, pipeline, &progress, err);
	*has_slot = rc == RC_OK && slot.exists && slot.is_this_database &&
				slot.is_logical;
	*has_progress = rc == RC_OK && progress.exists;
	return rc;
}

static MUST_CHECK Rc
check_direction(PgConn *source, PgConn *target, const char *pipeline,
				Error *err)
{
	bool source_slot;
	bool source_progress;
	bool target_slot = false;
	bool target_progress = false;
	Rc rc = read_parts(source, pipeline, &source_slot, &source_progress, err);

	if (rc == RC_OK)
		rc = read_parts(target, pipeline, &target_slot, &target_progress, err);
	if (rc != RC_OK || source_slot || target_progress || !source_progress ||
		!target_slot)
		return rc;
	return refuse_swapped(source, target,
						  "The pipeline of that name goes from the target to "
						  "the source.",
						  err);
}

static MUST_CHECK Rc
count_publications(PgConn *conn, const Publications *publications, int *count,
				   Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_append_string(
		&sql, "SELECT FROM pg_catalog.pg_publication WHERE pubname IN (");
	publications_append_literals(publications, &sql);
	buf_append_char(&sql, ')');
	rc = sql_run(conn, &sql, &result, err);
	*count = rc == RC_OK ? PQntuples(result) : 0;
	PQclear(result);
	return rc;
}

static MUST_CHECK Rc
check_publications(PgConn *source, PgConn *target, const char *list, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Publications publications;
	int here = 0;
	int there = 0;
	Rc rc = publications_parse(&publications, list, arena, err);

	if (rc == RC_OK)
		rc = count_publications(source, &publications, &here, err);
	if (rc == RC_OK && here == 0)
		rc = count_publications(target, &publications, &there, err);
	if (rc == RC_OK && there > 0 && there == publications.count)
		rc = refuse_swapped(source, target,
							"The publications are on the target, and not on "
							"the source.",
							err);
	arena_free(arena);
	return rc;
}

Rc
ends_check(PgConn *source, PgConn *target, const char *pipeline,
		   const char *publications, Error *err)
{
	Rc rc = check_different(source, target, err);

	if (rc == RC_OK)
		rc = check_direction(source, target, pipeline, err);
	if (rc == RC_OK && publications != NULL)
		rc = check_publications(source, target, publications, err);
	return rc;
}
