/*
 * column_text.c
 *    Columns in SQL.
 */
#include "ddl/diff/column_text.h"

#include "ddl/diff/draft_sequence.h"
#include "ddl/diff/text.h"

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

	if (sequence == NULL)
		return arena_printf(draft->arena, "GENERATED %s AS IDENTITY", kind);
	/* It is as wide as the column; that it is to be another can be said later.
	 */
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

const char *
column_text(Draft *draft, const DraftObject *table,
			const ColumnDefinition *column)
{
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	buf_append_identifier(&buf, column->name);
	buf_printf(&buf, " %s", column_type_text(draft, column));
	if (column->generated != GENERATED_NOT)
		append_generated(&buf, column);
	else if (column->identity != IDENTITY_COLUMN_NOT)
		buf_printf(&buf, " %s", column_identity_text(draft, table, column));
	else if (column->default_expression[0] != '\0')
		buf_printf(&buf, " DEFAULT %s", column->default_expression);
	if (column->not_null)
		buf_append_string(&buf, " NOT NULL");
	return text_taken(draft->arena, &buf);
}
