/*
 * rules.h
 *    Rules for conflicts that no table is meant by.
 */
#ifndef PENSTOCK_CMD_RULES_H
#define PENSTOCK_CMD_RULES_H

#include "base/error.h"
#include "config/config.h"
#include "model/words.h"
#include "net/pgconn.h"

/*
 * Looks up the tables that --on-conflict names on the source.  ERR_CONFIG: one
 * of them is not published, so that its rule would never count.  A rule that is
 * among the words which the pipeline remembers already is taken as it is: its
 * table may be gone since.
 */
MUST_CHECK Rc rules_check(const Config *config, const Words *remembered,
						  PgConn *source, Error *err);

#endif /* PENSTOCK_CMD_RULES_H */
