/*
 * column_text.c
 *    Builds the SQL of a column.
 */
#include "ddl/diff/column_text.h"

#include <string.h>

#include "ddl/diff/draft_sequence.h"
#include "ddl/diff/text.h"

/* First version with NOT NULL constraints in pg_constraint. */
#define VERSION_NOT_NULL_CONSTRAINT 180000

/* Largest length of a name; the server truncates longer ones. */
#define NAME_BYTES_MAX 63

const char *
column_type_text(Draft *draft, const ColumnDefinition *column)
{
	if (column->collation[0] == '\0')
		return column->type;
	return arena_printf(draft->arena, "%s COLLATE %s", column->type,
						column->collation);
}

const char *
column_identity_text(Draft *draft, const DraftObject *table,
					 const ColumnDefinition *column)
{
	const char *kind = column->identity == IDENTITY_COLUMN_ALWAYS
						   ? "ALWAYS"
						   : "BY DEFAULT";
	DraftObject *sequence = draft_identity_sequence(draft, table->oid,
													column->attnum, true);

	ASSERT(column->identity != IDENTITY_COLUMN_NOT);
	if (sequence == NULL)
		return arena_printf(draft->arena, "GENERATED %s AS IDENTITY", kind);
	/* The draft's sequence has the column's type; another type is set later. */
	draft_create(draft, sequence, sequence->after);
	sequence->own->sequence.type = column->type;
	return arena_printf(
		draft->arena, "GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)", kind,
		text_qualified(draft->arena, sequence->after->schema,
					   sequence->after->name),
		text_sequence_options(draft->arena, &sequence->after->sequence));
}

static void
append_generated(Buf *buf, const ColumnDefinition *column)
{
	buf_printf(buf, " GENERATED ALWAYS AS (%s) %s", column->default_expression,
			   column->generated == GENERATED_STORED ? "STORED" : "VIRTUAL");
}

const ConstraintDefinition *
column_not_null_constraint(const Draft *draft, const DraftObject *table,
						   uint16_t attnum)
{
	const Definition *after = table->after;

	if (draft->hints->target_version_num < VERSION_NOT_NULL_CONSTRAINT ||
		after == NULL || after->kind != DEFINITION_TABLE)
		return NULL;
	for (int i = 0; i < after->table.constraint_count; i++)
	{
		const ConstraintDefinition *constraint = &after->table.constraints[i];

		if (constraint->kind == CONSTRAINT_NOT_NULL &&
			constraint->attnums.count == 1 &&
			constraint->attnums.oids[0] == attnum)
			return constraint;
	}
	return NULL;
}

bool
column_not_null_is_usual(Draft *draft, const DraftObject *table,
						 const ColumnDefinition *column,
						 const ConstraintDefinition *constraint)
{
	const char *usual = arena_printf(draft->arena, "%s_%s_not_null",
									 table->after->name, column->name);

	ASSERT(constraint->kind == CONSTRAINT_NOT_NULL);
	return strlen(usual) <= NAME_BYTES_MAX &&
		   strcmp(constraint->name, usual) == 0 &&
		   text_find_word(constraint->definition, "NO INHERIT") == NULL &&
		   text_find_word(constraint->definition, "NOT VALID") == NULL;
}

/* Without NOT VALID, because the table has no rows yet. */
static void
append_not_null(Draft *draft, const DraftObject *table,
				const ColumnDefinition *column, Buf *buf)
{
	const ConstraintDefinition *constraint = column_not_null_constraint(
		draft, table, column->attnum);

	if (constraint == NULL ||
		column_not_null_is_usual(draft, table, column, constraint))
	{
		buf_append_string(buf, " NOT NULL");
		return;
	}
	buf_printf(buf, " CONSTRAINT %s NOT NULL%s",
			   text_quoted(draft->arena, constraint->name),
			   text_find_word(constraint->definition, "NO INHERIT") != NULL
				   ? " NO INHERIT"
				   : "");
}

const char *
column_text(Draft *draft, const DraftObject *table,
			const ColumnDefinition *column)
{
	Buf buf;

	buf_init(&buf, TEXT_BYTES_MAX);
	buf_append_identifier(&buf, column->name);
	buf_printf(&buf, " %s", column_type_text(draft, column));
	if (column->generated != GENERATED_NOT)
		append_generated(&buf, column);
	else if (column->identity != IDENTITY_COLUMN_NOT)
		buf_printf(&buf, " %s", column_identity_text(draft, table, column));
	else if (column->default_expression[0] != '\0')
		buf_printf(&buf, " DEFAULT %s", column->default_expression);
	if (column->not_null)
		append_not_null(draft, table, column, &buf);
	return text_taken(draft->arena, &buf);
}
