/*
 * sanitizer_first.c
 *		Starts AddressSanitizer's runtime before anything else in the server.
 *
 * The runtime starts with the first malloc, and asks the C library for an error
 * message then.  One of the server's libraries (libgpg-error) registers its
 * message catalog from its constructor; the first malloc happens in there, the
 * C library is asked for a message under its own lock, and the server hangs.
 * This is linked with -z initfirst, so that the first malloc is this one.
 */
#include <stdlib.h>

static void *volatile first;

__attribute__((constructor)) static void
allocate_first(void)
{
	first = malloc(1);
	free(first);
}
