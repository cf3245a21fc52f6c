/*
 * tail.c
 *    penstock tail: print changes as they commit.
 */
#include "cmd/command.h"

Rc
command_tail(const Config *config, Error *err)
{
	Rc rc = config_require_source(config, err);

	if (rc != RC_OK)
		return rc;
	return error_set(err, ERR_CONFIG, "printing changes is not possible yet");
}
