/*
 * follower_table.c
 *    SQL on penstock.follower.
 */
#include "control/follower_table.h"

#include <stdlib.h>
#include <string.h>

#include "control/schema.h"

static const char *const names[] = {
	[FOLLOWER_FOLLOWING] = "following",
	[FOLLOWER_RETRYING] = "retrying",
	[FOLLOWER_HELD] = "held",
	[FOLLOWER_STOPPED] = "stopped",
};

const char *
follower_state_name(FollowerState state)
{
	ASSERT((size_t) state < LENGTH_OF(names));
	return names[state];
}

/* Returns false for a state that only a newer version knows. */
static bool
parse_state(const char *name, FollowerState *state)
{
	for (size_t i = 0; i < LENGTH_OF(names); i++)
	{
		if (strcmp(names[i], name) != 0)
			continue;
		*state = (FollowerState) i;
		return true;
	}
	return false;
}

/*
 * The condition on progress keeps a pipeline that was dropped meanwhile from
 * getting a row again.
 */
Rc
follower_table_write(PgConn *target, const char *pipeline, FollowerState state,
					 const char *message, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.follower (pipeline, state, message, said_at)"
		" SELECT p.pipeline, $2, $3, pg_catalog.clock_timestamp()"
		" FROM penstock.progress p WHERE p.pipeline = $1"
		" ON CONFLICT (pipeline) DO UPDATE SET state = excluded.state,"
		" message = excluded.message, said_at = excluded.said_at";
	const char *params[] = {pipeline, names[state], message};
	bool exists;
	Rc rc = control_has(target, "follower", &exists, err);

	ASSERT((size_t) state < LENGTH_OF(names));
	if (rc == RC_OK && exists)
		rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
								err);
	return rc;
}

Rc
follower_table_read(PgConn *target, const char *pipeline, Arena *arena,
					FollowerRow *row, Error *err)
{
	static const char sql[] =
		"SELECT state, message, said_at::timestamptz(0), extract(epoch FROM"
		" pg_catalog.clock_timestamp() - said_at)"
		" FROM penstock.follower WHERE pipeline = $1";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "follower", &exists, err);

	*row = (FollowerRow){0};
	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							err);
	if (rc == RC_OK && PQntuples(result) == 1 &&
		parse_state(PQgetvalue(result, 0, 0), &row->state))
	{
		row->exists = true;
		if (!PQgetisnull(result, 0, 1))
			row->message = arena_strdup(arena, PQgetvalue(result, 0, 1));
		row->said_at = arena_strdup(arena, PQgetvalue(result, 0, 2));
		row->age_s = strtod(PQgetvalue(result, 0, 3), NULL);
	}
	PQclear(result);
	return rc;
}
