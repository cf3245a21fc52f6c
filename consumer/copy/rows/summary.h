/*
 * summary.h
 *    What a clone has copied, table by table.
 */
#ifndef PENSTOCK_COPY_ROWS_SUMMARY_H
#define PENSTOCK_COPY_ROWS_SUMMARY_H

#include "base/report.h"
#include "catalog/catalog.h"
#include "copy/schema/build.h"

/* Tables that get a line of their own, the largest; the others share one. */
#define SUMMARY_TABLES_MAX 100

/*
 * Reports rows, bytes, and seconds for data and for indexes of each table that
 * this run has copied.  `build` may be NULL.
 */
void summary_report(const CopyCatalog *catalog, const Build *build,
					const Report *report);

#endif /* PENSTOCK_COPY_ROWS_SUMMARY_H */
