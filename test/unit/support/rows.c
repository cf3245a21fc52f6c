/*
 * rows.c
 *    See rows.h.
 */
#include "support/rows.h"

Relation *
rows_relation(void)
{
	Relation *relation = relation_new(2);

	relation->schema = "public";
	relation->name = "rows";
	relation->oid = 5000;
	relation->key_count = 1;
	relation->columns[0] = (RelationColumn){.name = "id",
											.type_name = "pg_catalog.int4",
											.type_oid = TYPE_INT4,
											.typmod = -1,
											.attnum = 1,
											.encoding = COLUMN_INTEGER,
											.key = true};
	relation->columns[1] = (RelationColumn){.name = "v",
											.type_name = "pg_catalog.text",
											.type_oid = TYPE_TEXT,
											.typmod = -1,
											.attnum = 2,
											.encoding = COLUMN_TEXT};
	return relation;
}

Frame *
rows_frame(void)
{
	Arena *arena = arena_new(KB);
	Frame *frame = arena_calloc(arena, 1, sizeof(Frame));

	frame->arena = arena;
	frame->references = 1;
	frame->changes = arena_calloc(arena, ROWS_CHANGES_MAX, sizeof(Change));
	return frame;
}

static const Value *
new_row(Frame *frame, int64_t id)
{
	Value *values = arena_calloc(frame->arena, 2, sizeof(Value));

	values[0] = (Value){.integer = id, .kind = VALUE_INTEGER};
	values[1] = (Value){
		.bytes = (const uint8_t *) "x", .length = 1, .kind = VALUE_TEXT};
	return values;
}

Change *
rows_add(Frame *frame, Relation *relation, ChangeKind kind, int64_t id)
{
	Change *change = &frame->changes[frame->change_count++];
	const Value *row = new_row(frame, id);

	CHECK(frame->change_count <= ROWS_CHANGES_MAX);
	*change = (Change){.kind = kind, .relation = relation};
	if (kind == CHANGE_DELETE)
		change->old_row = row;
	else
		change->new_row = row;
	return change;
}
