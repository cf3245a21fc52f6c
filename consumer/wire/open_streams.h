/*
 * open_streams.h
 *    Which transactions in progress a session has told of, and how many changes
 *    of each.
 *
 * They are few: each belongs to a session of the source that is at work.  A
 * transaction that the source forgot in a crash stays until the session ends.
 */
#ifndef PENSTOCK_WIRE_OPEN_STREAMS_H
#define PENSTOCK_WIRE_OPEN_STREAMS_H

#include <stddef.h>
#include <stdint.h>

/* More than a server can have connections (MAX_BACKENDS). */
#define OPEN_STREAMS_MAX ((size_t) 0x40000)

typedef struct OpenStream
{
	uint32_t xid;
	uint64_t change_count;
} OpenStream;

/* A zeroed one is empty. */
typedef struct OpenStreams
{
	OpenStream *items;
	size_t count;
	size_t capacity;
} OpenStreams;

void open_streams_release(OpenStreams *streams);

/* NULL if there is none.  Valid until the next function that is called. */
OpenStream *open_streams_find(const OpenStreams *streams, uint32_t xid);

/* Adds one that is not there.  NULL if there are too many. */
OpenStream *open_streams_add(OpenStreams *streams, uint32_t xid);

void open_streams_remove(OpenStreams *streams, OpenStream *stream);

#endif /* PENSTOCK_WIRE_OPEN_STREAMS_H */
