/*
 * oid_table.h
 *    A hash table from OIDs to numbers.  A key is an OID and its catalog.
 */
#ifndef PENSTOCK_DDL_OID_TABLE_H
#define PENSTOCK_DDL_OID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum OidCatalog
{
	OID_NAMESPACE,  /* pg_namespace */
	OID_CLASS,      /* pg_class: tables, sequences, indexes */
	OID_TYPE,       /* pg_type */
	OID_CONSTRAINT, /* pg_constraint */
	OID_LABEL,      /* pg_enum */
} OidCatalog;

typedef struct OidEntry
{
	OidCatalog catalog;
	uint32_t oid; /* 0: the slot is free */
	uint32_t value;
} OidEntry;

/* A zeroed table is empty.  oid_table_release() frees it. */
typedef struct OidTable
{
	OidEntry *slots;
	size_t slot_count; /* a power of two */
	size_t count;
} OidTable;

void oid_table_release(OidTable *table);

/* Sets the value of a key; the OID must not be 0. */
void oid_table_put(OidTable *table, OidCatalog catalog, uint32_t oid,
				   uint32_t value);

/* Returns the value of a key, or 0 if it has none. */
uint32_t oid_table_get(const OidTable *table, OidCatalog catalog, uint32_t oid);

#endif /* PENSTOCK_DDL_OID_TABLE_H */
