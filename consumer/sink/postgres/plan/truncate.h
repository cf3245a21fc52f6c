/*
 * truncate.h
 *    A TRUNCATE of the source, on the target.
 *
 * The stream names every published table that the source has emptied, also
 * those that CASCADE has brought in.  So CASCADE is never sent: on the target
 * it would empty whatever refers to these tables, whether that belongs to the
 * pipeline or not, and whatever session_replication_role is.
 *
 * Not all of the tables are emptied on every target: some are paused, have a
 * copy that knows of it already, belong to another node, or are not published.
 * Where a table that stays has a foreign key to one that goes, the server
 * refuses TRUNCATE, even if no row refers to another.  Then the rows are
 * deleted, if foreign keys do not fire in the session.  If they do, they are
 * the target's own rules, and it is left to refuse.
 */
#ifndef PENSTOCK_SINK_POSTGRES_PLAN_TRUNCATE_H
#define PENSTOCK_SINK_POSTGRES_PLAN_TRUNCATE_H

#include "base/arena.h"
#include "sink/postgres/plan/plan.h"

/* What the server says of it then: feature_not_supported. */
#define TRUNCATE_REFERENCED_SQLSTATE "0A000"

/* The statement, allocated in the arena. */
const char *truncate_sql(const PlanInput *input, const TruncateInfo *truncate,
						 Arena *arena);

#endif /* PENSTOCK_SINK_POSTGRES_PLAN_TRUNCATE_H */
