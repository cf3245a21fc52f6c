/*
 * server.c
 *    Takes the options of a foreign server from our own connection to the
 *    node.
 *
 * Service files, environment variables and defaults are those of the user who
 * runs this program and do not exist on the coordinator.  So we write the
 * values that libpq has used.
 */
#include "federate/server.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "federate/existing.h"
#include "model/identifier.h"
#include "net/sql.h"

/*
 * First version of PostgreSQL with async_capable: scans of several nodes run at
 * the same time.
 */
#define ASYNC_VERSION_NUM 140000

/*
 * The options that say which database a server leads to: two servers with the
 * same values are the same node.
 */
static const char *const place_options[] = {"host", "hostaddr", "port",
											"dbname"};

/*
 * Options that postgres_fdw accepts for a server.  All other options of a
 * connection are only for our own, or postgres_fdw sets them itself.
 */
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

/* Options of a connection that become options of the user mapping. */
static const char *const user_options[] = {
	"user",
	"sslcert",
	"sslkey",
};

/* One of the lists above. */
typedef struct OptionList
{
	const char *const *keywords;
	size_t count;
} OptionList;

#define OPTION_LIST(list)                                                      \
	(OptionList)                                                               \
	{                                                                          \
		.keywords = (list), .count = LENGTH_OF(list)                           \
	}

Rc
server_name(const char **name, const FederateOptions *options, int node,
			Arena *arena, Error *err)
{
	Rc rc;

	ASSERT(node >= 0 && node < options->node_count);
	*name = arena_printf(arena, "%s_%s", options->pipeline,
						 options->nodes[node].name);
	if (strlen(*name) < IDENTIFIER_SIZE)
		return RC_OK;
	rc = error_set(err, ERR_LIMIT,
				   "the name of a foreign server, \"%s\", is longer than "
				   "%d bytes",
				   *name, IDENTIFIER_SIZE - 1);
	error_hint(err, "Give the target a shorter name.");
	return rc;
}

/* ---- options ------------------------------------------------------------ */

/*
 * Returns the value of an option of a connection; NULL if it is not set or has
 * the default that is compiled into libpq.  The port is always returned.
 */
static const char *
wanted_value(const PQconninfoOption *options, const char *keyword)
{
	const PQconninfoOption *option = options;

	while (option->keyword != NULL && strcmp(option->keyword, keyword) != 0)
		option++;
	if (option->keyword == NULL || option->val == NULL ||
		option->val[0] == '\0')
		return NULL;
	if (option->compiled != NULL &&
		strcmp(option->compiled, option->val) == 0 &&
		strcmp(keyword, "port") != 0)
		return NULL;
	return option->val;
}

static const char *
existing_value(const PGresult *existing, const char *keyword)
{
	for (int i = 0; i < PQntuples(existing); i++)
		if (strcmp(PQgetvalue(existing, i, EXISTING_KEYWORD), keyword) == 0)
			return PQgetvalue(existing, i, EXISTING_VALUE);
	return NULL;
}

static void
append_option(Buf *sql, const char *verb, const char *keyword,
			  const char *value)
{
	buf_printf(sql, "%s%s%s ", sql->length > 0 ? ", " : "", verb, keyword);
	if (value != NULL)
		buf_append_literal(sql, value);
}

/* Appends the options of a list that the connection has. */
static void
append_new(Buf *sql, const PQconninfoOption *options, OptionList list)
{
	for (size_t i = 0; i < list.count; i++)
	{
		const char *value = wanted_value(options, list.keywords[i]);

		if (value != NULL)
			append_option(sql, "", list.keywords[i], value);
	}
}

/*
 * Appends the actions (ADD, SET, DROP) that change the existing options to
 * those of the connection, and appends the names of these options to `names`.
 */
static void
append_changes(Buf *sql, Buf *names, const PQconninfoOption *options,
			   OptionList list, const PGresult *existing)
{
	for (size_t i = 0; i < list.count; i++)
	{
		const char *keyword = list.keywords[i];
		const char *value = wanted_value(options, keyword);
		const char *old = existing_value(existing, keyword);

		if (value == NULL && old == NULL)
			continue;
		if (value != NULL && old != NULL && strcmp(value, old) == 0)
			continue;
		append_option(sql,
					  value == NULL ? "DROP " : (old == NULL ? "ADD " : "SET "),
					  keyword, value);
		buf_printf(names, "%s%s", names->length > 0 ? ", " : "", keyword);
	}
}

/* ---- one server --------------------------------------------------------- */

/* A node whose statements are being composed. */
typedef struct ServerPlan
{
	FederateScript *script;
	const FederateOptions *options;
	const FederateNode *node;
	const char *name; /* name of the foreign server */
	PQconninfoOption *wanted;
	ExistingServer existing;
} ServerPlan;

/* Actions that change existing options to those of a connection. */
typedef struct Changes
{
	Buf actions;
	Buf names; /* names of the changed options */
} Changes;

static void
find_changes(Changes *changes, const ServerPlan *plan, OptionList list,
			 const PGresult *existing)
{
	buf_init(&changes->actions, BUF_TEXT_MAX);
	buf_init(&changes->names, BUF_TEXT_MAX);
	append_changes(&changes->actions, &changes->names, plan->wanted, list,
				   existing);
}

static void
release_changes(Changes *changes)
{
	buf_release(&changes->actions);
	buf_release(&changes->names);
}

static void
append_version(Buf *sql, const char *pipeline)
{
	buf_append_string(sql, " VERSION ");
	existing_append_mark(sql, pipeline);
}

static void
create_server(ServerPlan *plan)
{
	Buf *sql = &plan->script->statements;
	PgConn *coordinator = plan->options->coordinator;
	Buf list;

	buf_init(&list, BUF_TEXT_MAX);
	append_new(&list, plan->wanted, OPTION_LIST(server_options));
	append_option(&list, "", "use_remote_estimate", "true");
	append_option(&list, "", "fetch_size", "10000");
	if (coordinator == NULL ||
		pgconn_server_version_num(coordinator) >= ASYNC_VERSION_NUM)
		append_option(&list, "", "async_capable", "true");
	buf_append_string(sql, "CREATE SERVER ");
	buf_append_identifier(sql, plan->name);
	append_version(sql, plan->options->pipeline);
	buf_printf(sql, " FOREIGN DATA WRAPPER postgres_fdw OPTIONS (%s);\n",
			   list.data);
	buf_release(&list);
	federate_note(plan->script, "created server \"%s\"", plan->name);
}

static void
alter_server(ServerPlan *plan)
{
	Buf *sql = &plan->script->statements;
	Changes changes;

	find_changes(&changes, plan, OPTION_LIST(server_options),
				 plan->existing.options);
	if (changes.actions.length > 0 || !plan->existing.is_ours)
	{
		buf_append_string(sql, "ALTER SERVER ");
		buf_append_identifier(sql, plan->name);
		append_version(sql, plan->options->pipeline);
		if (changes.actions.length > 0)
			buf_printf(sql, " OPTIONS (%s)", changes.actions.data);
		buf_append_string(sql, ";\n");
		federate_note(plan->script, "altered server \"%s\": %s", plan->name,
					  changes.names.length > 0 ? changes.names.data
											   : "version");
	}
	release_changes(&changes);
}

/* Appends a statement on the user mapping, up to its options. */
static void
append_user(Buf *sql, const char *verb, const char *server)
{
	buf_printf(sql, "%s USER MAPPING FOR CURRENT_USER SERVER ", verb);
	buf_append_identifier(sql, server);
	buf_append_string(sql, " OPTIONS (");
}

static void
create_user(ServerPlan *plan)
{
	Buf *sql = &plan->script->statements;
	Buf list;

	buf_init(&list, BUF_TEXT_MAX);
	append_new(&list, plan->wanted, OPTION_LIST(user_options));
	append_user(sql, "CREATE", plan->name);
	buf_printf(sql, "%s);\n", list.data);
	buf_release(&list);
	federate_note(plan->script, "created a user mapping for server \"%s\"",
				  plan->name);
}

static void
alter_user(ServerPlan *plan)
{
	Buf *sql = &plan->script->statements;
	Changes changes;

	find_changes(&changes, plan, OPTION_LIST(user_options),
				 plan->existing.user_options);
	if (changes.actions.length > 0)
	{
		append_user(sql, "ALTER", plan->name);
		buf_printf(sql, "%s);\n", changes.actions.data);
		federate_note(plan->script,
					  "altered the user mapping for server \"%s\": %s",
					  plan->name, changes.names.data);
	}
	release_changes(&changes);
}

/*
 * Sets the password of the user mapping.  If we do not know a password, an
 * existing one is kept, because an administrator may have set it.
 */
static void
set_password(ServerPlan *plan)
{
	Buf *sql = &plan->script->passwords;
	const char *password = PQpass(pgconn_raw(plan->node->conn));
	const char *old = existing_value(plan->existing.user_options, "password");

	if (password == NULL || password[0] == '\0' ||
		(old != NULL && strcmp(old, password) == 0))
		return;
	append_user(sql, "ALTER", plan->name);
	buf_printf(sql, "%s password ", old == NULL ? "ADD" : "SET");
	buf_append_literal(sql, password);
	buf_append_string(sql, ");\n");
	federate_note(plan->script, "set the password for server \"%s\"",
				  plan->name);
}

/* Whether a server without a mark leads to the same database as the node. */
static bool
leads_to_node(const ServerPlan *plan)
{
	Changes changes;
	bool same;

	find_changes(&changes, plan, OPTION_LIST(place_options),
				 plan->existing.options);
	same = changes.actions.length == 0;
	release_changes(&changes);
	return same;
}

static MUST_CHECK Rc
refuse_server(const ServerPlan *plan, Error *err)
{
	Buf statement;
	Rc rc = error_set(err, ERR_CONFIG,
					  "server \"%s\" is on the coordinator already, and not "
					  "known to be of pipeline \"%s\"",
					  plan->name, plan->options->pipeline);

	buf_init(&statement, BUF_TEXT_MAX);
	buf_append_string(&statement, "ALTER SERVER ");
	buf_append_identifier(&statement, plan->name);
	append_version(&statement, plan->options->pipeline);
	buf_append_string(&statement, ";");
	if (plan->existing.is_free)
		error_hint(err, "If it is, say so on the coordinator: %s",
				   statement.data);
	else
		error_hint(err, "Rename it there, or give the target another name.");
	buf_release(&statement);
	return rc;
}

static MUST_CHECK Rc
append_statements(ServerPlan *plan, Error *err)
{
	const ExistingServer *existing = &plan->existing;

	if (existing->exists && !existing->is_ours &&
		!(existing->is_free && leads_to_node(plan)))
		return refuse_server(plan, err);
	if (existing->exists)
		alter_server(plan);
	else
		create_server(plan);
	if (existing->has_user)
		alter_user(plan);
	else
		create_user(plan);
	set_password(plan);
	return RC_OK;
}

Rc
server_append(FederateScript *script, const FederateOptions *options, int node,
			  Error *err)
{
	ServerPlan plan = {
		.script = script,
		.options = options,
		.node = &options->nodes[node],
		.name = script->servers[node],
		.wanted = pgconn_parameters(options->nodes[node].conn),
	};
	Rc rc = RC_OK;

	if (plan.wanted == NULL)
		return error_set(err, ERR_IO, "out of memory");
	if (options->coordinator != NULL)
		rc = existing_server_read(&plan.existing, options->coordinator,
								  plan.name, options->pipeline, err);
	if (rc == RC_OK)
		rc = append_statements(&plan, err);
	existing_server_release(&plan.existing);
	PQconninfoFree(plan.wanted);
	return rc;
}

bool
server_used_password(const FederateNode *node)
{
	return PQconnectionUsedPassword(pgconn_raw(node->conn)) != 0;
}

/* ---- servers of nodes that are gone ------------------------------------- */

static void
drop_server(FederateScript *script, const char *name, bool has_user)
{
	Buf *sql = &script->statements;

	if (has_user)
	{
		buf_append_string(sql, "DROP USER MAPPING FOR CURRENT_USER SERVER ");
		buf_append_identifier(sql, name);
		buf_append_string(sql, ";\n");
	}
	buf_append_string(sql, "DROP SERVER ");
	buf_append_identifier(sql, name);
	buf_append_string(sql, ";\n");
	federate_note(script, "dropped server \"%s\", whose node is gone", name);
}

/*
 * Appends the query for the pipeline's servers that no node needs, and for each
 * the objects because of which it cannot be dropped.
 */
static void
append_removed_query(Buf *sql, const FederateScript *script,
					 const FederateOptions *options, const char *is_ours)
{
	buf_append_string(
		sql, "SELECT s.srvname, EXISTS (SELECT FROM pg_user_mappings u"
			 "  WHERE u.srvid = s.oid AND u.umuser = current_user::regrole),"
			 " (SELECT string_agg(what, ', ') FROM ("
			 "  SELECT format('table %I.%I', n.nspname, c.relname) AS what"
			 "   FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid"
			 "   JOIN pg_namespace n ON n.oid = c.relnamespace"
			 "   WHERE f.ftserver = s.oid AND (n.nspname, c.relname) NOT IN (");
	buf_append_string(sql, script->handled.data);
	buf_append_string(
		sql, ")"
			 "  UNION ALL SELECT format('the user mapping of %I', u.usename)"
			 "   FROM pg_user_mappings u WHERE u.srvid = s.oid"
			 "   AND u.umuser <> current_user::regrole) AS holder)"
			 " FROM pg_foreign_server s WHERE ");
	buf_append_string(sql, is_ours);
	buf_append_string(sql, " AND s.srvname NOT IN (");
	for (int i = 0; i < options->node_count; i++)
	{
		buf_append_string(sql, i > 0 ? ", " : "");
		buf_append_literal(sql, script->servers[i]);
	}
	buf_append_string(sql, ") ORDER BY 1");
}

Rc
server_append_removed(FederateScript *script, const FederateOptions *options,
					  const char *is_ours, Error *err)
{
	PGresult *result = NULL;
	Buf sql;
	Rc rc;

	buf_init(&sql, script->handled.max);
	append_removed_query(&sql, script, options, is_ours);
	rc = sql_run(options->coordinator, &sql, &result, err);
	for (int i = 0; rc == RC_OK && i < PQntuples(result); i++)
	{
		const char *name = PQgetvalue(result, i, 0);

		if (PQgetisnull(result, i, 2))
			drop_server(script, name, sql_bool(result, i, 1));
		else
			federate_note(script,
						  "kept server \"%s\", whose node is gone, for %s",
						  name, PQgetvalue(result, i, 2));
	}
	PQclear(result);
	return rc;
}
