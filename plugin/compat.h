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
#include "catalog/pg_publication_namespace.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "rewrite/rewriteHandler.h"
#endif

/*
 * Before PostgreSQL 16, nodeFuncs.h declares functions without their arguments.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include "nodes/nodeFuncs.h"
#pragma GCC diagnostic pop

#if PG_VERSION_NUM < 130000
#error "PostgreSQL 13 or later is required"
#endif

/*
 * Whether send/bundle.c may put itself before the walsender's reader of the
 * WAL.  PostgreSQL does not promise output plugins where a walsender waits, so
 * it has been read and tested for each of these versions.
 */
#if PG_VERSION_NUM < 200000
#define PENSTOCK_BUNDLES_COMPAT true
#else
#define PENSTOCK_BUNDLES_COMPAT false
#endif

/* Before PostgreSQL 16, each plugin declares its entry point itself. */
#if PG_VERSION_NUM < 160000
extern PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *cb);
#endif

/* The OID of type pg_lsn.  PostgreSQL 14 renamed the symbol. */
#if PG_VERSION_NUM >= 140000
#define penstock_pg_lsn_oid_compat PG_LSNOID
#else
#define penstock_pg_lsn_oid_compat LSNOID
#endif

/*
 * Whether intervals can be infinite, as they can from PostgreSQL 17 on.  Older
 * servers do not understand such values; see tables/value.c.
 */
#if PG_VERSION_NUM >= 170000
#define PENSTOCK_INFINITE_INTERVALS_COMPAT 1
#else
#define PENSTOCK_INFINITE_INTERVALS_COMPAT 0
#endif

/*
 * Returns the new row of a change, or the old one; NULL: the change has none.
 * Before PostgreSQL 17, the row is in a struct ReorderBufferTupleBuf.
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

/*
 * The type of a replication origin's number, and the number that means no
 * origin.  PostgreSQL 19 renamed both.
 */
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
 * Tells the server how far decoding has come.  From PostgreSQL 15 on, the
 * server also wants to know whether the transaction was left out: it then
 * answers synchronous standbys.
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
 * Whether the plugin has to let the server send keepalives while it decodes
 * many changes without sending anything.  From PostgreSQL 16 on, the server
 * does so by itself.
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

/* Returns the OIDs of the publications that name a table. */
static inline List *
table_publications_compat(Oid table)
{
#if PG_VERSION_NUM >= 190000
	return GetRelationIncludedPublications(table);
#else
	return GetRelationPublications(table);
#endif
}

/*
 * Returns the OIDs of the publications FOR ALL TABLES that exclude a table by
 * EXCEPT, which exists from PostgreSQL 19 on.
 */
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

/*
 * Returns the OIDs of the publications FOR TABLES IN SCHEMA of a schema, which
 * exist from PostgreSQL 15 on.
 */
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

/* Returns the OIDs of the schemas of a publication FOR TABLES IN SCHEMA. */
static inline List *
publication_schemas_compat(Oid publication)
{
#if PG_VERSION_NUM >= 150000
	return GetPublicationSchemas(publication);
#else
	(void) publication;
	return NIL;
#endif
}

/*
 * Whether a row of this catalog says that a publication is for a schema;
 * *publication and *schema are set to their OIDs then.
 */
static inline bool
read_schema_publication_compat(Oid catalog, HeapTuple tuple, Oid *publication,
							   Oid *schema)
{
#if PG_VERSION_NUM >= 150000
	Form_pg_publication_namespace form = (Form_pg_publication_namespace)
		GETSTRUCT(tuple);

	if (catalog != PublicationNamespaceRelationId)
		return false;
	*publication = form->pnpubid;
	*schema = form->pnnspid;
	return true;
#else
	(void) catalog;
	(void) tuple;
	(void) publication;
	(void) schema;
	return false;
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
 * Returns the row filter, or the column list, of a table in a publication; they
 * exist from PostgreSQL 15 on.  *isnull is set if there is none.  The datum
 * points into `tuple`, a row of pg_publication_rel.
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
 * columns.  The setting exists from PostgreSQL 18 on.
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

/*
 * Returns a map of a partition's columns to those of its ancestor.  PostgreSQL
 * 16 added an argument to the server's function.
 */
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
 * Replaces virtual generated columns in a row filter by their expressions.
 * Such columns exist from PostgreSQL 18 on.
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
 * The callbacks for transactions in progress, which the server hands out from
 * PostgreSQL 14 on.  Older servers have neither these callbacks nor their
 * types.
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

/*
 * Sets the callbacks for transactions in progress.  Their changes, truncations
 * and messages go to the same functions as those of other transactions.
 */
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

/*
 * Returns the snapshot that the last piece of a transaction in progress was
 * read with; NULL: there was none.
 */
static inline Snapshot
txn_snapshot_compat(const ReorderBufferTXN *txn)
{
#if PG_VERSION_NUM >= 140000
	return txn->snapshot_now;
#else
	(void) txn;
	return NULL;
#endif
}

/*
 * Returns the transaction that a subtransaction is part of; of a transaction,
 * itself.
 */
static inline ReorderBufferTXN *
top_txn_compat(ReorderBufferTXN *txn)
{
#if PG_VERSION_NUM >= 140000
	return txn->toptxn != NULL ? txn->toptxn : txn;
#else
	return txn;
#endif
}

/*
 * Returns the xid of the transaction or subtransaction that made a change; only
 * known from PostgreSQL 14 on.
 */
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

/*
 * Returns the pointer of a transaction that the server leaves to the plugin,
 * from PostgreSQL 14 on.
 */
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
 * Returns the server's variable with the xid of the transaction in progress
 * that is handed out, which the server watches for a rollback.  The variable is
 * InvalidTransactionId when the server watches none.  NULL: this version hands
 * out no transactions in progress.  See catalogs/lookup.h.
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
 * Returns the position up to which a walsender can read the WAL without
 * waiting: what is on disk or, on a standby (from PostgreSQL 16 on), what was
 * replayed.
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

/*
 * Identifies the file of a relation.  PostgreSQL 16 renamed the type and its
 * fields.
 */
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

/*
 * Returns the OID of the relation that has this file; InvalidOid: there is
 * none.
 */
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

/*
 * Returns the file of the catalog row that an entry of
 * ReorderBufferTXN.tuplecids describes.
 */
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
 * Fetches the row at tuple->t_self, no matter which transactions see it; false:
 * there is none.  After success, the caller releases the buffer.  PostgreSQL 15
 * added an argument to the server's function.
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

/*
 * Starts to read all versions of all rows of a table, no matter which
 * transactions see them.
 */
static inline TableScanDesc
beginscan_any_compat(Relation relation)
{
#if PG_VERSION_NUM >= 190000
	return table_beginscan(relation, SnapshotAny, 0, NULL, SO_NONE);
#else
	return table_beginscan(relation, SnapshotAny, 0, NULL);
#endif
}

/*
 * Returns the description of an object for messages; from PostgreSQL 14 on,
 * NULL if the object does not exist any more.
 */
static inline char *
describe_object_compat(const ObjectAddress *object)
{
#if PG_VERSION_NUM >= 140000
	return getObjectDescription(object, true);
#else
	return getObjectDescription(object);
#endif
}

/*
 * Whether a unique index has NULLS NOT DISTINCT, which exists from PostgreSQL
 * 15 on.
 */
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

/*
 * Whether a partition is being detached concurrently, which exists from
 * PostgreSQL 14 on.
 */
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

/*
 * Returns the compression method of a column, which exists from PostgreSQL 14
 * on; '\0': the default.
 */
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
 * Returns the statistics target of a column from its row of pg_attribute, which
 * is from the system cache; -1: the default.  From PostgreSQL 17 on, the
 * default is null in the catalog.
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

/*
 * The contype of NOT NULL constraints, which tables have in pg_constraint from
 * PostgreSQL 18 on.
 */
#define PENSTOCK_CONSTRAINT_NOT_NULL_COMPAT 'n'

/*
 * Whether a constraint is enforced.  NOT ENFORCED exists from PostgreSQL 18 on.
 */
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

/*
 * Whether a constraint has WITHOUT OVERLAPS or PERIOD, which exist from
 * PostgreSQL 18 on.
 */
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

/*
 * The attribute of pg_constraint with the columns of ON DELETE SET NULL
 * (column, …), which exist from PostgreSQL 15 on; InvalidAttrNumber: this
 * version has none.
 */
#if PG_VERSION_NUM >= 150000
#define penstock_confdelsetcols_compat Anum_pg_constraint_confdelsetcols
#else
#define penstock_confdelsetcols_compat InvalidAttrNumber
#endif

/*
 * Whether a function call was written in an SQL syntax of its own, such as
 * EXTRACT(… FROM …), which the server remembers from PostgreSQL 14 on.
 */
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

/*
 * Returns the range type of a multirange type, which exist from PostgreSQL 14
 * on; InvalidOid: the type is no multirange.
 */
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
 * Returns a snapshot of the catalogs as they are where the server reads the
 * WAL.  When a transaction is handed out at its end, the snapshot sees that
 * transaction, too.  Borrowed until the server reads more of the WAL.
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

/*
 * Whether an expression is a call such as JSON_VALUE(), which
 * exist from PostgreSQL 17 on.
 */
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
