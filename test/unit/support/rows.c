/*
 * rows.c
 *    See rows.h.
 */
#include "support/rows.h"

#include "support/frames.h"

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
	return frames_new(ROWS_CHANGES_MAX);
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
	const Value *row = new_row(frame, id);
	Change change = {.kind = kind, .relation = relation};

	CHECK(frame->change_count < ROWS_CHANGES_MAX);
	if (kind == CHANGE_DELETE)
		change.old_row = row;
	else
		change.new_row = row;
	return frames_add(frame, &change);
}
