/*
 * change.h
 *    What happened on the source: transactions and the changes in them.
 *
 * This is what everything between the decoder and the sinks speaks of.  It
 * knows neither protobuf nor SQL.
 *
 * A Frame is one decoded message of the stream: up to one begin, any number of
 * changes, up to one commit; or something of an open transaction, which
 * is handed out in pieces before it commits.  It owns all the memory of its
 * changes, the bytes of the message included, and never changes once it is
 * decoded.  It is counted by reference, so that any number of sinks can keep
 * its changes for as long as they need them without a copy.
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
	uint32_t xid;           /* on the source */
	Lsn commit_lsn;         /* of the commit record */
	Lsn end_lsn;            /* just after it: what progress is counted in */
	int64_t commit_time_us; /* since 2000-01-01 UTC, the source's clock */
	const char *origin;     /* replication origin's name, or NULL; borrowed */
	Lsn origin_lsn;         /* 0: none */
} TxnInfo;

typedef enum ChangeKind
{
	CHANGE_INSERT,
	CHANGE_UPDATE,
	CHANGE_DELETE,
	CHANGE_TRUNCATE,
	CHANGE_MESSAGE,
	CHANGE_SCHEMA,  /* of an object, not of a row */
	CHANGE_REWRITE, /* all rows of a table are replaced: see below */
} ChangeKind;

/* insert, update, … */
const char *change_kind_name(ChangeKind kind);

typedef struct TruncateInfo
{
	int relation_count;
	Relation **relations; /* borrowed; the Change's relation is NULL */
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
	 * Of a row's change and of a rewrite, else NULL.  Borrowed from the frame.
	 * A rewrite has no rows.  What the table had is gone, and its new rows
	 * follow as inserts, maybe with changes of other tables between them.
	 */
	Relation *relation;

	/*
	 * Arrays of relation->column_count values.  An insert has new_row, a
	 * delete old_row, an update new_row and maybe old_row.  In an old row the
	 * columns that are not in the replica identity are VALUE_ABSENT.  An update
	 * without old_row did not change its key: the key is in new_row.
	 */
	const Value *new_row;
	const Value *old_row;

	/* In an open transaction: the subtransaction that made it; 0: none.
	 */
	uint32_t subxid;

	/*
	 * Distribution hash of the row as it is now, and as it was before (of an
	 * insert or a delete both are the same); only if the relation has a
	 * distribution.
	 */
	uint64_t hash;
	uint64_t old_hash;

	union
	{
		const TruncateInfo *truncate; /* of CHANGE_TRUNCATE */
		const MessageInfo *message;   /* of CHANGE_MESSAGE */
		const SchemaChange *schema;   /* of CHANGE_SCHEMA */
	};
} Change;

/*
 * Of a frame that belongs to an open transaction.  Such a frame has
 * changes, or the transaction's begin and commit, or says that something was
 * rolled back.
 */
typedef struct OpenTxnInfo
{
	uint32_t xid; /* on the source; 0: the frame is of whole transactions */
	bool first;   /* nothing of the transaction came before */
	bool aborts;
	uint32_t abort_subxid; /* that was rolled back; 0: all of it */
	Lsn decoded_lsn;       /* of a piece: the transaction ends after this */
} OpenTxnInfo;

typedef struct Frame
{
	bool begins;  /* first frame of its transaction; `txn` is set */
	bool commits; /* last frame of its transaction */
	TxnInfo txn;  /* strings in it live as long as the frame */
	OpenTxnInfo open_txn;
	size_t change_count;
	Change *changes;

	/*
	 * If the input was told to keep them (wire/input.h), the bytes that the
	 * frame was made of, in the input's format: a message as it came, or, of a
	 * message that holds several frames, the part that is this one.  They live
	 * as long as the frame.  NULL: it was not told to.
	 */
	const uint8_t *bytes;
	size_t byte_count;

	size_t message_bytes; /* of memory that it holds beside its arena */
	int references;       /* see frame_ref() */

	/* Owned. */
	Arena *arena;                 /* the Frame itself and all it points to */
	void *message;                /* bytes that values point into */
	void (*message_free)(void *); /* how to free them */
	Relation **relations;         /* references that the frame holds */
	size_t relation_count;
} Frame;

/* Takes and gives back a reference; the last one frees.  _unref accepts NULL.
 */
Frame *frame_ref(Frame *frame);
void frame_unref(Frame *frame);

/*
 * A TRUNCATE of those relations alone that `wanted` says so of; NULL if there
 * is none.  It is allocated in the frame's arena.
 */
const Change *change_select_truncated(Frame *frame, const Change *change,
									  bool (*wanted)(void *context,
													 Relation *relation),
									  void *context);

/* Bytes of memory that the frame holds, for limits.  They become more: what is
 * made of its changes is allocated in its arena. */
static inline size_t
frame_bytes(const Frame *frame)
{
	return frame->message_bytes + arena_bytes(frame->arena);
}

/* Whether it is an insert, an update or a delete. */
static inline bool
change_has_row(const Change *change)
{
	return change->kind == CHANGE_INSERT || change->kind == CHANGE_UPDATE ||
		   change->kind == CHANGE_DELETE;
}

/*
 * The row by which a change's row is identified on the target: the old row if
 * there is one, else the new one.
 */
static inline const Value *
change_identity_row(const Change *change)
{
	return change->old_row != NULL ? change->old_row : change->new_row;
}

#endif /* PENSTOCK_MODEL_CHANGE_H */
