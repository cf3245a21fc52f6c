/*
 * verify.h
 *    Compares the contents of tables on the source, under the snapshot that
 *    they were copied from, with those on a target, before anything else is
 *    applied there.
 *
 * Of each table the number of rows and the sum of hashes of the rows' text must
 * be the same.  Several tables are compared at once, the largest first.
 */
#ifndef PENSTOCK_COPY_ROWS_VERIFY_H
#define PENSTOCK_COPY_ROWS_VERIFY_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/schema/build.h"

/* Tables at once: as --jobs has it. */
#define VERIFY_JOBS_MAX 64

typedef struct VerifyOptions
{
	const char *source; /* connection strings */
	const char *target;
	const char *target_label;
	const char *snapshot; /* exported by the source */
	int jobs;
	Build *build; /* goes on meanwhile; or NULL */
} VerifyOptions;

/*
 * Compares all tables that were copied under the snapshot; *compared: how many.
 * A table that differs is ERR_CONFLICT.  One that was rewritten on the source
 * since it was copied cannot be compared, which is said.  match_target() was
 * called for this target last.
 */
MUST_CHECK Rc verify_tables(CopyCatalog *catalog, const VerifyOptions *options,
							int *compared, Error *err);

#endif /* PENSTOCK_COPY_ROWS_VERIFY_H */
