/*
 * open_streams.c
 *    An array without order.
 */
#include "wire/open_streams.h"

#include <stdlib.h>

#include "base/macros.h"
#include "base/xalloc.h"

#define CAPACITY_FIRST 8

void
open_streams_release(OpenStreams *streams)
{
	free(streams->items);
	*streams = (OpenStreams){0};
}

OpenStream *
open_streams_find(const OpenStreams *streams, uint32_t xid)
{
	for (size_t i = 0; i < streams->count; i++)
		if (streams->items[i].xid == xid)
			return &streams->items[i];
	return NULL;
}

OpenStream *
open_streams_add(OpenStreams *streams, uint32_t xid)
{
	ASSERT(open_streams_find(streams, xid) == NULL);
	if (streams->count >= OPEN_STREAMS_MAX)
		return NULL;
	if (streams->count == streams->capacity)
	{
		streams->capacity = streams->capacity ? streams->capacity * 2
											  : CAPACITY_FIRST;
		streams->items = xrealloc_array(streams->items, streams->capacity,
										sizeof(streams->items[0]));
	}
	streams->items[streams->count] = (OpenStream){.xid = xid};
	return &streams->items[streams->count++];
}

void
open_streams_remove(OpenStreams *streams, OpenStream *stream)
{
	*stream = streams->items[--streams->count];
}
