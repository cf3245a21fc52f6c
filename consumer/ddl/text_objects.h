/*
 * text_objects.h
 *    Objects that have no definition (model/definition.h): functions, views,
 *    triggers, rules, policies, extended statistics, extensions, owners,
 *    privileges, comments, settings and so on.
 *
 * Each object has a key, which consists of its kind and name, and a text.  Two
 * databases have the same objects if keys and texts are equal.
 */
#ifndef PENSTOCK_DDL_TEXT_OBJECTS_H
#define PENSTOCK_DDL_TEXT_OBJECTS_H

#include "base/arena.h"
#include "base/error.h"
#include "ddl/oid_table.h"
#include "model/definition.h"
#include "net/pgconn.h"

/* Order of the statements: CREATE in this order, DROP in the opposite one. */
typedef enum TextObjectPhase
{
	TEXT_EXTENSION,
	TEXT_COLLATION,
	TEXT_EARLY_ROUTINE, /* routines without types or tables of their own:
						 * before tables, whose expressions may call them */
	TEXT_LATE_ROUTINE,  /* other routines: after tables */
	TEXT_VIEW,
	TEXT_ON_VIEW, /* indexes of materialized views */
	TEXT_STATISTICS,
	TEXT_TRIGGER,
	TEXT_RULE,
	TEXT_POLICY,
	TEXT_OWNER,
	TEXT_PRIVILEGE,
	TEXT_COMMENT,
	TEXT_SETTING,      /* settings of the database and of roles */
	TEXT_UNTRANSLATED, /* objects for which we have no statements */
} TextObjectPhase;

/*
 * An object.  All strings are in the arena; a string may be NULL only where the
 * comment says so.
 */
typedef struct TextObject
{
	TextObjectPhase phase;
	const char *key;     /* such as: view "public"."orders" */
	const char *text;    /* compared with the other side */
	const char *shape;   /* an object with another text can be replaced only if
						  * the shapes are equal */
	const char *create;  /* CREATE statement; NULL: there is none */
	const char *replace; /* statement that replaces an existing object; NULL:
						  * drop and create */
	const char *drop;    /* DROP statement; NULL: none is needed */
	const char *parent;  /* key of the object that it is dropped with; empty:
						  * not one of these objects */

	/*
	 * The object that it is on, if that has a definition; on_oid is 0
	 * otherwise.
	 */
	OidCatalog on_catalog;
	uint32_t on_oid;
	uint16_t on_attnum; /* column of that object; 0: the whole object */

	uint32_t schema;          /* OID of its schema; 0: it has none */
	const char *const *needs; /* tables and views that it uses:
							   * "schema"."name" */
	int needs_count;
	int depth; /* of a view: the longest chain of views that it reads */
} TextObject;

typedef struct TextObjects
{
	int count;
	TextObject *objects; /* sorted by key */
	Arena *arena;
} TextObjects;

typedef struct TextObjectOptions
{
	bool owners; /* whether owners are read */
	bool privileges;
	const char *database; /* name of the target's database, for statements */

	/*
	 * Whether settings of roles for all databases are read for every role;
	 * otherwise only for roles that own something here, or have privileges.
	 */
	bool all_roles;
} TextObjectOptions;

/*
 * Reads the objects of a database into the arena; waits.  The connection must
 * be in a transaction as for ddl_read().
 */
MUST_CHECK Rc text_objects_read(PgConn *conn, const TextObjectOptions *options,
								Arena *arena, TextObjects *texts, Error *err);

#endif /* PENSTOCK_DDL_TEXT_OBJECTS_H */
