/*
 * draft.h
 *    The state of a target's schema while statements change it.
 *
 * A draft begins as the target's state before.  Each stage compares it with the
 * new state, adds statements to the plan, and changes the draft in the same way
 * as the statements will change the target.  This includes side effects:
 * children get a parent's new column, indexes are dropped with their table,
 * objects have spare names for some time.  So a stage sees the result of
 * earlier stages, and adds only statements that are still needed.
 *
 * Objects that are equal in both states are not in `changed`, and are never
 * looked at.  Definitions in a draft are simplified: see draft_new().
 *
 * All memory is in the arena, and is not freed separately.
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
	bool existed;            /* whether the target had it before */
	const Definition *now;   /* current definition; NULL: does not exist yet, or
							  * any more */
	const Definition *after; /* definition in the new state; NULL: will not
							  * exist */
	Definition *own;         /* editable copy that `now` points to after the
							  * first change; NULL before */

	/* Tables that currently inherit from this table. */
	int child_count;
	int child_capacity;
	struct DraftObject **children;

	/*
	 * Whether an identity column of this table gets another sequence, or loses
	 * it.
	 */
	bool renewed;

	bool visited; /* mark of a traversal; false between two of them */
} DraftObject;

/* A renamed object or column. */
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
	DraftObject *objects; /* sorted by catalog and OID */

	/* Objects that have to change; a table comes after its parents. */
	int changed_count;
	DraftObject **changed;

	/* Names of renamed objects and columns that stay. */
	int renamed_count;
	int renamed_capacity;
	NamePair *renamed;

	int spare_count; /* number of spare names that were used so far */
} Draft;

/*
 * Makes a draft; the sets are borrowed.  Definitions of changed tables are
 * simplified:
 * - A partition that is being detached has no parent.
 * - Foreign keys that a table has only because the referenced table is
 *   partitioned are left out.
 * - An invalid index is left out, unless its table is partitioned, or the other
 *   state has the index: then it is as in the other state.
 * - A constraint or index that was recreated in the same form has the new OID
 *   in the old state, too.
 */
Draft *draft_new(const DefinitionSet *before, const DefinitionSet *after,
				 const DdlHints *hints, Arena *arena);

/* Finds an object of either state; NULL: there is none. */
DraftObject *draft_find(const Draft *draft, DefinitionCatalog catalog,
						uint32_t oid);

/* Finds a table by its OID; NULL: there is none. */
DraftObject *draft_table(const Draft *draft, uint32_t oid);

/* Whether an object of that kind exists and stays. */
static inline bool
draft_stays(const DraftObject *object, DefinitionKind kind)
{
	return object->kind == kind && object->now != NULL && object->after != NULL;
}

/* Whether an object of that kind does not exist yet and will be created. */
static inline bool
draft_comes(const DraftObject *object, DefinitionKind kind)
{
	return object->kind == kind && object->now == NULL && object->after != NULL;
}

/* Whether an object of that kind exists and will be dropped. */
static inline bool
draft_goes(const DraftObject *object, DefinitionKind kind)
{
	return object->kind == kind && object->now != NULL && object->after == NULL;
}

/*
 * Returns the current definition of an object that exists, for editing; copies
 * it at the first call.
 */
Definition *draft_edit(Draft *draft, DraftObject *object);

/*
 * Updates the draft after an object of the new state was created with a copy of
 * `now`; a table is added to its parents' children.
 */
void draft_create(Draft *draft, DraftObject *object, const Definition *now);

/* Updates the draft after an object that existed was dropped. */
void draft_drop(Draft *draft, DraftObject *object);

/*
 * Update the draft after a table began or ceased to inherit from another, which
 * exists.  A table cannot inherit from the same table twice.
 */
void draft_inherit(Draft *draft, DraftObject *child, DraftObject *parent);
void draft_disinherit(Draft *draft, DraftObject *child, DraftObject *parent);

/* Whether a list contains the OID. */
bool draft_has_oid(const OidList *list, uint32_t oid);

/* Whether the source sends all rows of the table again (DdlHints.rewritten). */
bool draft_rewritten(const Draft *draft, const DraftObject *table);

/*
 * Whether a table in its new state gets its identities from a partitioned
 * table.
 */
bool draft_shares_identities(const Draft *draft, const DraftObject *table);

/*
 * Returns the current name of an object, or the new one if it does not exist
 * yet: "schema"."name".  A dropped object has none.
 */
const char *draft_name(const Draft *draft, const DraftObject *object);

/* Returns a name that no object has. */
const char *draft_spare_name(Draft *draft);

/*
 * Adds a statement on the object to the plan; returns it for setting its flags.
 */
DdlStatement *draft_say(Draft *draft, const DraftObject *object, DdlKind kind,
						const char *format, ...) PRINTF_LIKE(4, 5);

/* Adds "ALTER TABLE name …" to the plan, for a table that exists. */
DdlStatement *draft_alter(Draft *draft, const DraftObject *table, DdlKind kind,
						  const char *format, ...) PRINTF_LIKE(4, 5);

/* Adds "ALTER TABLE ONLY name …", which does not affect children. */
DdlStatement *draft_alter_only(Draft *draft, const DraftObject *table,
							   DdlKind kind, const char *format, ...)
	PRINTF_LIKE(4, 5);

#endif /* PENSTOCK_DDL_DIFF_DRAFT_H */
