/*
 * part_queue.h
 *    Which tables, and which parts of them, are yet to be copied.
 *
 * Tables come out in the order in which they went in.  One that is large enough
 * comes in parts, ranges of its blocks, so that several copiers share it.  A
 * part that could not be had now goes after all others, with the rest of its
 * table.
 */
#ifndef PENSTOCK_COPY_ROWS_PART_QUEUE_H
#define PENSTOCK_COPY_ROWS_PART_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"

/*
 * Bytes of a part, about, with what of its rows is stored out of line.  Long
 * enough that beginning one costs nothing, short enough that all copiers have
 * something to do until the end.
 */
#ifdef PENSTOCK_FAULTS
/* So that tests see parts of small tables. */
#define PART_BYTES ((int64_t) (512 * KB))
#else
#define PART_BYTES ((int64_t) (64 * MB))
#endif

/* A table, or some of its blocks. */
typedef struct CopyPart
{
	CopyTable *table; /* borrowed */
	int64_t first_block;
	int64_t end_block; /* one past the last; 0: all there are */
} CopyPart;

typedef struct PartQueue
{
	bool splits; /* there are several copiers */
	int head;    /* the parts from here to the end are waiting */
	int end;
	int size; /* allocated */
	CopyPart *parts;
} PartQueue;

/* How many parts a table has. */
int64_t part_count(const CopyTable *table, int jobs);

void part_queue_init(PartQueue *queue, int jobs);
void part_queue_release(PartQueue *queue);

/* Adds a table, and sets its parts_left; returns that. */
int64_t part_queue_add(PartQueue *queue, CopyTable *table);

/* Takes the next part; false: there is none. */
bool part_queue_take(PartQueue *queue, CopyPart *part);

/* A part that was taken is to be tried later. */
void part_queue_put_back(PartQueue *queue, CopyPart part);

/* Nothing of this table is to be copied any more. */
void part_queue_drop(PartQueue *queue, const CopyTable *table);

#endif /* PENSTOCK_COPY_ROWS_PART_QUEUE_H */
