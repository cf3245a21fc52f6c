/*
 * sequences.c
 *    penstock sequences: brings the target's sequences to where the source's
 *    are.
 *
 * Sequences are not in the stream of changes.  When applications have stopped
 * writing to the source, and before they write to the target, this sets those
 * of the target.  It only ever moves one on, so it can be run at any time and
 * again, and by several pipelines into one target.
 */
#include <stdio.h>

#include "catalog/catalog.h"
#include "cmd/command.h"
#include "copy/rows/sequences.h"
#include "pipeline/remember.h"

#define APPLICATION_NAME "penstock sequences"

static Rc
open_server(PgConn **conn, const char *conninfo, const char *label, Error *err)
{
	const PgConnOptions options = {
		.conninfo = conninfo,
		.label = label,
		.application_name = APPLICATION_NAME,
		.kind = PGCONN_DATA,
	};

	return pgconn_open(conn, &options, err);
}

static Rc
advance_target(const Config *config, int index, const CopyCatalog *catalog,
			   PgConn *source, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *target = NULL;
	int advanced = 0;
	Rc rc;

	config_label_target(config, index, label);
	rc = open_server(&target, config->targets[index], label, err);
	if (rc == RC_OK)
		rc = sequences_advance(catalog, source, target, true, &advanced, err);
	if (rc == RC_OK && !config->quiet)
		printf("set %d sequence%s on %s; the others were there already\n",
			   advanced, advanced == 1 ? "" : "s", label);
	pgconn_close(target);
	return rc;
}

static Rc
advance_all(const Config *config, PgConn *source, Error *err)
{
	const CatalogOptions options = {
		.publications = config->publications,
		.selection = &config->selection,
	};
	CopyCatalog *catalog = NULL;
	Rc rc = catalog_read(&catalog, source, &options, err);

	if (rc == RC_OK)
		rc = sequences_check_readable(catalog, source, err);
	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
		rc = advance_target(config, i, catalog, source, err);
	catalog_free(catalog);
	return rc;
}

static Rc
run(const Config *config, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *source = NULL;
	Rc rc;

	config_label_source(config, label);
	rc = open_server(&source, config->source, label, err);
	if (rc == RC_OK)
		rc = advance_all(config, source, err);
	pgconn_close(source);
	return rc;
}

Rc
command_sequences(const Config *config, Error *err)
{
	Arena *arena = arena_new(KB);
	Config recalled;
	Rc rc = config_require_source(config, err);

	if (rc == RC_OK)
		rc = remember_recall(&recalled, config, arena, err);
	if (rc == RC_OK)
		rc = run(&recalled, err);
	arena_free(arena);
	return rc;
}
