/*
 * begin.c
 *    Makes the options of the plugin from WireOptions.
 */
#include "pipeline/begin.h"

#include "source/stream.h"

Rc
begin_stream(Source **source, PgConn *replication, const char *slot,
			 const WireOptions *wire, Error *err)
{
	StreamOptions options = {.slot = slot, .in_pieces = wire->streaming};
	Buf plugin_options;
	Rc rc;

	buf_init(&plugin_options, BUF_TEXT_MAX);
	wire_options_append(wire, &plugin_options);
	options.plugin_options = plugin_options.data;
	rc = stream_open(source, replication, &options, err);
	buf_release(&plugin_options);
	return rc;
}
