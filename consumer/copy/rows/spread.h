/*
 * spread.h
 *    Copies the rows of a catalog's tables from the source to several targets,
 *    as a placement says: each is read once.
 *
 * What data.h is for one target.  Tables that are placed nowhere are left out,
 * and so are those that are done.
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
	int jobs;           /* sets of connections at most */
	int64_t rate;       /* bytes a second at most; 0: any */
	bool expects_quiet; /* warn if triggers fire: the tables may have some */

	/* As in DataOptions. */
	Rc (*take_snapshot)(void *argument, Error *err);

	/* Notes the tables that have ended_us set, as done everywhere; called now
	 * and then, and at the end.  May wait.  NULL: nobody does. */
	Rc (*note)(void *argument, Error *err);
	void *argument;
} SpreadOptions;

/*
 * Copies all tables.  The catalog's tables were matched with every target, and
 * those whose `binary` is set are copied in that format to all.  On failure
 * too, *report says how far it came.
 */
MUST_CHECK Rc spread_copy(CopyCatalog *catalog, const Placed *placed,
						  const SpreadOptions *options, DataReport *report,
						  Error *err);

#endif /* PENSTOCK_COPY_ROWS_SPREAD_H */
