/*
 * connect.c
 *    Connects to servers, checks their versions, and makes findings of errors.
 */
#include "check/connect.h"

#include "net/pgconn_open.h"
#include "net/pooler.h"

static void
add_connected(CheckContext *context, const CheckServer *server)
{
	PGconn *pg = pgconn_raw(server->conn);
	int major = pgconn_server_version_num(server->conn) / 10000;
	Arena *arena = findings_arena(context->findings);
	Finding finding = {
		.level = FINDING_OK,
		.code = "connection",
		.server = server->name,
		.message = arena_printf(
			arena, "connected to database \"%s\" as role \"%s\", PostgreSQL %s",
			PQdb(pg), PQuser(pg), PQparameterStatus(pg, "server_version")),
	};

	findings_add(context->findings, &finding);
	finding.code = "version";
	if (major < CHECK_MAJOR_MIN)
	{
		finding.level = FINDING_ERROR;
		finding.message = arena_printf(
			arena,
			"the server's version is %d, and the oldest "
			"that is supported is %d",
			major, CHECK_MAJOR_MIN);
		finding.fix = "-- upgrade the server";
		findings_add(context->findings, &finding);
	}
	else if (major > CHECK_MAJOR_MAX)
	{
		finding.level = FINDING_WARNING;
		finding.message = arena_printf(
			arena,
			"the server's version is %d, and the newest "
			"that this was tested with is %d",
			major, CHECK_MAJOR_MAX);
		finding.fix = "-- look for a newer penstock";
		findings_add(context->findings, &finding);
	}
}

Rc
check_open_session(PgConn **conn, const char *conninfo, const char *name,
				   Error *err)
{
	const PgConnOptions options = {
		.conninfo = conninfo,
		.label = name,
		.application_name = "penstock check",
		.kind = PGCONN_DATA,
	};
	Rc rc = pgconn_open(conn, &options, err);

	/* JIT compilation would take longer than the queries themselves. */
	if (rc == RC_OK)
		rc = pgconn_exec(*conn, "SET jit = off", NULL, err);
	return rc;
}

Rc
check_connect(CheckContext *context, const char *conninfo, CheckServer *server,
			  ServerFacts *facts, Error *err)
{
	Rc rc = check_open_session(&server->conn, conninfo, server->name, err);
	int major;

	if (rc != RC_OK)
		return rc;
	add_connected(context, server);
	major = pgconn_server_version_num(server->conn) / 10000;
	if (major > context->newest_major)
		context->newest_major = major;
	return check_read_facts(context, server, facts, err);
}

Rc
check_finish_server(CheckContext *context, const CheckServer *server, Rc rc,
					Error *err)
{
	bool is_pooler = pooler_is_refused(err);
	bool is_connection = !is_pooler &&
						 (err->code == ERR_CONNECT || err->code == ERR_CONFIG);

	if (rc == RC_OK || err->code == ERR_INTERRUPTED)
		return rc;
	findings_add_error(context->findings,
					   &(Finding){
						   .level = FINDING_ERROR,
						   .code = is_pooler       ? "pooler"
								   : is_connection ? "unreachable"
												   : "failed",
						   .server = server->name,
						   .object = "server",
						   .fix = is_connection
									  ? "-- see that the server runs, that the "
										"connection string is right, that role "
										"and database exist, and that "
										"pg_hba.conf lets the role in"
									  : NULL,
					   },
					   err);
	return RC_OK;
}
