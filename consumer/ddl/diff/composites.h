/*
 * composites.h
 *    Composite types and their attributes.
 *
 * A table of a type has the type's attributes as columns, and they change with
 * it; so do the columns of tables that inherit from such a table.
 */
#ifndef PENSTOCK_DDL_DIFF_COMPOSITES_H
#define PENSTOCK_DDL_DIFF_COMPOSITES_H

#include "ddl/diff/draft.h"

/* Drops attributes that are gone, also from tables of the type. */
void diff_drop_attributes(Draft *draft);

/* Creates one. */
void create_composite(Draft *draft, DraftObject *type);

/* Renames, alters and adds attributes of one that stays. */
void alter_composite(Draft *draft, DraftObject *type);

#endif /* PENSTOCK_DDL_DIFF_COMPOSITES_H */
