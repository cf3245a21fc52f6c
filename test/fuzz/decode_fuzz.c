/*
 * decode_fuzz.c
 *    Whatever bytes a source sends, the decoder neither reads outside them nor
 *    takes them for something that they are not.
 *
 * An input is a session: messages one after the other, each behind its length
 * in two bytes (little endian; what is missing at the end is left out).  They
 * go to one decoder until it refuses one, as a session does.
 *
 * The decoder reads most of a frame in place, with a reader of its own.  So
 * every frame that it accepts is read a second time, by protobuf-c, and rows
 * are put together again from that: both must agree in every value.
 *
 * There is no such target for what clone copies: it passes the bytes of COPY on
 * as they come, and reads nothing in them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/macros.h"
#include "base/xalloc.h"
#include "ddl/json.h"
#include "penstock.pb-c.h"
#include "wire/decode.h"

#define LENGTH_BYTES 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fields that Change and Row have in common. */
typedef struct WireRow
{
	const int64_t *integers;
	size_t integer_count;
	const ProtobufCBinaryData *values;
	size_t value_count;
	const ProtobufCBinaryData *nulls;
	const ProtobufCBinaryData *unchanged;
} WireRow;

static WireRow
row_of_change(const Penstock__Change *change)
{
	return (WireRow){change->integers, change->n_integers, change->values,
					 change->n_values, &change->nulls,     &change->unchanged};
}

static WireRow
row_of_old(const Penstock__Row *old)
{
	return (WireRow){old->integers, old->n_integers, old->values,
					 old->n_values, &old->nulls,     &old->unchanged};
}

static bool
bit(const ProtobufCBinaryData *bitmap, size_t i)
{
	return i / 8 < bitmap->len && (bitmap->data[i / 8] & (1 << i % 8)) != 0;
}

static void
check_bytes(const ProtobufCBinaryData *bytes, const Value *value)
{
	CHECK(value->length == bytes->len);
	CHECK(bytes->len == 0 ||
		  memcmp(value->bytes, bytes->data, bytes->len) == 0);
}

static void
check_row(const WireRow *wire, const Relation *relation, bool key_only,
		  const Value *row)
{
	size_t place = 0;
	size_t integer = 0;
	size_t value = 0;

	CHECK(row != NULL);
	for (int i = 0; i < relation->column_count; i++)
	{
		const RelationColumn *column = &relation->columns[i];

		if (key_only && !column->key)
		{
			CHECK(row[i].kind == VALUE_MISSING);
			continue;
		}
		if (bit(wire->nulls, place))
			CHECK(row[i].kind == VALUE_NULL);
		else if (bit(wire->unchanged, place))
			CHECK(row[i].kind == VALUE_UNCHANGED);
		else if (column->encoding == COLUMN_INTEGER)
		{
			CHECK(row[i].kind == VALUE_INTEGER);
			CHECK(integer < wire->integer_count);
			CHECK(row[i].integer == wire->integers[integer++]);
		}
		else
		{
			CHECK(row[i].kind == VALUE_TEXT || row[i].kind == VALUE_BINARY);
			CHECK(value < wire->value_count);
			check_bytes(&wire->values[value++], &row[i]);
		}
		place++;
	}
	CHECK(integer == wire->integer_count);
	CHECK(value == wire->value_count);
}

static void
check_rows(const Penstock__Change *wire, const Change *change)
{
	const Relation *relation = change->relation;
	WireRow row = row_of_change(wire);
	bool key_only;

	CHECK(relation != NULL);
	key_only = relation->identity != IDENTITY_FULL;
	CHECK(relation->number == wire->insert); /* all three share their place */
	if (change->kind == CHANGE_DELETE)
	{
		CHECK(change->new_row == NULL);
		check_row(&row, relation, key_only, change->old_row);
		return;
	}
	check_row(&row, relation, false, change->new_row);
	if (change->kind == CHANGE_UPDATE && wire->old != NULL)
	{
		row = row_of_old(wire->old);
		check_row(&row, relation, key_only, change->old_row);
	}
	else
		CHECK(change->old_row == NULL);
}

static void
check_message(const Penstock__Message *wire, const MessageInfo *message)
{
	CHECK(message->transactional == (wire->transactional != 0));
	CHECK(message->lsn == wire->lsn);
	CHECK(strcmp(message->prefix, wire->prefix) == 0);
	CHECK(message->content_length == wire->content.len);
}

/* What the object is called, in the three kinds of message that say it. */
static const char *
name_of_object(const Penstock__SchemaChange *wire)
{
	switch (wire->object_case)
	{
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_NAMESPACE:
			return wire->namespace_->name;
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_TABLE:
			return wire->table->name;
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_SEQUENCE:
			return wire->sequence->name;
		case PENSTOCK__SCHEMA_CHANGE__OBJECT_TYPE:
			return wire->type->name;
		default:
			check_failed("definition is of an object", __FILE__, __LINE__);
	}
}

static void
check_table(const Penstock__SchemaTable *wire, const TableDefinition *table)
{
	CHECK((size_t) table->column_count == wire->n_columns);
	CHECK((size_t) table->constraint_count == wire->n_constraints);
	CHECK((size_t) table->index_count == wire->n_indexes);
	for (int i = 0; i < table->column_count; i++)
		CHECK(definition_column(table, (uint16_t) wire->columns[i]->attnum) ==
			  &table->columns[i]);
}

/* Writing it walks over every string and list that it has. */
static void
check_definition(const Definition *definition)
{
	const Definition *again = NULL;
	Arena *arena = arena_new(KB);
	Error err = {0};
	Json json;
	Buf buf;

	buf_init(&buf, BUF_TEXT_MAX);
	json_init(&json, &buf);
	ddl_json_append(&json, definition);
	CHECK(definition_equal(definition, definition_copy(definition, arena)));
	if (ddl_json_read(buf.data, buf.length, arena, &again, &err) == RC_OK)
		CHECK(again->oid == definition->oid);
	error_reset(&err);
	arena_free(arena);
	buf_release(&buf);
}

static void
check_schema_change(const Penstock__SchemaChange *wire,
					const SchemaChange *change)
{
	CHECK(change->lsn == wire->lsn);
	CHECK(change->oid == wire->oid);
	CHECK((change->kind == SCHEMA_GONE) ==
		  (wire->object_case == PENSTOCK__SCHEMA_CHANGE__OBJECT_GONE));
	CHECK((change->kind == SCHEMA_UNTRANSLATED) ==
		  (wire->object_case == PENSTOCK__SCHEMA_CHANGE__OBJECT_UNTRANSLATED));
	if (change->kind != SCHEMA_DEFINED)
		return;
	CHECK(strcmp(change->definition->name, name_of_object(wire)) == 0);
	if (change->definition->kind == DEFINITION_TABLE)
		check_table(wire->table, &change->definition->table);
	check_definition(change->definition);
}

/* Whose piece a frame is, if it is one. */
static void
check_stream(const Penstock__Frame *wire, const OpenTxnInfo *stream)
{
	CHECK(stream->aborts == (wire->stream_abort != NULL));
	if (wire->stream_abort != NULL)
	{
		CHECK(stream->xid == wire->stream_abort->xid);
		CHECK(stream->abort_subxid == wire->stream_abort->subxid);
	}
	else if (wire->stream != NULL)
	{
		CHECK(stream->xid == wire->stream->xid && stream->xid != 0);
		CHECK(stream->first == (wire->stream->first != 0));
		CHECK(stream->decoded_lsn == wire->stream->decoded_lsn);
	}
	else
		CHECK(stream->xid == 0);
}

/* Checks one change; false if it leaves nothing in the decoded frame. */
static bool
check_change(const Penstock__Change *wire, const Change *change)
{
	if (wire->operation_case != PENSTOCK__CHANGE__OPERATION_RELATION)
		CHECK(change->subxid == wire->subxid);
	switch (wire->operation_case)
	{
		case PENSTOCK__CHANGE__OPERATION_RELATION:
			return false;
		case PENSTOCK__CHANGE__OPERATION_INSERT:
			CHECK(change->kind == CHANGE_INSERT);
			check_rows(wire, change);
			return true;
		case PENSTOCK__CHANGE__OPERATION_UPDATE:
			CHECK(change->kind == CHANGE_UPDATE);
			check_rows(wire, change);
			return true;
		case PENSTOCK__CHANGE__OPERATION_DELETE:
			CHECK(change->kind == CHANGE_DELETE);
			check_rows(wire, change);
			return true;
		case PENSTOCK__CHANGE__OPERATION_TRUNCATE:
			CHECK(change->kind == CHANGE_TRUNCATE);
			CHECK((size_t) change->truncate->relation_count ==
				  wire->truncate->n_relations);
			return true;
		case PENSTOCK__CHANGE__OPERATION_MESSAGE:
			CHECK(change->kind == CHANGE_MESSAGE);
			check_message(wire->message, change->message);
			return true;
		case PENSTOCK__CHANGE__OPERATION_SCHEMA_CHANGE:
			CHECK(change->kind == CHANGE_SCHEMA);
			check_schema_change(wire->schema_change, change->schema);
			return true;
		case PENSTOCK__CHANGE__OPERATION_REWRITE:
			CHECK(change->kind == CHANGE_REWRITE);
			CHECK(change->relation->number == wire->rewrite);
			return true;
		default:
			check_failed("change has an operation", __FILE__, __LINE__);
	}
}

static Penstock__Frame *
unpack_compressed(const ProtobufCBinaryData *zstd)
{
	size_t length = (size_t) ZSTD_getFrameContentSize(zstd->data, zstd->len);
	uint8_t *content = xmalloc(length);
	Penstock__Frame *wire;

	CHECK(ZSTD_decompress(content, length, zstd->data, zstd->len) == length);
	wire = penstock__frame__unpack(NULL, length, content);
	free(content);
	return wire;
}

static Penstock__Frame *
unpack_frame(const uint8_t *data, size_t length)
{
	Penstock__Frame *wire = penstock__frame__unpack(NULL, length, data);
	Penstock__Frame *inner;

	if (wire == NULL || wire->zstd.len == 0)
		return wire;
	CHECK(wire->begin == NULL && wire->commit == NULL && wire->n_changes == 0);
	inner = unpack_compressed(&wire->zstd);
	penstock__frame__free_unpacked(wire, NULL);
	return inner;
}

/* An accepted frame against protobuf-c's view of the same bytes. */
static void
check_frame(const uint8_t *data, size_t length, const Frame *frame)
{
	Penstock__Frame *wire = unpack_frame(data, length);
	size_t kept = 0;

	CHECK(wire != NULL);
	CHECK(frame->begins == (wire->begin != NULL));
	CHECK(frame->commits == (wire->commit != NULL));
	check_stream(wire, &frame->open_txn);
	for (size_t i = 0; i < wire->n_changes; i++)
	{
		static const Change none = {0};
		const Change *change = kept < frame->change_count
								   ? &frame->changes[kept]
								   : &none;

		if (check_change(wire->changes[i], change))
			kept++;
	}
	CHECK(kept == frame->change_count);
	penstock__frame__free_unpacked(wire, NULL);
}

/*
 * The frames of a bundle, from the first on, each against protobuf-c's view of
 * it.  Returns what the decoder says behind the last good one.
 */
static Rc
check_bundle(Input *decoder, const Penstock__Frame *wire, Rc rc, Frame *frame,
			 Error *err)
{
	for (size_t i = 0; rc == RC_OK; i++)
	{
		CHECK(i < wire->n_bundle);
		check_frame(wire->bundle[i].data, wire->bundle[i].len, frame);
		frame_unref(frame);
		frame = NULL;
		rc = input_next(decoder, &frame, err);
		CHECK(rc != RC_AGAIN || i + 1 == wire->n_bundle);
	}
	return rc;
}

/* What an accepted message has; RC_FAIL if that was refused later. */
static Rc
check_accepted(Input *decoder, const uint8_t *data, size_t length, Rc rc,
			   Frame *frame, Error *err)
{
	Penstock__Frame *wire = unpack_frame(data, length);

	CHECK(wire != NULL);
	if (wire->n_bundle > 0 || wire->holding == PENSTOCK__HOLDING__HOLDING_ENDS)
		rc = check_bundle(decoder, wire, rc, frame, err);
	else
	{
		CHECK(rc == RC_OK);
		check_frame(data, length, frame);
		frame_unref(frame);
	}
	penstock__frame__free_unpacked(wire, NULL);
	return rc;
}

/* Decodes one message; false if it was refused. */
static bool
decode_one(Input *decoder, const uint8_t *data, size_t length)
{
	Error err = {0};
	Frame *frame = NULL;
	WireMessage message = {
		.memory = xmalloc(length + 1), .memory_free = free, .length = length};
	Rc rc;

	/* The data ends where the memory does. */
	message.data = (uint8_t *) message.memory + 1;
	memcpy((uint8_t *) message.memory + 1, data, length);
	rc = input_decode(decoder, &message, &frame, &err);
	if (rc != RC_FAIL)
		rc = check_accepted(decoder, data, length, rc, frame, &err);
	if (rc == RC_FAIL)
		CHECK(err.code == ERR_PROTOCOL);
	error_reset(&err);
	return rc != RC_FAIL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input *decoder = decoder_new();
	bool accepted = true;

	while (accepted && size >= LENGTH_BYTES)
	{
		size_t length = data[0] | (size_t) data[1] << 8;

		data += LENGTH_BYTES;
		size -= LENGTH_BYTES;
		if (length > size)
			length = size;
		accepted = decode_one(decoder, data, length);
		data += length;
		size -= length;
	}
	input_free(decoder);
	return 0;
}
