/*
 * change.h
 *    Transactions of the source and the changes in them.
 *
 * The decoder makes these structs and the sinks apply them.  They do not depend
 * on protobuf or SQL.
 *
 * A Frame is one decoded message of the stream: at most one begin, any number
 * of changes, at most one commit, all of one transaction.  A large transaction
 * consists of several frames.  A frame may also be a part of an open
 * transaction: one whose changes the source sends while the transaction is
 * still in progress.
 *
 * A Frame owns all memory of its changes, the bytes of the message included,
 * and does not change after it was decoded.  References to it are counted, so
 * that several sinks can keep its changes without a copy.
 */
#ifndef PENSTOCK_MODEL_CHANGE_H
#define PENSTOCK_MODEL_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/definition.h"
#include "model/lsn.h"
#include "model/relation.h"
#include "model/value.h"

typedef struct TxnInfo
{
	uint32_t xid;           /* transaction ID on the source */
	Lsn commit_lsn;         /* LSN of the commit record */
	Lsn end_lsn;            /* LSN just after the commit record; progress is
							 * counted in it */
	int64_t commit_time_us; /* microseconds since 2000-01-01 UTC, by the
							 * source's clock */
	const char *origin;     /* name of the replication origin, or NULL;
							 * borrowed */
	Lsn origin_lsn;         /* LSN on the origin; 0: none */
} TxnInfo;

typedef enum ChangeKind
{
	CHANGE_INSERT,
	CHANGE_UPDATE,
	CHANGE_DELETE,
	CHANGE_TRUNCATE,
	CHANGE_MESSAGE,
	CHANGE_SCHEMA,  /* an object was created, altered or dropped */
	CHANGE_REWRITE, /* a command such as ALTER TABLE has rewritten a table: see
					 * `relation` */
} ChangeKind;

/* Returns "insert", "update", … */
const char *change_kind_name(ChangeKind kind);

typedef struct TruncateInfo
{
	int relation_count;
	Relation **relations; /* borrowed; Change.relation is NULL */
	bool cascade;
	bool restart_identity;
} TruncateInfo;

typedef struct MessageInfo
{
	bool transactional;
	Lsn lsn;
	const char *prefix;
	const uint8_t *content; /* borrowed; not NUL-terminated */
	size_t content_length;
} MessageInfo;

typedef struct Change
{
	ChangeKind kind;

	/*
	 * Table of a change of a row and of a rewrite, otherwise NULL.  Borrowed
	 * from the frame.  A rewrite has no rows: all rows of the table are gone,
	 * and its new rows follow as inserts, perhaps between changes of other
	 * tables.
	 */
	Relation *relation;

	/*
	 * Rows: arrays of relation->column_count values.  An insert has new_row, a
	 * delete old_row, an update new_row and perhaps old_row.  In old_row the
	 * columns that are not in the replica identity are VALUE_MISSING.  An
	 * update without old_row did not change the columns of the replica
	 * identity, so new_row has their old values.
	 */
	const Value *new_row;
	const Value *old_row;

	/*
	 * In an open transaction: xid of the subtransaction that made the change;
	 * 0: none.
	 */
	uint32_t subxid;

	/*
	 * Distribution hash of the new row, and of the old one (for an insert or
	 * delete both are the same); set only if the relation has distribution
	 * columns.
	 */
	uint64_t hash;
	uint64_t old_hash;

	union
	{
		const TruncateInfo *truncate; /* set for CHANGE_TRUNCATE */
		const MessageInfo *message;   /* set for CHANGE_MESSAGE */
		const SchemaChange *schema;   /* set for CHANGE_SCHEMA */
	};
} Change;

/*
 * The part of an open transaction that a frame is.  It has changes, or the
 * transaction's begin and commit, or says that the transaction or a
 * subtransaction was rolled back.
 */
typedef struct OpenTxnInfo
{
	uint32_t xid; /* transaction ID on the source; 0: the frame is not of an
				   * open transaction */
	bool first;   /* whether this is the first frame of the transaction */
	bool aborts;
	uint32_t abort_subxid; /* subtransaction that was rolled back; 0: the whole
							* transaction */
	Lsn decoded_lsn;       /* if the frame has changes: the transaction ends
							* after this LSN */
} OpenTxnInfo;

typedef struct Frame
{
	bool begins;  /* whether this is the first frame of its transaction */
	bool commits; /* whether this is the last frame of its transaction */
	TxnInfo txn;  /* set if `begins`; its strings are valid as long as the
				   * frame */
	OpenTxnInfo open_txn;
	size_t change_count;
	Change *changes;

	/*
	 * If the Input keeps bytes (wire/input.h): the serialized bytes that the
	 * frame was decoded from, valid as long as the frame.  They are the
	 * message, decompressed, or the part of the message that is this frame if
	 * the message has several.  NULL: the Input keeps no bytes.
	 */
	const uint8_t *bytes;
	size_t byte_count;

	/*
	 * Whether the bytes have more than begin, the changes above and commit:
	 * something that concerns the session, such as a description of a table.
	 */
	bool is_mixed;

	/* Serialized description of the session, if the frame has it; or NULL. */
	const uint8_t *session;
	size_t session_bytes;

	size_t message_bytes; /* bytes of memory of `message`, beside the arena */
	int references;       /* number of references: see frame_ref() */

	/* Owned memory. */
	Arena *arena;                 /* the Frame itself and all that it points
								   * to */
	void *message;                /* bytes that the values point into */
	void (*message_free)(void *); /* function that frees `message` */
	Relation **relations;         /* relations to which the frame holds a
								   * reference */
	size_t relation_count;
} Frame;

/*
 * Add and release a reference; releasing the last one frees the frame.
 * frame_unref() accepts NULL.
 */
Frame *frame_ref(Frame *frame);
void frame_unref(Frame *frame);

/*
 * Returns a TRUNCATE of only those relations for which `wanted` returns true;
 * NULL if there are none.  It is allocated in the frame's arena.
 */
const Change *change_select_truncated(Frame *frame, const Change *change,
									  bool (*wanted)(void *context,
													 Relation *relation),
									  void *context);

/*
 * Returns the bytes of memory that the frame holds, for limits.  The number
 * grows when something is allocated in the frame's arena.
 */
static inline size_t
frame_bytes(const Frame *frame)
{
	return frame->message_bytes + arena_bytes(frame->arena);
}

/* Whether the change is an insert, an update or a delete. */
static inline bool
change_has_row(const Change *change)
{
	return change->kind == CHANGE_INSERT || change->kind == CHANGE_UPDATE ||
		   change->kind == CHANGE_DELETE;
}

/*
 * Returns the row whose replica identity identifies the row on the target: the
 * old row if there is one, else the new one.
 */
static inline const Value *
change_identity_row(const Change *change)
{
	return change->old_row != NULL ? change->old_row : change->new_row;
}

#endif /* PENSTOCK_MODEL_CHANGE_H */
