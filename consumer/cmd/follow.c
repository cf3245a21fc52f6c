/*
 * follow.c
 *    penstock follow.
 */
#include "pipeline/follow.h"
#include "cmd/command.h"

Rc
command_follow(const Config *config, Error *err)
{
	return follow(config, err);
}
