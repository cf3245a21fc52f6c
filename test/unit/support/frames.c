/*
 * frames.c
 *    See frames.h.
 */
#include "support/frames.h"

Frame *
frames_new(size_t capacity)
{
	Arena *arena = arena_new(KB);
	Frame *frame = arena_calloc(arena, 1, sizeof(Frame));

	frame->arena = arena;
	frame->references = 1;
	frame->changes = arena_calloc(arena, capacity, sizeof(Change));
	return frame;
}

Change *
frames_add(Frame *frame, const Change *change)
{
	Change *added = &frame->changes[frame->change_count++];

	*added = *change;
	return added;
}

Frame *
frames_of(const Change *change)
{
	Frame *frame = frames_new(1);

	(void) frames_add(frame, change);
	return frame;
}
