/*
 * target_table.c
 *    Builds SQL for columns of a target table.
 */
#include "sink/postgres/plan/target_table.h"

bool
target_type_is_text(uint32_t type_oid)
{
	return type_oid == TYPE_TEXT || type_oid == TYPE_VARCHAR ||
		   type_oid == TYPE_BPCHAR || type_oid == TYPE_JSON;
}

bool
target_table_shares_rows(const TargetTable *a, const TargetTable *b)
{
	return a->oid == b->oid || (a->top_oid == b->top_oid &&
								(a->is_partitioned || b->is_partitioned));
}

void
target_table_close(TargetTable *table)
{
	if (table == NULL)
		return;
	relation_unref(table->relation);
	arena_free(table->arena);
}

/*
 * Appends an expression of type text, converted by the input function of the
 * base type.
 */
static void
append_read(Buf *sql, const TargetColumn *column, const char *text)
{
	ASSERT(column->read_before != NULL && column->read_after != NULL);
	buf_printf(sql, "%s%s%s", column->read_before, text, column->read_after);
}

void
target_column_append_value(Buf *sql, const TargetColumn *column,
						   const char *expression, bool many)
{
	switch (column->transfer)
	{
		case TRANSFER_SAME:
		case TRANSFER_RECEIVED:
			buf_append_string(sql, expression);
			return;
		case TRANSFER_TEXT:
			if (many && !column->array_is_text)
				append_read(sql, column, expression);
			else
				buf_append_string(sql, expression);
			return;
		case TRANSFER_CONVERTED:
			ASSERT(column->source_output != NULL);
			buf_printf(sql, "%spg_catalog.textin(%s(%s))%s",
					   column->read_before, column->source_output, expression,
					   column->read_after);
			return;
	}
}

/* Appends one side of a comparison. */
static void
append_side(Buf *sql, const TargetColumn *column, const char *expression)
{
	if (column->compared_as == NULL)
		buf_append_string(sql, expression);
	else
		buf_printf(sql, "CAST(%s AS %s)", expression, column->compared_as);
	if (column->collation_sql != NULL)
		buf_printf(sql, " COLLATE %s", column->collation_sql);
}

void
target_column_append_equal(Buf *sql, const TargetColumn *column,
						   const char *left, const char *right)
{
	ASSERT(column->equals_sql != NULL);
	append_side(sql, column, left);
	buf_printf(sql, " %s ", column->equals_sql);
	append_side(sql, column, right);
}

void
target_column_append_same(Buf *sql, const char *left, const char *right)
{
	buf_printf(sql,
			   "pg_catalog.format('%%s', %s) COLLATE pg_catalog.\"C\""
			   " OPERATOR(pg_catalog.=) pg_catalog.format('%%s', %s)",
			   left, right);
}

void
target_column_append_fetched(Buf *sql, const TargetColumn *column,
							 const char *expression)
{
	bool is_text = column->source->encoding == COLUMN_TEXT ||
				   target_type_is_text(column->source->type_oid);

	if (column->transfer == TRANSFER_SAME)
	{
		buf_append_string(sql, expression);
		return;
	}

	/* (IS NULL would also be true for a row of nulls.) */
	buf_printf(sql,
			   "CASE WHEN %s IS NOT DISTINCT FROM NULL THEN NULL "
			   "ELSE %spg_catalog.format('%%s', %s)%s END",
			   expression, is_text ? "" : column->source_read_before,
			   expression, is_text ? "" : column->source_read_after);
}
