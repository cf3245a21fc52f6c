/*
 * change.c
 *    Life and death of frames.
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
	}
	check_failed("the kind of a change is known", __FILE__, __LINE__);
}
