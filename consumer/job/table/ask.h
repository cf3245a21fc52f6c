/*
 * ask.h
 *    Asks source and targets what would make the copy of a table fail after its
 *    rows are copied.
 *
 * The questions are those of a clone (check/obstacles.h): privileges and
 * sequences on the source, roles and columns on the targets.  Foreign keys
 * between the table and others are not created, so none are asked about.
 */
#ifndef PENSTOCK_JOB_TABLE_ASK_H
#define PENSTOCK_JOB_TABLE_ASK_H

#include "catalog/catalog.h"
#include "job/table/work.h"

/*
 * Fails with ERR_CONFIG and the first obstacle, if there is one.  `catalog` has
 * the current table of `work`, or its partitions.  Writes nothing.  Blocks.
 */
MUST_CHECK Rc table_ask(const TableWork *work, CopyCatalog *catalog,
						Error *err);

#endif /* PENSTOCK_JOB_TABLE_ASK_H */
