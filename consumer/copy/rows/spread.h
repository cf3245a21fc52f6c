/*
 * spread.h
 *    Copies the rows of a catalog's tables from the source to several targets,
 *    to which the rules of a placement assign them.
 *
 * This is data.h for several targets.  Each row is read from the source once.
 * Tables that the placement assigns to no target are left out, and so are
 * tables that are `done`.
 */
#ifndef PENSTOCK_COPY_ROWS_SPREAD_H
#define PENSTOCK_COPY_ROWS_SPREAD_H

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/placed.h"
#include "copy/rows/data.h"
#include "copy/rows/spread_copier.h"

typedef struct SpreadOptions
{
	SpreadCopierOptions copier;
	int jobs;     /* maximum number of copiers */
	int64_t rate; /* maximum of bytes per second, of all copiers; 0: no limit */
	bool expects_quiet; /* whether to warn of triggers, as in DataOptions */

	/* As in DataOptions. */
	Rc (*take_snapshot)(void *argument, Error *err);

	/* Called about every half second while tables are finished, and at the end:
	 * marks the tables whose ended_us is set as done on all targets.  May
	 * block.  NULL: nobody marks them. */
	Rc (*note)(void *argument, Error *err);
	void *argument;
} SpreadOptions;

/*
 * Copies the rows of all tables that are not left out; blocks.  The caller has
 * matched the catalog's tables with every target, and set `binary` only of
 * tables that all targets can receive in binary format.  *report is set on
 * failure, too.
 */
MUST_CHECK Rc spread_copy(CopyCatalog *catalog, const Placed *placed,
						  const SpreadOptions *options, DataReport *report,
						  Error *err);

#endif /* PENSTOCK_COPY_ROWS_SPREAD_H */
