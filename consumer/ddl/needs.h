/*
 * needs.h
 *    Finds the objects that others cannot be made without.
 *
 * An object needs the schema that it is in; a table, its parents, the types of
 * its columns, and what its defaults and checks name; a domain or composite
 * type, the types that it consists of.  A sequence that a column owns comes
 * with the table.
 */
#ifndef PENSTOCK_DDL_NEEDS_H
#define PENSTOCK_DDL_NEEDS_H

#include "model/definition.h"

/* Objects, given as they are in some set. */
typedef struct DefinitionList
{
	size_t count;
	size_t capacity;
	const Definition **definitions; /* owned by the list, their members not */
} DefinitionList;

/* Adds an object; definition_list_release() accepts a zeroed list. */
void definition_list_add(DefinitionList *list, const Definition *definition);
void definition_list_release(DefinitionList *list);

/*
 * Clears `apart` of all objects of the set that the users need, directly or
 * indirectly, and of the sequences that columns of these own.  The users must
 * stay valid during the call, whatever becomes of the set.
 */
void ddl_join_needed(DefinitionSet *set, const DefinitionList *users);

/*
 * The same with all objects of the set as users that are not apart.
 */
void ddl_join_all_needed(DefinitionSet *set);

/*
 * Sets `apart` of all objects of the set that only the users need, which are
 * apart: no object that is not apart needs them.  Tables are not touched.
 */
void ddl_part_unneeded(DefinitionSet *set, const DefinitionList *users);

#endif /* PENSTOCK_DDL_NEEDS_H */
