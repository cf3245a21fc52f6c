/*
 * table.h
 *		What the plugin knows of a table that it has met.
 *
 * A PenstockRelInfo belongs to a table that has rows; a PenstockPublished to a
 * table that appears in the stream, with the number by which rows refer to it.
 * The two are the same table, except that under publish_via_partition_root many
 * partitions share one published ancestor.
 *
 * The relation cache (relinfo.h) makes and keeps them.
 */
#ifndef PENSTOCK_TABLE_H
#define PENSTOCK_TABLE_H

#include "tables/publish.h"
#include "tables/value.h"

struct PenstockRoute;

/* Numbers as in penstock.proto. */
typedef enum PenstockReplicaIdentity
{
	PENSTOCK_REPLICA_IDENTITY_DEFAULT = 1,
	PENSTOCK_REPLICA_IDENTITY_NOTHING = 2,
	PENSTOCK_REPLICA_IDENTITY_FULL = 3,
	PENSTOCK_REPLICA_IDENTITY_INDEX = 4,
} PenstockReplicaIdentity;

/* A table in the stream. */
typedef struct PenstockPublished
{
	Oid oid; /* hash key */
	uint32 number;
	bool sent;             /* the record below is what the reader has */
	TransactionId sent_by; /* the transaction in which it was sent last */
	bool gone; /* and at whose end it was said that the table is gone */

	/*
	 * Rows of partitions are sent as its rows, so a change of it invalidates
	 * the partitions' entries.
	 */
	bool is_ancestor;
	bool in_use;  /* scratch of remove_invalid() */
	char *record; /* its encoded Relation; NULL if none was made yet */
	int record_bytes;
} PenstockPublished;

/* A column in the stream. */
typedef struct PenstockColumn
{
	PenstockValueWriter writer;
	int source; /* index in the table's own row */
	int16 typlen;
	bool byval;
	bool key;
} PenstockColumn;

/*
 * The columns of a row in the stream: `columns` has all of them in order,
 * `integers` and `values` have the same columns, divided by how they are
 * encoded.
 */
typedef struct PenstockShape
{
	int ncolumns;
	int nintegers;
	int nvalues;
	PenstockColumn **columns;
	PenstockColumn **integers;
	PenstockColumn **values;
} PenstockShape;

typedef struct PenstockRelInfo
{
	Oid relid; /* hash key: the table that has the rows */
	bool valid;
	MemoryContext context; /* of all that follows; NULL if there is nothing */

	/* If none of the operations is published, nothing else here is set. */
	PenstockPublish publish;
	PenstockPublished *published;
	const char *name; /* for messages: schema and name of the table */

	PenstockReplicaIdentity identity; /* of the published table */

	/*
	 * Why updates and deletes cannot be represented, for a message; NULL if
	 * they can.
	 */
	const char *identity_problem;

	/*
	 * This is not a table, but a heap into which a command rewrites the
	 * published table.  Rows inserted here are that table's new rows.
	 */
	bool rewrites;

	PenstockShape full;
	PenstockShape key;

	struct PenstockRoute *route; /* how rows are hashed; NULL: they are not */

	/*
	 * The rows of the change that is being written, as arrays of natts columns.
	 */
	int natts;
	PenstockRow old_row;
	PenstockRow new_row;
} PenstockRelInfo;

#endif /* PENSTOCK_TABLE_H */
