/*
 * data.h
 *    Copies the rows of a catalog's tables from the source to one target.
 *
 * Several copiers (see copier.h) work at once, the largest tables first, in one
 * loop without threads.  A table that is large enough is copied in parts, so
 * that the copiers share it.  Rows never touch a disk on their way.
 *
 * A table that was rewritten on the source since the snapshot was taken cannot
 * be copied under it (see guard.h).  It is left as it is, with what the target
 * has of it, and `changed`: the caller is to copy it again from a newer one.
 */
#ifndef PENSTOCK_COPY_ROWS_DATA_H
#define PENSTOCK_COPY_ROWS_DATA_H

#include <stdint.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "copy/rows/copier.h"
#include "copy/rows/meter.h"
#include "copy/schema/build.h"

typedef struct DataOptions
{
	CopierOptions copier;
	int jobs;           /* pairs of connections at most */
	Build *build;       /* is told when a table's rows are copied; or NULL */
	Meter *meter;       /* shows how far it is; or NULL */
	int64_t rate;       /* bytes a second at most; 0: any */
	bool expects_quiet; /* warn if triggers fire: the tables may have some */

	/*
	 * Takes the snapshot, which copier.snapshot names then, when all is ready
	 * to read; or NULL: there is one.  The shorter the time from a snapshot to
	 * the first lock, the less happens in it.
	 */
	Rc (*take_snapshot)(void *argument, Error *err);
	void *argument;
} DataOptions;

typedef struct DataReport
{
	int tables;         /* that are complete on the target */
	int tables_written; /* that are complete or may have some of their rows */
	int tables_changed; /* that have to be copied under a newer snapshot */
	int64_t rows;
	int64_t bytes;
	double rate; /* megabytes a second */
} DataReport;

/*
 * Copies all tables that are not done.  match_target() was called for this
 * target before.  On failure too, *report says how far it came.
 */
MUST_CHECK Rc data_copy(CopyCatalog *catalog, const DataOptions *options,
						DataReport *report, Error *err);

#endif /* PENSTOCK_COPY_ROWS_DATA_H */
