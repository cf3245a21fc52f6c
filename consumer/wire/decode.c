/*
 * decode.c
 *    Reads frames: see decode.h.
 *
 * There are millions of Frame, Change and Row messages, and a value in them can
 * have hundreds of megabytes.  So we read them in place, with reader.h, and
 * their values point into the source's message.  The other protobuf messages
 * are rare and small: protobuf-c reads them, with an allocator that allocates
 * in the frame's arena and frees nothing.
 *
 * We read a frame twice.  The first pass counts the changes, so that their
 * array is allocated once.  The second pass decodes them.
 */
#include "wire/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "penstock.pb-c.h"
#include "wire/bundle.h"
#include "wire/inflate.h"
#include "wire/open_txn_list.h"
#include "wire/raw_row.h"
#include "wire/reader.h"
#include "wire/relations.h"
#include "wire/schema.h"
#include "wire/unpack.h"

/*
 * Field numbers of proto/penstock.proto, of the messages that we read in place.
 */
enum
{
	FRAME_SESSION = 1,
	FRAME_BEGIN = 2,
	FRAME_CHANGES = 3,
	FRAME_COMMIT = 4,
	FRAME_STREAM = 6,
	FRAME_STREAM_ABORT = 7,
	FRAME_HOLDING = 9,

	CHANGE_FIELD_INSERT = 1,
	CHANGE_FIELD_UPDATE = 2,
	CHANGE_FIELD_DELETE = 3,
	CHANGE_FIELD_RELATION = 4,
	CHANGE_FIELD_TRUNCATE = 5,
	CHANGE_FIELD_MESSAGE = 6,
	CHANGE_FIELD_INTEGERS = 7,
	CHANGE_FIELD_VALUES = 8,
	CHANGE_FIELD_NULLS = 9,
	CHANGE_FIELD_UNCHANGED = 10,
	CHANGE_FIELD_OLD = 11,
	CHANGE_FIELD_SUBXID = 12,
	CHANGE_FIELD_HASH = 13,
	CHANGE_FIELD_SCHEMA_CHANGE = 14,
	CHANGE_FIELD_REWRITE = 15,
};

/* Tag of a value of a Change: field number and WIRE_BYTES. */
#define CHANGE_VALUES_TAG (CHANGE_FIELD_VALUES << 3 | WIRE_BYTES)

/* The fields of a Change, before we check that they fit each other. */
typedef struct RawChange
{
	uint32_t operation; /* number of the field that was set, a CHANGE_FIELD_…;
						 * 0: none */
	uint64_t subxid;    /* xid of the subtransaction; 0: none */
	uint64_t number;    /* number of the relation in the stream, for changes of
						 * rows and for a rewrite of the table */
	Span body;          /* content of the field `operation`, for the other
						 * operations */
	bool has_old;
	RawRow row;
	RawRow old;
} RawChange;

typedef struct Decoder
{
	Input input; /* first member; see decoder_of() */
	Inflater *inflater;
	Bundle *bundle; /* bundle whose frames were not all returned yet, or NULL */
	bool holding;   /* whether the source has said that it holds transactions
					 * back */
	bool from_log;  /* see decoder_new_for_log() */
	bool session_seen;
	bool in_transaction;
	OpenTxnList open_txns; /* open transactions of which we have received a
							* part */
	OpenTxn *open_txn;     /* open transaction that the current frame is a part
							* of, or NULL */
	uint64_t change_count; /* number of changes received so far of the
							* transaction of the current frame */
	Relations relations;   /* tables that the session has described */
	size_t frame_relation_capacity; /* capacity of the current frame's list of
									 * relations */
	RawChange raw;                  /* the change that is being decoded */
} Decoder;

/* Smallest and largest block size in bytes of a frame's arena. */
#define FRAME_ARENA_MIN ((size_t) 1024)
#define FRAME_ARENA_MAX (64 * KB)

/* First capacity of a frame's list of relations. */
#define FRAME_RELATIONS_FIRST 4

/* Bytes that decoded changes need, roughly, for each byte of the message. */
#define FRAME_ARENA_FACTOR 4

static Decoder *
decoder_of(Input *input)
{
	return (Decoder *) input;
}

static const Decoder *
const_decoder_of(const Input *input)
{
	return (const Decoder *) input;
}

static void
free_decoder(Input *input)
{
	Decoder *decoder = decoder_of(input);

	relations_release(&decoder->relations);
	open_txn_list_release(&decoder->open_txns);
	bundle_free(decoder->bundle);
	inflater_free(decoder->inflater);
	free(decoder);
}

static bool
in_transaction(const Input *input)
{
	return const_decoder_of(input)->in_transaction;
}

static bool
is_holding(const Input *input)
{
	const Decoder *decoder = const_decoder_of(input);

	return decoder->holding || decoder->bundle != NULL;
}

/* ---- changes of rows ---------------------------------------------------- */

/* Enlarges the list of relations of the current frame. */
static void
grow_frame_relations(Decoder *decoder, Frame *frame)
{
	size_t capacity = decoder->frame_relation_capacity * 2;
	Relation **relations;

	ASSERT(frame->relation_count == decoder->frame_relation_capacity);
	if (capacity == 0)
		capacity = FRAME_RELATIONS_FIRST;
	relations = arena_alloc(frame->arena, capacity * sizeof(Relation *));
	if (frame->relation_count > 0)
		memcpy(relations, frame->relations,
			   frame->relation_count * sizeof(Relation *));
	frame->relations = relations;
	decoder->frame_relation_capacity = capacity;
}

/*
 * Adds a relation to the list of relations to which the frame holds a
 * reference: all that its changes name.  Successive changes are often of one
 * table, so we only compare with the last relation of the list; a second
 * reference does no harm.
 */
static void
remember_relation(Decoder *decoder, Frame *frame, Relation *relation)
{
	ASSERT(frame->relation_count <= decoder->frame_relation_capacity);
	ASSERT(relation != NULL);
	if (frame->relation_count > 0 &&
		frame->relations[frame->relation_count - 1] == relation)
		return;
	if (frame->relation_count == decoder->frame_relation_capacity)
		grow_frame_relations(decoder, frame);
	frame->relations[frame->relation_count++] = relation_ref(relation);
}

static MUST_CHECK Rc
decode_row_change(Decoder *decoder, Frame *frame, Change *change, Error *err)
{
	const RawChange *raw = &decoder->raw;
	Relation *relation = relations_find(&decoder->relations, raw->number);
	bool old_is_key;
	Rc rc = RC_OK;

	if (relation == NULL)
		return invalid(err, "row of a table that was not described");
	if (raw->has_old && raw->operation != CHANGE_FIELD_UPDATE)
		return invalid(err, "old row of a change that is no update");
	old_is_key = relation->identity != IDENTITY_FULL;
	remember_relation(decoder, frame, relation);
	change->relation = relation;
	change->hash = raw->row.hash;
	change->old_hash = raw->has_old ? raw->old.hash : raw->row.hash;
	switch (raw->operation)
	{
		case CHANGE_FIELD_INSERT:
			change->kind = CHANGE_INSERT;
			return raw_row_build(&raw->row, relation, false, false,
								 frame->arena, &change->new_row, err);
		case CHANGE_FIELD_DELETE:
			change->kind = CHANGE_DELETE;
			return raw_row_build(&raw->row, relation, old_is_key, false,
								 frame->arena, &change->old_row, err);
		default:
			ASSERT(raw->operation == CHANGE_FIELD_UPDATE);
			change->kind = CHANGE_UPDATE;
			rc = raw_row_build(&raw->row, relation, false, true, frame->arena,
							   &change->new_row, err);
			if (rc == RC_OK && raw->has_old)
				rc = raw_row_build(&raw->old, relation, old_is_key, false,
								   frame->arena, &change->old_row, err);
			return rc;
	}
}

/* ---- other changes ------------------------------------------------------ */

static MUST_CHECK Rc
decode_truncate(Decoder *decoder, Frame *frame, Change *change, Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(frame->arena);
	Span body = decoder->raw.body;
	Penstock__Truncate *wire = penstock__truncate__unpack(
		&allocator, body.length, body.data);
	TruncateInfo *info = arena_calloc(frame->arena, 1, sizeof(TruncateInfo));

	ASSERT(decoder->raw.operation == CHANGE_FIELD_TRUNCATE);
	if (wire == NULL || wire->n_relations < 1 || wire->n_relations > INT32_MAX)
		return invalid(err, "truncate cannot be read");
	info->relation_count = (int) wire->n_relations;
	info->relations = arena_calloc(frame->arena, wire->n_relations,
								   sizeof(Relation *));
	info->cascade = wire->cascade;
	info->restart_identity = wire->restart_identity;
	for (size_t i = 0; i < wire->n_relations; i++)
	{
		info->relations[i] = relations_find(&decoder->relations,
											wire->relations[i]);
		if (info->relations[i] == NULL)
			return invalid(err, "truncate of a table that was not described");
		remember_relation(decoder, frame, info->relations[i]);
	}
	change->kind = CHANGE_TRUNCATE;
	change->truncate = info;
	return RC_OK;
}

static MUST_CHECK Rc
decode_message(Decoder *decoder, Frame *frame, Change *change, Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(frame->arena);
	Span body = decoder->raw.body;
	Penstock__Message *wire = penstock__message__unpack(&allocator, body.length,
														body.data);
	MessageInfo *info = arena_calloc(frame->arena, 1, sizeof(MessageInfo));

	ASSERT(decoder->raw.operation == CHANGE_FIELD_MESSAGE);
	if (wire == NULL)
		return invalid(err, "message cannot be read");
	if (wire->transactional !=
		(decoder->in_transaction || decoder->open_txn != NULL))
		return invalid(err, "message on the wrong side of a transaction");
	info->transactional = wire->transactional;
	info->lsn = wire->lsn;
	info->prefix = wire->prefix;
	info->content = wire->content.data;
	info->content_length = wire->content.len;
	change->kind = CHANGE_MESSAGE;
	change->message = info;
	return RC_OK;
}

static MUST_CHECK Rc
decode_schema_change(Decoder *decoder, Frame *frame, Change *change, Error *err)
{
	ASSERT(decoder->raw.operation == CHANGE_FIELD_SCHEMA_CHANGE);
	change->kind = CHANGE_SCHEMA;
	return schema_change_decode(decoder->raw.body, frame->arena,
								&change->schema, err);
}

static MUST_CHECK Rc
decode_rewrite(Decoder *decoder, Frame *frame, Change *change, Error *err)
{
	Relation *relation = relations_find(&decoder->relations,
										decoder->raw.number);

	ASSERT(decoder->raw.operation == CHANGE_FIELD_REWRITE);
	if (relation == NULL)
		return invalid(err, "rewrite of a table that was not described");
	remember_relation(decoder, frame, relation);
	change->kind = CHANGE_REWRITE;
	change->relation = relation;
	return RC_OK;
}

/* ---- a change ----------------------------------------------------------- */

static bool
is_operation(uint32_t number)
{
	return number <= CHANGE_FIELD_MESSAGE ||
		   number == CHANGE_FIELD_SCHEMA_CHANGE ||
		   number == CHANGE_FIELD_REWRITE;
}

static bool
read_operation(RawChange *raw, const Field *field)
{
	bool has_number = field->number <= CHANGE_FIELD_DELETE ||
					  field->number == CHANGE_FIELD_REWRITE;

	ASSERT(is_operation(field->number));
	if (field->wire_type != (has_number ? WIRE_VARINT : WIRE_BYTES))
		return false;
	if (raw->operation != 0)
		return false; /* a frame with two operations is damaged */
	raw->operation = field->number;
	if (has_number)
		raw->number = field->varint;
	else
		raw->body = field->bytes;
	return true;
}

static bool
read_change_field(RawChange *raw, const Field *field)
{
	if (field->number >= CHANGE_FIELD_INTEGERS &&
		field->number <= CHANGE_FIELD_UNCHANGED)
		return raw_row_add_field(
			&raw->row, field->number - CHANGE_FIELD_INTEGERS + ROW_INTEGERS,
			field);
	if (field->number == CHANGE_FIELD_HASH)
		return raw_row_add_field(&raw->row, ROW_HASH, field);
	if (is_operation(field->number))
		return read_operation(raw, field);
	if (field->number == CHANGE_FIELD_SUBXID)
	{
		raw->subxid = field->varint;
		return field->wire_type == WIRE_VARINT && raw->subxid <= UINT32_MAX;
	}
	if (field->number == CHANGE_FIELD_OLD)
	{
		raw->has_old = true;
		return field->wire_type == WIRE_BYTES &&
			   raw_row_read(&raw->old, field->bytes);
	}
	return true; /* a field of a later version of the format */
}

static bool
read_change(RawChange *raw, Span body)
{
	Reader reader = reader_of(body);

	raw->operation = 0;
	raw->subxid = 0;
	raw->has_old = false;
	raw_row_reset(&raw->row);
	raw_row_reset(&raw->old);
	while (!reader_at_end(&reader))
	{
		Field field;

		if (!reader_field(&reader, &field) || !read_change_field(raw, &field) ||
			!raw_row_add_values(&raw->row, &reader, CHANGE_VALUES_TAG))
			return false;
	}
	return true;
}

/*
 * Decodes one change and appends it to the frame's changes, whose number is
 * *kept.  A Relation record is not appended; we keep it in decoder->relations.
 */
static MUST_CHECK Rc
decode_change(Decoder *decoder, Frame *frame, Span body, size_t *kept,
			  Error *err)
{
	Change *change = &frame->changes[*kept];
	RawChange *raw = &decoder->raw;
	Rc rc;

	CHECK(*kept < frame->change_count);
	if (!read_change(raw, body))
		return invalid(err, "change cannot be read");
	if (raw->operation != CHANGE_FIELD_RELATION || !decoder->from_log)
		decoder->change_count++;
	if (raw->subxid != 0 && decoder->open_txn == NULL)
		return invalid(err, "subtransaction of no open transaction");
	*change = (Change){.subxid = (uint32_t) raw->subxid};
	switch (raw->operation)
	{
		case CHANGE_FIELD_RELATION:
			frame->is_mixed = true;
			return relations_decode(&decoder->relations, frame->arena,
									raw->body, decoder->input.keeps_bytes, err);
		case CHANGE_FIELD_INSERT:
		case CHANGE_FIELD_UPDATE:
		case CHANGE_FIELD_DELETE:
			rc = decode_row_change(decoder, frame, change, err);
			break;
		case CHANGE_FIELD_TRUNCATE:
			rc = decode_truncate(decoder, frame, change, err);
			break;
		case CHANGE_FIELD_MESSAGE:
			rc = decode_message(decoder, frame, change, err);
			break;
		case CHANGE_FIELD_SCHEMA_CHANGE:
			rc = decode_schema_change(decoder, frame, change, err);
			break;
		case CHANGE_FIELD_REWRITE:
			rc = decode_rewrite(decoder, frame, change, err);
			break;
		default:
			return invalid(err, "change of a kind that is not known");
	}
	if (rc == RC_OK)
		(*kept)++;
	return rc;
}

/* ---- the frame ---------------------------------------------------------- */

/* Result of the first pass over a frame. */
typedef struct FrameOutline
{
	Span session; /* content of each field; data is NULL if the frame does not
				   * have it */
	Span begin;
	Span commit;
	Span stream;
	Span stream_abort;
	size_t change_count;
	size_t bundle_count;
	Penstock__Holding holding;
} FrameOutline;

/*
 * Returns the part of the outline for a field that a frame has at most once;
 * NULL if the field is of a later version of the format.
 */
static Span *
part_of_frame(FrameOutline *outline, uint32_t number)
{
	switch (number)
	{
		case FRAME_SESSION:
			return &outline->session;
		case FRAME_BEGIN:
			return &outline->begin;
		case FRAME_COMMIT:
			return &outline->commit;
		case FRAME_STREAM:
			return &outline->stream;
		case FRAME_STREAM_ABORT:
			return &outline->stream_abort;
		default:
			return NULL;
	}
}

static bool
outline_holding(FrameOutline *outline, const Field *field)
{
	ASSERT(field->number == FRAME_HOLDING);
	if (field->wire_type != WIRE_VARINT || outline->holding != 0 ||
		(field->varint != PENSTOCK__HOLDING__HOLDING_BEGINS &&
		 field->varint != PENSTOCK__HOLDING__HOLDING_ENDS))
		return false;
	outline->holding = (Penstock__Holding) field->varint;
	return true;
}

/*
 * Adds a field of the frame to the outline.  Returns false if the frame cannot
 * have it.
 */
static bool
outline_field(FrameOutline *outline, const Field *field)
{
	Span *part = part_of_frame(outline, field->number);

	if (field->number == FRAME_HOLDING)
		return outline_holding(outline, field);
	if (field->number == FRAME_CHANGES)
		outline->change_count++;
	else if (field->number == BUNDLE_FIELD)
		outline->bundle_count++;
	else if (part == NULL)
		return true;
	else if (part->data != NULL)
		return false;
	else
		*part = field->bytes;
	return field->wire_type == WIRE_BYTES;
}

static MUST_CHECK Rc
outline_frame(Span body, FrameOutline *outline, Error *err)
{
	Reader reader = reader_of(body);

	*outline = (FrameOutline){0};
	while (!reader_at_end(&reader))
	{
		Field field;

		if (!reader_field(&reader, &field))
			return invalid(err, "it is cut short or damaged");
		if (field.number == INFLATE_FIELD)
			return invalid(err, "compressed content where there must be none");
		if (!outline_field(outline, &field))
			return invalid(err, "it is damaged");
	}
	if (outline->session.data == NULL && outline->begin.data == NULL &&
		outline->commit.data == NULL && outline->stream.data == NULL &&
		outline->stream_abort.data == NULL && outline->change_count == 0 &&
		outline->bundle_count == 0 && outline->holding == 0)
		return invalid(err, "it is empty");
	return RC_OK;
}

static MUST_CHECK Rc
decode_session(Decoder *decoder, Frame *frame, Span body, Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(frame->arena);
	Penstock__Session *wire;

	if ((body.data != NULL) == decoder->session_seen)
		return invalid(err, decoder->session_seen
								? "session starts twice"
								: "session does not say its version");
	if (body.data == NULL)
		return RC_OK;
	wire = penstock__session__unpack(&allocator, body.length, body.data);
	if (wire == NULL)
		return invalid(err, "session cannot be read");
	if (wire->proto_version != DECODE_PROTO_VERSION)
	{
		Rc rc = error_set(err, ERR_PROTOCOL,
						  "source speaks protocol version %u, this program "
						  "version %d",
						  wire->proto_version, DECODE_PROTO_VERSION);

		error_hint(err, "Install the same version of Penstock on both sides.");
		return rc;
	}
	decoder->session_seen = true;
	return RC_OK;
}

static MUST_CHECK Rc
decode_begin(Decoder *decoder, Frame *frame, Span body, Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(frame->arena);
	Penstock__Begin *wire;

	if (body.data == NULL)
		return RC_OK;
	if (decoder->in_transaction)
		return invalid(err, "transaction starts inside another one");
	wire = penstock__begin__unpack(&allocator, body.length, body.data);
	if (wire == NULL)
		return invalid(err, "begin cannot be read");
	if (wire->commit_lsn == 0 || wire->end_lsn <= wire->commit_lsn)
		return invalid(err, "transaction without valid positions");
	if (decoder->open_txn != NULL && decoder->open_txn->xid != wire->xid)
		return invalid(err, "commit of another transaction than it says");
	ASSERT(!frame->begins && !frame->commits);
	frame->begins = true;
	frame->txn = (TxnInfo){
		.xid = wire->xid,
		.commit_lsn = wire->commit_lsn,
		.end_lsn = wire->end_lsn,
		.commit_time_us = wire->commit_time,
		.origin = wire->origin[0] != '\0' ? wire->origin : NULL,
		.origin_lsn = wire->origin_lsn,
	};
	decoder->in_transaction = true;
	if (decoder->open_txn == NULL)
		decoder->change_count = 0;
	return RC_OK;
}

static MUST_CHECK Rc
decode_commit(Decoder *decoder, Frame *frame, Span body, Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(frame->arena);
	Penstock__Commit *wire;
	Rc rc;

	if (body.data == NULL)
		return RC_OK;
	if (!decoder->in_transaction)
		return invalid(err, "commit without a transaction");
	wire = penstock__commit__unpack(&allocator, body.length, body.data);
	if (wire == NULL)
		return invalid(err, "commit cannot be read");
	if (wire->change_count != decoder->change_count)
		return invalid(err, "transaction has not as many changes as it says");
	ASSERT(!frame->commits);
	frame->commits = true;
	decoder->in_transaction = false;
	rc = relations_note_gone(&decoder->relations, wire->gone, wire->n_gone,
							 err);
	for (size_t i = 0; i < wire->n_gone && rc == RC_OK; i++)
		remember_relation(decoder, frame,
						  relations_find(&decoder->relations, wire->gone[i]));
	return rc;
}

static MUST_CHECK Rc
decode_changes(Decoder *decoder, Frame *frame, Span body, Error *err)
{
	Reader reader = reader_of(body);
	size_t kept = 0;

	while (!reader_at_end(&reader))
	{
		Field field;
		Rc rc;

		if (!reader_field(&reader, &field))
			return invalid(err, "it is cut short or damaged");
		if (field.number != FRAME_CHANGES)
			continue;
		rc = decode_change(decoder, frame, field.bytes, &kept, err);
		if (rc != RC_OK)
			return rc;
	}
	ASSERT(kept <= frame->change_count);
	frame->change_count = kept;
	return RC_OK;
}

/*
 * Fails if a frame outside of transactions has a change other than a
 * non-transactional message.
 */
static MUST_CHECK Rc
check_place(const Decoder *decoder, const Frame *frame, Error *err)
{
	if (decoder->in_transaction || decoder->open_txn != NULL)
		return RC_OK;
	for (size_t i = 0; i < frame->change_count; i++)
		if (frame->changes[i].kind != CHANGE_MESSAGE)
			return invalid(err, "change outside a transaction");
	return RC_OK;
}

/* ---- open transactions ------------------------------------------- */

/*
 * Whether the fields of a frame of an open transaction fit each other: a frame
 * has either changes or, when the transaction commits, begin and commit.
 */
static bool
open_txn_parts_fit(const FrameOutline *outline)
{
	bool begins = outline->begin.data != NULL;

	return begins == (outline->commit.data != NULL) &&
		   !(begins && outline->change_count > 0);
}

/*
 * Sets decoder->open_txn to the open transaction that the frame is a part of;
 * NULL if it is of none.
 */
static MUST_CHECK Rc
decode_open_txn(Decoder *decoder, Frame *frame, const FrameOutline *outline,
				Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(frame->arena);
	Span body = outline->stream;
	Penstock__Stream *wire;

	decoder->open_txn = NULL;
	if (body.data == NULL)
		return RC_OK;
	wire = penstock__stream__unpack(&allocator, body.length, body.data);
	if (wire == NULL || wire->xid == 0 || wire->decoded_lsn == 0)
		return invalid(err, "open transaction cannot be read");
	if (decoder->in_transaction || !open_txn_parts_fit(outline))
		return invalid(err, "piece of a transaction in the wrong place");
	decoder->open_txn = open_txn_list_find(&decoder->open_txns, wire->xid);
	if (wire->first != (decoder->open_txn == NULL))
		return invalid(err, "first piece of a transaction is not the first");
	if (wire->first)
		decoder->open_txn = open_txn_list_add(&decoder->open_txns, wire->xid);
	if (decoder->open_txn == NULL)
		return invalid(err, "too many transactions are open");
	ASSERT(decoder->open_txn->xid == wire->xid);
	frame->open_txn = (OpenTxnInfo){.xid = wire->xid,
									.first = wire->first,
									.decoded_lsn = wire->decoded_lsn};
	decoder->change_count = decoder->open_txn->change_count;
	return RC_OK;
}

static MUST_CHECK Rc
decode_open_txn_abort(Decoder *decoder, Frame *frame,
					  const FrameOutline *outline, Error *err)
{
	ProtobufCAllocator allocator = arena_allocator(frame->arena);
	Span body = outline->stream_abort;
	Penstock__StreamAbort *wire;
	OpenTxn *open_txn;

	if (body.data == NULL)
		return RC_OK;
	wire = penstock__stream_abort__unpack(&allocator, body.length, body.data);
	if (wire == NULL)
		return invalid(err, "abort cannot be read");
	open_txn = open_txn_list_find(&decoder->open_txns, wire->xid);
	if (open_txn == NULL)
		return invalid(err, "abort of a transaction that was not sent");
	if (decoder->in_transaction || decoder->open_txn != NULL ||
		outline->begin.data != NULL || outline->commit.data != NULL ||
		outline->change_count > 0)
		return invalid(err, "abort in the wrong place");
	ASSERT(frame->open_txn.xid == 0);
	ASSERT(!frame->begins && !frame->commits);
	frame->open_txn = (OpenTxnInfo){
		.xid = wire->xid, .aborts = true, .abort_subxid = wire->subxid};
	if (wire->subxid == 0)
		open_txn_list_remove(&decoder->open_txns, open_txn);
	return RC_OK;
}

/*
 * Stores the number of changes received of the open transaction, from which its
 * next frame continues; or removes the transaction if the frame commits it.
 */
static void
end_open_txn_frame(Decoder *decoder, const Frame *frame)
{
	if (decoder->open_txn == NULL)
		return;
	ASSERT(frame->open_txn.xid == decoder->open_txn->xid);
	ASSERT(frame->begins == frame->commits);
	ASSERT(decoder->change_count >= decoder->open_txn->change_count);
	if (frame->commits)
		open_txn_list_remove(&decoder->open_txns, decoder->open_txn);
	else
		decoder->open_txn->change_count = decoder->change_count;
	decoder->open_txn = NULL;
}

static Frame *
new_frame(const WireMessage *message)
{
	size_t block_bytes = message->length * FRAME_ARENA_FACTOR;
	Arena *arena;
	Frame *frame;

	ASSERT(message->memory_free != NULL);
	if (block_bytes < FRAME_ARENA_MIN)
		block_bytes = FRAME_ARENA_MIN;
	if (block_bytes > FRAME_ARENA_MAX)
		block_bytes = FRAME_ARENA_MAX;
	arena = arena_new(block_bytes);
	frame = arena_calloc(arena, 1, sizeof(Frame));
	frame->arena = arena;
	frame->references = 1;
	frame->message = message->memory;
	frame->message_free = message->memory_free;
	return frame;
}

static MUST_CHECK Rc
decode_frame(Decoder *decoder, Frame *frame, Span body,
			 const FrameOutline *outline, Error *err)
{
	Rc rc;

	frame->change_count = outline->change_count;
	frame->changes = arena_alloc(frame->arena,
								 outline->change_count * sizeof(Change));
	frame->is_mixed = outline->session.data != NULL ||
					  outline->stream.data != NULL ||
					  outline->stream_abort.data != NULL ||
					  outline->holding != 0;
	frame->session = outline->session.data;
	frame->session_bytes = outline->session.length;
	decoder->frame_relation_capacity = 0;
	rc = decode_session(decoder, frame, outline->session, err);
	if (rc == RC_OK)
		rc = decode_open_txn(decoder, frame, outline, err);
	if (rc == RC_OK)
		rc = decode_begin(decoder, frame, outline->begin, err);
	if (rc == RC_OK)
		rc = decode_changes(decoder, frame, body, err);
	if (rc == RC_OK)
		rc = check_place(decoder, frame, err);
	if (rc == RC_OK)
		rc = decode_commit(decoder, frame, outline->commit, err);
	if (rc == RC_OK)
		rc = decode_open_txn_abort(decoder, frame, outline, err);
	if (rc == RC_OK)
		end_open_txn_frame(decoder, frame);
	ASSERT(rc != RC_OK || decoder->open_txn == NULL);
	ASSERT(rc != RC_OK || frame->begins == (outline->begin.data != NULL));
	ASSERT(rc != RC_OK || frame->commits == (outline->commit.data != NULL));
	return rc;
}

/*
 * Decodes one frame.  Takes ownership of the message's memory.  If frames keep
 * their bytes, *frame->bytes points to the message.
 */
static MUST_CHECK Rc
make_frame(Decoder *decoder, const WireMessage *message,
		   const FrameOutline *outline, Frame **frame, Error *err)
{
	Frame *made = new_frame(message);
	Rc rc = decode_frame(decoder, made, (Span){message->data, message->length},
						 outline, err);

	if (rc != RC_OK)
	{
		frame_unref(made);
		return rc;
	}
	ASSERT(made->message == message->memory);
	made->message_bytes = message->length;
	if (decoder->input.keeps_bytes)
	{
		made->bytes = message->data;
		made->byte_count = message->length;
	}
	*frame = made;
	return RC_OK;
}

/* ---- bundles ------------------------------------------------------------ */

/* Whether the frame is one transaction from begin to commit. */
static bool
is_whole_transaction(const FrameOutline *outline)
{
	return outline->begin.data != NULL && outline->commit.data != NULL &&
		   outline->stream.data == NULL && outline->stream_abort.data == NULL &&
		   outline->bundle_count == 0;
}

/*
 * Whether the frame is a bundle.  A frame with HOLDING_ENDS (the source holds
 * no transaction back any more) counts as a bundle even if it is empty.
 */
static bool
is_bundle(const FrameOutline *outline)
{
	return outline->bundle_count > 0 ||
		   outline->holding == PENSTOCK__HOLDING__HOLDING_ENDS;
}

static bool
is_only_bundle(const FrameOutline *outline)
{
	return outline->session.data == NULL && outline->begin.data == NULL &&
		   outline->commit.data == NULL && outline->stream.data == NULL &&
		   outline->stream_abort.data == NULL && outline->change_count == 0 &&
		   outline->holding != PENSTOCK__HOLDING__HOLDING_BEGINS;
}

/*
 * Checks and stores what the frame says about transactions that the source
 * holds back.  While the source holds some back, only bundles may come:
 * otherwise transactions would not arrive in the order of their commits.
 */
static MUST_CHECK Rc
note_holding(Decoder *decoder, const FrameOutline *outline, Error *err)
{
	if (is_bundle(outline) != decoder->holding)
		return invalid(err, decoder->holding
								? "something else than a bundle while "
								  "transactions are held back"
								: "bundle while nothing is held back");
	if (is_bundle(outline) && !is_only_bundle(outline))
		return invalid(err, "bundle with something beside it");
	if (outline->holding == PENSTOCK__HOLDING__HOLDING_ENDS)
		decoder->holding = false;
	else if (outline->holding == PENSTOCK__HOLDING__HOLDING_BEGINS)
	{
		if (!is_whole_transaction(outline))
			return invalid(err, "transactions are held back in a wrong place");
		decoder->holding = true;
	}
	return RC_OK;
}

static MUST_CHECK Rc
next_in_bundle(Input *input, Frame **frame, Error *err)
{
	Decoder *decoder = decoder_of(input);
	FrameOutline outline;
	WireMessage part;
	Rc rc;

	if (decoder->bundle == NULL)
		return RC_AGAIN;
	if (!bundle_next(decoder->bundle, &part))
	{
		bundle_free(decoder->bundle);
		decoder->bundle = NULL;
		return RC_AGAIN;
	}
	rc = outline_frame((Span){part.data, part.length}, &outline, err);
	if (rc == RC_OK && (!is_whole_transaction(&outline) ||
						outline.session.data != NULL || outline.holding != 0))
		rc = invalid(err, "bundle of something else than transactions");
	if (rc != RC_OK)
	{
		part.memory_free(part.memory);
		return rc;
	}
	ASSERT(!decoder->in_transaction);
	return make_frame(decoder, &part, &outline, frame, err);
}

/*
 * Decodes a message that is not compressed, or was decompressed.  Takes
 * ownership of its memory.
 */
static MUST_CHECK Rc
decode_opened(Decoder *decoder, const WireMessage *message, Frame **frame,
			  Error *err)
{
	FrameOutline outline;
	Rc rc = outline_frame((Span){message->data, message->length}, &outline,
						  err);

	if (rc == RC_OK)
		rc = note_holding(decoder, &outline, err);
	if (rc != RC_OK)
	{
		message->memory_free(message->memory);
		return rc;
	}
	if (!is_bundle(&outline))
		return make_frame(decoder, message, &outline, frame, err);
	ASSERT(decoder->bundle == NULL);
	decoder->bundle = bundle_new(message);
	return next_in_bundle(&decoder->input, frame, err);
}

static MUST_CHECK Rc
decode(Input *input, const WireMessage *message, Frame **frame, Error *err)
{
	Decoder *decoder = decoder_of(input);
	WireMessage opened;
	Rc rc;

	ASSERT(decoder->bundle == NULL);
	rc = inflater_open_message(decoder->inflater, message, &opened, err);
	if (rc == RC_OK && opened.memory == message->memory)
		return decode_opened(decoder, message, frame, err);
	if (rc == RC_OK)
		rc = decode_opened(decoder, &opened, frame, err);
	message->memory_free(message->memory);
	return rc;
}

Input *
decoder_new(void)
{
	static const InputOps ops = {
		.name = "penstock",
		.decode = decode,
		.next = next_in_bundle,
		.in_transaction = in_transaction,
		.is_holding = is_holding,
		.free = free_decoder,
	};
	Decoder *decoder = xcalloc(1, sizeof(Decoder));

	decoder->input.ops = &ops;
	decoder->inflater = inflater_new();
	return &decoder->input;
}

Input *
decoder_new_for_log(void)
{
	Input *input = decoder_new();

	decoder_of(input)->from_log = true;
	return input;
}
