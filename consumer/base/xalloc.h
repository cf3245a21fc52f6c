/*
 * xalloc.h
 *    Heap memory that is there or ends the program.
 *
 * A consumer that cannot get the few kilobytes which its own structures need
 * has no way to go on, and stopping is safe: nothing is confirmed that is not
 * durable.  So these functions never return NULL.  A size that came from
 * outside is checked against a limit by the caller before it gets here.
 */
#ifndef PENSTOCK_BASE_XALLOC_H
#define PENSTOCK_BASE_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"

/* Memory of `size` bytes, contents undefined.  Free with free(). */
void *xmalloc(size_t size) __attribute__((malloc));

/* Memory for `count` elements of `size` bytes, zeroed. */
void *xcalloc(size_t count, size_t size) __attribute__((malloc));

/* As realloc(); for `count` elements of `size` bytes. */
void *xrealloc_array(void *memory, size_t count, size_t size);

/*
 * Memory for a stack.  Whoever comes to its end, which is its first page, ends
 * with SIGSEGV.  Free with xfree_stack().
 */
char *xalloc_stack(size_t size);
void xfree_stack(char *stack, size_t size);

/* Copies of strings; NULL gives NULL. */
char *xstrdup(const char *string);

/* A formatted string.  Free with free(). */
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *format, va_list args) PRINTF_LIKE(1, 0);

#endif /* PENSTOCK_BASE_XALLOC_H */
