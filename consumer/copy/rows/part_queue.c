/*
 * part_queue.c
 *    Keeps the queue as an array of ranges of blocks.  A table is added as one
 *    range, from whose beginning each part is cut when it is taken.
 */
#include "copy/rows/part_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Returns how many blocks of a table make a part of PART_BYTES, with their
 * share of the table's TOAST. */
static int64_t
part_blocks(const CopyTable *table)
{
	int64_t parts = (table->bytes + PART_BYTES - 1) / PART_BYTES;
	int64_t blocks = parts > 1 ? (table->heap_blocks + parts - 1) / parts
							   : table->heap_blocks;

	return blocks > 0 ? blocks : 1;
}

static bool
is_split(const CopyTable *table, bool splits)
{
	/* A table of one part is not split: its only part has no end, like the
	 * last part of every table. */
	return splits && table->heap_blocks > part_blocks(table);
}

static int64_t
count_parts(const CopyTable *table, bool splits)
{
	int64_t blocks = part_blocks(table);

	if (!is_split(table, splits))
		return 1;
	return (table->heap_blocks + blocks - 1) / blocks;
}

int64_t
part_count(const CopyTable *table, int jobs)
{
	return count_parts(table, jobs > 1);
}

void
part_queue_init(PartQueue *queue, int jobs)
{
	ASSERT(jobs > 0);
	*queue = (PartQueue){.splits = jobs > 1};
}

void
part_queue_release(PartQueue *queue)
{
	free(queue->parts);
	*queue = (PartQueue){0};
}

/* Makes room for one more part, if possible by moving the parts into the room
 * of parts that were taken. */
static void
reserve(PartQueue *queue)
{
	ASSERT(queue->head <= queue->end && queue->end <= queue->size);
	if (queue->end < queue->size)
		return;
	if (queue->head > queue->size / 2)
	{
		queue->end -= queue->head;
		memmove(queue->parts, queue->parts + queue->head,
				(size_t) queue->end * sizeof(CopyPart));
		queue->head = 0;
		ASSERT(queue->end < queue->size);
		return;
	}
	queue->size = queue->size > 0 ? 2 * queue->size : 64;
	queue->parts = xrealloc_array(queue->parts, (size_t) queue->size,
								  sizeof(CopyPart));
}

static void
append(PartQueue *queue, CopyPart part)
{
	reserve(queue);
	queue->parts[queue->end++] = part;
}

int64_t
part_queue_add(PartQueue *queue, CopyTable *table)
{
	ASSERT(!table->done);
	append(queue, (CopyPart){.table = table});
	table->parts_left = count_parts(table, queue->splits);
	CHECK(table->parts_left > 0);
	return table->parts_left;
}

/*
 * The last part of a table has the remaining blocks, when these are not more
 * than a part.  It has no end, because the table may have grown since its size
 * was read.
 */
bool
part_queue_take(PartQueue *queue, CopyPart *part)
{
	CopyPart *first;

	if (queue->head == queue->end)
		return false;
	first = &queue->parts[queue->head];
	ASSERT(first->table->parts_left > 0);
	*part = *first;
	if (first->end_block == 0 && is_split(first->table, queue->splits) &&
		first->table->heap_blocks - first->first_block >
			part_blocks(first->table))
	{
		first->first_block += part_blocks(first->table);
		part->end_block = first->first_block;
	}
	else
		queue->head++;
	CHECK(part->end_block == 0 || part->end_block > part->first_block);
	return true;
}

void
part_queue_put_back(PartQueue *queue, CopyPart part)
{
	ASSERT(part.table->parts_left > 0 && !part.table->done);
	ASSERT(part.end_block == 0 || part.end_block > part.first_block);
	append(queue, part);
	if (queue->parts[queue->head].table == part.table &&
		queue->end - queue->head > 1)
	{
		CopyPart rest = queue->parts[queue->head++];

		append(queue, rest);
	}
}

void
part_queue_drop(PartQueue *queue, const CopyTable *table)
{
	int kept = queue->head;

	for (int i = queue->head; i < queue->end; i++)
		if (queue->parts[i].table != table)
			queue->parts[kept++] = queue->parts[i];
	ASSERT(kept <= queue->end);
	queue->end = kept;
}
