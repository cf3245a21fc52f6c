/*
 * federate.c
 *    Makes a database (the coordinator) in which the tables of all nodes can be
 *    queried.
 *
 * We connect to the nodes to find out which addresses and passwords
 * work; it changes nothing on them.
 */
#include "job/federate.h"

#include <string.h>

#include "base/log.h"
#include "base/own_command.h"
#include "federate/script.h"
#include "federate/server.h"
#include "net/pgconn_open.h"
#include "net/sql.h"
#include "pipeline/remember.h"

#define SQLSTATE_NO_TABLE "42P01" /* undefined_table */
#define SQLSTATE_REFUSED  "42501" /* insufficient_privilege */

/* dependent_objects_still_exist */
#define SQLSTATE_DEPENDENT "2BP01"

/* duplicate_table */
#define SQLSTATE_DUPLICATE "42P07"

typedef struct Federation
{
	const Config *config;
	PgConn *source;
	PgConn *coordinator; /* NULL: --coordinator was not given */
	FederateNode nodes[CONFIG_TARGETS_MAX];
	CopyCatalog *catalog;
	Placed *placed;
} Federation;

static MUST_CHECK Rc
require_placement(const Config *config, Error *err)
{
	Rc rc;

	if (config->placement == NULL)
	{
		rc = error_set(err, ERR_USAGE, "no placement is given");
		error_hint(err, "Nodes and placement are in a configuration file: "
						"--config=FILE.");
		return rc;
	}
	if (config->apply && config->coordinator == NULL)
		return error_set(err, ERR_USAGE,
						 "--apply needs --coordinator=CONNINFO");
	return RC_OK;
}

static MUST_CHECK Rc
open_server(PgConn **conn, const char *conninfo, const char *label, Error *err)
{
	return pgconn_open(conn,
					   &(PgConnOptions){.conninfo = conninfo,
										.label = label,
										.application_name = "penstock federate",
										.kind = PGCONN_DATA},
					   err);
}

static MUST_CHECK Rc
open_all(Federation *self, Error *err)
{
	const Config *config = self->config;
	Rc rc = open_server(&self->source, config->source, "source", err);

	if (rc == RC_OK && config->coordinator != NULL)
		rc = open_server(&self->coordinator, config->coordinator, "coordinator",
						 err);
	for (int i = 0; rc == RC_OK && i < config->target_count; i++)
	{
		char label[CONFIG_LABEL_SIZE];

		config_label_target(config, i, label);
		self->nodes[i].name = config->target_names[i];
		rc = open_server(&self->nodes[i].conn, config->targets[i], label, err);
	}
	return rc;
}

static MUST_CHECK Rc
read_tables(Federation *self, Error *err)
{
	const CatalogOptions options = {.publications = self->config->publications};
	Rc rc = catalog_read(&self->catalog, self->source, &options, err);

	if (rc == RC_OK)
		rc = placed_read(&self->placed, self->catalog, self->config->placement,
						 self->source, err);
	if (rc == RC_OK)
		rc = placed_require_good(self->placed, err);
	return rc;
}

/* ---- applying ----------------------------------------------------------- */

static MUST_CHECK Rc
is_superuser(PgConn *conn, bool *is, Error *err)
{
	PGresult *result = NULL;
	Rc rc = pgconn_exec(conn, "SELECT current_setting('is_superuser')", &result,
						err);

	*is = rc == RC_OK && strcmp(PQgetvalue(result, 0, 0), "on") == 0;
	PQclear(result);
	return rc;
}

/*
 * Adds context and a hint to an error of a query through the coordinator.  For
 * a role that is not a superuser, postgres_fdw connects only with a password
 * that the node asks for; otherwise the role would have the rights of the
 * operating system user of the coordinator's server.
 */
static void
explain_unreachable(const Federation *self, int node, bool superuser,
					Error *err)
{
	const char *name = self->nodes[node].name;

	error_context(err,
				  "reading node \"%s\" through the coordinator, where nothing "
				  "was changed",
				  name);
	if (strcmp(err->sqlstate, SQLSTATE_NO_TABLE) == 0)
		error_hint(err, "Copy the data to the nodes first: \"%s\".",
				   OWN_COMMAND("clone"));
	else if (strcmp(err->sqlstate, SQLSTATE_REFUSED) == 0)
		error_hint(err,
				   "Grant the role of target \"%s\" the right to read the "
				   "tables there.",
				   name);
	else if (superuser || server_used_password(&self->nodes[node]))
		error_hint(err,
				   "The coordinator connects to the node as this program does, "
				   "with the host, port and role of target \"%s\": see that it "
				   "may, in pg_hba.conf of the node too.",
				   name);
	else
		error_hint(
			err,
			"Whoever is no superuser needs a password that the node asks "
			"for.  Give target \"%s\" one, in its connection string or "
			"a passfile, and have pg_hba.conf of the node ask for it; or "
			"apply as a superuser, who can also set password_required to "
			"'false' in a user mapping.",
			name);
}

/*
 * Queries a table of each node through the coordinator, to test the connections
 * that the coordinator makes.
 */
static MUST_CHECK Rc
reach_nodes(const Federation *self, const FederateScript *script, Error *err)
{
	bool superuser = false;
	Rc rc = is_superuser(self->coordinator, &superuser, err);

	for (int i = 0; rc == RC_OK && i < self->config->target_count; i++)
	{
		Buf sql;

		if (script->tables[i] == NULL)
			continue;
		buf_init(&sql, BUF_TEXT_MAX);
		buf_printf(&sql, "SELECT FROM %s LIMIT 1", script->tables[i]);
		rc = sql_run(self->coordinator, &sql, NULL, err);
		if (rc == RC_FAIL && err->code == ERR_SQL)
			explain_unreachable(self, i, superuser, err);
	}
	return rc;
}

static void
explain_refusal(Error *err)
{
	if (strcmp(err->sqlstate, SQLSTATE_DEPENDENT) == 0)
		error_hint(err, "Drop what depends on it, and make it again when the "
						"statements are applied.");
	if (strcmp(err->sqlstate, SQLSTATE_DUPLICATE) == 0)
		error_hint(err, "The nodes' parts of a table have its name with _0, "
						"_1 and so on: rename what else is called so.");
	error_context(err,
				  "applying to the coordinator, where nothing was changed");
}

static MUST_CHECK Rc
run_script(PgConn *conn, const FederateScript *script, Error *err)
{
	const Buf *statements = &script->statements;
	const Buf *passwords = &script->passwords;
	Rc rc = RC_OK;

	if (statements->length > 0)
		rc = pgconn_exec(conn, statements->data, NULL, err);
	if (rc == RC_OK && passwords->length > 0)
		rc = pgconn_exec_secret(conn, passwords->data, "ALTER USER MAPPING …",
								err);
	if (rc == RC_FAIL && err->code == ERR_SQL)
		explain_refusal(err);
	return rc;
}

/* Logs the notes of a script, which a printed script has as comments. */
static void
log_notes(const FederateScript *script)
{
	const char *line = script->notes.data;

	while (line != NULL && *line != '\0')
	{
		const char *end = strchr(line, '\n');

		log_info("federate", "%.*s", (int) (end - line), line);
		line = end + 1;
	}
	if (script->tables_made > 0)
		log_info("federate", "created %d table%s", script->tables_made,
				 PLURAL(script->tables_made));
}

static void
log_outcome(const Federation *self, const FederateScript *script)
{
	log_notes(script);
	log_info("federate", "the coordinator has %d table%s over %d nodes%s",
			 script->tables_placed, PLURAL(script->tables_placed),
			 self->config->target_count,
			 script->statements.length + script->passwords.length == 0
				 ? ", as before"
				 : "");
}

/* Runs the script in one transaction. */
static MUST_CHECK Rc
apply_script(const Federation *self, const FederateScript *script, Error *err)
{
	PgConn *conn = self->coordinator;
	Rc rc = pgconn_exec(conn, "BEGIN", NULL, err);

	if (rc == RC_OK)
		rc = run_script(conn, script, err);
	if (rc == RC_OK)
		rc = reach_nodes(self, script, err);
	if (rc == RC_OK)
		rc = pgconn_exec(conn, "COMMIT", NULL, err);
	if (rc == RC_OK)
		log_outcome(self, script);
	return rc;
}

/* ---- reporting ---------------------------------------------------------- */

/* Reports the statements, without the newline after the last one. */
static void
report_script(FederateScript *script, const Report *report)
{
	Buf *statements = &script->statements;

	if (statements->length > 0)
	{
		ASSERT(statements->data[statements->length - 1] == '\n');
		statements->data[statements->length - 1] = '\0';
		report_line(report, "%s", statements->data);
	}
	if (script->passwords.length > 0)
		log_warning("federate.passwords-not-printed",
					"passwords are not printed: --apply sets them, or ALTER "
					"USER MAPPING … OPTIONS (ADD password '…')");
}

static MUST_CHECK Rc
make_script(Federation *self, FederateScript *script, Error *err)
{
	const FederateOptions options = {
		.pipeline = self->config->name_asked,
		.catalog = self->catalog,
		.placed = self->placed,
		.nodes = self->nodes,
		.node_count = self->config->target_count,
		.hash_node_count = self->config->node_count,
		.source = self->source,
		.coordinator = self->coordinator,
	};

	return federate_script(script, &options, err);
}

static void
release(Federation *self)
{
	placed_free(self->placed);
	catalog_free(self->catalog);
	for (int i = 0; i < self->config->target_count; i++)
		pgconn_close(self->nodes[i].conn);
	pgconn_close(self->source);
	pgconn_close(self->coordinator);
}

Rc
federate_run(const Config *config, const Report *report, Error *err)
{
	Arena *arena = arena_new(4 * KB);
	PipelineMemory memory = {0};
	Config recalled;
	Federation self = {.config = &recalled};
	FederateScript script;
	Rc rc = config_require_source(config, err);

	recalled = *config;

	federate_script_init(&script);
	if (rc == RC_OK)
		rc = require_placement(config, err);
	if (rc == RC_OK)
		rc = remember_recall_if_reached(&recalled, config, arena, &memory, err);
	if (rc == RC_OK)
		rc = open_all(&self, err);
	if (rc == RC_OK)
		rc = read_tables(&self, err);
	if (rc == RC_OK)
		rc = make_script(&self, &script, err);
	if (rc == RC_OK && config->apply)
		rc = apply_script(&self, &script, err);
	else if (rc == RC_OK)
		report_script(&script, report);
	federate_script_release(&script);
	release(&self);
	arena_free(arena);
	return rc;
}
