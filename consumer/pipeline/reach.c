/*
 * reach.c
 *    Labels and connections.
 */
#include "pipeline/reach.h"

#include "net/pgconn_open.h"

static MUST_CHECK Rc
reach(const Config *config, int index, bool impatient, int at_most_ms,
	  PgConn **conn, Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	const PgConnOptions options = {.conninfo = config->targets[index],
								   .label = label,
								   .application_name = "penstock",
								   .kind = PGCONN_DATA,
								   .impatient = impatient,
								   .at_most_ms = at_most_ms};

	config_label_target(config, index, label);
	return pgconn_open(conn, &options, err);
}

Rc
reach_target(const Config *config, int index, PgConn **conn, Error *err)
{
	return reach(config, index, false, 0, conn, err);
}

Rc
reach_target_soon(const Config *config, int index, PgConn **conn, Error *err)
{
	return reach(config, index, true, 0, conn, err);
}

Rc
reach_target_within(const Config *config, int index, int at_most_ms,
					PgConn **conn, Error *err)
{
	return reach(config, index, true, at_most_ms, conn, err);
}
