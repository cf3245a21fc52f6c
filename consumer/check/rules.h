/*
 * rules.h
 *    Rules for conflicts that no table is meant by.
 */
#ifndef PENSTOCK_CHECK_RULES_H
#define PENSTOCK_CHECK_RULES_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "model/words.h"
#include "net/pgconn.h"

/*
 * Looks up the tables that --on-conflict names on the source.  ERR_CONFIG: one
 * of them is not published, so that its rule would never count.  A rule that is
 * among the words which the pipeline remembers already is taken as it is: its
 * table may be gone since.  Waits.
 *
 * is_copied: there is a pipeline, so a table that only a target has is taken,
 * too.  The source may have dropped it, and changes before that are still to
 * come.  So it is when a target cannot be asked.
 */
MUST_CHECK Rc rules_check(const Config *config, const Words *remembered,
						  bool is_copied, PgConn *source, Error *err);

/*
 * The same for a table that is about to be published: ERR_CONFIG if the source
 * has no such table.
 */
MUST_CHECK Rc rules_check_exist(const Config *config, PgConn *source,
								Error *err);

#endif /* PENSTOCK_CHECK_RULES_H */
