/*
 * exposition.c
 *    Lines of comments, and one line for each sample.
 */
#include "metrics/exposition.h"

#include <inttypes.h>
#include <string.h>

#include "base/macros.h"

/* Units that a name may end with. */
static const char *const units[] = {"bytes", "seconds"};

void
exposition_family(Exposition *self, const char *name, ExpositionKind kind,
				  const char *help)
{
	self->name = name;
	self->kind = kind;
	self->help = help;
	self->begun = false;
}

/* Whether the name ends with an underscore and the unit. */
static bool
has_unit(const char *name, const char *unit)
{
	size_t length = strlen(name);
	size_t unit_length = strlen(unit);

	return length > unit_length + 1 && name[length - unit_length - 1] == '_' &&
		   strcmp(&name[length - unit_length], unit) == 0;
}

static void
append_head(Exposition *self)
{
	static const char *const kinds[] = {
		[EXPOSITION_GAUGE] = "gauge",
		[EXPOSITION_COUNTER] = "counter",
	};
	const char *suffix = self->kind == EXPOSITION_COUNTER && !self->openmetrics
							 ? "_total"
							 : "";

	buf_printf(self->buf, "# HELP %s%s %s\n", self->name, suffix, self->help);
	buf_printf(self->buf, "# TYPE %s%s %s\n", self->name, suffix,
			   kinds[self->kind]);
	if (!self->openmetrics)
		return;
	for (size_t i = 0; i < LENGTH_OF(units); i++)
		if (has_unit(self->name, units[i]))
			buf_printf(self->buf, "# UNIT %s %s\n", self->name, units[i]);
}

static void
append_label(Buf *buf, const char *name, const char *value)
{
	buf_printf(buf, "%c%s=\"", buf->data[buf->length - 1] == '"' ? ',' : '{',
			   name);
	for (const char *c = value; *c != '\0'; c++)
	{
		if (*c == '\\' || *c == '"')
			buf_append_char(buf, '\\');
		if (*c == '\n')
			buf_append_string(buf, "\\n");
		else
			buf_append_char(buf, *c);
	}
	buf_append_char(buf, '"');
}

/* Appends a sample up to its value. */
static void
append_name(Exposition *self, const ExpositionLabel *labels, int label_count)
{
	Buf *buf = self->buf;

	ASSERT(label_count <= EXPOSITION_LABELS_MAX);
	if (!self->begun)
		append_head(self);
	self->begun = true;
	buf_append_string(buf, self->name);
	if (self->kind == EXPOSITION_COUNTER)
		buf_append_string(buf, "_total");
	if (self->pipeline != NULL)
		append_label(buf, "pipeline", self->pipeline);
	for (int i = 0; i < label_count; i++)
		if (labels[i].name != NULL)
			append_label(buf, labels[i].name, labels[i].value);
	if (buf->data[buf->length - 1] == '"')
		buf_append_char(buf, '}');
}

void
exposition_sample(Exposition *self, double value, const ExpositionLabel *labels,
				  int label_count)
{
	append_name(self, labels, label_count);
	buf_printf(self->buf, " %.3f\n", value);
}

void
exposition_whole(Exposition *self, int64_t value, const ExpositionLabel *labels,
				 int label_count)
{
	append_name(self, labels, label_count);
	buf_printf(self->buf, " %" PRId64 "\n", value);
}

void
exposition_end(Exposition *self)
{
	if (self->openmetrics)
		buf_append_string(self->buf, "# EOF\n");
}
