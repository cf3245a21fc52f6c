/*
 * plan.h
 *    A list of SQL statements that change a schema.
 *
 * Each statement has properties for the caller, which runs it or decides
 * whether to: the kind of change, the object, whether rows are deleted, and so
 * on.
 */
#ifndef PENSTOCK_DDL_DIFF_PLAN_H
#define PENSTOCK_DDL_DIFF_PLAN_H

#include <stdbool.h>

#include "base/arena.h"
#include "model/definition.h"

/* Kinds of changes, for which policies can be set (model/policy.h). */
typedef enum DdlKind
{
	DDL_CREATE,     /* creates a schema, a table or a column */
	DDL_ALTER,      /* alters a table or a column, and is not one of the next
					 * kinds */
	DDL_RENAME,     /* renames anything, or moves it to another schema */
	DDL_DROP,       /* drops a schema, a table, a column, a sequence or a
					 * type */
	DDL_INDEX,      /* creates, alters or drops an index */
	DDL_CONSTRAINT, /* adds, alters or drops a constraint, also of a domain */
	DDL_PARTITION,  /* attaches or detaches a partition, or changes
					 * inheritance */
	DDL_SEQUENCE,   /* creates or alters a sequence */
	DDL_TYPE,       /* creates or alters a type */
} DdlKind;

typedef struct DdlStatement
{
	const char *sql; /* without a semicolon */

	/*
	 * CREATE INDEX CONCURRENTLY for the same index, to be run outside of a
	 * transaction at any later time, because no later statement needs the
	 * index.  NULL: `sql` must be run in its place.
	 */
	const char *concurrent_sql;
	const IndexDefinition *index; /* that it builds; NULL without it */

	DdlKind kind;

	/* The object that the statement changes, with its name at that time. */
	DefinitionCatalog catalog;
	uint32_t oid;
	const char *object; /* "schema"."name" */

	/*
	 * It must be committed before a later statement or a row uses the result.
	 */
	bool commits_first;

	/* It deletes rows, or the values of a column. */
	bool loses_rows;

	/* It deletes all rows of the table, and does nothing else. */
	bool empties;

	/* It may rewrite the table under a lock that blocks readers. */
	bool rewrites;
} DdlStatement;

typedef struct DdlPlan
{
	int count;
	int capacity;
	DdlStatement *statements; /* array in the arena, as is everything that it
							   * points to */
	Arena *arena;
} DdlPlan;

/* Returns the word for a kind in a configuration: "create", "alter", … */
const char *ddl_kind_name(DdlKind kind);

/* Returns an empty plan in the arena. */
DdlPlan *ddl_plan_new(Arena *arena);

/*
 * Appends a copy of a statement; its strings are borrowed and must be in the
 * plan's arena.  Returns the copy.
 */
DdlStatement *ddl_plan_add(DdlPlan *plan, const DdlStatement *statement);

#endif /* PENSTOCK_DDL_DIFF_PLAN_H */
