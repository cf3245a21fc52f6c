/*
 * column_settings.c
 *    ALTER TABLE … ALTER COLUMN … SET and DROP.
 */
#include "ddl/diff/column_settings.h"

#include <string.h>

#include "ddl/diff/column_text.h"
#include "ddl/diff/draft_table.h"
#include "ddl/diff/same_text.h"
#include "ddl/diff/text.h"

/*
 * First versions with SET STORAGE DEFAULT, and with NOT NULL constraints that
 * are inherited.
 */
#define VERSION_STORAGE_DEFAULT    160000
#define VERSION_INHERITED_NOT_NULL 180000

/* A column before and after, of a table that stays. */
typedef struct ColumnPair
{
	DraftObject *table;
	const ColumnDefinition *now;
	const ColumnDefinition *after;
	const char *name; /* quoted */
} ColumnPair;

typedef void (*ColumnStep)(Draft *draft, ColumnPair *pair);

/* Calls `step` for each column of a table that stays. */
static void
each_column(Draft *draft, DraftObject *table, ColumnStep step)
{
	for (int i = 0; i < table->now->table.column_count; i++)
	{
		const ColumnDefinition *now = &table->now->table.columns[i];
		ColumnPair pair = {
			.table = table,
			.now = now,
			.after = definition_column(&table->after->table, now->attnum),
		};

		if (pair.after == NULL)
			continue;
		pair.name = text_quoted(draft->arena, now->name);
		step(draft, &pair);
	}
}

/* ---- NOT NULL ---- */

/* Updates NOT NULL of a column in a table and its children. */
static void
spread_not_null(Draft *draft, DraftObject *table, const char *name,
				bool not_null)
{
	DraftFamily family = draft_family(draft, table);

	for (int i = 0; i < family.count; i++)
	{
		ColumnDefinition *column = draft_edit_column(draft, family.tables[i],
													 name);

		if (column != NULL)
			column->not_null = not_null;
	}
}

/*
 * A partition must have its parent's NOT NULL, so both are dropped together.
 * On servers before version 18, other children keep theirs.
 */
static void
drop_not_null(Draft *draft, ColumnPair *pair)
{
	const char *name = pair->now->name;
	bool alone = !pair->table->now->table.partitioned &&
				 draft->hints->target_version_num < VERSION_INHERITED_NOT_NULL;

	if (!pair->now->not_null || pair->after->not_null)
		return;
	draft_say(draft, pair->table, DDL_CONSTRAINT,
			  "ALTER TABLE %s%s ALTER COLUMN %s DROP NOT NULL",
			  alone ? "ONLY " : "", draft_name(draft, pair->table), pair->name);
	if (alone)
		draft_edit_column(draft, pair->table, name)->not_null = false;
	else
		spread_not_null(draft, pair->table, name, false);
}

/*
 * Whether children have the NOT NULL constraint with the table's name, not with
 * one of their own.
 */
static bool
gives_name(Draft *draft, ColumnPair *pair,
		   const ConstraintDefinition *constraint)
{
	DraftFamily family = draft_family(draft, pair->table);

	for (int i = 1; i < family.count; i++)
		if (family.tables[i]->after != NULL &&
			constraint_named(family.tables[i]->after, constraint->name) == NULL)
			return false;
	return true;
}

/*
 * Adds NOT NULL as a constraint, if the target's version supports it and the
 * constraint is not the one that SET NOT NULL creates.
 */
static void
set_not_null(Draft *draft, ColumnPair *pair)
{
	const ConstraintDefinition *constraint;
	bool is_alone;

	if (pair->now->not_null || !pair->after->not_null)
		return;
	constraint = column_not_null_constraint(draft, pair->table,
											pair->after->attnum);
	is_alone = constraint != NULL &&
			   text_find_word(constraint->definition, "NO INHERIT") != NULL;
	if (constraint == NULL ||
		column_not_null_is_usual(draft, pair->table, pair->after, constraint) ||
		(!is_alone && !gives_name(draft, pair, constraint)))
		draft_alter(draft, pair->table, DDL_CONSTRAINT,
					"ALTER COLUMN %s SET NOT NULL", pair->name);
	else
		draft_alter(draft, pair->table, DDL_CONSTRAINT,
					"ADD CONSTRAINT %s NOT NULL %s%s%s",
					text_quoted(draft->arena, constraint->name), pair->name,
					is_alone ? " NO INHERIT" : "",
					constraint->validated ? "" : " NOT VALID");
	if (is_alone)
		draft_edit_column(draft, pair->table, pair->now->name)->not_null = true;
	else
		spread_not_null(draft, pair->table, pair->now->name, true);
}

/* Validates a NOT NULL constraint that was added without checking the rows. */
static void
validate_not_null(Draft *draft, ColumnPair *pair)
{
	const ConstraintDefinition *after = column_not_null_constraint(
		draft, pair->table, pair->after->attnum);
	const ConstraintDefinition *now = after == NULL
										  ? NULL
										  : constraint_of(pair->table->now,
														  after->oid);

	if (now != NULL && !now->validated && after->validated)
		draft_alter(draft, pair->table, DDL_CONSTRAINT,
					"VALIDATE CONSTRAINT %s",
					text_quoted(draft->arena, now->name));
}

/* ---- Identities and defaults ---- */

static void
set_identity(Draft *draft, ColumnPair *pair)
{
	IdentityKind identity = pair->after->identity;

	if (pair->now->identity == identity || identity == IDENTITY_COLUMN_NOT ||
		draft_shares_identities(draft, pair->table))
		return;
	if (pair->now->identity != IDENTITY_COLUMN_NOT)
		draft_alter(draft, pair->table, DDL_ALTER,
					"ALTER COLUMN %s SET GENERATED %s", pair->name,
					identity == IDENTITY_COLUMN_ALWAYS ? "ALWAYS"
													   : "BY DEFAULT");
	else
		draft_alter(draft, pair->table, DDL_ALTER, "ALTER COLUMN %s ADD %s",
					pair->name,
					column_identity_text(draft, pair->table, pair->after));
	draft_edit_column(draft, pair->table, pair->now->name)->identity = identity;
}

/*
 * Drops a default before an identity is added, which fails if the column has a
 * default.
 */
static void
drop_default(Draft *draft, ColumnPair *pair)
{
	if (pair->after->generated != GENERATED_NOT ||
		pair->now->default_expression[0] == '\0' ||
		pair->after->default_expression[0] != '\0')
		return;
	draft_alter_only(draft, pair->table, DDL_ALTER,
					 "ALTER COLUMN %s DROP DEFAULT", pair->name);
	draft_edit_column(draft, pair->table, pair->now->name)
		->default_expression = "";
}

/* Sets defaults after identities, whose sequences they may use. */
static void
set_default(Draft *draft, ColumnPair *pair)
{
	const char *expression = pair->after->default_expression;

	if (pair->after->generated != GENERATED_NOT || expression[0] == '\0' ||
		strcmp(pair->now->default_expression, expression) == 0)
		return;
	draft_alter_only(draft, pair->table, DDL_ALTER,
					 "ALTER COLUMN %s SET DEFAULT %s", pair->name, expression);
	draft_edit_column(draft, pair->table, pair->now->name)
		->default_expression = expression;
}

static void
set_expression(Draft *draft, ColumnPair *pair)
{
	const char *expression = pair->after->default_expression;
	DraftFamily family;
	DdlStatement *statement;

	if (pair->after->generated == GENERATED_NOT ||
		same_but_for_names(draft, pair->now->default_expression, expression))
		return;
	statement = draft_alter(draft, pair->table, DDL_ALTER,
							"ALTER COLUMN %s SET EXPRESSION AS (%s)",
							pair->name, expression);
	statement->rewrites = pair->after->generated == GENERATED_STORED;
	family = draft_family(draft, pair->table);
	for (int i = 0; i < family.count; i++)
	{
		ColumnDefinition *column = draft_edit_column(draft, family.tables[i],
													 pair->now->name);

		if (column != NULL && column->generated != GENERATED_NOT)
			column->default_expression = expression;
	}
}

/* ---- Storage ---- */

/*
 * Returns the default storage of a column's type, for versions without SET
 * STORAGE DEFAULT.
 */
static const char *
usual_storage(const ColumnDefinition *column)
{
	static const char *const main_types[] = {"numeric", "inet", "cidr"};

	for (size_t i = 0; i < LENGTH_OF(main_types); i++)
		if (strncmp(column->type, main_types[i], strlen(main_types[i])) == 0 &&
			strchr(column->type, '[') == NULL)
			return "MAIN";
	return "EXTENDED";
}

static const char *
storage_word(const Draft *draft, const ColumnDefinition *column)
{
	switch (column->storage[0])
	{
		case 'p':
			return "PLAIN";
		case 'e':
			return "EXTERNAL";
		case 'm':
			return "MAIN";
		case 'x':
			return "EXTENDED";
		default:
			return draft->hints->target_version_num >= VERSION_STORAGE_DEFAULT
					   ? "DEFAULT"
					   : usual_storage(column);
	}
}

static const char *
compression_word(const ColumnDefinition *column)
{
	switch (column->compression[0])
	{
		case 'p':
			return "pglz";
		case 'l':
			return "lz4";
		default:
			return "default";
	}
}

static void
set_options(Draft *draft, ColumnPair *pair)
{
	const char *gone = text_options_gone(draft->arena, &pair->now->options,
										 &pair->after->options);
	const char *set = text_options_set(draft->arena, &pair->after->options,
									   &pair->now->options);

	if (gone[0] != '\0')
		draft_alter_only(draft, pair->table, DDL_ALTER,
						 "ALTER COLUMN %s RESET (%s)", pair->name, gone);
	if (set[0] != '\0')
		draft_alter_only(draft, pair->table, DDL_ALTER,
						 "ALTER COLUMN %s SET (%s)", pair->name, set);
}

/*
 * The draft is not updated, because no later stage looks at these properties.
 */
static void
set_storage(Draft *draft, ColumnPair *pair)
{
	if (strcmp(pair->now->storage, pair->after->storage) != 0)
		draft_alter_only(draft, pair->table, DDL_ALTER,
						 "ALTER COLUMN %s SET STORAGE %s", pair->name,
						 storage_word(draft, pair->after));
	if (strcmp(pair->now->compression, pair->after->compression) != 0)
		draft_alter_only(draft, pair->table, DDL_ALTER,
						 "ALTER COLUMN %s SET COMPRESSION %s", pair->name,
						 compression_word(pair->after));
	if (pair->now->statistics != pair->after->statistics)
		draft_alter_only(draft, pair->table, DDL_ALTER,
						 "ALTER COLUMN %s SET STATISTICS %d", pair->name,
						 pair->after->statistics);
	set_options(draft, pair);
}

/* ---- In their order ---- */

void
diff_column_settings(Draft *draft)
{
	static const ColumnStep steps[] = {
		drop_not_null, set_not_null, validate_not_null, drop_default,
		set_identity,  set_default,  set_expression,    set_storage};

	for (size_t step = 0; step < LENGTH_OF(steps); step++)
		for (int i = 0; i < draft->changed_count; i++)
			if (draft_stays(draft->changed[i], DEFINITION_TABLE))
				each_column(draft, draft->changed[i], steps[step]);
}
