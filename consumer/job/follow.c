/*
 * follow.c
 *    Runs the follower, adds a table when the follower ends because the table
 *    was not copied, and runs the follower again.
 *
 * A follower ends before the first transaction with changes of a table that was
 * not copied, when all earlier transactions are on the targets.  We add the
 * table then, while no follower is running.  The watermark of its copy is after
 * that transaction, and the next follower leaves out the table's changes up to
 * the watermark.
 */
#include "job/follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/service.h"
#include "base/xalloc.h"
#include "control/copy/table_state.h"
#include "job/table/table.h"
#include "net/sql.h"
#include "pipeline/beside/reach.h"
#include "pipeline/follow.h"
#include "pipeline/remember.h"

#define ARENA_BLOCK_BYTES (4 * KB)

/* Whether the pipeline copies every table that its publications publish, also
 * those that are added later. */
static bool
takes_all(const Config *config)
{
	return config_schema_policy(config) == SCHEMA_FOLLOW &&
		   selection_is_all(&config->selection) && config->placement == NULL &&
		   config->source_count <= 1;
}

/* Completes the error of a follower that has failed because of a table which is
 * not published any more. */
static void
refuse_unpublished(Error *err)
{
	error_detail(err, "It was published when that transaction committed, and "
					  "is not any more.");
}

/* Adds a table to the pipeline, for which a follower has failed with *err.
 * Returns RC_END, with *err unchanged, if the pipeline does not add tables. */
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
		rc = table_run(&recalled, config, TABLE_VERB_ADD_PUBLISHED, &table, 1,
					   &failure);
	}
	if (rc == RC_FAIL && failure.code == ERR_CHANGED)
		refuse_unpublished(err);
	else if (rc == RC_FAIL)
		error_take(err, &failure);
	if (rc == RC_OK)
		error_reset(err);
	error_reset(&failure);
	arena_free(arena);
	return rc;
}

/* ---- Tables whose copy was interrupted ---- */

/*
 * Whether a command has begun to add the table in this row of the list, and has
 * not finished: then the row names the slot of the table.  A table whose name
 * has changed while it was left out is in state "copying", too, but nobody has
 * begun to copy it; its row has no slot, or the watermark of an older copy.
 */
static bool
is_under_way(const PGresult *tables, int row)
{
	const char *state = PQgetvalue(tables, row, TABLE_LIST_STATE);
	Lsn watermark = 0;

	if (PQgetisnull(tables, row, TABLE_LIST_SLOT))
		return false;
	(void) lsn_parse(PQgetvalue(tables, row, TABLE_LIST_WATERMARK), &watermark);
	return (strcmp(state, table_state_name(TABLE_COPYING)) == 0 &&
			watermark == 0) ||
		   strcmp(state, table_state_name(TABLE_CATCHING_UP)) == 0 ||
		   strcmp(state, table_state_name(TABLE_JOINING)) == 0 ||
		   strcmp(state, table_state_name(TABLE_READY)) == 0;
}

/* Finishes adding a table.  Errors are logged and ignored, because another
 * command may be adding the table; otherwise the next start tries again. */
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
	rc = table_run(recalled, config, TABLE_VERB_ADD_PUBLISHED, &name, 1, err);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		error_context(err, "finishing the copy of table %s, which is left out",
					  name);
		log_error(LOG_WARNING, "follow.table-failed", err);
		error_reset(err);
		rc = RC_OK;
	}
	buf_release(&text);
	return rc;
}

static MUST_CHECK Rc
list_tables(const Config *recalled, int number, PGresult **tables, Error *err)
{
	PgConn *target = NULL;
	Rc rc = reach_target_soon(recalled, number, &target, err);

	if (rc == RC_OK)
		rc = table_states_list(target, recalled->name, tables, err);
	pgconn_close(target);
	return rc;
}

/* Finishes adding the tables that were not finished on one target; that
 * finishes them on all.  An error of the query is ignored: the follower will
 * meet and report it, too. */
static MUST_CHECK Rc
finish_of_target(const Config *recalled, const Config *config, int number,
				 Error *err)
{
	PGresult *tables = NULL;
	Rc rc = list_tables(recalled, number, &tables, err);

	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		error_reset(err);
		rc = RC_OK;
	}
	for (int i = 0; rc == RC_OK && tables != NULL && i < PQntuples(tables); i++)
		if (is_under_way(tables, i))
			rc = finish_table(recalled, config, tables, i, err);
	PQclear(tables);
	return rc;
}

/* Finishes adding all tables that were not finished. */
static MUST_CHECK Rc
finish_begun(const Config *config, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config recalled;
	Rc rc = remember_recall(&recalled, config, arena, err);

	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
	{
		error_reset(err);
		arena_free(arena);
		return RC_OK;
	}
	if (rc == RC_OK && takes_all(&recalled))
		for (int i = 0; i < recalled.target_count && rc == RC_OK; i++)
			rc = finish_of_target(&recalled, config, i, err);
	arena_free(arena);
	return rc;
}

/* A stop that was requested is the regular end of a follower without endpos,
 * also while tables are added. */
static MUST_CHECK Rc
accept_end(Error *err)
{
	log_info("follow", "stopped on request");
	error_reset(err);
	return RC_OK;
}

Rc
follow_with_tables(const Config *config, Error *err)
{
	char *added = NULL;
	bool from_log = config_source_log(config) != NULL;
	Rc rc;

	/* A table that is copied before or in between takes its time. */
	service_expect_pings(false);
	rc = config->set || from_log ? RC_OK : finish_begun(config, err);

	if (rc == RC_OK)
		rc = follow(config, err);

	/* If the follower ends because of the same table again, adding it a second
	 * time would not help. */
	while (rc == RC_FAIL && err->table != NULL && !from_log &&
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
	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED && config->endpos == 0)
		rc = accept_end(err);
	return rc;
}
