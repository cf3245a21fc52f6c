/*
 * own_schema.h
 *    Name of the schema that penstock creates on every target for its own
 *    tables.
 *
 * A source that has this schema is the target of another pipeline, so we
 * neither publish nor copy the schema.
 */
#ifndef PENSTOCK_CATALOG_OWN_SCHEMA_H
#define PENSTOCK_CATALOG_OWN_SCHEMA_H

#define CATALOG_OWN_SCHEMA "penstock"

#endif /* PENSTOCK_CATALOG_OWN_SCHEMA_H */
