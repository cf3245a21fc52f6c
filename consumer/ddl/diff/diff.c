/*
 * diff.c
 *    The stages in their order.
 *
 * First, objects are dropped, which frees their names.  Then remaining objects
 * get their new names, so that definitions of the new state can be used as they
 * are.  Then types, sequences, columns and tables are created, and last what
 * depends on them.
 */
#include "ddl/diff/diff.h"

#include "ddl/diff/add_columns.h"
#include "ddl/diff/attach.h"
#include "ddl/diff/column_names.h"
#include "ddl/diff/column_settings.h"
#include "ddl/diff/column_types.h"
#include "ddl/diff/composites.h"
#include "ddl/diff/constraints.h"
#include "ddl/diff/create_tables.h"
#include "ddl/diff/detach.h"
#include "ddl/diff/draft.h"
#include "ddl/diff/drop_columns.h"
#include "ddl/diff/drop_constraints.h"
#include "ddl/diff/drop_tables.h"
#include "ddl/diff/enums.h"
#include "ddl/diff/followable.h"
#include "ddl/diff/indexes.h"
#include "ddl/diff/names.h"
#include "ddl/diff/sequences.h"
#include "ddl/diff/table_settings.h"
#include "ddl/diff/types.h"

typedef void (*Stage)(Draft *draft);

static const Stage stages[] = {
	diff_add_labels,

	/* Drop objects. */
	diff_detach,
	diff_drop_constraints,
	diff_leave_types,
	diff_disown,
	diff_drop_attributes,
	diff_drop_columns,
	diff_drop_tables,

	/* Rename objects. */
	diff_names,
	diff_rename_labels,
	diff_column_names,

	/* Create objects. */
	diff_create_enums,
	diff_create_types,
	diff_alter_types,
	diff_create_sequences,
	diff_column_types,
	diff_add_own_columns,
	diff_inherit_early,
	diff_add_columns,
	diff_create_tables,

	/* Change and add what depends on these objects. */
	diff_column_settings,
	diff_table_settings,
	diff_checks,
	diff_indexes,
	diff_attach,
	diff_unfinished_indexes,
	diff_attach_indexes,
	diff_alter_sequences,
	diff_foreign_keys,
	diff_chosen_indexes,

	/* Drop what is not used any more. */
	diff_drop_types,
};

/* What callers of ddl_diff() rely on; see DdlStatement. */
static void
check_plan(const DdlPlan *plan)
{
	for (int i = 0; i < plan->count; i++)
	{
		const DdlStatement *statement = &plan->statements[i];

		ASSERT((statement->concurrent_sql != NULL) ==
			   (statement->index != NULL));
		ASSERT(statement->index == NULL || statement->kind == DDL_INDEX);
		ASSERT(!statement->empties || statement->loses_rows);
	}
}

Rc
ddl_diff(const DefinitionSet *before, const DefinitionSet *after,
		 const DdlHints *hints, Arena *arena, DdlPlan **plan, Error *err)
{
	Draft *draft = draft_new(before, after, hints, arena);
	Rc rc = diff_check_followable(draft, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < LENGTH_OF(stages); i++)
		stages[i](draft);
	check_plan(draft->plan);
	*plan = draft->plan;
	return RC_OK;
}
