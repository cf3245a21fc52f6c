/*
 * verify.h
 *    Compares the rows of tables on the source, under the snapshot that they
 *    were copied from, with the rows on a target, before any changes of the
 *    stream are applied there.
 *
 * The number of rows of a table, and the sum of the hashes of its rows as text,
 * must be equal on both servers.  Several tables are compared at the same time,
 * the largest first.
 */
#ifndef PENSTOCK_COPY_ROWS_VERIFY_H
#define PENSTOCK_COPY_ROWS_VERIFY_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/schema/build.h"

/* Maximum number of tables compared at the same time; that of --jobs. */
#define VERIFY_JOBS_MAX 64

typedef struct VerifyOptions
{
	const char *source; /* connection string of the source */
	const char *target; /* connection string of the target */
	const char *target_label;
	const char *snapshot; /* name of the snapshot that the source exports */
	int jobs;             /* maximum number of tables compared at a time */
	Build *build;         /* index builds that continue meanwhile, or NULL */
} VerifyOptions;

/*
 * Compares all tables that were copied under the snapshot; blocks.  *compared
 * is set to the number of tables that were compared.  A table that differs is
 * an error with ERR_CONFLICT.  A table that was rewritten on the source after
 * it was copied cannot be compared; this is logged and is no error.  The last
 * call of match_target() was for this target.
 */
MUST_CHECK Rc verify_tables(CopyCatalog *catalog, const VerifyOptions *options,
							int *compared, Error *err);

#endif /* PENSTOCK_COPY_ROWS_VERIFY_H */
