/*
 * describe.h
 *		What an object of the schema is, as a SchemaChange.
 *
 * Everything is read from the catalogs, as they are at the position that is
 * decoded.  Nothing is locked but catalogs; see deparse.h.
 */
#ifndef PENSTOCK_DESCRIBE_H
#define PENSTOCK_DESCRIBE_H

#include "lib/stringinfo.h"

#include "schema/schema.h"
#include "session/session.h"

/*
 * Appends the fields of a SchemaChange.  To be called within penstock_lookup(),
 * with a snapshot registered, and the settings of value.h applied.
 */
extern void penstock_describe(PenstockSession *session, StringInfo buf,
							  const PenstockSchemaObject *object);

#endif /* PENSTOCK_DESCRIBE_H */
