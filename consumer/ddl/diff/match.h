/*
 * match.h
 *    Finds constraints and indexes that are the same in two definitions of a
 *    table.
 *
 * Those with the same OID are the same.  ALTER TABLE … TYPE and REINDEX
 * CONCURRENTLY recreate constraints and indexes with new OIDs; these are the
 * same if name, definition and columns are.
 */
#ifndef PENSTOCK_DDL_DIFF_MATCH_H
#define PENSTOCK_DDL_DIFF_MATCH_H

#include "base/arena.h"
#include "model/definition.h"

typedef struct OidPair
{
	uint32_t from;
	uint32_t to;
} OidPair;

/* New OIDs, by former OIDs, of one catalog. */
typedef struct OidMap
{
	int count;
	int capacity;
	OidPair *pairs;
	Arena *arena;
} OidMap;

/* Constraints and indexes that were matched. */
typedef struct Matches
{
	OidMap constraints;
	OidMap indexes;
} Matches;

void matches_init(Matches *matches, Arena *arena);

/*
 * Gives constraints and indexes that both states have the OID of the new state,
 * and removes from both what a draft leaves out (see draft_new()).
 */
void match_table(TableDefinition *now, TableDefinition *after,
				 Matches *matches);

/*
 * Gives constraints and indexes that a partition has from its partitioned table
 * the OID of the new state.  They may have new names if the server has
 * recreated them with the partitioned table's, which must have been matched
 * before.
 */
void match_partition(TableDefinition *now, const TableDefinition *after,
					 Matches *matches);

/* Removes what a draft leaves out from a table that only one state has. */
void match_alone(TableDefinition *table, Arena *arena);

/*
 * Replaces OIDs of constraints and indexes of other tables by those of the new
 * state.
 */
void match_parents(TableDefinition *table, const Matches *matches);

#endif /* PENSTOCK_DDL_DIFF_MATCH_H */
