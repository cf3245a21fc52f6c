/*
 * definition_check.h
 *    Whether a definition that came from outside can be one.
 *
 * It is for what reads definitions from bytes: the stream, a table, a server.
 * It looks at one object for itself, and does not read SQL in it.
 */
#ifndef PENSTOCK_MODEL_DEFINITION_CHECK_H
#define PENSTOCK_MODEL_DEFINITION_CHECK_H

#include "model/definition.h"

/*
 * What is wrong with it, in words that go on "definition …", such as "has a
 * column without a name"; NULL: nothing.
 */
const char *definition_fault(const Definition *definition);

#endif /* PENSTOCK_MODEL_DEFINITION_CHECK_H */
