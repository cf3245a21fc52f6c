/*
 * change.c
 *    References to frames, and selections of changes.
 */
#include "model/change.h"

Frame *
frame_ref(Frame *frame)
{
	frame->references++;
	return frame;
}

void
frame_unref(Frame *frame)
{
	if (frame == NULL)
		return;
	ASSERT(frame->references > 0);
	if (--frame->references > 0)
		return;
	for (size_t i = 0; i < frame->relation_count; i++)
		relation_unref(frame->relations[i]);
	if (frame->message != NULL)
		frame->message_free(frame->message);
	arena_free(frame->arena);
}

const Change *
change_select_truncated(Frame *frame, const Change *change,
						bool (*wanted)(void *context, Relation *relation),
						void *context)
{
	const TruncateInfo *all = change->truncate;
	TruncateInfo *some = arena_calloc(frame->arena, 1, sizeof(TruncateInfo));
	Change *selected = arena_calloc(frame->arena, 1, sizeof(Change));

	ASSERT(change->kind == CHANGE_TRUNCATE);
	*some = *all;
	some->relation_count = 0;
	some->relations = arena_calloc(frame->arena, (size_t) all->relation_count,
								   sizeof(all->relations[0]));
	for (int i = 0; i < all->relation_count; i++)
		if (wanted(context, all->relations[i]))
			some->relations[some->relation_count++] = all->relations[i];
	*selected = *change;
	selected->truncate = some;
	return some->relation_count > 0 ? selected : NULL;
}

const char *
change_kind_name(ChangeKind kind)
{
	switch (kind)
	{
		case CHANGE_INSERT:
			return "insert";
		case CHANGE_UPDATE:
			return "update";
		case CHANGE_DELETE:
			return "delete";
		case CHANGE_TRUNCATE:
			return "truncate";
		case CHANGE_MESSAGE:
			return "message";
		case CHANGE_SCHEMA:
			return "schema";
		case CHANGE_REWRITE:
			return "rewrite";
	}
	check_failed("the kind of a change is known", __FILE__, __LINE__);
}
