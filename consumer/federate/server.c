/*
 * server.c
 *    How to reach a node, taken from a connection that has reached it.
 *
 * Service files, environment and defaults are those of whoever runs this
 * program, and say nothing on the coordinator; what they came to is written
 * down.
 */
#include "federate/server.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"

/* postgres_fdw takes these for the server; the rest is ours or its own. */
static const char *const server_options[] = {
	"host",
	"hostaddr",
	"port",
	"dbname",
	"sslmode",
	"sslrootcert",
	"sslcrl",
	"sslcrldir",
	"gssencmode",
	"krbsrvname",
	"target_session_attrs",
	"channel_binding",
};

/* And these for the user. */
static const char *const user_options[] = {
	"user",
	"password",
	"sslcert",
	"sslkey",
};

Rc
server_name(char name[static IDENTIFIER_SIZE], const char *pipeline,
			const FederateNode *node, Error *err)
{
	int length = snprintf(name, IDENTIFIER_SIZE, "%s_%s", pipeline, node->name);
	Rc rc;

	if (length < IDENTIFIER_SIZE)
		return RC_OK;
	rc = error_set(err, ERR_LIMIT,
				   "the name of a foreign server, \"%s_%s\", is longer than "
				   "%d bytes",
				   pipeline, node->name, IDENTIFIER_SIZE - 1);
	error_hint(err, "Give the target a shorter name.");
	return rc;
}

static bool
is_listed(const char *const *list, size_t count, const char *keyword)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], keyword) == 0)
			return true;
	return false;
}

/* Appends those of the connection's options that are listed and not what they
 * are anyway. */
static void
append_options(Buf *script, const PQconninfoOption *options,
			   const char *const *list, size_t count)
{
	bool first = true;

	for (const PQconninfoOption *option = options; option->keyword != NULL;
		 option++)
	{
		bool usual = option->compiled != NULL && option->val != NULL &&
					 strcmp(option->compiled, option->val) == 0;

		if (option->val == NULL || option->val[0] == '\0' ||
			!is_listed(list, count, option->keyword) ||
			(usual && strcmp(option->keyword, "port") != 0))
			continue;
		buf_printf(script, "%s%s ", first ? "" : ", ", option->keyword);
		buf_append_literal(script, option->val);
		first = false;
	}
}

Rc
server_append(Buf *script, const char *name, const FederateNode *node,
			  Error *err)
{
	PQconninfoOption *options = PQconninfo(pgconn_raw(node->conn));

	if (options == NULL)
		return error_set(err, ERR_IO, "out of memory");
	buf_append_string(script, "CREATE SERVER ");
	buf_append_identifier(script, name);
	buf_append_string(script, " FOREIGN DATA WRAPPER postgres_fdw OPTIONS (");
	append_options(script, options, server_options, LENGTH_OF(server_options));
	buf_append_string(script,
					  ", use_remote_estimate 'true', fetch_size '10000');\n"
					  "CREATE USER MAPPING FOR CURRENT_USER SERVER ");
	buf_append_identifier(script, name);
	buf_append_string(script, " OPTIONS (");
	append_options(script, options, user_options, LENGTH_OF(user_options));
	buf_append_string(script, ");\n");
	PQconninfoFree(options);
	return RC_OK;
}
