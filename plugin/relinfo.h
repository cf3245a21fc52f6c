/*
 * relinfo.h
 *		The relation cache: what the plugin knows of each table it met.
 *
 * A PenstockRelInfo belongs to a table that has rows; a PenstockPublished to a
 * table that appears in the stream, with the number by which rows refer to it.
 * The two are the same table, except that under publish_via_partition_root many
 * partitions share one published ancestor.
 *
 * Everything is worked out when a table is first met, and worked out anew at
 * its next change after the server said that something about it may be
 * different.  If then its Relation record is the same as before, nothing is
 * sent; a record that differs is sent again under the same number.
 */
#ifndef PENSTOCK_RELINFO_H
#define PENSTOCK_RELINFO_H

#include "utils/hsearch.h"
#include "utils/rel.h"

#include "publish.h"
#include "route.h"
#include "session.h"
#include "value.h"

/* Where the consumer keeps its progress on targets: never published. */
#define PENSTOCK_OWN_SCHEMA "penstock"

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

	PenstockRoute *route; /* how rows are hashed; NULL: they are not */

	/*
	 * The rows of the change that is being written, as arrays of natts columns.
	 */
	int natts;
	PenstockRow old_row;
	PenstockRow new_row;
} PenstockRelInfo;

typedef struct PenstockRelations
{
	MemoryContext context;
	HTAB *infos;     /* PenstockRelInfo by relid */
	HTAB *published; /* PenstockPublished by oid */
	HTAB *types;     /* hash values of types whose names were used */
	uint32 number_last;
	TransactionId xid;     /* the transaction that is being handed out */
	bool changed;          /* entries may have become invalid by it */
	long infos_max;        /* from here on, invalid entries are removed */
	PenstockRelInfo *last; /* looked up last; may be invalid; or NULL */

	PenstockPublications *publications;
} PenstockRelations;

/*
 * Makes the cache of a session.  There is one in a process at a time, because
 * the server's invalidation messages go to the one that was made last.
 */
extern PenstockRelations *penstock_relations_new(PenstockSession *session);

/*
 * Marks all entries and publications as invalid, so that they are built anew
 * when they are needed next.  Which records the reader has is still known: a
 * record is sent again only if it is different then.
 */
extern void penstock_relations_invalidate(PenstockRelations *relations);

extern PenstockRelInfo *penstock_relinfo_find(PenstockSession *session,
											  Relation relation);

/*
 * What penstock_relinfo_get() says of a heap into which a table was rewritten,
 * when the heap is gone already.  Nothing is published if the table is gone, or
 * not logged.  Nothing is locked.
 */
extern PenstockRelInfo *penstock_relinfo_get_rewritten(PenstockSession *session,
													   Oid heap, Oid table);

/* A transaction begins, or a piece of one. */
static inline void
penstock_relations_begin(PenstockRelations *relations, TransactionId xid)
{
	relations->xid = xid;
}

/* A table's record is sent with the transaction at hand. */
static inline void
penstock_relations_note_sent(const PenstockRelations *relations,
							 PenstockPublished *published)
{
	published->sent = true;
	published->sent_by = relations->xid;
	published->gone = false;
}

/*
 * Appends the numbers of tables whose record was sent with the transaction at
 * hand and which are not there any more, as varints, each once.  To be called
 * where its changes end, or a piece of them, with the catalogs as they are
 * there, and only then needed if `changed` is set, which it takes back.
 */
extern void penstock_relations_append_gone(PenstockRelations *relations,
										   StringInfo numbers);

/*
 * Takes back what was said of a transaction in progress: a part of it was
 * rolled back that may have dropped these tables.
 */
extern void penstock_relations_forget_gone(PenstockRelations *relations,
										   TransactionId xid,
										   StringInfo numbers);

/*
 * What is known of a table.  Valid until the next call; what hangs below
 * `published` until the end of the session.
 */
static inline PenstockRelInfo *
penstock_relinfo_get(PenstockSession *session, Relation relation)
{
	PenstockRelInfo *last = session->relations->last;

	if (likely(last != NULL && last->relid == RelationGetRelid(relation) &&
			   last->valid))
		return last;
	return penstock_relinfo_find(session, relation);
}

#endif /* PENSTOCK_RELINFO_H */
