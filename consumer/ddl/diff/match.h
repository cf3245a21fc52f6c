/*
 * match.h
 *    Which constraints and indexes of two definitions of a table are the same.
 *
 * Those with the same OID are.  ALTER TABLE … TYPE and REINDEX CONCURRENTLY
 * make constraints and indexes again, with other OIDs: these are the same if
 * name, definition and columns are.
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

/* OIDs of one catalog and what they are now. */
typedef struct OidMap
{
	int count;
	int capacity;
	OidPair *pairs;
	Arena *arena;
} OidMap;

/* The tables' constraints and indexes. */
typedef struct Matches
{
	OidMap constraints;
	OidMap indexes;
} Matches;

void matches_init(Matches *matches, Arena *arena);

/*
 * Gives what is in both the OID that it has after, and leaves out of both what
 * a draft does not look at; see draft.h.
 */
void match_table(TableDefinition *now, TableDefinition *after,
				 Matches *matches);

/*
 * The first, for what a partition has because its table has it: that has
 * another name where the server has made it again with the table's.  The table
 * comes first.
 */
void match_partition(TableDefinition *now, const TableDefinition *after,
					 Matches *matches);

/* The latter, for a table that is on one side only. */
void match_alone(TableDefinition *table, Arena *arena);

/* Gives what the table says of the constraints and indexes of other tables the
 * OIDs that they have now. */
void match_parents(TableDefinition *table, const Matches *matches);

#endif /* PENSTOCK_DDL_DIFF_MATCH_H */
