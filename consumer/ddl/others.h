/*
 * others.h
 *    What a database has beside the objects that there are definitions of:
 *    functions, views, triggers, rules, policies, extended statistics,
 *    extensions, owners, privileges, comments, settings and the like.
 *
 * Each is known by a key, which says what it is and what it is called, and by a
 * text.  Two databases have the same if keys and texts are equal.
 */
#ifndef PENSTOCK_DDL_OTHERS_H
#define PENSTOCK_DDL_OTHERS_H

#include "base/arena.h"
#include "base/error.h"
#include "ddl/oid_table.h"
#include "model/definition.h"
#include "net/pgconn.h"

/* When statements run: those that make things in this order, those that drop
 * things the other way round. */
typedef enum OtherPhase
{
	OTHER_EXTENSION,
	OTHER_COLLATION,
	OTHER_EARLY_ROUTINE, /* before tables, whose expressions may call it */
	OTHER_LATE_ROUTINE,  /* after them: it is about types and tables */
	OTHER_VIEW,
	OTHER_ON_VIEW, /* indexes of materialized views */
	OTHER_STATISTICS,
	OTHER_TRIGGER,
	OTHER_RULE,
	OTHER_POLICY,
	OTHER_OWNER,
	OTHER_PRIVILEGE,
	OTHER_COMMENT,
	OTHER_SETTING,      /* of the database, and of roles */
	OTHER_UNTRANSLATED, /* there are no statements for it */
} OtherPhase;

/* All strings are in the arena; NULL only where it is said. */
typedef struct OtherObject
{
	OtherPhase phase;
	const char *key;     /* view "public"."orders" */
	const char *text;    /* to be compared */
	const char *shape;   /* can be replaced by one that has the same */
	const char *create;  /* statement; NULL: none is known */
	const char *replace; /* where there is another one; NULL: drop, create */
	const char *drop;    /* statement; NULL: none is needed */
	const char *parent;  /* key of what it goes with; empty: none of these */

	/* The object that it is on, if that has a definition: 0: it is not. */
	OidCatalog on_catalog;
	uint32_t on_oid;
	uint16_t on_attnum; /* its column; 0: all of it */

	uint32_t schema;          /* OID of its schema; 0: it is in none */
	const char *const *needs; /* tables and views that it uses, "a"."b" */
	int needs_count;
	int depth; /* of a view: how many views are below each other */
} OtherObject;

typedef struct OtherObjects
{
	int count;
	OtherObject *objects; /* by key */
	Arena *arena;
} OtherObjects;

typedef struct OtherOptions
{
	bool owners; /* whether these are wanted */
	bool privileges;
	const char *database; /* in statements: the name of the target's */

	/* Settings of which roles are read, where they are for all databases: of
	 * all; or only of those that something here belongs to or is granted to. */
	bool all_roles;
} OtherOptions;

/*
 * Reads them from a database, in a transaction as for ddl_read().  Allocated in
 * the arena.  Waits.
 */
MUST_CHECK Rc other_objects_read(PgConn *conn, const OtherOptions *options,
								 Arena *arena, OtherObjects *others,
								 Error *err);

#endif /* PENSTOCK_DDL_OTHERS_H */
