/*
 * sqlstate.c
 *    The list of SQLSTATEs.
 */
#include "net/sqlstate.h"

#include <string.h>

#include "base/macros.h"

bool
sqlstate_is_server_gone(const Error *err)
{
	static const char *const prefixes[] = {
		"08",    /* connection exceptions */
		"53300", /* too_many_connections */
		"57P",   /* operator intervention: shutdown, crash, cannot connect */
	};

	if (err->code == ERR_CONNECT)
		return true;
	for (size_t i = 0; i < LENGTH_OF(prefixes); i++)
		if (strncmp(err->sqlstate, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}
