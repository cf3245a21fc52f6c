/*
 * arena.c
 *    A list of blocks.  Pieces are cut from the front of the newest block.
 *
 * arena_reset() keeps the first block, so an arena that is reset after each
 * message soon allocates nothing from the heap any more.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define ARENA_ALIGNMENT _Alignof(max_align_t)

typedef struct ArenaBlock
{
	struct ArenaBlock *older;
	size_t size; /* bytes of data[] */
	size_t used; /* bytes of data[] in use, a multiple of ARENA_ALIGNMENT */
	_Alignas(max_align_t) unsigned char data[];
} ArenaBlock;

struct Arena
{
	ArenaBlock *newest; /* block that the next piece is cut from; never NULL */
	size_t block_bytes;
	size_t bytes;
};

static ArenaBlock *
block_new(Arena *arena, size_t size)
{
	ArenaBlock *block = xmalloc(sizeof(ArenaBlock) + size);

	block->older = NULL;
	block->size = size;
	block->used = 0;
	arena->bytes += sizeof(ArenaBlock) + size;
	return block;
}

Arena *
arena_new(size_t block_bytes)
{
	Arena *arena = xcalloc(1, sizeof(Arena));

	arena->block_bytes = block_bytes;
	arena->newest = block_new(arena, block_bytes);
	return arena;
}

static void
free_blocks(Arena *arena, ArenaBlock *block)
{
	while (block != NULL)
	{
		ArenaBlock *older = block->older;

		arena->bytes -= sizeof(ArenaBlock) + block->size;
		free(block);
		block = older;
	}
}

void
arena_free(Arena *arena)
{
	if (arena == NULL)
		return;
	free_blocks(arena, arena->newest);
	free(arena);
}

void
arena_reset(Arena *arena)
{
	ArenaBlock *first = arena->newest;

	while (first->older != NULL)
	{
		ArenaBlock *older = first->older;

		first->older = NULL;
		free_blocks(arena, first);
		first = older;
	}
	first->used = 0;
	arena->newest = first;
}

size_t
arena_bytes(const Arena *arena)
{
	return arena->bytes;
}

void *
arena_alloc(Arena *arena, size_t size)
{
	ArenaBlock *block = arena->newest;
	size_t rounded;
	void *piece;

	CHECK(size <= SIZE_MAX / 2);
	rounded = (size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
	if (rounded > block->size - block->used)
	{
		size_t block_bytes = rounded > arena->block_bytes ? rounded
														  : arena->block_bytes;

		block = block_new(arena, block_bytes);
		block->older = arena->newest;
		arena->newest = block;
	}
	piece = block->data + block->used;
	block->used += rounded;
	return piece;
}

void *
arena_calloc(Arena *arena, size_t count, size_t size)
{
	void *piece;

	CHECK(size == 0 || count <= SIZE_MAX / 2 / size);
	piece = arena_alloc(arena, count * size);
	memset(piece, 0, count * size);
	return piece;
}

void *
arena_dup(Arena *arena, const void *data, size_t size)
{
	void *copy;

	if (data == NULL)
		return NULL;
	copy = arena_alloc(arena, size);
	memcpy(copy, data, size);
	return copy;
}

char *
arena_strdup(Arena *arena, const char *string)
{
	return string ? arena_dup(arena, string, strlen(string) + 1) : NULL;
}

char *
arena_printf(Arena *arena, const char *format, ...)
{
	va_list args;
	int length;
	char *string;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	CHECK(length >= 0);
	string = arena_alloc(arena, (size_t) length + 1);
	va_start(args, format);
	vsnprintf(string, (size_t) length + 1, format, args);
	va_end(args);
	return string;
}
