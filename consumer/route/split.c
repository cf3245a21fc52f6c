/*
 * split.c
 *    Makes of one change the changes for single targets.
 */
#include "route/split.h"

const Value *
split_new_row(Frame *frame, const Change *update, bool *whole)
{
	const Relation *relation = update->relation;
	Value *row = arena_calloc(frame->arena, (size_t) relation->column_count,
							  sizeof(Value));

	ASSERT(update->kind == CHANGE_UPDATE);
	*whole = true;
	for (int i = 0; i < relation->column_count; i++)
	{
		const Value *value = &update->new_row[i];

		if (value->kind == VALUE_UNCHANGED && update->old_row != NULL &&
			update->old_row[i].kind != VALUE_MISSING)
			value = &update->old_row[i];
		if (value->kind == VALUE_UNCHANGED)
			*whole = false;
		row[i] = *value;
	}
	return row;
}

Move
split_move(Frame *frame, const Change *update, const Value *row)
{
	Change *removal = arena_calloc(frame->arena, 1, sizeof(Change));
	Change *arrival = arena_calloc(frame->arena, 1, sizeof(Change));

	ASSERT(update->kind == CHANGE_UPDATE);
	*removal = (Change){.kind = CHANGE_DELETE,
						.relation = update->relation,
						.subxid = update->subxid,
						.old_row = change_identity_row(update),
						.hash = update->old_hash,
						.old_hash = update->old_hash};
	*arrival = (Change){.kind = CHANGE_INSERT,
						.relation = update->relation,
						.subxid = update->subxid,
						.new_row = row,
						.hash = update->hash,
						.old_hash = update->hash};
	ASSERT(removal->old_row != NULL && arrival->new_row != NULL);
	return (Move){removal, arrival};
}

Rc
split_refuse(const Change *update, Error *err)
{
	ASSERT(update->kind == CHANGE_UPDATE);
	return error_set(err, ERR_CONFIG,
					 "row of table \"%s\".\"%s\" moves to another node, and "
					 "the WAL does not have all its values",
					 update->relation->schema, update->relation->name);
}

Change *
split_truncate(Frame *frame, const Change *truncate, Relation *const *relations,
			   int relation_count)
{
	TruncateInfo *info = arena_calloc(frame->arena, 1, sizeof(TruncateInfo));
	Change *change = arena_calloc(frame->arena, 1, sizeof(Change));

	/* Without a table it would be a TRUNCATE of nothing. */
	ASSERT(truncate->kind == CHANGE_TRUNCATE && relation_count > 0);
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
