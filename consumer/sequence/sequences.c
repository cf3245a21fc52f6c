/*
 * sequences.c
 *    Reads the source's sequences, and sets the target's.
 */
#include "sequence/sequences.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "sequence/list.h"
#include "sequence/set.h"

/*
 * Attempts to set a sequence from which a session of the target draws values.
 */
#define TRIES_MAX 5

static MUST_CHECK Rc
find_and_read(SequenceList *list, const CopyCatalog *catalog, PgConn *source,
			  Error *err)
{
	bool complete;
	Rc rc = sequence_list_find(list, catalog, source, false, err);

	return rc == RC_OK ? sequence_list_read(list, source, &complete, err) : rc;
}


static MUST_CHECK Rc
refuse(const PgConn *conn, const SequenceItem *item, const char *problem,
	   Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG, "sequence %s on %s: %s", item->qualified,
					  pgconn_label(conn), problem);

	if (item->hint != NULL)
		error_hint(err, "%s", item->hint);
	return rc;
}

static void
warn(const PgConn *conn, const SequenceItem *item)
{
	Error problem = {0};

	if (refuse(conn, item, item->problem, &problem) == RC_FAIL)
		log_error(LOG_WARNING, "copy.sequence-not-set", &problem);
	error_reset(&problem);
}

/*
 * Logs the problems of the target's sequences.  With `missing`, also logs the
 * sequences that do not exist on the target.
 */
static void
warn_of_target(const SequenceSetting *setting, const PgConn *target,
			   bool missing)
{
	for (int i = 0; i < setting->target.count; i++)
	{
		const SequenceItem *item = &setting->target.items[i];

		if (item->problem != NULL)
			warn(target, item);
		else if (item->remark != NULL)
			log_info("copy", "sequence %s on %s: %s", item->qualified,
					 pgconn_label(target), item->remark);
		else if (item->oid == 0 && missing)
			log_warning("copy.sequence-missing", "sequence %s is not on %s",
						item->qualified, pgconn_label(target));
	}
}

/* Fails if a sequence that exists could not be set. */
static MUST_CHECK Rc
require_set(const SequenceSetting *setting, const PgConn *target, Error *err)
{
	for (int i = 0; i < setting->target.count; i++)
	{
		const SequenceItem *item = &setting->target.items[i];

		if (item->problem != NULL)
			return refuse(target, item, item->problem, err);
		if (setting->goals[i].is_due)
			return refuse(target, item,
						  "it was not set, because sessions draw values from "
						  "it all the time",
						  err);
	}
	return RC_OK;
}

/*
 * Sets the sequences, and tries again those from which a session drew a value
 * meanwhile.
 */
static MUST_CHECK Rc
set(SequenceSetting *setting, PgConn *target, bool warn_missing, int *count,
	Error *err)
{
	Rc rc = RC_OK;

	setting->in_use = true;
	for (int try = 0; rc == RC_OK && setting->in_use && try < TRIES_MAX; try++)
	{
		sequence_list_release(&setting->target);
		rc = sequence_set(setting, target, err);
		*count += setting->set;
	}
	if (rc == RC_OK && setting->mode == SEQUENCES_AHEAD)
		rc = require_set(setting, target, err);
	if (rc == RC_OK)
		warn_of_target(setting, target, warn_missing);
	sequence_list_release(&setting->target);
	return rc;
}

/* Reads the number of the source's sessions, which may keep values. */
static MUST_CHECK Rc
count_sessions(PgConn *source, int *count, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(source,
						"SELECT count(*) FROM pg_catalog.pg_stat_activity"
						" WHERE datname = current_database()",
						&result, err);

	if (rc == RC_OK)
		*count = (int) strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return rc;
}

/* Warns of the source's sequences that have no value, or fails if each must be
 * set. */
static MUST_CHECK Rc
say_problems(const SequenceList *list, SequenceMode mode, const PgConn *source,
			 Error *err)
{
	for (int i = 0; i < list->count; i++)
	{
		const SequenceItem *item = &list->items[i];

		if (item->has_value || item->problem == NULL)
			continue;
		if (mode == SEQUENCES_AHEAD)
			return refuse(source, item, item->problem, err);
		warn(source, item);
	}
	return RC_OK;
}

/* `sessions`: number of the source's sessions, for the margin; 0: no margin. */
static MUST_CHECK Rc
set_all(SequenceList *list, SequenceSetting *setting, int sessions,
		PgConn *source, PgConn *target, bool warn_missing, int *count,
		Error *err)
{
	SequenceGoal *goals = xcalloc((size_t) list->count + 1, sizeof(*goals));
	Rc rc = say_problems(list, setting->mode, source, err);

	for (int i = 0; i < list->count; i++)
		if (list->items[i].has_value)
			goals[setting->count++] = (SequenceGoal){
				.source = &list->items[i],
				.margin = sessions > 0
							  ? sequence_margin(&list->items[i].definition,
												sessions, 0)
							  : 0};
	setting->goals = goals;
	if (rc == RC_OK)
		rc = set(setting, target, warn_missing, count, err);
	free(goals);
	return rc;
}

static MUST_CHECK Rc
run(const CopyCatalog *catalog, SequenceSetting *setting, PgConn *source,
	PgConn *target, bool warn_missing, int *count, Error *err)
{
	SequenceList list = {0};
	int sessions = 0;
	Rc rc = RC_OK;

	*count = 0;
	if (setting->mode == SEQUENCES_AHEAD)
		rc = count_sessions(source, &sessions, err);
	if (rc == RC_OK)
		rc = find_and_read(&list, catalog, source, err);
	if (rc == RC_OK)
		rc = set_all(&list, setting, sessions, source, target, warn_missing,
					 count, err);
	sequence_list_release(&list);
	if (rc != RC_OK)
		error_context(err, "copying sequences to %s", pgconn_label(target));
	return rc;
}

Rc
sequences_copy(const CopyCatalog *catalog, PgConn *source, PgConn *target,
			   int *copied, Error *err)
{
	SequenceSetting setting = {.mode = SEQUENCES_SAME};

	return run(catalog, &setting, source, target, catalog->selected.all, copied,
			   err);
}

Rc
sequences_advance(const CopyCatalog *catalog, const SequenceStride *stride,
				  PgConn *source, PgConn *target, bool warn_missing,
				  int *advanced, Error *err)
{
	SequenceSetting setting = {.mode = SEQUENCES_ADVANCE};

	if (stride != NULL)
		setting.stride = *stride;
	return run(catalog, &setting, source, target, warn_missing, advanced, err);
}

Rc
sequences_advance_beyond(const CopyCatalog *catalog,
						 const SequenceStride *stride, PgConn *source,
						 PgConn *target, int *advanced, Error *err)
{
	SequenceSetting setting = {.mode = SEQUENCES_AHEAD, .stride = *stride};

	return run(catalog, &setting, source, target, true, advanced, err);
}

Rc
sequences_check_readable(const CopyCatalog *catalog, PgConn *source, Error *err)
{
	const char *user = PQuser(pgconn_raw(source));
	const SequenceItem *first = NULL;
	SequenceList list = {0};
	int count = 0;
	Rc rc = find_and_read(&list, catalog, source, err);

	for (int i = 0; i < list.count && rc == RC_OK; i++)
	{
		if (list.items[i].oid == 0 || list.items[i].readable)
			continue;
		if (count++ == 0)
			first = &list.items[i];
	}
	if (first != NULL)
	{
		rc = error_set(err, ERR_CONFIG,
					   "user \"%s\" may not read %d sequence%s on %s, such as "
					   "%s",
					   user, count, PLURAL(count), pgconn_label(source),
					   first->qualified);
		error_hint(err,
				   "Run there, as their owner: GRANT SELECT ON SEQUENCE %s TO "
				   "\"%s\"; or, for all of a schema, GRANT SELECT ON ALL "
				   "SEQUENCES IN SCHEMA.",
				   first->qualified, user);
	}
	sequence_list_release(&list);
	return rc;
}
