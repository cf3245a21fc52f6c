/*
 * labels.c
 *		Has the server's cache of labels contain what the reader knows.
 *
 * Output functions find labels in a cache of the server's, which reads a row of
 * pg_enum when it is first asked for, with the snapshot that is active.  So the
 * rows of the types at hand are read before, with another snapshot.  It
 * consists of two:
 *
 *	 the newest		what the server's reader of the WAL has made of all that
 *					ended up to where it is, which is the end of the transaction
 *					at hand, or of the piece of it; without the transaction
 *					itself
 *	 the active		what the transaction sees of itself where the change is
 *
 * Where the two are the same, nothing is to be done.  Nor is it if no label has
 * changed since the active one was made.  What was changed before the session
 * began is not known; so at first every snapshot is taken for an older one.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "utils/catcache.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalogs/components.h"
#include "catalogs/labels.h"
#include "catalogs/lookup.h"
#include "catalogs/newest.h"
#include "catalogs/own_xids.h"
#include "catalogs/rows.h"
#include "compat.h"

/*
 * What decides which names labels have: the two snapshots, and the transaction
 * that sees its own changes.
 */
typedef struct LabelState
{
	TransactionId xmin;
	TransactionId xmax;
	uint32 count;
	CommandId curcid;
	TransactionId newest_xmin;
	TransactionId newest_xmax;
	uint32 newest_count;
	TransactionId xid;
} LabelState;

struct PenstockLabels
{
	MemoryContext context; /* owns what belongs to `state` */
	uint64 changes_seen;   /* the value of `changes` that was seen last */

	/*
	 * A snapshot whose xmin is not before this one sees all changes of labels
	 * that the server has heard of.
	 */
	TransactionId changed_xmax;

	LabelState state;
	List *types; /* OIDs of types whose labels the cache has, in this state */
};

/*
 * Number of times that the server has said that a label may have changed.  The
 * callback cannot be unregistered, so the number is that of all sessions of the
 * process.
 */
static uint64 changes;

static void
labels_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;
	(void) hashvalue;
	changes++;
}

PenstockLabels *
penstock_labels_new(PenstockSession *session)
{
	static bool registered = false;
	PenstockLabels *labels = MemoryContextAllocZero(session->context,
													sizeof(PenstockLabels));

	if (!registered)
		CacheRegisterSyscacheCallback(ENUMOID, labels_changed, (Datum) 0);
	registered = true;
	labels->context = AllocSetContextCreate(session->context, "penstock labels",
											PENSTOCK_SMALL_CONTEXT_SIZES);
	labels->changes_seen = changes - 1;
	return labels;
}

/* ---- which labels ---- */

/* Returns the enums whose values may be in a value of a type. */
static List *
list_enums(Oid type)
{
	List *types = penstock_components_list(type);
	List *enums = NIL;
	ListCell *cell;

	foreach (cell, types)
	{
		if (get_typtype(lfirst_oid(cell)) == TYPTYPE_ENUM)
			enums = list_append_unique_oid(enums, lfirst_oid(cell));
	}
	return enums;
}

static LabelState
state_of(const PenstockSession *session, Snapshot active, Snapshot newest)
{
	LabelState state;

	memset(&state, 0, sizeof(state));
	state.xmin = active->xmin;
	state.xmax = active->xmax;
	state.count = active->xcnt;
	state.newest_xmin = newest->xmin;
	state.newest_xmax = newest->xmax;
	state.newest_count = newest->xcnt;
	if (session->own_xids == NULL)
		return state;
	state.curcid = active->curcid;
	state.xid = session->own_xids->txn->xid;
	return state;
}

/* ---- showing ---- */

typedef struct Showing
{
	PenstockSession *session;
	Oid type;
	Snapshot active;
} Showing;

/*
 * Puts the labels of an enum into the server's cache, as the active snapshot
 * sees them.
 */
static void
read_labels(Oid type)
{
	TupleDesc desc;
	List *rows = penstock_read_rows(
		(PenstockCatalogKey){.catalog = EnumRelationId,
							 .index = EnumTypIdLabelIndexId,
							 .attnums = {Anum_pg_enum_enumtypid},
							 .values = {type}},
		&desc);
	ListCell *cell;

	foreach (cell, rows)
	{
		Form_pg_enum form = (Form_pg_enum) GETSTRUCT((HeapTuple) lfirst(cell));
		HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(form->oid));

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for enum label %u", form->oid);
		ReleaseSysCache(tuple);
	}
}

/*
 * Puts all labels that a type's values may have into the server's cache, as the
 * newest snapshot sees them.  An error leaves that snapshot active, but also
 * ends the decoding, and with it any historic snapshot.
 */
static void
read_all_labels(void *arg)
{
	const Showing *showing = arg;
	List *enums = list_enums(showing->type);
	MemoryContext outer;
	Snapshot newest;
	ListCell *cell;

	if (enums == NIL)
		return;
	outer = MemoryContextSwitchTo(showing->session->labels->context);
	Assert(HistoricSnapshotActive());
	newest = penstock_newest_make(showing->session, showing->active);
	MemoryContextSwitchTo(outer);
	SetupHistoricSnapshot(newest, HistoricSnapshotGetTupleCids());
	foreach (cell, enums)
		read_labels(lfirst_oid(cell));
	SetupHistoricSnapshot(showing->active, HistoricSnapshotGetTupleCids());
}

/*
 * Empties the server's cache of labels if it may have labels of another state.
 */
static void
enter_state(PenstockLabels *labels, const LabelState *state)
{
	if (memcmp(&labels->state, state, sizeof(*state)) == 0)
		return;
	labels->types = NIL;
	MemoryContextReset(labels->context);
	labels->state = *state;
	CatalogCacheFlushCatalog(EnumRelationId);
	labels->changes_seen = changes;
}

static void
remember_type(PenstockLabels *labels, Oid type)
{
	MemoryContext outer = MemoryContextSwitchTo(labels->context);

	Assert(!list_member_oid(labels->types, type));
	labels->types = lappend_oid(labels->types, type);
	MemoryContextSwitchTo(outer);
}

static void
show(PenstockSession *session, Oid type, Snapshot active)
{
	PenstockLabels *labels = session->labels;
	Snapshot newest = newest_snapshot_compat(session->ctx);
	LabelState state = state_of(session, active, newest);
	Showing showing = {
		.session = session,
		.type = type,
		.active = active,
	};

	if (labels->changes_seen != changes)
	{
		labels->changed_xmax = newest->xmax;
		labels->changes_seen = changes;
		memset(&labels->state, 0, sizeof(labels->state));
	}
	if (state.xmin == state.newest_xmin && state.xmax == state.newest_xmax &&
		state.count == state.newest_count)
		return;
	enter_state(labels, &state);
	if (list_member_oid(labels->types, type))
		return;
	penstock_lookup(read_all_labels, &showing);
	remember_type(labels, type);
}

void
penstock_labels_show(PenstockSession *session, Oid type)
{
	const PenstockLabels *labels = session->labels;
	Snapshot active;

	if (labels == NULL || !HistoricSnapshotActive())
		return;
	Assert(OidIsValid(type));
	active = GetCatalogSnapshot(InvalidOid);
	if (labels->changes_seen == changes &&
		TransactionIdFollowsOrEquals(active->xmin, labels->changed_xmax))
		return;
	show(session, type, active);
}

bool
penstock_labels_shown(const PenstockSession *session)
{
	return session->labels == NULL || !HistoricSnapshotActive() ||
		   session->labels->changes_seen == changes;
}
