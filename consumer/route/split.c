/*
 * split.c
 *    Making changes of changes.
 */
#include "route/split.h"

static MUST_CHECK Rc
lacks_value(const Relation *relation, const RelationColumn *column, Error *err)
{
	Buf name;
	Rc rc = error_set(err, ERR_CONFIG,
					  "row of table \"%s\".\"%s\" moves to another node, and "
					  "the log does not have its column \"%s\"",
					  relation->schema, relation->name, column->name);

	error_detail(err, "The update that moves the row did not change this large "
					  "value.");
	buf_init(&name, BUF_TEXT_MAX);
	relation_append_name(relation, &name);
	error_hint(err,
			   "Run on the source: ALTER TABLE %s REPLICA IDENTITY FULL; and "
			   "copy again: what the log lacks cannot be had any more.",
			   name.data);
	buf_release(&name);
	return rc;
}

/* The new row, whole: what the update left alone is in the old one. */
static MUST_CHECK Rc
complete_row(Frame *frame, const Change *update, const Value **row, Error *err)
{
	const Relation *relation = update->relation;
	Value *values = arena_calloc(frame->arena, (size_t) relation->column_count,
								 sizeof(Value));

	for (int i = 0; i < relation->column_count; i++)
	{
		const Value *value = &update->new_row[i];

		if (value->kind == VALUE_UNCHANGED && update->old_row != NULL)
			value = &update->old_row[i];
		if (value->kind == VALUE_UNCHANGED || value->kind == VALUE_ABSENT)
			return lacks_value(relation, &relation->columns[i], err);
		values[i] = *value;
	}
	*row = values;
	return RC_OK;
}

Rc
split_move(Frame *frame, const Change *update, Move *move, Error *err)
{
	const Value *row = NULL;
	Rc rc = complete_row(frame, update, &row, err);

	ASSERT(update->kind == CHANGE_UPDATE);
	if (rc != RC_OK)
		return rc;
	move->removal = arena_calloc(frame->arena, 1, sizeof(Change));
	*move->removal = (Change){.kind = CHANGE_DELETE,
							  .relation = update->relation,
							  .subxid = update->subxid,
							  .old_row = change_identity_row(update),
							  .hash = update->old_hash,
							  .old_hash = update->old_hash};
	move->arrival = arena_calloc(frame->arena, 1, sizeof(Change));
	*move->arrival = (Change){.kind = CHANGE_INSERT,
							  .relation = update->relation,
							  .subxid = update->subxid,
							  .new_row = row,
							  .hash = update->hash,
							  .old_hash = update->hash};
	return RC_OK;
}

Change *
split_truncate(Frame *frame, const Change *truncate, Relation *const *relations,
			   int relation_count)
{
	TruncateInfo *info = arena_calloc(frame->arena, 1, sizeof(TruncateInfo));
	Change *change = arena_calloc(frame->arena, 1, sizeof(Change));

	*info = *truncate->truncate;
	info->relation_count = relation_count;
	info->relations = arena_calloc(frame->arena, (size_t) relation_count,
								   sizeof(Relation *));
	for (int i = 0; i < relation_count; i++)
		info->relations[i] = relations[i];
	*change = *truncate;
	change->truncate = info;
	return change;
}
