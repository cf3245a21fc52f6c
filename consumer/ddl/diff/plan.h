/*
 * plan.h
 *    SQL statements that change a schema, in their order.
 *
 * Each says in words and flags what whoever runs it has to know, or may decide
 * by: what kind of change it is, of which object, whether rows are lost.
 */
#ifndef PENSTOCK_DDL_DIFF_PLAN_H
#define PENSTOCK_DDL_DIFF_PLAN_H

#include <stdbool.h>

#include "base/arena.h"
#include "model/definition.h"

/* What policies can be made for. */
typedef enum DdlKind
{
	DDL_CREATE,     /* a schema, a table or a column */
	DDL_ALTER,      /* of a table or a column, what is not one of the others */
	DDL_RENAME,     /* anything, or its move to another schema */
	DDL_DROP,       /* a schema, a table, a column, a sequence or a type */
	DDL_INDEX,      /* create, alter or drop one */
	DDL_CONSTRAINT, /* add, alter or drop one; of domains, too */
	DDL_PARTITION,  /* attach and detach; parents of tables that inherit */
	DDL_SEQUENCE,   /* create or alter one, but not drop it */
	DDL_TYPE,       /* the same of a type */
} DdlKind;

typedef struct DdlStatement
{
	const char *sql; /* without a semicolon */

	/*
	 * The same to be run by itself, outside of a transaction, whenever there
	 * is time for it: nothing that follows needs the index.  NULL: it has to
	 * be run in its place.
	 */
	const char *concurrent_sql;

	DdlKind kind;

	/* The object that it is about: its name is the one it has then. */
	DefinitionCatalog catalog;
	uint32_t oid;
	const char *object; /* "schema"."name" */

	/* It has to be committed before a later statement or a row uses it. */
	bool commits_first;

	/* Rows, or values of a column, are gone with it. */
	bool loses_rows;

	/* It removes all rows of the table, and is for nothing else. */
	bool empties;

	/* It may write the whole table anew, under a lock that keeps readers out.
	 */
	bool rewrites;
} DdlStatement;

typedef struct DdlPlan
{
	int count;
	int capacity;
	DdlStatement *statements; /* in the arena, as all that they point to */
	Arena *arena;
} DdlPlan;

/* create, alter, …: how a kind is written in a configuration. */
const char *ddl_kind_name(DdlKind kind);

/* An empty plan in the arena. */
DdlPlan *ddl_plan_new(Arena *arena);

/* Appends a copy; its strings are borrowed and have to be in the arena. */
DdlStatement *ddl_plan_add(DdlPlan *plan, const DdlStatement *statement);

#endif /* PENSTOCK_DDL_DIFF_PLAN_H */
