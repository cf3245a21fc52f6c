/*
 * types.h
 *    Domains and composite types.
 */
#ifndef PENSTOCK_DDL_DIFF_TYPES_H
#define PENSTOCK_DDL_DIFF_TYPES_H

#include "ddl/diff/draft.h"

/* Creates domains and composite types, those first that others consist of. */
void diff_create_types(Draft *draft);

/* Brings those that stay to what they are after. */
void diff_alter_types(Draft *draft);

#endif /* PENSTOCK_DDL_DIFF_TYPES_H */
