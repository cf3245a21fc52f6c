/*
 * xalloc.c
 *    The only file of the consumer that calls malloc() and its kin.
 */
#include "base/xalloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static NORETURN void
out_of_memory(size_t size)
{
	fprintf(stderr, "penstock: out of memory: could not allocate %zu bytes\n",
			size);
	exit(1);
}

void *
xmalloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (memory == NULL)
		out_of_memory(size);
	return memory;
}

void *
xcalloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (memory == NULL)
		out_of_memory(count * size);
	return memory;
}

void *
xrealloc_array(void *memory, size_t count, size_t size)
{
	void *moved;

	if (size > 0 && count > SIZE_MAX / size)
		out_of_memory(SIZE_MAX);
	moved = realloc(memory, count * size > 0 ? count * size : 1);
	if (moved == NULL)
		out_of_memory(count * size);
	return moved;
}

char *
xstrdup(const char *string)
{
	size_t size;
	char *copy;

	if (string == NULL)
		return NULL;
	size = strlen(string) + 1;
	copy = xmalloc(size);
	memcpy(copy, string, size);
	return copy;
}

char *
xasprintf(const char *format, ...)
{
	va_list args;
	char *string;

	va_start(args, format);
	string = xvasprintf(format, args);
	va_end(args);
	return string;
}

char *
xvasprintf(const char *format, va_list args)
{
	char *string;

	if (vasprintf(&string, format, args) < 0)
		out_of_memory(strlen(format));
	return string;
}

char *
xalloc_stack(size_t size)
{
	void *stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED ||
		mprotect(stack, (size_t) sysconf(_SC_PAGESIZE), PROT_NONE) != 0)
		out_of_memory(size);
	return stack;
}

void
xfree_stack(char *stack, size_t size)
{
	CHECK(munmap(stack, size) == 0);
}
