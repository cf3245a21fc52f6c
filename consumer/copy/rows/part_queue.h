/*
 * part_queue.h
 *    Queue of the tables, and parts of tables, that are still to be copied.
 *
 * The queue returns tables in the order in which they were added.  It returns a
 * large table in parts, which are ranges of its blocks, so that several copiers
 * can work on the table.  A part whose table was locked is moved to the end of
 * the queue, together with the remaining parts of the table.
 */
#ifndef PENSTOCK_COPY_ROWS_PART_QUEUE_H
#define PENSTOCK_COPY_ROWS_PART_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"

/*
 * Approximate size of a part, TOAST included.  Large enough that the cost of
 * beginning a part does not matter, and small enough that all copiers are busy
 * until the end of the copy.
 */
#ifdef PENSTOCK_FAULTS
/* Smaller in builds for tests, so that small tables have several parts. */
#define PART_BYTES ((int64_t) (512 * KB))
#else
#define PART_BYTES ((int64_t) (64 * MB))
#endif

/* A part to copy: a whole table or a range of its blocks. */
typedef struct CopyPart
{
	CopyTable *table;    /* the table, borrowed */
	int64_t first_block; /* number of the first block */
	int64_t end_block;   /* one past the last block; 0: up to the table's end */
} CopyPart;

typedef struct PartQueue
{
	bool splits; /* whether tables are split: there are several copiers */
	int head;    /* index of the next part to return */
	int end;     /* one past the index of the last part */
	int size;    /* number of parts that `parts` has room for */
	CopyPart *parts;
} PartQueue;

/* Returns how many parts a table has if `jobs` copiers copy. */
int64_t part_count(const CopyTable *table, int jobs);

void part_queue_init(PartQueue *queue, int jobs);
void part_queue_release(PartQueue *queue);

/* Adds a table, sets its parts_left to the number of its parts, and returns
 * that number. */
int64_t part_queue_add(PartQueue *queue, CopyTable *table);

/* Removes the next part from the queue; returns false if the queue is empty. */
bool part_queue_take(PartQueue *queue, CopyPart *part);

/* Appends a part that was taken to the queue again. */
void part_queue_put_back(PartQueue *queue, CopyPart part);

/* Removes all parts of a table from the queue. */
void part_queue_drop(PartQueue *queue, const CopyTable *table);

#endif /* PENSTOCK_COPY_ROWS_PART_QUEUE_H */
