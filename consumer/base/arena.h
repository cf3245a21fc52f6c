/*
 * arena.h
 *    Memory of one lifetime, freed at once.
 *
 * An arena hands out pieces that are never freed singly.  It is reset or freed
 * as a whole, in one place that can be seen in the code: at the end of a
 * message, a transaction, a connection.
 *
 * Invariants: every piece is aligned for any type; arena_bytes() counts all
 * memory that the arena holds, handed out or not, so that limits can be kept.
 */
#ifndef PENSTOCK_BASE_ARENA_H
#define PENSTOCK_BASE_ARENA_H

#include <stddef.h>

#include "base/macros.h"

typedef struct Arena Arena;

/*
 * A new, empty arena.  `block_bytes` is how much it takes from the heap at a
 * time; a larger piece gets a block of its own.
 */
Arena *arena_new(size_t block_bytes);

/* Frees the arena and all its pieces.  Accepts NULL. */
void arena_free(Arena *arena);

/* Frees all pieces; keeps one block for the next round. */
void arena_reset(Arena *arena);

/* Bytes of heap that the arena holds. */
size_t arena_bytes(const Arena *arena);

/* A piece of `size` bytes, contents undefined.  Never NULL. */
void *arena_alloc(Arena *arena, size_t size);

/* The same, zeroed, for `count` elements of `size` bytes. */
void *arena_calloc(Arena *arena, size_t count, size_t size);

/* Copies into the arena; the string's copy ends in a NUL.  NULL gives NULL. */
void *arena_dup(Arena *arena, const void *data, size_t size);
char *arena_strdup(Arena *arena, const char *string);

/* A formatted string in the arena. */
char *arena_printf(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif /* PENSTOCK_BASE_ARENA_H */
