/*
 * follow.c
 *    See follow.h.
 *
 * A follower ends before the first transaction that changes a table which it
 * has no copy of, and everything before that is on the targets.  So the table
 * is added then, while nobody follows: its copy is of a later position, and the
 * next follower leaves out what comes before that.
 */
#include "job/follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "control/table_state.h"
#include "job/table/table.h"
#include "net/sql.h"
#include "pipeline/follow.h"
#include "pipeline/reach.h"
#include "pipeline/remember.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/* Whether it is for the pipeline to have all that is published. */
static bool
takes_all(const Config *config)
{
	return config_schema_policy(config) == SCHEMA_FOLLOW &&
		   selection_is_all(&config->selection) && config->placement == NULL &&
		   config->source_count <= 1;
}

/* RC_END: it is not to be added, and *err stays as it is. */
static MUST_CHECK Rc
add(const Config *config, char *table, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config recalled;
	Error failure = {0};
	Rc rc = remember_recall(&recalled, config, arena, &failure);

	if (rc == RC_OK && !takes_all(&recalled))
		rc = RC_END;
	if (rc == RC_OK)
	{
		log_info("follow", "%s: it is copied now, and joins the others",
				 err->message);
		error_reset(err);
		rc = table_run(&recalled, config, TABLE_VERB_ADD, &table, 1, &failure);
	}
	if (rc == RC_FAIL)
		error_take(err, &failure);
	error_reset(&failure);
	arena_free(arena);
	return rc;
}

/* ---- What was begun ---- */

/* Whether somebody has begun to copy it, and it follows when that is done. */
static bool
is_under_way(const PGresult *tables, int row)
{
	const char *state = PQgetvalue(tables, row, TABLE_LIST_STATE);

	return strcmp(state, table_state_name(TABLE_COPYING)) == 0 ||
		   strcmp(state, table_state_name(TABLE_CATCHING_UP)) == 0 ||
		   strcmp(state, table_state_name(TABLE_JOINING)) == 0;
}

/* Another command may be at it: what does not work now is left to that, or to
 * the next start. */
static MUST_CHECK Rc
finish_table(const Config *recalled, const Config *config,
			 const PGresult *tables, int row, Error *err)
{
	char *name;
	Buf text;
	Rc rc;

	buf_init(&text, BUF_TEXT_MAX);
	sql_append_qualified(&text, PQgetvalue(tables, row, TABLE_LIST_SCHEMA),
						 PQgetvalue(tables, row, TABLE_LIST_NAME));
	name = text.data;
	log_info("follow", "table %s was being copied: that is finished first",
			 name);
	rc = table_run(recalled, config, TABLE_VERB_ADD, &name, 1, err);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		error_context(err, "finishing the copy of table %s, which is left out",
					  name);
		log_error(LOG_WARNING, "follow", err);
		error_reset(err);
		rc = RC_OK;
	}
	buf_release(&text);
	return rc;
}

static MUST_CHECK Rc
list_tables(const Config *recalled, PGresult **tables, Error *err)
{
	PgConn *target = NULL;
	Rc rc = reach_target_soon(recalled, 0, &target, err);

	if (rc == RC_OK)
		rc = table_states_list(target, recalled->name, tables, err);
	pgconn_close(target);
	return rc;
}

/* What cannot be asked now is for the follower to find out. */
static MUST_CHECK Rc
finish_begun(const Config *config, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	PGresult *tables = NULL;
	Config recalled;
	Rc rc = remember_recall(&recalled, config, arena, err);

	if (rc == RC_OK && takes_all(&recalled))
		rc = list_tables(&recalled, &tables, err);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		error_reset(err);
		rc = RC_OK;
	}
	for (int i = 0; rc == RC_OK && tables != NULL && i < PQntuples(tables); i++)
		if (is_under_way(tables, i))
			rc = finish_table(&recalled, config, tables, i, err);
	PQclear(tables);
	arena_free(arena);
	return rc;
}

Rc
follow_with_tables(const Config *config, Error *err)
{
	char *added = NULL;
	Rc rc = config->set ? RC_OK : finish_begun(config, err);

	if (rc == RC_OK)
		rc = follow(config, err);

	/* One that is refused again after it was added stays refused. */
	while (rc == RC_FAIL && err->table != NULL &&
		   (added == NULL || strcmp(added, err->table) != 0))
	{
		free(added);
		added = xstrdup(err->table);
		rc = add(config, added, err);
		if (rc == RC_OK)
			rc = follow(config, err);
		else if (rc == RC_END)
			rc = RC_FAIL;
		else
			break;
	}
	free(added);
	return rc;
}
