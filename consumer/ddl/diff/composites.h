/*
 * composites.h
 *    Changes composite types and their attributes.
 *
 * A typed table has the type's attributes as columns.  They change together
 * with the type, and so do the columns of tables that inherit from a typed
 * table.
 */
#ifndef PENSTOCK_DDL_DIFF_COMPOSITES_H
#define PENSTOCK_DDL_DIFF_COMPOSITES_H

#include "ddl/diff/draft.h"

/* Drops attributes of types, which also drops the columns of typed tables. */
void diff_drop_attributes(Draft *draft);

/* Creates a composite type that does not exist yet. */
void create_composite(Draft *draft, DraftObject *type);

/* Renames, alters and adds attributes of a type that stays. */
void alter_composite(Draft *draft, DraftObject *type);

#endif /* PENSTOCK_DDL_DIFF_COMPOSITES_H */
