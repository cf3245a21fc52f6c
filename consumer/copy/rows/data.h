/*
 * data.h
 *    Copies the rows of a catalog's tables from the source to one target.
 *
 * Several copiers (see copier.h) work at the same time in one poll() loop, and
 * take the largest tables first.  A large table is copied in parts, so that
 * several copiers work on it.  Rows are not stored on a disk between source and
 * target.
 *
 * A table that was rewritten on the source since the snapshot was taken cannot
 * be copied under that snapshot (see guard.h).  We set its `changed` and leave
 * on the target those of its parts that are committed; the caller has to copy
 * the table again under a newer snapshot.
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
	int jobs; /* maximum number of copiers */

	/* Builds the indexes of a table when its rows are copied, in the same loop;
	 * NULL: nothing is built meanwhile. */
	Build *build;
	Meter *meter; /* shows the progress; NULL: data_copy() uses its own */
	int64_t rate; /* maximum of bytes per second, of all copiers; 0: no limit */

	/* Whether to warn if the target fires triggers, because the tables may
	 * already have some. */
	bool expects_quiet;

	/*
	 * Called once, when all connections are open: takes the snapshot and writes
	 * its name to the buffer `copier.snapshot`.  NULL if the snapshot exists
	 * already.  The shorter the time from the snapshot to the locks of the
	 * tables, the fewer tables are rewritten in it.
	 */
	Rc (*take_snapshot)(void *argument, Error *err);
	void *argument;
} DataOptions;

typedef struct DataReport
{
	/* Number of tables of which this call has copied the last part. */
	int tables;

	/* Number of tables of which this call has committed a part at least. */
	int tables_written;

	/* Number of tables that have to be copied under a newer snapshot. */
	int tables_changed;
	int64_t rows;  /* number of rows that were copied */
	int64_t bytes; /* number of bytes of COPY data that were copied */
	double rate;   /* megabytes per second, since the meter's start */
} DataReport;

/*
 * Copies the rows of all tables that are not `done`, `skip` or `gone`; blocks.
 * The caller has called match_target() for this target before.  *report is set
 * on failure, too.  On success each of the tables is copied completely, or is
 * `changed`.
 */
MUST_CHECK Rc data_copy(CopyCatalog *catalog, const DataOptions *options,
						DataReport *report, Error *err);

#endif /* PENSTOCK_COPY_ROWS_DATA_H */
