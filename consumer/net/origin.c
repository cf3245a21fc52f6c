/*
 * origin.c
 *    Replication origins, by the server's SQL functions.
 */
#include "net/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"

/*
 * The name of a pipeline's origin 0 is ORIGIN_PREFIX, the pipeline's name, '@'
 * and the OID of the database.  A further origin has a slash and its number
 * before the '@'; no pipeline's name has a slash in it.  The OID is needed
 * because all databases of a server share its origins, and several nodes of a
 * pipeline may be databases of one server.
 */
#define DATABASE_SQL                                                           \
	"(SELECT '@' || oid FROM pg_catalog.pg_database"                           \
	" WHERE datname = current_database())"
#define NAME_SQL "$1 || " DATABASE_SQL

/*
 * Condition on pg_replication_origin: the row is a further origin of the
 * pipeline. $1 is the name of origin 0 without '@' and OID.
 */
#define IS_FURTHER_SQL                                                         \
	"roname LIKE replace($1, '_', '\\_') || '/%' || " DATABASE_SQL

/* Highest number of a further origin. */
#define FURTHER_MAX 128

/*
 * A session that uses a further origin also holds an advisory lock whose keys
 * are the pipeline and the number of that origin; $1 is the name of origin 0
 * without '@' and OID.  With these locks we find an unused origin without an
 * attempt to use each one: the server has no function that lists the origins in
 * use by other sessions, and it logs an error for each attempt to use one of
 * those.
 */
#define NUMBER_LOCK_SQL(kind, number)                                          \
	"pg_catalog.pg_try_advisory_" kind "lock(pg_catalog.hashtext($1), " number \
	")"
#define NUMBER_OF_NAME_SQL "split_part(split_part(roname, '/', 2), '@', 1)::int"

/* object_in_use */
#define IN_USE_SQLSTATE "55006"

/*
 * undefined_object: another session has dropped the origin since we created it
 */
#define GONE_SQLSTATE "42704"

/* unique_violation: another session has just created the same origin */
#define CREATED_SQLSTATE "23505"

/*
 * Whether the server refused the origin for a reason that we tolerate: changes
 * are then applied without a mark.
 */
static bool
is_no_origin_here(const Error *err)
{
	static const char *const sqlstates[] = {
		"42501", /* insufficient_privilege */
		"55000", /* object_not_in_prerequisite_state: max_replication_slots =
				  * 0 */
		"53400", /* configuration_limit_exceeded: all places for origins in use
				  * are taken */
	};

	for (size_t i = 0; i < LENGTH_OF(sqlstates); i++)
		if (strcmp(err->sqlstate, sqlstates[i]) == 0)
			return true;
	return false;
}

static MUST_CHECK Rc
call(PgConn *target, const char *sql, const char *pipeline, int number,
	 PGresult **result, Error *err)
{
	char *name = number == 0
					 ? xasprintf("%s%s", ORIGIN_PREFIX, pipeline)
					 : xasprintf("%s%s/%d", ORIGIN_PREFIX, pipeline, number);
	const char *params[] = {name};
	Rc rc = pgconn_exec_params(target, sql, 1, params, result, err);

	free(name);
	return rc;
}

/*
 * Resets the session's origin.  A connection pooler hands out server sessions
 * that were used before, with the origin that was set then: not even DISCARD
 * ALL resets it.
 */
static MUST_CHECK Rc
reset_session(PgConn *target, Error *err)
{
	return pgconn_exec(
		target,
		"SELECT pg_catalog.pg_replication_origin_session_reset()"
		" WHERE pg_catalog.pg_replication_origin_session_is_setup()",
		NULL, err);
}

/* Creates the origin unless it exists. */
static MUST_CHECK Rc
create(PgConn *target, const char *pipeline, int number, Error *err)
{
	Rc rc = call(target,
				 "SELECT pg_catalog.pg_replication_origin_create(" NAME_SQL
				 ") WHERE pg_catalog.pg_replication_origin_oid(" NAME_SQL
				 ") IS NULL",
				 pipeline, number, NULL, err);

	if (rc != RC_FAIL || strcmp(err->sqlstate, CREATED_SQLSTATE) != 0)
		return rc;
	error_reset(err);
	return RC_OK;
}

Rc
origin_set_up(PgConn *target, const char *pipeline, int number, bool *marked,
			  Error *err)
{
	Rc rc = reset_session(target, err);

	if (rc == RC_OK)
		rc = create(target, pipeline, number, err);
	if (rc == RC_OK)
		rc = call(
			target,
			"SELECT pg_catalog.pg_replication_origin_session_setup(" NAME_SQL
			"), pg_catalog.set_config('" ORIGIN_NAME_SETTING "', $1, false)",
			pipeline, number, NULL, err);
	*marked = rc == RC_OK;
	if (rc == RC_FAIL && is_no_origin_here(err))
	{
		if (number == 0)
			log_info(
				"apply",
				"changes have no replication origin: a pipeline from there "
				"cannot tell ours from local ones: %s",
				err->message);
		error_reset(err);
		return RC_OK;
	}
	return rc;
}

/*
 * Takes the advisory lock on the first number above *number whose lock is free,
 * and sets *number to it.  If all numbers are locked, *number is FURTHER_MAX +
 * 1.
 */
static MUST_CHECK Rc
take_number(PgConn *target, const char *pipeline, int *number, Error *err)
{
	char *sql = xasprintf("SELECT n FROM generate_series(%d, %d) n"
						  " WHERE " NUMBER_LOCK_SQL("", "n") " LIMIT 1",
						  *number + 1, FURTHER_MAX);
	PGresult *result = NULL;
	Rc rc = call(target, sql, pipeline, 0, &result, err);

	*number = FURTHER_MAX + 1;
	if (rc == RC_OK && PQntuples(result) > 0)
		*number = (int) strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	free(sql);
	return rc;
}

/*
 * An origin can be in use although the lock on its number is free: an older
 * version of this program takes no lock, and a session that is ending may have
 * released its lock first.  Then we try the next number.
 */
Rc
origin_set_up_free(PgConn *target, const char *pipeline, bool *marked,
				   Error *err)
{
	int number = 0;

	for (;;)
	{
		Rc rc = take_number(target, pipeline, &number, err);

		if (rc == RC_OK)
			rc = origin_set_up(target, pipeline, number, marked, err);
		if (rc != RC_FAIL || number > FURTHER_MAX ||
			(strcmp(err->sqlstate, IN_USE_SQLSTATE) != 0 &&
			 strcmp(err->sqlstate, GONE_SQLSTATE) != 0))
			return rc;
		error_reset(err);
	}
}

/*
 * Drops the further origin `number` unless a session holds the lock on its
 * number.  It is no failure if the origin is in use without the lock, or if
 * another session has dropped it.
 */
static MUST_CHECK Rc
drop_free(PgConn *target, const char *pipeline, const char *number, Error *err)
{
	char *sql = xasprintf(
		"SELECT pg_catalog.pg_replication_origin_drop(roname) FROM"
		" (SELECT $1 || '/%s' || " DATABASE_SQL " AS roname"
		"  WHERE " NUMBER_LOCK_SQL("xact_", "%s") " OFFSET 0) o",
		number, number);
	Rc rc = call(target, sql, pipeline, 0, NULL, err);

	free(sql);

	if (rc != RC_FAIL ||
		(strcmp(err->sqlstate, IN_USE_SQLSTATE) != 0 &&
		 strcmp(err->sqlstate, GONE_SQLSTATE) != 0 && !is_no_origin_here(err)))
		return rc;
	error_reset(err);
	return RC_OK;
}

Rc
origin_drop_free(PgConn *target, const char *pipeline, Error *err)
{
	PGresult *result = NULL;
	Rc rc = call(target,
				 "SELECT " NUMBER_OF_NAME_SQL
				 " FROM pg_catalog.pg_replication_origin"
				 " WHERE " IS_FURTHER_SQL,
				 pipeline, 0, &result, err);

	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
		rc = drop_free(target, pipeline, PQgetvalue(result, i, 0), err);
	PQclear(result);
	return rc;
}

Rc
origin_drop(PgConn *target, const char *pipeline, bool *removed, Error *err)
{
	PGresult *result = NULL;
	Rc rc = call(target,
				 "SELECT pg_catalog.pg_replication_origin_drop(roname)"
				 " FROM pg_catalog.pg_replication_origin"
				 " WHERE roname = " NAME_SQL " OR " IS_FURTHER_SQL,
				 pipeline, 0, &result, err);

	*removed = rc == RC_OK && PQntuples(result) > 0;
	PQclear(result);
	if (rc == RC_FAIL && is_no_origin_here(err))
	{
		error_reset(err);
		return RC_OK;
	}
	return rc;
}
