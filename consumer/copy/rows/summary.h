/*
 * summary.h
 *    Reports what a clone has copied, as a list of tables.
 */
#ifndef PENSTOCK_COPY_ROWS_SUMMARY_H
#define PENSTOCK_COPY_ROWS_SUMMARY_H

#include "base/report.h"
#include "catalog/catalog.h"
#include "copy/schema/build.h"

/* Maximum number of tables with a line of their own; smaller tables share one
 * line. */
#define SUMMARY_TABLES_MAX 100

/*
 * Reports the number of rows and bytes of each table that this run has copied,
 * and the seconds that its rows and its indexes took.  `build` may be NULL: no
 * indexes were built.
 */
void summary_report(const CopyCatalog *catalog, const Build *build,
					const Report *report);

#endif /* PENSTOCK_COPY_ROWS_SUMMARY_H */
