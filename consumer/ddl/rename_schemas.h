/*
 * rename_schemas.h
 *    Renames the schema of all objects in a schema that was renamed.
 *
 * ALTER SCHEMA … RENAME changes one object of the source, but the definitions
 * of all objects in the schema contain its name.
 */
#ifndef PENSTOCK_DDL_RENAME_SCHEMAS_H
#define PENSTOCK_DDL_RENAME_SCHEMAS_H

#include "model/definition.h"

/*
 * Sets the schema's new name in every definition of `after` that is the same as
 * in `before`.  A definition that has changed has the new name already.
 */
void ddl_rename_schemas(const DefinitionSet *before, DefinitionSet *after);

#endif /* PENSTOCK_DDL_RENAME_SCHEMAS_H */
