/*
 * schema_changes.h
 *		Sends what a transaction has changed of the schema.
 *
 * frame.h is the interface of this folder; only its files include this one.
 */
#ifndef PENSTOCK_SCHEMA_CHANGES_H
#define PENSTOCK_SCHEMA_CHANGES_H

#include "replication/reorderbuffer.h"

#include "schema/schema.h"
#include "session/session.h"
#include "tables/table.h"

/* Sets the transaction whose schema changes are sent; NULL: it has none. */
extern void penstock_schema_changes_set(PenstockSession *session,
										PenstockSchema *schema);

/* Forgets the schema changes of a transaction that has ended. */
extern void penstock_schema_changes_end(PenstockSession *session);

/*
 * Sends the schema changes of the transaction up to the position.  The snapshot
 * is registered because large values in catalogs can only be read so.
 */
extern void penstock_schema_changes_send(PenstockSession *session,
										 const ReorderBufferTXN *txn,
										 XLogRecPtr lsn, PenstockTaking taking);

/*
 * Before the first row of a heap into which a table is rewritten: appends a
 * rewrite.
 */
extern void penstock_schema_changes_ensure_rewrite(PenstockSession *session,
												   const PenstockRelInfo *info,
												   TransactionId subxid);

/* Sends schema changes that come before a change of rows at this position. */
static inline void
penstock_schema_changes_ensure(PenstockSession *session,
							   const ReorderBufferTXN *txn, XLogRecPtr lsn)
{
	if (unlikely(session->schema != NULL) &&
		penstock_schema_has_news(session->schema, lsn))
		penstock_schema_changes_send(session, txn, lsn,
									 PENSTOCK_TAKE_TO_POSITION);
}

#endif /* PENSTOCK_SCHEMA_CHANGES_H */
