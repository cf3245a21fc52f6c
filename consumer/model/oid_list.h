/*
 * oid_list.h
 *    Lists of OIDs that grow.
 *
 * A list that was filled in elsewhere, such as in an arena, can be asked but
 * not changed here.
 */
#ifndef PENSTOCK_MODEL_OID_LIST_H
#define PENSTOCK_MODEL_OID_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/definition.h"

/* Whether the list has the OID. */
bool oid_list_has(const OidList *list, uint32_t oid);

/* Adds an OID, unless the list has it; the list owns its memory. */
void oid_list_add(OidList *list, uint32_t oid);

/* Adds each OID of another list. */
void oid_list_add_all(OidList *list, const OidList *from);

/* Removes an OID, if the list has it; the order of the others may change. */
void oid_list_remove(OidList *list, uint32_t oid);

/* Frees the memory of a list that grew here; it is empty then. */
void oid_list_clear(OidList *list);

/* Sorts a list, ascending. */
void oid_list_sort(OidList *list);

#endif /* PENSTOCK_MODEL_OID_LIST_H */
