/*
 * follow.c
 *    penstock follow: applies the source's changes to the targets continuously.
 */
#include "job/follow.h"
#include "cmd/command.h"

Rc
command_follow(const Config *config, Error *err)
{
	return follow_with_tables(config, err);
}
