/*
 * begin.c
 *    Makes the options of the plugin from WireOptions.
 */
#include "pipeline/begin.h"

#include <string.h>

#include "source/stream.h"

/* invalid_parameter_value: what the plugin answers to an option's value */
#define OPTION_SQLSTATE "22023"

/*
 * Explains that the plugin does not understand the option `distribution`, of
 * which the values have more than in an older plugin.
 */
static void
explain_distribution(const WireOptions *wire, Error *err)
{
	if (wire->distribution == NULL ||
		strcmp(err->sqlstate, OPTION_SQLSTATE) != 0 ||
		strstr(err->message, "\"distribution\"") == NULL)
		return;
	error_hint(err, "The plugin on the source is probably older than this "
					"program.  Install its package of this version there; the "
					"server need not be restarted.");
}

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
	if (rc == RC_FAIL)
		explain_distribution(wire, err);
	return rc;
}
