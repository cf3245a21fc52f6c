/*
 * xalloc.h
 *    Allocates heap memory, or ends the program.
 *
 * If the consumer cannot get the few kilobytes that its own structures need, it
 * cannot continue, and it is safe to stop: nothing is confirmed to the source
 * that is not durable.  So these functions never return NULL.  A size that came
 * from outside is checked against a limit by the caller before it gets here.
 */
#ifndef PENSTOCK_BASE_XALLOC_H
#define PENSTOCK_BASE_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"

/*
 * Returns memory of `size` bytes, with undefined contents.  Free with free().
 */
void *xmalloc(size_t size) __attribute__((malloc));

/* Returns zeroed memory for `count` elements of `size` bytes. */
void *xcalloc(size_t count, size_t size) __attribute__((malloc));

/* Like realloc(), for `count` elements of `size` bytes. */
void *xrealloc_array(void *memory, size_t count, size_t size);

/*
 * Returns memory for a stack.  Its first page cannot be accessed, so a stack
 * overflow ends the program with SIGSEGV.  Free with xfree_stack().
 */
char *xalloc_stack(size_t size);
void xfree_stack(char *stack, size_t size);

/* Returns a copy of a string; NULL for NULL.  Free with free(). */
char *xstrdup(const char *string);

/* Return a formatted string.  Free with free(). */
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *format, va_list args) PRINTF_LIKE(1, 0);

#endif /* PENSTOCK_BASE_XALLOC_H */
