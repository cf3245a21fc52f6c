/*
 * postponed_key.c
 *    SQL on penstock.postponed_key.
 */
#include "control/copy/postponed_key.h"

#include <stdio.h>

#include "control/schema.h"

#define ARENA_BLOCK_BYTES (1 * KB)

Rc
postponed_key_write(PgConn *target, const char *pipeline,
					const PostponedKey *key, Error *err)
{
	static const char sql[] =
		"INSERT INTO penstock.postponed_key"
		" (pipeline, table_name, key_name, statement, not_before)"
		" VALUES ($1, $2, $3, $4, $5::pg_lsn)"
		" ON CONFLICT (pipeline, table_name, key_name) DO UPDATE"
		" SET statement = excluded.statement,"
		" not_before = excluded.not_before";
	char lsn[LSN_TEXT_SIZE];
	const char *params[] = {pipeline, key->table, key->name, key->statement,
							lsn};

	ASSERT(pgconn_can_be_inside(target));
	ASSERT(key->not_before != 0);
	snprintf(lsn, sizeof(lsn), LSN_FORMAT, LSN_ARGS(key->not_before));
	return pgconn_exec_params(target, sql, LENGTH_OF(params), params, NULL,
							  err);
}

static MUST_CHECK Rc
fill_keys(PostponedKeys *keys, const PGresult *result, PgConn *target,
		  Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);

	ASSERT(PQntuples(result) > 0 && keys->arena == NULL);
	keys->arena = arena;
	keys->count = PQntuples(result);
	keys->keys = arena_calloc(arena, (size_t) keys->count,
							  sizeof(PostponedKey));
	for (int i = 0; i < keys->count; i++)
	{
		PostponedKey *key = &keys->keys[i];

		key->table = arena_strdup(arena, PQgetvalue(result, i, 0));
		key->name = arena_strdup(arena, PQgetvalue(result, i, 1));
		key->statement = arena_strdup(arena, PQgetvalue(result, i, 2));
		if (!lsn_parse(PQgetvalue(result, i, 3), &key->not_before))
			return error_set(err, ERR_PROTOCOL,
							 "invalid position \"%s\" from %s",
							 PQgetvalue(result, i, 3), pgconn_label(target));
	}
	return RC_OK;
}

Rc
postponed_keys_read(PostponedKeys *keys, PgConn *target, const char *pipeline,
					Error *err)
{
	static const char sql[] =
		"SELECT table_name, key_name, statement, not_before"
		" FROM penstock.postponed_key WHERE pipeline = $1"
		" ORDER BY not_before, table_name, key_name";
	const char *params[] = {pipeline};
	PGresult *result = NULL;
	bool exists;
	Rc rc = control_has(target, "postponed_key", &exists, err);

	*keys = (PostponedKeys){0};
	if (rc != RC_OK || !exists)
		return rc;
	rc = pgconn_exec_params(target, sql, LENGTH_OF(params), params, &result,
							err);
	if (rc == RC_OK && PQntuples(result) > 0)
		rc = fill_keys(keys, result, target, err);
	PQclear(result);
	return rc;
}

void
postponed_keys_release(PostponedKeys *keys)
{
	arena_free(keys->arena);
	*keys = (PostponedKeys){0};
}

void
postponed_key_append_done(Buf *sql, const char *pipeline,
						  const PostponedKey *key)
{
	buf_append_string(sql,
					  "DELETE FROM penstock.postponed_key WHERE pipeline = ");
	buf_append_literal(sql, pipeline);
	buf_append_string(sql, " AND table_name = ");
	buf_append_literal(sql, key->table);
	buf_append_string(sql, " AND key_name = ");
	buf_append_literal(sql, key->name);
	buf_append_char(sql, ';');
}
