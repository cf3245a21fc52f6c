/*
 * script.c
 *    Overwrites a line in place: what follows it keeps its position.
 */
#include "copy/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Position of the line, or -1. */
static long
find_line(FILE *stream, const char *line)
{
	char *read = NULL;
	size_t read_size = 0;
	long found = -1;
	long position = 0;
	ssize_t length;

	while (found < 0 && (length = getline(&read, &read_size, stream)) >= 0)
	{
		if (strcmp(read, line) == 0)
			found = position;
		position += length;
	}
	free(read);
	return found;
}

static void
blank(FILE *stream, long position, size_t length)
{
	if (fseek(stream, position, SEEK_SET) == 0)
		for (size_t i = 0; i < length; i++)
			(void) fputc(' ', stream);
}

Rc
script_remove_line(const char *file, const char *line, Error *err)
{
	FILE *stream = fopen(file, "r+e");
	long position;
	bool failed;

	if (stream == NULL)
		return error_set(err, ERR_IO, "could not open file \"%s\": %s", file,
						 strerror(errno));
	position = find_line(stream, line);
	if (position >= 0)
		blank(stream, position, strlen(line) - 1);
	failed = ferror(stream) != 0;
	if (fclose(stream) != 0 || failed)
		return error_set(err, ERR_IO, "could not rewrite file \"%s\": %s", file,
						 strerror(errno));
	return RC_OK;
}
