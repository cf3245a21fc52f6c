/*
 * sequences.c
 *    Connects to the servers, and advances the sequences of each target.
 */
#include "job/sequences.h"

#include "base/arena.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "net/pgconn_open.h"
#include "pipeline/remember.h"
#include "sequence/sequences.h"

#define APPLICATION_NAME  "penstock sequences"
#define ARENA_BLOCK_BYTES (1 * KB)

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
			   PgConn *source, PgConn *target, int *advanced, Error *err)
{
	const SequenceStride stride = config_stride(config, index);

	return sequences_advance(catalog, &stride, source, target, true, advanced,
							 err);
}

static Rc
open_and_advance(const Config *config, int index, const CopyCatalog *catalog,
				 PgConn *source, const Report *report, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *target = NULL;
	int advanced = 0;
	Rc rc;

	config_label_target(config, index, label);
	rc = open_server(&target, config->targets[index], label, err);
	if (rc == RC_OK)
		rc = advance_target(config, index, catalog, source, target, &advanced,
							err);
	if (rc == RC_OK)
		report_line(report,
					"set %d sequence%s on %s; the others were there already",
					advanced, PLURAL(advanced), label);
	pgconn_close(target);
	return rc;
}

static Rc
read_catalog(CopyCatalog **catalog, const Config *config, PgConn *source,
			 Error *err)
{
	const CatalogOptions options = {
		.publications = config->publications,
		.selection = &config->selection,
	};

	return catalog_read(catalog, source, &options, err);
}

static Rc
advance_all(const Config *config, PgConn *source, const Report *report,
			Error *err)
{
	CopyCatalog *catalog = NULL;
	Rc rc = read_catalog(&catalog, config, source, err);

	if (rc == RC_OK)
		rc = sequences_check_readable(catalog, source, err);
	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
		rc = open_and_advance(config, i, catalog, source, report, err);
	catalog_free(catalog);
	return rc;
}

Rc
sequences_set(const Config *config, const Report *report, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *source = NULL;
	Rc rc;

	config_label_source(config, label);
	rc = open_server(&source, config->source, label, err);
	if (rc == RC_OK)
		rc = advance_all(config, source, report, err);
	pgconn_close(source);
	return rc;
}

/* ---- As a part of another command ---- */

static Rc
advance_open(const Config *config, PgConn *source, PgConn *const *targets,
			 const Report *report, Error *err)
{
	CopyCatalog *catalog = NULL;
	Rc rc = read_catalog(&catalog, config, source, err);

	for (int i = 0; i < config->target_count && rc == RC_OK; i++)
	{
		int advanced = 0;

		if (targets[i] == NULL)
			continue;
		rc = advance_target(config, i, catalog, source, targets[i], &advanced,
							err);
		if (rc == RC_OK && advanced > 0)
			report_line(report, "set %d sequence%s on %s", advanced,
						PLURAL(advanced), pgconn_label(targets[i]));
	}
	catalog_free(catalog);
	return rc;
}

Rc
sequences_take_along(const Config *config, PgConn *source,
					 PgConn *const *targets, const Report *report, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	Config recalled;
	Rc rc = remember_unfinished(&recalled, config, config->name, arena, err);

	if (rc == RC_OK && config_follows_sequences(&recalled))
		rc = advance_open(&recalled, source, targets, report, err);
	if (rc == RC_FAIL && err->code != ERR_INTERRUPTED &&
		!error_is_transient(err))
	{
		error_context(err, "bringing sequences to where the source's are");
		log_error(LOG_WARNING, "sequences.failed-once", err);
		error_reset(err);
		rc = RC_OK;
	}
	arena_free(arena);
	return rc;
}
