/*
 * own_schema.h
 *    Penstock's own schema, which is on every target.
 *
 * A source that has it is the target of another pipeline, which ends there.  So
 * it is neither published nor copied.
 */
#ifndef PENSTOCK_CATALOG_OWN_SCHEMA_H
#define PENSTOCK_CATALOG_OWN_SCHEMA_H

#define CATALOG_OWN_SCHEMA "penstock"

#endif /* PENSTOCK_CATALOG_OWN_SCHEMA_H */
