/*
 * made_definitions.h
 *    Definitions put together in a few lines.
 *
 * Each is in schema public, and usual where nothing is said; change what is
 * returned to say more.  A table has room for MEMBERS_MAX members of each kind.
 */
#ifndef PENSTOCK_TEST_MADE_DEFINITIONS_H
#define PENSTOCK_TEST_MADE_DEFINITIONS_H

#include "base/arena.h"
#include "model/definition.h"

#define MEMBERS_MAX 8

Definition *definition_made(Arena *arena, DefinitionKind kind, uint32_t oid,
							const char *name);

/* Columns of a table or a composite type; in the order of their attnums. */
ColumnDefinition *column_made(Definition *definition, uint16_t attnum,
							  const char *name, uint32_t type_oid,
							  const char *type);

/* Constraints of a table or a domain. */
ConstraintDefinition *constraint_made(Definition *definition, uint32_t oid,
									  ConstraintKind kind, const char *name,
									  const char *text);

IndexDefinition *index_made(Definition *table, uint32_t oid, const char *name,
							const char *text);

/* Labels of an enum type. */
void label_made(Definition *type, uint32_t oid, const char *label);

/* The table inherits from another one. */
void parent_made(Definition *table, uint32_t parent);

#endif /* PENSTOCK_TEST_MADE_DEFINITIONS_H */
