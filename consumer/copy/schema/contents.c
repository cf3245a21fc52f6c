/*
 * contents.c
 *    Reads a dump's table of contents line by line, and writes the lines that
 *    pass.
 */
#include "copy/schema/contents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Parses the two OIDs of an entry's line.  Returns the rest of the line, which
 * begins with the entry's kind, or NULL if the line is not an entry. */
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

/* Whether entries of this kind are indexes or constraints. */
static bool
is_build(const char *kind)
{
	return starts_with(kind, "INDEX ") || starts_with(kind, "CONSTRAINT ") ||
		   starts_with(kind, "FK CONSTRAINT ");
}

static const char view_data[] = "MATERIALIZED VIEW DATA ";

static int
compare_numbers(const void *left, const void *right)
{
	unsigned a = *(const unsigned *) left;
	unsigned b = *(const unsigned *) right;

	return a == b ? 0 : a < b ? -1 : 1;
}

static unsigned
entry_number(const char *line)
{
	return (unsigned) strtoul(line, NULL, 10);
}

static bool
has_number(const EntryNumbers *entries, unsigned number)
{
	ASSERT(entries->count == 0 || entries->numbers != NULL);
	return bsearch(&number, entries->numbers, (size_t) entries->count,
				   sizeof(unsigned), compare_numbers) != NULL;
}

bool
contents_line_passes(const char *line, const ContentsFilter *filter)
{
	ObjectId object = {0};
	const char *kind = parse_object(line, &object);

	if (kind == NULL)
		return true; /* the line is a comment */
	if (filter->entries != NULL &&
		!has_number(filter->entries, entry_number(line)))
		return false;
	if (filter->only != NULL && !object_set_has(filter->only, object))
		return false;
	if (filter->present != NULL && object_set_has(filter->present, object))
		return false;
	if (filter->without_views && starts_with(kind, view_data))
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

/* Numbers of the entries that were left out because of their objects. */
typedef struct LeftOut
{
	unsigned count;
	unsigned size; /* number of elements that `numbers` has room for */
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
	ASSERT(left_out->count < left_out->size);
	left_out->numbers[left_out->count++] = entry_number(line);
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
 * Whether an entry is no object of its own and depends, according to the next
 * line, on an entry that was left out.
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
	c = strchr(next, ':') + 1; /* after the colon of "depends on:" */
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

/* Writes a line if it passes the filter; `next` is the line after it. */
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

/* Fails if a line that was read from a list was longer than the buffer. */
static Rc
check_line(const char *line, FILE *in, Error *err)
{
	if (strchr(line, '\n') != NULL || feof(in))
		return RC_OK;
	return error_set(err, ERR_LIMIT,
					 "a line of the dump's list of contents has more than %d "
					 "bytes",
					 CONTENTS_LINE_MAX);
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

		rc = check_line(next, in, err);
		if (rc != RC_OK)
			break;
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
	/* fclose() does not report earlier errors, such as a disk that was full. */
	if (out != NULL)
	{
		bool failed = ferror(out) != 0;

		if ((fclose(out) != 0 || failed) && rc == RC_OK)
			rc = error_set(err, ERR_IO, "could not write file \"%s\": %s", to,
						   strerror(errno));
	}
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

/* Reads something of an entry's line into element `count` of the array `all`;
 * returns false if the line has nothing of the kind. */
typedef bool (*TakeEntry)(const char *line, void *all, int count);

/*
 * Calls `take` for each line of the file.  Sets *all to an array with elements
 * of `size` bytes, allocated in the arena, and *count to their number.
 */
static MUST_CHECK Rc
read_entries(const char *file, TakeEntry take, void **all, size_t size,
			 int *count, Arena *arena, Error *err)
{
	static char line[CONTENTS_LINE_MAX];
	FILE *stream = fopen(file, "re");
	int line_count;
	Rc rc = RC_OK;

	*count = 0;
	if (stream == NULL)
		return error_set(err, ERR_IO, "could not open file \"%s\": %s", file,
						 strerror(errno));
	line_count = count_lines(stream) + 1;
	*all = arena_calloc(arena, (size_t) line_count, size);
	while (rc == RC_OK && fgets(line, sizeof(line), stream) != NULL)
	{
		rc = check_line(line, stream, err);
		ASSERT(rc != RC_OK || *count < line_count);
		if (rc == RC_OK && take(line, *all, *count))
			(*count)++;
	}
	if (rc == RC_OK && ferror(stream))
		rc = error_set(err, ERR_IO, "could not read file \"%s\"", file);
	fclose(stream);
	return rc;
}

static bool
take_object(const char *line, void *all, int count)
{
	ObjectId object = {0};

	ASSERT(count >= 0);
	if (parse_object(line, &object) == NULL || object.class_oid == 0)
		return false;
	((ObjectId *) all)[count] = object;
	return true;
}

Rc
contents_read_objects(const char *file, ObjectSet *objects, Arena *arena,
					  Error *err)
{
	void *all = NULL;
	Rc rc = read_entries(file, take_object, &all, sizeof(ObjectId),
						 &objects->count, arena, err);

	objects->objects = all;
	object_set_sort(objects);
	return rc;
}

static bool
take_number(const char *line, void *all, int count)
{
	ObjectId ignored = {0};

	if (parse_object(line, &ignored) == NULL)
		return false;
	((unsigned *) all)[count] = entry_number(line);
	return true;
}

Rc
contents_read_numbers(const char *file, EntryNumbers *entries, Arena *arena,
					  Error *err)
{
	void *all = NULL;
	Rc rc = read_entries(file, take_number, &all, sizeof(unsigned),
						 &entries->count, arena, err);

	entries->numbers = all;
	if (entries->count > 0)
		qsort(all, (size_t) entries->count, sizeof(unsigned), compare_numbers);
	return rc;
}

/* Reads the view that an entry fills: the entry has the view's OID, but 0 for
 * the OID of its catalog. */
static bool
take_view(const char *line, void *all, int count)
{
	ObjectId object = {0};
	const char *kind = parse_object(line, &object);

	if (kind == NULL || !starts_with(kind, view_data))
		return false;
	((ObjectId *) all)[count] = object;
	return true;
}

Rc
contents_read_views(const char *file, ObjectSet *views, Arena *arena,
					Error *err)
{
	void *all = NULL;
	Rc rc = read_entries(file, take_view, &all, sizeof(ObjectId), &views->count,
						 arena, err);

	views->objects = all;
	return rc;
}
