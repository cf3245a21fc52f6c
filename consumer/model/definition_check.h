/*
 * definition_check.h
 *    Checks whether a definition that came from outside can be one.
 *
 * To be used after a definition was read from bytes: from the stream, a table,
 * a server.  The check looks at one object alone, and does not parse the SQL in
 * it.
 */
#ifndef PENSTOCK_MODEL_DEFINITION_CHECK_H
#define PENSTOCK_MODEL_DEFINITION_CHECK_H

#include "model/definition.h"

/*
 * Returns what is wrong with a definition, as a text to be put after
 * "definition …", such as "has a column without a name"; NULL: nothing.
 */
const char *definition_fault(const Definition *definition);

#endif /* PENSTOCK_MODEL_DEFINITION_CHECK_H */
