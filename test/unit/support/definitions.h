/*
 * definitions.h
 *    Definitions for tests.
 */
#ifndef PENSTOCK_TEST_SUPPORT_DEFINITIONS_H
#define PENSTOCK_TEST_SUPPORT_DEFINITIONS_H

#include "model/definition.h"

extern const DefinitionKind definition_kinds[6];

/*
 * A definition in which no field is what it usually is, and every array has two
 * members; it can be one (model/definition_check.h).
 */
Definition *definition_filled(DefinitionKind kind, Arena *arena);

/* The shape of the members of an array of the definition. */
const DefinitionShape *definition_member_shape(const Definition *definition,
											   const char *array);

#endif /* PENSTOCK_TEST_SUPPORT_DEFINITIONS_H */
