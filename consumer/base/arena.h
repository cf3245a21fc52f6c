/*
 * arena.h
 *    Memory that is allocated in pieces and freed all at once.
 *
 * A piece of an arena is never freed alone.  The whole arena is reset or freed
 * in one place of the code: at the end of a message, a transaction, a
 * connection.
 *
 * Invariants: every piece is aligned for any type.  arena_bytes() counts all
 * heap memory of the arena, used or not, so that callers can keep limits.
 */
#ifndef PENSTOCK_BASE_ARENA_H
#define PENSTOCK_BASE_ARENA_H

#include <stddef.h>

#include "base/macros.h"

typedef struct Arena Arena;

/*
 * Returns a new, empty arena.  It allocates blocks of `block_bytes` from the
 * heap; a larger piece gets a block of its own.
 */
Arena *arena_new(size_t block_bytes);

/* Frees the arena and all its pieces.  Accepts NULL. */
void arena_free(Arena *arena);

/* Frees all pieces.  One block is kept for the pieces that come next. */
void arena_reset(Arena *arena);

/* Returns the bytes of heap memory that the arena holds, used or not. */
size_t arena_bytes(const Arena *arena);

/* Returns a piece of `size` bytes, with undefined contents; never NULL. */
void *arena_alloc(Arena *arena, size_t size);

/* Returns a zeroed piece for `count` elements of `size` bytes; never NULL. */
void *arena_calloc(Arena *arena, size_t count, size_t size);

/*
 * Return a copy, allocated in the arena; NULL for NULL. arena_dup() copies
 * `size` bytes, arena_strdup() a string with its NUL.
 */
void *arena_dup(Arena *arena, const void *data, size_t size);
char *arena_strdup(Arena *arena, const char *string);

/* Returns a formatted string, allocated in the arena. */
char *arena_printf(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif /* PENSTOCK_BASE_ARENA_H */
