/*
 * followed_objects.h
 *    Decides which objects of the source a target follows.
 *
 * A pipeline of some tables has these, and the objects that they need
 * (ddl/needs.h): the target need not have any other (Definition.apart).  What
 * becomes of those is noted in the definitions, but not done on the target,
 * until something that is followed needs them.  An object that was needed once
 * stays one that is followed, so that it is dropped as well.
 *
 * A table without rows in the stream, partitioned or unlogged, is followed if
 * it is published, or needed.  With a publication FOR ALL TABLES, everything is
 * followed that is new.
 *
 * What a table that is not published any more has needed is not followed any
 * more either, unless something else needs it: the target keeps the table.
 */
#ifndef PENSTOCK_SINK_POSTGRES_SCHEMA_FOLLOWED_OBJECTS_H
#define PENSTOCK_SINK_POSTGRES_SCHEMA_FOLLOWED_OBJECTS_H

#include <stdbool.h>

#include "base/error.h"
#include "control/copy/table_state.h"
#include "model/definition.h"
#include "net/pgconn.h"
#include "sink/postgres/plan/stages.h"

/* Decides whether the target gets the rows of a table. */
typedef struct SchemaFollowed
{
	bool (*is_followed)(const void *context, const Definition *table);
	const void *context;
	bool whole;          /* whether all tables are published */
	bool chooses_tables; /* whether some of them may have been excluded */
} SchemaFollowed;

/* Whether an object, with its definition in `set`, is not followed. */
bool followed_objects_lacks(const SchemaFollowed *followed,
							const DefinitionSet *set,
							const Definition *definition);

/* A set of changes; begin with `joined` NULL.  All else is borrowed. */
typedef struct FollowedObjects
{
	const SchemaFollowed *followed;
	const SchemaSet *set;
	const TableStates *states;
	const DefinitionSet *known; /* before the set */
	DefinitionSet *after;
	DefinitionSet *joined; /* `known`, with all that is needed; NULL: not made
							* yet */
} FollowedObjects;

/*
 * Sets `apart` of the objects of `after` that the set is about, and of those
 * that these need.
 */
void followed_objects_decide(FollowedObjects *self);

/*
 * Makes of `before`, a copy of `known`, what the target has: what is apart is
 * there as it is in `after`, so that nothing is to do, and what has come to be
 * followed is not there, unless the target has an object of that name.  Waits
 * for the target.
 */
MUST_CHECK Rc followed_objects_settle(FollowedObjects *self, PgConn *target,
									  DefinitionSet *before, Error *err);

void followed_objects_release(FollowedObjects *self);

#endif /* PENSTOCK_SINK_POSTGRES_SCHEMA_FOLLOWED_OBJECTS_H */
