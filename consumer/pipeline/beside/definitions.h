/*
 * definitions.h
 *    Reads the definitions of the source's schema, and stores them on a
 *    target.
 *
 * To follow schema changes, a pipeline needs the definitions of all objects at
 * some LSN, which it compares with the changes after it.  They are stored in
 * penstock.definition of the targets.
 *
 * A clone stores them as its snapshot sees them.  A pipeline that followed no
 * schema changes until now has none, and the catalogs at its position cannot be
 * read any more.  So we read the present catalogs, under the snapshot of a
 * temporary slot: it sees exactly the transactions that end at or before the
 * slot's consistent point, and that LSN is after the pipeline's position.
 * Schema changes that end at or before it are ignored (schema_step_covers());
 * the first one after it is compared with the definitions stored.
 */
#ifndef PENSTOCK_PIPELINE_BESIDE_DEFINITIONS_H
#define PENSTOCK_PIPELINE_BESIDE_DEFINITIONS_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "model/definition.h"
#include "net/pgconn.h"

/*
 * What definitions_read() reads: the definitions of all objects.  Those are
 * apart (Definition.apart) that the pipeline does not follow.  It follows
 * `tables`, or with a publication FOR ALL TABLES also what is selected, and the
 * objects that these need.  tables NULL: no others; tables_only: only `tables`
 * and the sequences that belong to their columns are read.
 */
typedef struct DefinitionsWanted
{
	const char *publications; /* list of names, as in Config */
	const Selection *selection;
	const OidList *tables;
	bool tables_only;
} DefinitionsWanted;

/*
 * Reads the definitions under an exported snapshot, or, if its name is empty,
 * as they are now.  `source` is an ordinary session with the source, outside of
 * a transaction.  Waits.
 */
MUST_CHECK Rc definitions_read(PgConn *source, const char *snapshot,
							   const DefinitionsWanted *wanted,
							   DefinitionSet *set, Error *err);

/*
 * Stores a set of definitions as of `lsn` on a target, in the current
 * transaction.  It replaces all definitions stored for the pipeline.  Waits.
 */
MUST_CHECK Rc definitions_write(PgConn *target, const char *pipeline,
								const DefinitionSet *set, Lsn lsn, Error *err);

/*
 * For a pipeline that starts to follow schema changes: reads the present
 * definitions of the source, for which the source waits until transactions in
 * progress have ended, and stores them on a target.  Fails with ERR_CHANGED if
 * another follower has taken the lease since (lease_token).  `target` is a
 * session outside of a transaction with search_path = pg_catalog.  Waits.
 */
MUST_CHECK Rc definitions_note(const Config *config, PgConn *target,
							   int64_t lease_token, Error *err);

#endif /* PENSTOCK_PIPELINE_BESIDE_DEFINITIONS_H */
