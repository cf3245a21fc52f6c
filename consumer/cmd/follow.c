/*
 * follow.c
 *    penstock follow: applies the source's changes to the targets continuously.
 */
#include "job/follow.h"
#include "cmd/command.h"
#include "cmd/serve.h"

Rc
command_follow(const Config *config, Error *err)
{
	HttpServer *server = NULL;
	Rc rc = serve_begin(config, &server, err);

	if (rc == RC_OK)
		rc = follow_with_tables(config, err);
	http_server_close(server);
	return rc;
}
