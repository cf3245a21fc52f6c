/*
 * federate.c
 *    penstock federate: one database to query, over all nodes.
 *
 * The nodes are asked for a connection, so that the coordinator is told of ones
 * that can be reached; nothing is changed on them.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cmd/command.h"
#include "cmd/remember.h"
#include "federate/script.h"

/* Bytes of the script; a table takes about 300 a node. */
#define SCRIPT_BYTES_MAX (256 * MB)

typedef struct Federation
{
	const Config *config;
	PgConn *source;
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

/* All statements or none of them: they run as one transaction. */
static MUST_CHECK Rc
apply_script(const Federation *self, const Buf *script, Error *err)
{
	PgConn *coordinator = NULL;
	Rc rc = open_server(&coordinator, self->config->coordinator, "coordinator",
						err);

	if (rc == RC_OK)
		rc = pgconn_exec(coordinator, script->data, NULL, err);
	if (rc == RC_FAIL && err->code == ERR_SQL)
		error_detail(err, "Nothing was changed on the coordinator.");
	if (rc == RC_OK)
		log_info("federate", "the coordinator has %d table%s over %d nodes",
				 self->placed->table_count, PLURAL(self->placed->table_count),
				 self->config->target_count);
	pgconn_close(coordinator);
	return rc;
}

static MUST_CHECK Rc
print_script(const Buf *script, Error *err)
{
	if (fputs(script->data, stdout) < 0 || fflush(stdout) != 0)
		return error_set(err, ERR_IO, "could not write to standard output");
	return RC_OK;
}

static MUST_CHECK Rc
make_script(Federation *self, Buf *script, Error *err)
{
	const FederateOptions options = {
		.pipeline = self->config->name_asked,
		.catalog = self->catalog,
		.placed = self->placed,
		.nodes = self->nodes,
		.node_count = self->config->target_count,
		.hash_node_count = self->config->node_count,
	};

	return federate_script(&options, self->source, script, err);
}

static void
release(Federation *self)
{
	placed_free(self->placed);
	catalog_free(self->catalog);
	for (int i = 0; i < self->config->target_count; i++)
		pgconn_close(self->nodes[i].conn);
	pgconn_close(self->source);
}

Rc
command_federate(const Config *config, Error *err)
{
	Arena *arena = arena_new(4 * KB);
	Config recalled;
	Federation self = {.config = &recalled};
	Buf script;
	Rc rc = config_require_source(config, err);

	recalled = *config;

	buf_init(&script, SCRIPT_BYTES_MAX);
	if (rc == RC_OK)
		rc = require_placement(config, err);
	if (rc == RC_OK)
		rc = remember_recall_if_reached(&recalled, config, arena, err);
	if (rc == RC_OK)
		rc = open_all(&self, err);
	if (rc == RC_OK)
		rc = read_tables(&self, err);
	if (rc == RC_OK)
		rc = make_script(&self, &script, err);
	if (rc == RC_OK)
		rc = config->apply ? apply_script(&self, &script, err)
						   : print_script(&script, err);
	buf_release(&script);
	release(&self);
	arena_free(arena);
	return rc;
}
