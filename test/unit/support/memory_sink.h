/*
 * memory_sink.h
 *    A sink that records its calls.
 *
 * Each call leaves a word in `log`: "begin 700", "insert", "message", "commit
 * 700", separated by blanks and semicolons.
 */
#ifndef PENSTOCK_TEST_SUPPORT_MEMORY_SINK_H
#define PENSTOCK_TEST_SUPPORT_MEMORY_SINK_H

#include "base/buf.h"
#include "sink/sink.h"

typedef struct MemorySink
{
	Sink sink; /* first: see the casts */
	SinkReport report;
	Buf log;
	ChangeKind fails_at; /* kind of change at which it fails, if `fails` */
	bool fails;
	SinkFetch *fetch; /* the last, and behind it the others; to be done by the
					   * test */
} MemorySink;

/* Sets it up; release with sink_free(), which leaves the memory alone. */
void memory_sink_init(MemorySink *sink, Lsn start_lsn);

#endif /* PENSTOCK_TEST_SUPPORT_MEMORY_SINK_H */
