/*
 * relinfo.h
 *		The relation cache: what the plugin knows of each table it met.
 *
 * Everything is worked out when a table is first met, and worked out anew at
 * its next change after the server said that something about it may be
 * different.  If then its Relation record is the same as before, nothing is
 * sent; a record that differs is sent again under the same number.
 */
#ifndef PENSTOCK_RELINFO_H
#define PENSTOCK_RELINFO_H

#include "lib/stringinfo.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

#include "session/session.h"
#include "tables/publish.h"
#include "tables/table.h"

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
