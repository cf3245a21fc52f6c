/*
 * truncate.h
 *    Builds the statement for a TRUNCATE of the source.
 *
 * The stream has every published table that the source has truncated, also
 * those that CASCADE has added.  So CASCADE is never sent: on the target it
 * would truncate all tables with foreign keys to these tables, whether they
 * belong to the pipeline or not, and whatever session_replication_role is.
 *
 * Not every target has to truncate all of the tables.  Some may be paused, have
 * a copy that is newer than the TRUNCATE, belong to another node, or not be
 * published.  If a table that stays has a foreign key to one that is truncated,
 * the server refuses TRUNCATE, even if no row refers to another.  Then the rows
 * are deleted, if foreign keys do not fire in the session.  If they do fire,
 * they are constraints of the target, and the target may refuse the DELETE.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_TRUNCATE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_TRUNCATE_H

#include "base/arena.h"
#include "sink/postgres/plan/plan.h"

/* SQLSTATE with which the server refuses it: feature_not_supported. */
#define TRUNCATE_REFERENCED_SQLSTATE "0A000"

/* Returns the statement, allocated in the arena. */
const char *truncate_sql(const PlanInput *input, const TruncateInfo *truncate,
						 Arena *arena);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_TRUNCATE_H */
