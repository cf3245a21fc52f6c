/*
 * summary.c
 *    Formats the list as a table of less than 80 columns.  A name that is
 * longer than its column gets a line of its own.
 */
#include "copy/rows/summary.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* Minimum and maximum width of the column with the tables' names. */
#define NAME_WIDTH_MIN 24
#define NAME_WIDTH_MAX 35

typedef struct Line
{
	int64_t rows;
	int64_t bytes;
	double data_s;
	double index_s;
} Line;

static Line
line_of(const CopyTable *table, const Build *build)
{
	return (Line){
		.rows = table->rows,
		.bytes = table->bytes_sent,
		.data_s = (double) (table->ended_us - table->begun_us) / 1e6,
		.index_s = build != NULL ? build_seconds(build, table) : 0,
	};
}

static void
add(Line *sum, const Line *line)
{
	sum->rows += line->rows;
	sum->bytes += line->bytes;
	sum->data_s += line->data_s;
	sum->index_s += line->index_s;
}

static void
report_sum(const Report *report, int width, const char *name, const Line *line)
{
	if (strlen(name) > (size_t) width)
	{
		report_line(report, "%s", name);
		name = "";
	}
	report_line(report, "%-*s %12" PRId64 " %9.1f MB %8.1f %8.1f", width, name,
				line->rows, (double) line->bytes / (double) MB, line->data_s,
				line->index_s);
}

static bool
was_copied(const CopyTable *table)
{
	return table->ended_us != 0;
}

/* Returns the table's name as schema.name, in the buffer. */
static const char *
name_of(const CopyTable *table, Buf *name)
{
	buf_reset(name);
	buf_printf(name, "%s.%s", table->schema, table->name);
	return name->data;
}

static int
name_width(const CopyCatalog *catalog)
{
	size_t width = NAME_WIDTH_MIN;

	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];
		size_t length = strlen(table->schema) + 1 + strlen(table->name);

		if (was_copied(table) && length > width)
			width = length;
	}
	return width < NAME_WIDTH_MAX ? (int) width : NAME_WIDTH_MAX;
}

void
summary_report(const CopyCatalog *catalog, const Build *build,
			   const Report *report)
{
	int width = name_width(catalog);
	int count = 0;
	Line total = {0};
	Line others = {0};
	Buf name;

	buf_init(&name, BUF_TEXT_MAX);
	report_line(report, "%-*s %12s %12s %8s %8s", width, "table", "rows",
				"size", "data s", "index s");
	for (int i = 0; i < catalog->table_count; i++)
	{
		const CopyTable *table = &catalog->tables[i];
		Line line = line_of(table, build);

		if (!was_copied(table))
			continue;
		add(&total, &line);
		if (count++ < SUMMARY_TABLES_MAX)
			report_sum(report, width, name_of(table, &name), &line);
		else
			add(&others, &line);
	}
	if (count > SUMMARY_TABLES_MAX)
	{
		buf_reset(&name);
		buf_printf(&name, "%d smaller tables", count - SUMMARY_TABLES_MAX);
		report_sum(report, width, name.data, &others);
	}
	if (count != 1)
	{
		buf_reset(&name);
		buf_printf(&name, "%d tables", count);
		report_sum(report, width, name.data, &total);
	}
	buf_release(&name);
}
