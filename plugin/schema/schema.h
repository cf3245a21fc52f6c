/*
 * schema.h
 *		Which objects of the schema a transaction has changed, and where.
 *
 * A transaction that changes the schema writes rows of the catalogs, and the
 * server notes each of them, with the position in the WAL, to be able to show
 * the catalogs as they were (ReorderBufferTXN.tuplecids).  Those rows say which
 * objects it has created, altered or dropped up to any position; what an object
 * is there, the catalogs say (describe.h).
 *
 * Nothing else is asked: not what changed compared to before, which would mix
 * in what other transactions have done.  A transaction without such rows costs
 * a comparison for each of its changes.
 *
 * Left out are temporary objects, the heaps into which a table is rewritten,
 * what belongs to an extension, and what is in the schemas of the system and of
 * the consumer.
 */
#ifndef PENSTOCK_SCHEMA_H
#define PENSTOCK_SCHEMA_H

#include "replication/reorderbuffer.h"

#include "catalogs/own_xids.h"
#include "schema/objects.h"
#include "session/session.h"

/* The schema changes of a transaction, and up to where they were sent. */
typedef struct PenstockSchema PenstockSchema;

/*
 * Starts to look at what a transaction changes.  NULL if it has changed no
 * catalog, or the reader does not want schema changes.  To be freed with
 * penstock_schema_free(), which accepts NULL.
 */
extern PenstockSchema *penstock_schema_new(PenstockSession *session,
										   ReorderBufferTXN *txn);
extern void penstock_schema_free(PenstockSchema *schema);

/*
 * A piece of a transaction in progress begins; the list of rows may have grown,
 * and lost those of subtransactions that were rolled back.
 */
extern void penstock_schema_resume(PenstockSchema *schema,
								   ReorderBufferTXN *txn);

/*
 * A subtransaction was rolled back: what it and others have changed has to be
 * told again, from the next piece on.
 */
extern void penstock_schema_restart(PenstockSchema *schema);

/* The transaction and its subtransactions; valid as long as the schema. */
extern PenstockOwnXids *penstock_schema_own_xids(PenstockSchema *schema);

/*
 * Whether there are entries that were not looked at, of a transaction between
 * two of its pieces, or after its last one.
 */
extern bool penstock_schema_is_left(const PenstockSchema *schema,
									ReorderBufferTXN *txn);

/*
 * Whether the transaction has written catalog rows up to this position that
 * were not taken yet.
 */
extern bool penstock_schema_has_news(const PenstockSchema *schema,
									 XLogRecPtr lsn);

/* Up to where changes are taken. */
typedef enum PenstockTaking
{
	PENSTOCK_TAKE_TO_POSITION,
	PENSTOCK_TAKE_PIECE,       /* to the end of a piece of a transaction */
	PENSTOCK_TAKE_TRANSACTION, /* to the end of one that came as a whole */
} PenstockTaking;

/*
 * What has changed up to a position, or the end, and was not told of before, as
 * a list of PenstockSchemaObject in the current memory context.  What was told
 * before is among it if others have changed the catalogs since.  To be called,
 * as what describes the objects, within penstock_lookup().
 */
extern List *penstock_schema_take(PenstockSchema *schema, XLogRecPtr lsn,
								  PenstockTaking taking);

/*
 * Notes that the transaction rewrites a table into this heap; false if that was
 * noted before.
 */
extern bool penstock_schema_note_rewrite(PenstockSchema *schema, Oid heap);

/*
 * A table that SET LOGGED has rewritten into a heap of which no row was heard:
 * all rows that the reader may still have of it are gone.
 */
typedef struct PenstockEmptied
{
	Oid table;
	Oid heap;
	TransactionId xid; /* the (sub)transaction that did it */

	/* That was found when the transaction ended, and rows may have come since:
	 * see "Catalogs that were rewritten" in schema.c. */
	bool late;
} PenstockEmptied;

/*
 * The first of these among what was taken, NULL: there is none.  It stays the
 * first until it is forgotten, also if what was taken is taken anew.
 */
extern const PenstockEmptied *penstock_schema_first_emptied(
	PenstockSchema *schema);
extern void penstock_schema_forget_emptied(PenstockSchema *schema);

#endif /* PENSTOCK_SCHEMA_H */
