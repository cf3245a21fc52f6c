/*
 * large_objects.c
 *    Copies large objects with the SQL functions lo_get(), lo_from_bytea() and
 *    lo_put().
 *
 * A cursor returns several large objects at a time, each with its first chunk.
 * Chunks are passed from the source to the target as they arrive, which is in
 * the text format of bytea.
 */
#include "copy/rows/large_objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "control/copy/large_object_table.h"
#include "copy/session.h"
#include "large_object/pass.h"
#include "large_object/statements.h"
#include "net/sql.h"

/* Number of large objects that one FETCH returns. */
#define OBJECTS_BATCH "16"

/* Number of hexadecimal digits of a byte, and of the characters ("\x") before
 * the first of them. */
#define TEXT_BYTES_PER_BYTE 2
#define TEXT_BYTES_BEFORE   2

/* Columns of the cursor "objects". */
enum
{
	OBJECTS_OID,
	OBJECTS_CHUNK,
	OBJECTS_OWNER,
	OBJECTS_PRIVILEGES,
	OBJECTS_COMMENT,
};

static Rc
declare_cursor(PgConn *source, Error *err)
{
	Buf sql;

	buf_init(&sql, BUF_TEXT_MAX);
	buf_printf(&sql,
			   "DECLARE objects NO SCROLL CURSOR FOR"
			   " SELECT m.oid, lo_get(m.oid, 0, %d), ",
			   (int) LARGE_OBJECT_CHUNK_BYTES);
	buf_append_string(&sql, LARGE_OBJECT_STATEMENTS_SQL
					  " FROM pg_largeobject_metadata m ORDER BY m.oid");
	return sql_run(source, &sql, NULL, err);
}

/* Returns the number of bytes of a chunk, from the length of its text. */
static int64_t
chunk_bytes(const PGresult *result, int row, int column)
{
	return (PQgetlength(result, row, column) - TEXT_BYTES_BEFORE) /
		   TEXT_BYTES_PER_BYTE;
}

/* Creates a large object with its first chunk.  *created is set to false if the
 * target already has a large object with this OID. */
static Rc
create(PgConn *target, const PGresult *objects, int row, bool *created,
	   Error *err)
{
	const char *params[] = {
		PQgetvalue(objects, row, OBJECTS_OID),
		PQgetvalue(objects, row, OBJECTS_CHUNK),
	};
	PGresult *result = NULL;
	Rc rc = pgconn_exec_params(
		target,
		"SELECT lo_from_bytea($1::oid, $2::bytea) WHERE NOT EXISTS"
		" (SELECT FROM pg_largeobject_metadata WHERE oid = $1::oid)",
		2, params, &result, err);

	ASSERT(rc != RC_OK || pgconn_can_be_inside(target));
	*created = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	return rc;
}

/* Copies the bytes of a large object that follow its first chunk. */
static Rc
copy_rest(PgConn *source, PgConn *target, const char *oid, Error *err)
{
	int64_t position = LARGE_OBJECT_CHUNK_BYTES;
	int64_t bytes = LARGE_OBJECT_CHUNK_BYTES;
	Rc rc = RC_OK;

	while (rc == RC_OK && bytes == LARGE_OBJECT_CHUNK_BYTES)
	{
		char position_text[24];
		char length_text[24];
		const char *params[] = {oid, position_text, length_text};
		PGresult *chunk = NULL;

		snprintf(position_text, sizeof(position_text), "%" PRId64, position);
		snprintf(length_text, sizeof(length_text), "%d",
				 (int) LARGE_OBJECT_CHUNK_BYTES);
		rc = pgconn_exec_params(source,
								"SELECT lo_get($1::oid, $2::bigint, $3::int)",
								3, params, &chunk, err);
		if (rc != RC_OK)
			return rc;
		bytes = chunk_bytes(chunk, 0, 0);
		ASSERT(bytes >= 0 && bytes <= (int64_t) LARGE_OBJECT_CHUNK_BYTES);
		params[2] = PQgetvalue(chunk, 0, 0);
		if (bytes > 0)
			rc = pgconn_exec_params(
				target, "SELECT lo_put($1::oid, $2::bigint, $3::bytea)", 3,
				params, NULL, err);
		PQclear(chunk);
		position += bytes;
	}
	return rc;
}

/* Sets owner, privileges and comment of a large object on the target, as far as
 * the options ask for them, and commits. */
static Rc
describe(const LargeObjectsOptions *options, PgConn *target,
		 const PGresult *objects, int row, Error *err)
{
	Buf sql;

	ASSERT(pgconn_can_be_inside(target));
	buf_init(&sql, BUF_TEXT_MAX);
	if (!options->no_owner)
		buf_append_string(&sql, PQgetvalue(objects, row, OBJECTS_OWNER));
	if (!options->no_privileges)
		buf_append_string(&sql, PQgetvalue(objects, row, OBJECTS_PRIVILEGES));
	buf_append_string(&sql, PQgetvalue(objects, row, OBJECTS_COMMENT));
	buf_append_string(&sql, "COMMIT");
	return sql_run(target, &sql, NULL, err);
}

static Rc
copy_object(const LargeObjectsOptions *options, PgConn *source, PgConn *target,
			const PGresult *objects, int row, int64_t *copied, Error *err)
{
	const char *oid = PQgetvalue(objects, row, OBJECTS_OID);
	bool created = false;
	Rc rc = pgconn_exec(target, "BEGIN", NULL, err);

	if (rc == RC_OK)
		rc = create(target, objects, row, &created, err);
	if (rc == RC_OK && !created)
		return pgconn_exec(target, "ROLLBACK", NULL, err);
	if (rc == RC_OK &&
		chunk_bytes(objects, row, OBJECTS_CHUNK) == LARGE_OBJECT_CHUNK_BYTES)
		rc = copy_rest(source, target, oid, err);
	if (rc == RC_OK && options->pipeline != NULL)
		rc = large_object_table_note(target, options->pipeline, oid, err);
	if (rc == RC_OK)
		rc = describe(options, target, objects, row, err);
	FAULT("clone.large_object");
	if (rc == RC_OK)
		(*copied)++;
	else
		error_context(err, "copying large object %s to %s", oid,
					  pgconn_label(target));
	return rc;
}

static Rc
copy_all(const LargeObjectsOptions *options, PgConn *source, PgConn *target,
		 int64_t *copied, Error *err)
{
	Rc rc = declare_cursor(source, err);
	int count = 1;

	while (rc == RC_OK && count > 0)
	{
		PGresult *objects = NULL;

		rc = pgconn_exec(source, "FETCH " OBJECTS_BATCH " FROM objects",
						 &objects, err);
		if (rc != RC_OK)
			return rc;
		count = PQntuples(objects);
		for (int i = 0; i < count && rc == RC_OK; i++)
			rc = copy_object(options, source, target, objects, i, copied, err);
		PQclear(objects);
	}
	return rc;
}

/* Records the snapshot of the copy on the target: the follower's first pass
 * (see large_object/pass.h) copies the large objects that were changed after
 * it. */
static Rc
note_snapshot(const LargeObjectsOptions *options, PgConn *source,
			  PgConn *target, Error *err)
{
	LargeObjectPoint point;
	Rc rc = large_objects_read_point(source, &point, err);

	ASSERT(options->pipeline != NULL);
	return rc == RC_OK ? large_object_table_begin_copy(
							 target, options->pipeline, &point, err)
					   : rc;
}

Rc
large_objects_copy(const LargeObjectsOptions *options, PgConn *target,
				   int64_t *copied, Error *err)
{
	PgConn *source = NULL;
	Rc rc = session_open_source(&source, options->source, options->snapshot,
								err);

	ASSERT(options->snapshot != NULL);
	*copied = 0;
	if (rc == RC_OK && options->pipeline != NULL)
		rc = note_snapshot(options, source, target, err);
	if (rc == RC_OK)
		rc = copy_all(options, source, target, copied, err);
	pgconn_close(source);
	return rc;
}

Rc
large_objects_check_missing(PgConn *target, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(target, "SELECT count(*) FROM pg_largeobject_metadata",
						&result, err);

	if (rc == RC_OK && strcmp(PQgetvalue(result, 0, 0), "0") != 0)
	{
		rc = error_set(err, ERR_CONFIG, "%s already has large objects",
					   pgconn_label(target));
		error_detail(err, "There are %s.", PQgetvalue(result, 0, 0));
		error_hint(err, "Remove them with lo_unlink(), or clone into an empty "
						"database; --data-only copies no large objects.");
	}
	PQclear(result);
	return rc;
}

/* Query of the large objects that the role has no privilege to read: the check
 * of the server, for which it has no SQL function before PostgreSQL 18. */
static const char unreadable_sql[] =
	"SELECT count(*), min(m.oid), quote_ident(current_user)"
	" FROM pg_largeobject_metadata m"
	" WHERE current_setting('lo_compat_privileges') = 'off'"
	" AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
	" AND NOT pg_has_role(m.lomowner, 'USAGE')"
	" AND NOT EXISTS (SELECT FROM aclexplode(m.lomacl) a"
	"  WHERE a.privilege_type = 'SELECT'"
	"  AND CASE a.grantee WHEN 0 THEN true"
	"   ELSE pg_has_role(a.grantee, 'USAGE') END)";

Rc
large_objects_check_readable(PgConn *source, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source, unreadable_sql, &result, err);

	if (rc == RC_OK && strcmp(PQgetvalue(result, 0, 0), "0") != 0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "user \"%s\" may not read all large objects on %s",
					   PQuser(pgconn_raw(source)), pgconn_label(source));
		error_detail(err, "There are %s that it may not, such as %s.",
					 PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
		error_hint(err,
				   "Run there, as their owner, for each: GRANT SELECT ON LARGE "
				   "OBJECT %s TO %s;",
				   PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2));
	}
	PQclear(result);
	return rc;
}

Rc
large_objects_count(PgConn *source, int64_t *count, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source, "SELECT count(*) FROM pg_largeobject_metadata",
						&result, err);

	*count = 0;
	if (rc == RC_OK)
		*count = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return rc;
}

Rc
large_objects_drop(PgConn *source, PgConn *target, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source,
						"SELECT array_agg(oid) FROM pg_largeobject_metadata",
						&result, err);

	if (rc == RC_OK)
	{
		const char *params[] = {PQgetvalue(result, 0, 0)};

		if (!PQgetisnull(result, 0, 0))
			rc = pgconn_exec_params(target,
									"SELECT lo_unlink(oid)"
									" FROM pg_largeobject_metadata"
									" WHERE oid = ANY ($1::oid[])",
									1, params, NULL, err);
	}
	PQclear(result);
	return rc;
}
