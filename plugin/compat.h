/*
 * compat.h
 *		Where servers differ, and the only file that asks for their version.
 *
 * Each difference lives here once, under a name that ends in _compat. Supported
 * are PostgreSQL 13 to 19.
 */
#ifndef PENSTOCK_COMPAT_H
#define PENSTOCK_COMPAT_H

#include "access/attmap.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "replication/logical.h"
#include "replication/origin.h"
#include "replication/output_plugin.h"
#include "replication/reorderbuffer.h"
#include "replication/slot.h"
#include "replication/snapbuild.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#if PG_VERSION_NUM >= 160000
#include "utils/relfilenumbermap.h"
#else
#include "utils/relfilenodemap.h"
#endif
#if PG_VERSION_NUM >= 150000
#include "access/xlogrecovery.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "rewrite/rewriteHandler.h"
#endif

/* Before 16 it has functions that do not say what they take. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include "nodes/nodeFuncs.h"
#pragma GCC diagnostic pop

#if PG_VERSION_NUM < 130000
#error "PostgreSQL 13 or later is required"
#endif

/*
 * Whether bundle.c may put itself before the walsender's reader of the WAL:
 * where a walsender waits is no promise to output plugins, and has been looked
 * at, and tested, for these.
 */
#if PG_VERSION_NUM < 200000
#define PENSTOCK_BUNDLES_COMPAT true
#else
#define PENSTOCK_BUNDLES_COMPAT false
#endif

/* Before 16 each plugin declares its entry point itself. */
#if PG_VERSION_NUM < 160000
extern PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *cb);
#endif

/* The OID of pg_lsn; 14 renamed the symbol. */
#if PG_VERSION_NUM >= 140000
#define penstock_pg_lsn_oid_compat PG_LSNOID
#else
#define penstock_pg_lsn_oid_compat LSNOID
#endif

/*
 * Whether intervals can be infinite, which older servers do not understand: see
 * value.c.
 */
#if PG_VERSION_NUM >= 170000
#define PENSTOCK_INFINITE_INTERVALS_COMPAT 1
#else
#define PENSTOCK_INFINITE_INTERVALS_COMPAT 0
#endif

/*
 * The tuples of a change; before 17 they are wrapped.  NULL where there is
 * none.
 */
static inline HeapTuple
change_newtuple_compat(const ReorderBufferChange *change)
{
#if PG_VERSION_NUM >= 170000
	return change->data.tp.newtuple;
#else
	return change->data.tp.newtuple ? &change->data.tp.newtuple->tuple : NULL;
#endif
}

static inline HeapTuple
change_oldtuple_compat(const ReorderBufferChange *change)
{
#if PG_VERSION_NUM >= 170000
	return change->data.tp.oldtuple;
#else
	return change->data.tp.oldtuple ? &change->data.tp.oldtuple->tuple : NULL;
#endif
}

/* 19 renamed the type of an origin's number. */
#if PG_VERSION_NUM >= 190000
typedef ReplOriginId OriginIdCompat;
#define penstock_no_origin_compat InvalidReplOriginId
#else
typedef RepOriginId OriginIdCompat;
#define penstock_no_origin_compat InvalidRepOriginId
#endif

/*
 * Returns the commit time of a transaction.  In versions 15 to 18 it is in a
 * named union.
 */
static inline TimestampTz
txn_commit_time_compat(const ReorderBufferTXN *txn)
{
#if PG_VERSION_NUM >= 150000 && PG_VERSION_NUM < 190000
	return txn->xact_time.commit_time;
#else
	return txn->commit_time;
#endif
}

/*
 * Tells the server how far decoding came.  Before 15 it does not care whether
 * the transaction was left out; from 15 on it then answers synchronous
 * standbys.
 */
static inline void
update_progress_compat(LogicalDecodingContext *ctx, bool skipped_xact)
{
#if PG_VERSION_NUM >= 150000
	OutputPluginUpdateProgress(ctx, skipped_xact);
#else
	(void) skipped_xact;
	OutputPluginUpdateProgress(ctx);
#endif
}

/*
 * Whether the plugin has to see to keepalives in long stretches without
 * output.  From 16 on the server does it.
 */
static inline bool
needs_keepalive_compat(void)
{
#if PG_VERSION_NUM >= 160000
	return false;
#else
	return true;
#endif
}

/*
 * Columns of the replica identity's index, as attribute numbers offset by
 * FirstLowInvalidHeapAttributeNumber; NULL if there is none.
 */
static inline Bitmapset *
identity_key_bitmap_compat(Relation relation)
{
#if PG_VERSION_NUM >= 140000
	return RelationGetIdentityKeyBitmap(relation);
#else
	return RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_IDENTITY_KEY);
#endif
}

/* The publications that name a table. */
static inline List *
table_publications_compat(Oid table)
{
#if PG_VERSION_NUM >= 190000
	return GetRelationIncludedPublications(table);
#else
	return GetRelationPublications(table);
#endif
}

/* The publications FOR ALL TABLES EXCEPT this one; from 19 on. */
static inline List *
excluding_publications_compat(Oid table)
{
#if PG_VERSION_NUM >= 190000
	return GetRelationExcludedPublications(table);
#else
	(void) table;
	return NIL;
#endif
}

/* Publications FOR TABLES IN SCHEMA exist from 15 on. */
static inline List *
schema_publications_compat(Oid schema)
{
#if PG_VERSION_NUM >= 150000
	return GetSchemaPublications(schema);
#else
	(void) schema;
	return NIL;
#endif
}

static inline void
register_schema_publication_callback_compat(SyscacheCallbackFunction callback)
{
#if PG_VERSION_NUM >= 150000
	CacheRegisterSyscacheCallback(PUBLICATIONNAMESPACEMAP, callback, (Datum) 0);
#else
	(void) callback;
#endif
}

/*
 * Row filter and column list of a table in a publication exist from 15 on.
 * Each is null where there is none; the datums point into `tuple`, a
 * pg_publication_rel row.
 */
static inline Datum
publication_filter_compat(HeapTuple tuple, bool *isnull)
{
#if PG_VERSION_NUM >= 150000
	return SysCacheGetAttr(PUBLICATIONRELMAP, tuple,
						   Anum_pg_publication_rel_prqual, isnull);
#else
	(void) tuple;
	*isnull = true;
	return (Datum) 0;
#endif
}

static inline Datum
publication_columns_compat(HeapTuple tuple, bool *isnull)
{
#if PG_VERSION_NUM >= 150000
	return SysCacheGetAttr(PUBLICATIONRELMAP, tuple,
						   Anum_pg_publication_rel_prattrs, isnull);
#else
	(void) tuple;
	*isnull = true;
	return (Datum) 0;
#endif
}

/*
 * Whether a publication without a column list publishes stored generated
 * columns; the setting exists from 18 on.
 */
static inline bool
publishes_generated_compat(const Publication *publication)
{
#if PG_VERSION_NUM >= 180000
	return publication->pubgencols_type == PUBLISH_GENCOLS_STORED;
#else
	(void) publication;
	return false;
#endif
}

/* Maps a partition's columns to its ancestor's; 16 added an argument. */
static inline AttrMap *
attrmap_by_name_compat(TupleDesc partition, TupleDesc ancestor)
{
#if PG_VERSION_NUM >= 160000
	return build_attrmap_by_name(partition, ancestor, false);
#else
	return build_attrmap_by_name(partition, ancestor);
#endif
}

/*
 * Virtual generated columns exist from 18 on; a row filter that names one has
 * to be rewritten to what the column stands for.
 */
static inline Node *
expand_virtual_columns_compat(Node *expression, Relation relation)
{
#if PG_VERSION_NUM >= 180000
	return expand_generated_columns_in_expr(expression, relation, 1);
#else
	(void) relation;
	return expression;
#endif
}

/*
 * Transactions in progress can be handed out from 14 on.  The callbacks for it
 * do not exist before, nor do their types: this is what they all take.
 */
typedef struct PenstockStreamCallbacks
{
	void (*start)(LogicalDecodingContext *ctx, ReorderBufferTXN *txn);
	void (*stop)(LogicalDecodingContext *ctx, ReorderBufferTXN *txn);
	void (*abort)(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				  XLogRecPtr abort_lsn);
	void (*commit)(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				   XLogRecPtr commit_lsn);
} PenstockStreamCallbacks;

/* Changes, truncations and messages are handed out as they otherwise are. */
static inline void
set_stream_callbacks_compat(OutputPluginCallbacks *cb,
							const PenstockStreamCallbacks *stream)
{
#if PG_VERSION_NUM >= 140000
	cb->stream_start_cb = stream->start;
	cb->stream_stop_cb = stream->stop;
	cb->stream_abort_cb = stream->abort;
	cb->stream_commit_cb = stream->commit;
	cb->stream_change_cb = cb->change_cb;
	cb->stream_truncate_cb = cb->truncate_cb;
	cb->stream_message_cb = cb->message_cb;
#else
	(void) cb;
	(void) stream;
#endif
}

/*
 * Has the server hand out transactions in progress, or not; false if it cannot
 * do what is asked.  To be called at startup.
 */
static inline bool
set_streaming_compat(LogicalDecodingContext *ctx, bool streaming)
{
#if PG_VERSION_NUM >= 140000
	ctx->streaming = streaming;
	return true;
#else
	(void) ctx;
	return !streaming;
#endif
}

/* The transaction that a subtransaction is part of, or itself. */
static inline ReorderBufferTXN *
top_txn_compat(ReorderBufferTXN *txn)
{
#if PG_VERSION_NUM >= 140000
	return txn->toptxn != NULL ? txn->toptxn : txn;
#else
	return txn;
#endif
}

/* The transaction or subtransaction that made a change, from 14 on. */
static inline TransactionId
change_xid_compat(const ReorderBufferChange *change)
{
#if PG_VERSION_NUM >= 140000
	return change->txn->xid;
#else
	(void) change;
	return InvalidTransactionId;
#endif
}

/* Where the plugin keeps what it knows of a transaction, from 14 on. */
static inline void **
txn_private_compat(ReorderBufferTXN *txn)
{
#if PG_VERSION_NUM >= 140000
	return &txn->output_plugin_private;
#else
	(void) txn;
	return NULL;
#endif
}

/*
 * The server's note of which transaction in progress it watches while it hands
 * that out, an invalid one if it does not; NULL where there are none to hand
 * out.  See lookup.h.
 */
static inline TransactionId *
watched_xid_compat(void)
{
#if PG_VERSION_NUM >= 140000
	return &CheckXidAlive;
#else
	return NULL;
#endif
}

/*
 * Up to where a walsender that decodes can read the WAL without waiting for it:
 * what is on disk or, on a standby (from 16 on), what was replayed.
 */
static inline XLogRecPtr
readable_lsn_compat(void)
{
	if (RecoveryInProgress())
		return GetXLogReplayRecPtr(NULL);
#if PG_VERSION_NUM >= 150000
	return GetFlushRecPtr(NULL);
#else
	return GetFlushRecPtr();
#endif
}

/*
 * Whether a walsender also waits for physical standbys before it decodes, as
 * synchronized_standby_slots says: from 17 on, for slots that fail over.
 */
static inline bool
waits_for_standbys_compat(void)
{
#if PG_VERSION_NUM >= 170000
	return MyReplicationSlot->data.failover;
#else
	return false;
#endif
}

/* Which file a relation is in; 16 renamed all of it. */
#if PG_VERSION_NUM >= 160000
typedef RelFileLocator RelFileCompat;
#else
typedef RelFileNode RelFileCompat;
#endif

static inline bool
relfile_equals_compat(const RelFileCompat *a, const RelFileCompat *b)
{
#if PG_VERSION_NUM >= 160000
	return RelFileLocatorEquals(*a, *b);
#else
	return RelFileNodeEquals(*a, *b);
#endif
}

/* The relation whose file it is; InvalidOid if there is none. */
static inline Oid
relid_by_relfile_compat(const RelFileCompat *file)
{
#if PG_VERSION_NUM >= 160000
	return RelidByRelfilenumber(file->spcOid, file->relNumber);
#else
	return RelidByRelfilenode(file->spcNode, file->relNode);
#endif
}

static inline const RelFileCompat *
relation_file_compat(Relation relation)
{
#if PG_VERSION_NUM >= 160000
	return &relation->rd_locator;
#else
	return &relation->rd_node;
#endif
}

/* The file of the row that an entry of ReorderBufferTXN.tuplecids is about. */
static inline const RelFileCompat *
tuplecid_file_compat(const ReorderBufferChange *entry)
{
#if PG_VERSION_NUM >= 160000
	return &entry->data.tuplecid.locator;
#else
	return &entry->data.tuplecid.node;
#endif
}

/*
 * Fetches a row, whoever can see it, by tuple->t_self; false if there is none.
 * Else the buffer is to be released.  15 added an argument.
 */
static inline bool
heap_fetch_compat(Relation relation, HeapTuple tuple, Buffer *buffer)
{
#if PG_VERSION_NUM >= 150000
	return heap_fetch(relation, SnapshotAny, tuple, buffer, false);
#else
	return heap_fetch(relation, SnapshotAny, tuple, buffer);
#endif
}

/* Starts to read all rows of a table, whoever can see them. */
static inline TableScanDesc
beginscan_any_compat(Relation relation)
{
#if PG_VERSION_NUM >= 190000
	return table_beginscan(relation, SnapshotAny, 0, NULL, SO_NONE);
#else
	return table_beginscan(relation, SnapshotAny, 0, NULL);
#endif
}

/* What an object is called; 14 has an argument for what is gone. */
static inline char *
describe_object_compat(const ObjectAddress *object)
{
#if PG_VERSION_NUM >= 140000
	return getObjectDescription(object, true);
#else
	return getObjectDescription(object);
#endif
}

/* A unique index with NULLS NOT DISTINCT, from 15 on. */
static inline bool
nulls_not_distinct_compat(Form_pg_index form)
{
#if PG_VERSION_NUM >= 150000
	return form->indnullsnotdistinct;
#else
	(void) form;
	return false;
#endif
}

/* A partition that is being detached, from 14 on. */
static inline bool
detach_pending_compat(Form_pg_inherits form)
{
#if PG_VERSION_NUM >= 140000
	return form->inhdetachpending;
#else
	(void) form;
	return false;
#endif
}

/* How a column is compressed, from 14 on; '\0': by default. */
static inline char
attcompression_compat(Form_pg_attribute attr)
{
#if PG_VERSION_NUM >= 140000
	return attr->attcompression;
#else
	(void) attr;
	return '\0';
#endif
}

/*
 * The statistics target of a column, by its pg_attribute row of the system
 * cache; -1: by default, which is null from 17 on.
 */
static inline int
attstattarget_compat(HeapTuple tuple)
{
#if PG_VERSION_NUM >= 170000
	bool isnull;
	Datum target = SysCacheGetAttr(ATTNUM, tuple,
								   Anum_pg_attribute_attstattarget, &isnull);

	return isnull ? -1 : DatumGetInt16(target);
#else
	return ((Form_pg_attribute) GETSTRUCT(tuple))->attstattarget;
#endif
}

/* NOT NULL as a constraint of its own; of tables from 18 on. */
#define PENSTOCK_CONSTRAINT_NOT_NULL_COMPAT 'n'

/* NOT ENFORCED, from 18 on. */
static inline bool
is_enforced_compat(Form_pg_constraint form)
{
#if PG_VERSION_NUM >= 180000
	return form->conenforced;
#else
	(void) form;
	return true;
#endif
}

/* WITHOUT OVERLAPS or PERIOD, from 18 on. */
static inline bool
has_period_compat(Form_pg_constraint form)
{
#if PG_VERSION_NUM >= 180000
	return form->conperiod;
#else
	(void) form;
	return false;
#endif
}

/* ON DELETE SET NULL (column, …), from 15 on; 0: it has none. */
#if PG_VERSION_NUM >= 150000
#define penstock_confdelsetcols_compat Anum_pg_constraint_confdelsetcols
#else
#define penstock_confdelsetcols_compat InvalidAttrNumber
#endif

/* A function call that is written in a syntax of its own, from 14 on. */
static inline bool
is_sql_syntax_compat(CoercionForm form)
{
#if PG_VERSION_NUM >= 140000
	return form == COERCE_SQL_SYNTAX;
#else
	(void) form;
	return false;
#endif
}

/* The range type that a multirange consists of, from 14 on; InvalidOid: it is
 * none. */
static inline Oid
range_of_multirange_compat(Oid type)
{
#if PG_VERSION_NUM >= 140000
	return type_is_multirange(type) ? get_multirange_range(type) : InvalidOid;
#else
	(void) type;
	return InvalidOid;
#endif
}

/*
 * The catalogs as they are where the WAL is being read: when a transaction is
 * handed out at its end, it has itself, too.  Borrowed; gone when more of the
 * WAL is read.
 */
static inline Snapshot
newest_snapshot_compat(LogicalDecodingContext *ctx)
{
#if PG_VERSION_NUM >= 160000
	return SnapBuildGetOrBuildSnapshot(ctx->snapshot_builder);
#else
	return SnapBuildGetOrBuildSnapshot(ctx->snapshot_builder,
									   InvalidTransactionId);
#endif
}

/* JSON_VALUE() and its like, from 17 on. */
static inline bool
is_json_call_compat(const Node *node)
{
#if PG_VERSION_NUM >= 170000
	return IsA(node, JsonExpr);
#else
	(void) node;
	return false;
#endif
}

#endif /* PENSTOCK_COMPAT_H */
