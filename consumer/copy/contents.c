/*
 * contents.c
 *    Reads a dump's list of contents line by line and writes what is wanted.
 */
#include "copy/contents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Reads "; class oid " behind the entry's number; NULL if it is not there. */
static const char *
parse_object(const char *line, ObjectId *object)
{
	char *end;

	(void) strtoul(line, &end, 10);
	if (end == line || *end != ';')
		return NULL;
	object->class_oid = (uint32_t) strtoul(end + 1, &end, 10);
	object->oid = (uint32_t) strtoul(end, &end, 10);
	return *end == ' ' ? end + 1 : NULL;
}

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* What build_list.h is about, and a little more. */
static bool
is_build(const char *kind)
{
	return starts_with(kind, "INDEX ") || starts_with(kind, "CONSTRAINT ") ||
		   starts_with(kind, "FK CONSTRAINT ");
}

bool
contents_line_passes(const char *line, const ContentsFilter *filter)
{
	ObjectId object = {0};
	const char *kind = parse_object(line, &object);

	if (kind == NULL)
		return true; /* a comment of the list itself */
	if (filter->only != NULL && !object_set_has(filter->only, object))
		return false;
	if (filter->without != NULL && object_set_has(filter->without, object))
		return false;
	if (filter->only_builds && !is_build(kind))
		return false;
	if (filter->built != NULL && (object_set_has(filter->built, object) ||
								  starts_with(kind, "INDEX ATTACH ")))
		return false;
	return !filter->without_extension_comments ||
		   !starts_with(kind, "COMMENT - EXTENSION ");
}

/* Entries of a list that were left out for what they are, by number. */
typedef struct LeftOut
{
	unsigned count;
	unsigned size; /* allocated */
	unsigned *numbers;
} LeftOut;

static void
add_left_out(LeftOut *left_out, const char *line)
{
	if (left_out->count == left_out->size)
	{
		left_out->size = left_out->size > 0 ? 2 * left_out->size : 64;
		left_out->numbers = xrealloc_array(left_out->numbers, left_out->size,
										   sizeof(unsigned));
	}
	left_out->numbers[left_out->count++] = (unsigned) strtoul(line, NULL, 10);
}

static bool
is_left_out(const LeftOut *left_out, unsigned number)
{
	for (unsigned i = 0; i < left_out->count; i++)
		if (left_out->numbers[i] == number)
			return true;
	return false;
}

/*
 * Whether an entry that is no object of its own depends, by the line behind it,
 * on one that was left out.
 */
static bool
belongs_to_left_out(const char *line, const char *next, const LeftOut *left_out)
{
	static const char start[] = ";\tdepends on:";
	ObjectId object = {0};
	const char *c;
	char *end;

	if (left_out->count == 0 || parse_object(line, &object) == NULL ||
		object.class_oid != 0 || !starts_with(next, start))
		return false;
	c = strchr(next, ':') + 1; /* the one that `start` ends with */
	for (;;)
	{
		unsigned number = (unsigned) strtoul(c, &end, 10);

		if (end == c)
			return false;
		if (is_left_out(left_out, number))
			return true;
		c = end;
	}
}

/* Writes a line unless the filter holds it back; `next` is the one behind. */
static void
copy_line(FILE *out, const char *line, const char *next,
		  const ContentsFilter *filter, LeftOut *left_out)
{
	ObjectId object = {0};

	if (filter->without != NULL && parse_object(line, &object) != NULL &&
		object_set_has(filter->without, object))
		add_left_out(left_out, line);
	if (contents_line_passes(line, filter) &&
		!belongs_to_left_out(line, next, left_out))
		fputs(line, out);
}

static Rc
copy_lines(FILE *in, FILE *out, const ContentsFilter *filter, Error *err)
{
	static char lines[2][CONTENTS_LINE_MAX];
	LeftOut left_out = {0};
	int current = 0;
	Rc rc = RC_OK;

	lines[0][0] = '\0';
	while (fgets(lines[1 - current], CONTENTS_LINE_MAX, in) != NULL)
	{
		const char *next = lines[1 - current];

		if (strchr(next, '\n') == NULL && !feof(in))
		{
			rc = error_set(err, ERR_LIMIT,
						   "a line of the dump's list of contents has more "
						   "than %d bytes",
						   CONTENTS_LINE_MAX);
			break;
		}
		copy_line(out, lines[current], next, filter, &left_out);
		current = 1 - current;
	}
	if (rc == RC_OK)
		copy_line(out, lines[current], "", filter, &left_out);
	free(left_out.numbers);
	return rc;
}

Rc
contents_filter(const char *from, const char *to, const ContentsFilter *filter,
				Error *err)
{
	FILE *in = fopen(from, "re");
	FILE *out = fopen(to, "we");
	Rc rc = RC_OK;

	if (in == NULL || out == NULL)
		rc = error_set(err, ERR_IO, "could not open file \"%s\": %s",
					   in == NULL ? from : to, strerror(errno));
	else
		rc = copy_lines(in, out, filter, err);
	if (in != NULL)
	{
		if (rc == RC_OK && ferror(in))
			rc = error_set(err, ERR_IO, "could not read file \"%s\"", from);
		fclose(in);
	}
	if (out != NULL && fclose(out) != 0 && rc == RC_OK)
		rc = error_set(err, ERR_IO, "could not write file \"%s\": %s", to,
					   strerror(errno));
	return rc;
}

static int
count_lines(FILE *stream)
{
	int count = 0;

	for (int c = fgetc(stream); c != EOF; c = fgetc(stream))
		if (c == '\n')
			count++;
	rewind(stream);
	return count;
}

Rc
contents_read_objects(const char *file, ObjectSet *objects, Arena *arena,
					  Error *err)
{
	static char line[CONTENTS_LINE_MAX];
	FILE *stream = fopen(file, "re");
	Rc rc = RC_OK;

	*objects = (ObjectSet){0};
	if (stream == NULL)
		return error_set(err, ERR_IO, "could not open file \"%s\": %s", file,
						 strerror(errno));
	objects->objects = arena_calloc(arena, (size_t) count_lines(stream) + 1,
									sizeof(ObjectId));
	while (fgets(line, sizeof(line), stream) != NULL)
	{
		ObjectId object = {0};

		if (parse_object(line, &object) != NULL && object.class_oid != 0)
			objects->objects[objects->count++] = object;
	}
	if (ferror(stream))
		rc = error_set(err, ERR_IO, "could not read file \"%s\"", file);
	fclose(stream);
	object_set_sort(objects);
	return rc;
}
