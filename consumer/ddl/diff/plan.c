/*
 * plan.c
 *    A growing array of statements.
 */
#include "ddl/diff/plan.h"

#include <string.h>

const char *
ddl_kind_name(DdlKind kind)
{
	switch (kind)
	{
		case DDL_CREATE:
			return "create";
		case DDL_ALTER:
			return "alter";
		case DDL_RENAME:
			return "rename";
		case DDL_DROP:
			return "drop";
		case DDL_INDEX:
			return "index";
		case DDL_CONSTRAINT:
			return "constraint";
		case DDL_PARTITION:
			return "partition";
		case DDL_SEQUENCE:
			return "sequence";
		case DDL_TYPE:
			return "type";
	}
	check_failed("the kind of a statement is known", __FILE__, __LINE__);
}

DdlPlan *
ddl_plan_new(Arena *arena)
{
	DdlPlan *plan = arena_calloc(arena, 1, sizeof(DdlPlan));

	plan->arena = arena;
	return plan;
}

static void
make_room(DdlPlan *plan)
{
	int capacity = plan->capacity > 0 ? 2 * plan->capacity : 8;
	DdlStatement *larger = arena_calloc(plan->arena, (size_t) capacity,
										sizeof(DdlStatement));

	if (plan->count > 0)
		memcpy(larger, plan->statements,
			   (size_t) plan->count * sizeof(DdlStatement));
	plan->statements = larger;
	plan->capacity = capacity;
}

DdlStatement *
ddl_plan_add(DdlPlan *plan, const DdlStatement *statement)
{
	ASSERT(statement->sql != NULL && statement->object != NULL);
	if (plan->count == plan->capacity)
		make_room(plan);
	plan->statements[plan->count] = *statement;
	return &plan->statements[plan->count++];
}
