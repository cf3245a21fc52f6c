/*
 * reach.c
 *    Labels and connections.
 */
#include "cmd/reach.h"

static MUST_CHECK Rc
reach(const Config *config, int index, bool impatient, PgConn **conn,
	  Error *err)
{
	char label[CONFIG_LABEL_SIZE];
	const PgConnOptions options = {.conninfo = config->targets[index],
								   .label = label,
								   .application_name = "penstock",
								   .kind = PGCONN_DATA,
								   .impatient = impatient};

	config_label_target(config, index, label);
	return pgconn_open(conn, &options, err);
}

Rc
reach_target(const Config *config, int index, PgConn **conn, Error *err)
{
	return reach(config, index, false, conn, err);
}

Rc
reach_target_soon(const Config *config, int index, PgConn **conn, Error *err)
{
	return reach(config, index, true, conn, err);
}
