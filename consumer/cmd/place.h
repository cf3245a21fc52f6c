/*
 * place.h
 *    A pipeline's placement, held against what the source publishes.
 */
#ifndef PENSTOCK_CMD_PLACE_H
#define PENSTOCK_CMD_PLACE_H

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"
#include "net/pgconn.h"

/*
 * Fails unless every published table can be where the placement puts it.
 * Appends what the plugin's option `distribution` must be; nothing if no table
 * is hashed, or there is no placement.
 */
MUST_CHECK Rc place_read_distribution(const Config *config, PgConn *source,
									  Buf *distribution, Error *err);

#endif /* PENSTOCK_CMD_PLACE_H */
