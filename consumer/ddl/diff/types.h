/*
 * types.h
 *    Creates and alters domains and composite types.
 */
#ifndef PENSTOCK_DDL_DIFF_TYPES_H
#define PENSTOCK_DDL_DIFF_TYPES_H

#include "ddl/diff/draft.h"

/*
 * Creates domains and composite types, each after the types that it consists
 * of.
 */
void diff_create_types(Draft *draft);

/* Alters domains and composite types that stay. */
void diff_alter_types(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_TYPES_H */
