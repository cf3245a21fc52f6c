/*
 * definitions.h
 *    What the source's schema is, read as of a position and noted on a target.
 *
 * A clone notes it as of the snapshot that it copies under.  A pipeline that
 * looked at no schema changes until now has nothing noted, and what the
 * source's catalogs were at its position cannot be asked any more.  So they are
 * read as they are now, under the snapshot of a temporary slot's consistent
 * point: that has exactly the transactions that end at or before it, and is
 * later than the pipeline's position.  Until the pipeline comes there, it goes
 * on as if nobody looked: sets of schema changes that end at or before the
 * position of the definitions are left out (schema_step_covers()), and the
 * first that ends after it begins with what was noted.
 */
#ifndef PENSTOCK_PIPELINE_DEFINITIONS_H
#define PENSTOCK_PIPELINE_DEFINITIONS_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "model/definition.h"
#include "net/pgconn.h"

/*
 * Reads the definitions under an exported snapshot, or, if its name is empty,
 * as they are now.  `tables`: also these, whatever the selection says, and the
 * sequences that belong to their columns; NULL: none; `tables_only`: nothing
 * else.  The connection is an ordinary one of the source, outside of a
 * transaction.  Waits.
 */
typedef struct DefinitionsWanted
{
	const char *publications; /* as in the Config */
	const Selection *selection;
	const OidList *tables;
	bool tables_only;
} DefinitionsWanted;

MUST_CHECK Rc definitions_read(PgConn *source, const char *snapshot,
							   const DefinitionsWanted *wanted,
							   DefinitionSet *set, Error *err);

/* Notes a set on a target as of the position, in place of all that was noted
 * for the pipeline, in the current transaction.  Waits. */
MUST_CHECK Rc definitions_write(PgConn *target, const char *pipeline,
								const DefinitionSet *set, Lsn lsn, Error *err);

/*
 * For a pipeline that begins to look at schema changes: reads what the source
 * has now, which waits for the transactions that are open there, and notes it
 * if the lease is still the one of this token, else fails with ERR_CHANGED.
 * `target` is a session of a target, outside of a transaction and with
 * pg_catalog alone as search_path.  Waits.
 */
MUST_CHECK Rc definitions_note(const Config *config, PgConn *target,
							   int64_t lease_token, Error *err);

#endif /* PENSTOCK_PIPELINE_DEFINITIONS_H */
