/*
 * draft.h
 *    What a target has while statements take it from one schema to another.
 *
 * A draft begins as what the target has before.  Each stage compares it with
 * what the target is to have after, adds statements to the plan, and changes
 * the draft as the statements will change the target: columns that a parent's
 * children get with it, indexes that go with their table, names that are lent
 * for a moment.  So a stage sees what the stages before it have left, and says
 * only what is still to be done.
 *
 * What both sides have alike is not in `changed`, and is never looked at.
 *
 * Beside that, drafts are simpler than definitions: see draft_new().
 *
 * All memory is in the arena, and stays there.
 */
#ifndef PENSTOCK_DDL_DIFF_DRAFT_H
#define PENSTOCK_DDL_DIFF_DRAFT_H

#include "base/arena.h"
#include "ddl/diff/hints.h"
#include "ddl/diff/plan.h"
#include "model/definition.h"

typedef struct DraftObject
{
	DefinitionCatalog catalog;
	uint32_t oid;
	DefinitionKind kind;
	bool existed;            /* before */
	const Definition *now;   /* NULL: it is not there, or not any more */
	const Definition *after; /* NULL: it is not to be there */
	Definition *own;         /* the same as `now` once that was changed */

	/* Of a table: those that inherit from it now. */
	int child_count;
	int child_capacity;
	struct DraftObject **children;

	/* Of a table: an identity column gets another sequence, or loses it. */
	bool renewed;

	bool visited; /* by a walk; false between two of them */
} DraftObject;

/* Something has another name after. */
typedef struct NamePair
{
	const char *from;
	const char *to;
} NamePair;

typedef struct Draft
{
	Arena *arena;
	const DdlHints *hints;
	DdlPlan *plan;

	int count;
	DraftObject *objects; /* by catalog and OID */

	/* Those that have to change; tables have their parents before them. */
	int changed_count;
	DraftObject **changed;

	/* Of everything that stays, columns too. */
	int renamed_count;
	int renamed_capacity;
	NamePair *renamed;

	int spare_count; /* names that were lent so far */
} Draft;

/*
 * A draft of what is between two sets, which are borrowed.  In what has to
 * change,
 *   - a partition that is being detached has no parent,
 *   - foreign keys that a table has only because the one that they refer to is
 *     partitioned are left out,
 *   - an index that is not valid is left out, unless its table is partitioned,
 *     or there is another state of it on the other side: then it is as that is,
 *   - a constraint or an index that was made again in the same form has had the
 *     OID of the new one before, too.
 */
Draft *draft_new(const DefinitionSet *before, const DefinitionSet *after,
				 const DdlHints *hints, Arena *arena);

/* NULL: there is no such object on any side. */
DraftObject *draft_find(const Draft *draft, DefinitionCatalog catalog,
						uint32_t oid);

/* A table by its OID; NULL: there is none. */
DraftObject *draft_table(const Draft *draft, uint32_t oid);

/* Whether it is of that kind, is there now, and stays. */
static inline bool
draft_stays(const DraftObject *object, DefinitionKind kind)
{
	return object->kind == kind && object->now != NULL && object->after != NULL;
}

/* Whether it is of that kind, is not there yet, and comes. */
static inline bool
draft_comes(const DraftObject *object, DefinitionKind kind)
{
	return object->kind == kind && object->now == NULL && object->after != NULL;
}

/* Whether it is of that kind, is there now, and goes. */
static inline bool
draft_goes(const DraftObject *object, DefinitionKind kind)
{
	return object->kind == kind && object->now != NULL && object->after == NULL;
}

/* `now`, for changing. */
Definition *draft_edit(Draft *draft, DraftObject *object);

/* It comes: a copy is `now`, and its tables' parents have it as a child. */
void draft_create(Draft *draft, DraftObject *object, const Definition *now);

/* It is gone. */
void draft_drop(Draft *draft, DraftObject *object);

/* A table inherits from another one, or not any more. */
void draft_inherit(Draft *draft, DraftObject *child, DraftObject *parent);
void draft_disinherit(Draft *draft, DraftObject *child, DraftObject *parent);

/* Whether a list has the OID. */
bool draft_has_oid(const OidList *list, uint32_t oid);

/* Whether the hints say that all rows of the table come anew. */
bool draft_rewritten(const Draft *draft, const DraftObject *table);

/* Whether a table that stays or comes is to have its identities from the table
 * that it is a partition of. */
bool draft_shares_identities(const Draft *draft, const DraftObject *table);

/* Its name now, or if it is not there, after: "schema"."name". */
const char *draft_name(const Draft *draft, const DraftObject *object);

/* A name that nothing has. */
const char *draft_spare_name(Draft *draft);

/* Adds a statement about the object to the plan. */
DdlStatement *draft_say(Draft *draft, const DraftObject *object, DdlKind kind,
						const char *format, ...) PRINTF_LIKE(4, 5);

/* Adds "ALTER TABLE name …" to the plan. */
DdlStatement *draft_alter(Draft *draft, const DraftObject *table, DdlKind kind,
						  const char *format, ...) PRINTF_LIKE(4, 5);

/* The same, without the tables that inherit from it: ALTER TABLE ONLY. */
DdlStatement *draft_alter_only(Draft *draft, const DraftObject *table,
							   DdlKind kind, const char *format, ...)
	PRINTF_LIKE(4, 5);

#endif /* PENSTOCK_DDL_DIFF_DRAFT_H */
