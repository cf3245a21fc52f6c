/*
 * options.c
 *    Writes names and values.  Options that have the plugin's default are left
 *    out.
 */
#include "wire/options.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "wire/decode.h"

static void
append(Buf *buf, const char *name, const char *value)
{
	ASSERT(strchr(name, '"') == NULL);
	buf_printf(buf, "%s\"%s\" '", buf->length == 0 ? "" : ", ", name);
	for (const char *c = value; *c != '\0'; c++)
	{
		if (*c == '\'')
			buf_append_char(buf, '\'');
		buf_append_char(buf, *c);
	}
	buf_append_char(buf, '\'');
}

void
wire_options_append(const WireOptions *options, Buf *buf)
{
	char version[16];

	ASSERT(options->publications != NULL);
	ASSERT(strcmp(options->origin, "any") == 0 ||
		   strcmp(options->origin, "none") == 0);
	snprintf(version, sizeof(version), "%d", DECODE_PROTO_VERSION);
	append(buf, "proto_version", version);
	append(buf, "publications", options->publications);
	append(buf, "origin", options->origin);
	if (options->bundle)
		append(buf, "bundle", "true");
	if (options->messages)
		append(buf, "messages", "true");
	if (!options->binary)
		append(buf, "binary", "false");
	if (options->skip_missing)
		append(buf, "skip_missing", "true");
	if (options->streaming)
		append(buf, "streaming", "true");
	if (options->schema_changes)
		append(buf, "schema_changes", "true");
	if (options->distribution != NULL)
		append(buf, "distribution", options->distribution);
	if (options->leave_out != NULL)
		append(buf, "leave_out", options->leave_out);
	if (options->compression != NULL)
		append(buf, "compression", options->compression);
}
