/*
 * reach.c
 *    Opens the connections.
 */
#include "pipeline/beside/reach.h"

#include "control/progress_table.h"
#include "net/pgconn_open.h"

static MUST_CHECK Rc
reach(const Config *config, int index, PgConnOptions options, PgConn **conn,
	  Error *err)
{
	char label[CONFIG_LABEL_SIZE];

	ASSERT(index >= 0 && index < config->target_count);
	config_label_target(config, index, label);
	options.conninfo = config->targets[index];
	options.label = label;
	options.application_name = "penstock";
	options.kind = PGCONN_DATA;
	return pgconn_open(conn, &options, err);
}

Rc
reach_target(const Config *config, int index, PgConn **conn, Error *err)
{
	return reach(config, index, (PgConnOptions){0}, conn, err);
}

Rc
reach_target_soon(const Config *config, int index, PgConn **conn, Error *err)
{
	return reach(config, index, (PgConnOptions){.impatient = true}, conn, err);
}

Rc
reach_target_again(const Config *config, int index, PgConn **conn, Error *err)
{
	return reach(config, index,
				 (PgConnOptions){.impatient = true, .is_again = true}, conn,
				 err);
}

Rc
reach_target_within(const Config *config, int index, int at_most_ms,
					PgConn **conn, Error *err)
{
	return reach(config, index,
				 (PgConnOptions){.impatient = true, .at_most_ms = at_most_ms},
				 conn, err);
}

Rc
reach_source(const Config *config, const char *application_name, bool impatient,
			 PgConn **conn, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	const PgConnOptions options = {.conninfo = config->source,
								   .label = label,
								   .application_name = application_name,
								   .kind = PGCONN_DATA,
								   .impatient = impatient};

	config_label_source(config, label);
	return pgconn_open(conn, &options, err);
}

void
reach_explain_no_slot(const Config *config, Error *err)
{
	PgConn *target = NULL;
	Error failure = {0};
	Rc rc = reach_target_soon(config, 0, &target, &failure);

	if (rc == RC_OK)
		rc = progress_table_check_open(target, config->name, &failure);
	if (rc == RC_FAIL && failure.code == ERR_CONFIG)
		error_take(err, &failure);
	error_reset(&failure);
	pgconn_close(target);
}
