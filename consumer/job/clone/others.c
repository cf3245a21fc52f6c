/*
 * others.c
 *    For each further source what the clone does for the first.
 */
#include "job/clone/others.h"

#include "base/log.h"
#include "catalog/alike.h"
#include "check/parts.h"
#include "copy/rows/sequences.h"
#include "job/clone/check.h"
#include "job/clone/copied.h"
#include "job/clone/moment.h"
#include "job/clone/spread.h"
#include "job/clone/undo.h"

void
clone_others_init(Clone *clone, const Config *all)
{
	if (all->source_count < 2)
		return;
	clone->placement = all->placement;
	if (all->schema_only)
		return;
	clone->other_count = all->source_count - 1;
	clone->others = arena_calloc(clone->arena, (size_t) clone->other_count,
								 sizeof(Clone));
	for (int i = 0; i < clone->other_count; i++)
	{
		Config *config = arena_calloc(clone->arena, 1, sizeof(Config));

		config_take_source(all, i + 1, config);
		config->target_count = 0;
		clone->others[i] = (Clone){.config = config,
								   .arena = clone->arena,
								   .placement = all->placement};
	}
}

Rc
clone_others_open(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->other_count && rc == RC_OK; i++)
		rc = clone_open_all(&clone->others[i], err);
	return rc;
}

/* ---- looking ------------------------------------------------------------ */

static MUST_CHECK Rc
check_alike(const Clone *clone, const Clone *other, Error *err)
{
	return alike_check(&(AlikeSource){clone->catalog, clone->config->placement,
									  pgconn_label(clone->source)},
					   &(AlikeSource){other->catalog, other->config->placement,
									  pgconn_label(other->source)},
					   err);
}

/* They would get the numbers that the first one's have. */
static MUST_CHECK Rc
check_large_objects(const Clone *other, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(
		other->source, "SELECT FROM pg_catalog.pg_largeobject_metadata LIMIT 1",
		&result, err);

	if (rc == RC_OK && PQntuples(result) > 0)
		log_warning("clone",
					"large objects of %s are not copied: they are taken from "
					"the first source",
					pgconn_label(other->source));
	PQclear(result);
	return rc;
}

/* What is taken from the first source is there, and whole. */
static MUST_CHECK Rc
check_taken(const Clone *clone, const Clone *other, Error *err)
{
	Rc rc = parts_check(other->catalog, clone->placement, other->source, err);

	for (int i = 0; i < other->catalog->table_count && rc == RC_OK; i++)
	{
		const CopyTable *table = &other->catalog->tables[i];
		const PlacementRule *rule = placement_find(clone->placement,
												   table->schema, table->name);

		if (rule == NULL || rule->source_name == NULL ||
			catalog_find_table(clone->catalog, table->qualified) != NULL)
			continue;
		rc = error_set(err, ERR_CONFIG,
					   "table %s is published by %s alone, and the placement "
					   "takes it from source \"%s\"",
					   table->qualified, pgconn_label(other->source),
					   rule->source_name);
		error_hint(err, "Place it by a line of its own: none, only TARGET, or "
						"hash(COLUMN, ...).");
	}
	return rc;
}

static MUST_CHECK Rc
check_other(const Clone *clone, Clone *other, Error *err)
{
	Rc rc = clone_identify_source(other, err);

	if (rc == RC_OK)
		rc = clone_check_source(other, err);
	if (rc == RC_OK)
		rc = clone_spread_check(other, err);
	if (rc == RC_OK)
		rc = check_alike(clone, other, err);
	if (rc == RC_OK)
		rc = check_taken(clone, other, err);
	if (rc == RC_OK && catalog_has_large_objects(clone->catalog))
		rc = check_large_objects(other, err);
	if (rc == RC_OK && !clone->config->restart)
		rc = clone_check_fresh(other, err);
	for (int i = 0; i < clone->config->target_count && rc == RC_OK; i++)
		rc = clone_check_no_progress(other, &clone->targets[i], err);
	return rc;
}

Rc
clone_others_check(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	if (clone->other_count > 0)
		rc = parts_check(clone->catalog, clone->placement, clone->source, err);
	for (int i = 0; i < clone->other_count && rc == RC_OK; i++)
	{
		rc = check_other(clone, &clone->others[i], err);
		if (rc == RC_FAIL && err->code != ERR_INTERRUPTED)
			error_context(err, "%s", pgconn_label(clone->others[i].source));
	}
	return rc;
}

Rc
clone_others_throw_away(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->other_count && rc == RC_OK; i++)
	{
		const Clone *other = &clone->others[i];
		SlotInfo slot = {0};

		rc = slot_end_making(other->source, other->config->name, err);
		if (rc == RC_OK)
			rc = slot_read(other->source, other->config->name, &slot, err);
		if (rc != RC_OK || !slot.exists)
			continue;
		rc = clone_drop_slot(other->source, other->config->name, err);
		if (rc == RC_OK)
			log_info("clone", "dropped replication slot \"%s\"",
					 other->config->name);
	}
	return rc;
}

/* ---- copying ------------------------------------------------------------ */

/* The tables may have changed since they were looked at. */
Rc
clone_others_fix_moment(Clone *clone, Error *err)
{
	Rc rc = RC_OK;

	for (int i = 0; i < clone->other_count && rc == RC_OK; i++)
	{
		rc = clone_fix_moment(&clone->others[i], err);
		if (rc == RC_OK)
			rc = check_alike(clone, &clone->others[i], err);
	}
	return rc;
}

void
clone_others_release_source(Clone *clone)
{
	for (int i = 0; i < clone->other_count; i++)
		clone_release_source(&clone->others[i]);
}

Rc
clone_others_sequences(Clone *clone, PgConn *target, Error *err)
{
	int advanced;
	Rc rc = RC_OK;

	for (int i = 0; i < clone->other_count && rc == RC_OK; i++)
		rc = sequences_advance(clone->others[i].catalog,
							   clone->others[i].source, target, false,
							   &advanced, err);
	return rc;
}

Rc
clone_others_progress(Clone *clone, int number, Error *err)
{
	PgConn *target = clone->targets[number].conn;
	Rc rc = RC_OK;

	for (int i = 0; i < clone->other_count && rc == RC_OK; i++)
	{
		const Clone *other = &clone->others[i];

		rc = clone_spread_note(other, number, target, err);
		if (rc == RC_OK)
			rc = progress_table_begin(target, other->config->name,
									  &other->history.identity,
									  other->start_lsn, err);
		if (rc == RC_OK)
			rc = clone_note_options(other->config, target, clone->arena, err);
		if (rc == RC_OK)
			rc = clone_note_copied(other, target, err);
	}
	return rc;
}

void
clone_others_release(Clone *clone)
{
	for (int i = 0; i < clone->other_count; i++)
	{
		Clone *other = &clone->others[i];

		history_release(&other->history);
		pgconn_close(other->replication);
		pgconn_close(other->source);
		catalog_free(other->catalog);
		buf_release(&other->places);
	}
}
