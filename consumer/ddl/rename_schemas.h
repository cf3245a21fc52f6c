/*
 * rename_schemas.h
 *    What is in a schema that gets another name.
 *
 * ALTER SCHEMA … RENAME changes one object of the source, and the name by which
 * all others in it are known.
 */
#ifndef PENSTOCK_DDL_RENAME_SCHEMAS_H
#define PENSTOCK_DDL_RENAME_SCHEMAS_H

#include "model/definition.h"

/*
 * Gives what is in `after` as it was in `before` the name that its schema has
 * in `after`.  What is another definition than before has it already.
 */
void ddl_rename_schemas(const DefinitionSet *before, DefinitionSet *after);

#endif /* PENSTOCK_DDL_RENAME_SCHEMAS_H */
