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
