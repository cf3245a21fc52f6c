/*
 * rules.h
 *    Checks that the rules of --on-conflict name existing tables, so that a
 *    misspelled name is not ignored.
 */
#ifndef PENSTOCK_CHECK_RULES_H
#define PENSTOCK_CHECK_RULES_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "model/words.h"
#include "net/pgconn.h"

/*
 * Fails with ERR_CONFIG if a table that --on-conflict names is not published by
 * the source, so that its rule would never be applied.  Accepts a rule that is
 * among the `remembered` options of the pipeline, because its table may have
 * been dropped since.  Blocks.
 *
 * If the pipeline exists (is_copied), accepts also a table that exists on a
 * target: the source may have dropped it, and may still send older changes of
 * it.  A target that cannot be reached counts as one that has the table.
 */
MUST_CHECK Rc rules_check(const Config *config, const Words *remembered,
						  bool is_copied, PgConn *source, Error *err);

/*
 * Fails with ERR_CONFIG if a table that --on-conflict names does not exist on
 * the source; for tables that are not published yet.  Blocks.
 */
MUST_CHECK Rc rules_check_exist(const Config *config, PgConn *source,
								Error *err);

#endif /* PENSTOCK_CHECK_RULES_H */
