/*
 * sequences.c
 *    See sequences.h.
 */
#include "job/sequences.h"

#include "catalog/catalog.h"
#include "sequence/sequences.h"

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
			   PgConn *source, const Report *report, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	PgConn *target = NULL;
	int advanced = 0;
	Rc rc;

	config_label_target(config, index, label);
	rc = open_server(&target, config->targets[index], label, err);
	if (rc == RC_OK)
		rc = sequences_advance(catalog, NULL, source, target, true, &advanced,
							   err);
	if (rc == RC_OK)
		report_line(report,
					"set %d sequence%s on %s; the others were there already",
					advanced, PLURAL(advanced), label);
	pgconn_close(target);
	return rc;
}

static Rc
advance_all(const Config *config, PgConn *source, const Report *report,
			Error *err)
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
		rc = advance_target(config, i, catalog, source, report, err);
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
