/*
 * oid_table.c
 *    A hash table with open addressing, at most half full.
 */
#include "ddl/oid_table.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/xalloc.h"

#define SLOTS_FIRST 64

void
oid_table_release(OidTable *table)
{
	free(table->slots);
	*table = (OidTable){0};
}

/* Returns the slot of a key, or the free slot where it belongs. */
static OidEntry *
find_slot(const OidTable *table, OidCatalog catalog, uint32_t oid)
{
	uint64_t hash = hash_number(HASH_START, (uint64_t) catalog << 32 | oid);
	size_t i = hash_slot(hash, table->slot_count);

	while (table->slots[i].oid != 0 &&
		   (table->slots[i].oid != oid || table->slots[i].catalog != catalog))
		i = (i + 1) & (table->slot_count - 1);
	return &table->slots[i];
}

static void
grow(OidTable *table)
{
	OidTable larger = {.slot_count = table->slot_count == 0
										 ? SLOTS_FIRST
										 : 2 * table->slot_count,
					   .count = table->count};

	larger.slots = xcalloc(larger.slot_count, sizeof(OidEntry));
	for (size_t i = 0; i < table->slot_count; i++)
		if (table->slots[i].oid != 0)
			*find_slot(&larger, table->slots[i].catalog,
					   table->slots[i].oid) = table->slots[i];
	free(table->slots);
	*table = larger;
}

void
oid_table_put(OidTable *table, OidCatalog catalog, uint32_t oid, uint32_t value)
{
	OidEntry *slot;

	ASSERT(oid != 0);
	if (2 * (table->count + 1) > table->slot_count)
		grow(table);
	slot = find_slot(table, catalog, oid);
	table->count += slot->oid == 0 ? 1 : 0;
	*slot = (OidEntry){.catalog = catalog, .oid = oid, .value = value};
}

uint32_t
oid_table_get(const OidTable *table, OidCatalog catalog, uint32_t oid)
{
	if (table->slot_count == 0 || oid == 0)
		return 0;
	return find_slot(table, catalog, oid)->value;
}
