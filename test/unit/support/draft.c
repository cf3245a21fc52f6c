/*
 * draft.c
 *    Builds parts of a frame.
 */
#include "support/draft.h"

#include "model/relation.h"

/* protobuf-c's structures take text that may be written to. */
static char text_public[] = "public";
static char text_version[] = "0.1.0";
static char text_utf8[] = "UTF8";
static char text_table[] = "item";
static char text_origin[] = "elsewhere";
static char text_prefix[] = "prefix";

static int64_t integers_full[] = {42, 1};
static int64_t integers_key[] = {41};
static uint8_t bytes_note[] = {'n', 'o', 't', 'e'};
static uint8_t bytes_data[] = {0x00, 0xff};
static ProtobufCBinaryData values_full[] = {{sizeof(bytes_note), bytes_note},
											{sizeof(bytes_data), bytes_data}};
static uint32_t relations_one[] = {DRAFT_RELATION};

void
draft_init(Draft *draft)
{
	penstock__frame__init(&draft->frame);
	penstock__session__init(&draft->session);
	penstock__begin__init(&draft->begin);
	penstock__commit__init(&draft->commit);
	draft->frame.changes = draft->change_list;
}

void
draft_session(Draft *draft)
{
	draft->session.proto_version = 1;
	draft->session.server_version_num = 150020;
	draft->session.plugin_version = text_version;
	draft->session.server_encoding = text_utf8;
	draft->session.client_encoding = text_utf8;
	draft->frame.session = &draft->session;
}

void
draft_begin(Draft *draft)
{
	draft->begin.xid = DRAFT_XID;
	draft->begin.commit_lsn = DRAFT_COMMIT_LSN;
	draft->begin.end_lsn = DRAFT_END_LSN;
	draft->begin.commit_time = -1;
	draft->begin.origin = text_origin;
	draft->begin.origin_lsn = 0x77;
	draft->frame.begin = &draft->begin;
}

void
draft_commit(Draft *draft)
{
	draft->commit.change_count = draft->frame.n_changes;
	draft->frame.commit = &draft->commit;
}

Penstock__Change *
draft_add(Draft *draft)
{
	size_t i = draft->frame.n_changes++;

	ASSERT(i < DRAFT_CHANGES_MAX);
	penstock__change__init(&draft->changes[i]);
	draft->change_list[i] = &draft->changes[i];
	return &draft->changes[i];
}

static void
draft_columns(Draft *draft)
{
	static char names[][8] = {"id", "note", "data", "flag"};
	static char types[][24] = {"pg_catalog.int4", "pg_catalog.text",
							   "pg_catalog.bytea", "pg_catalog.bool"};
	static const uint32_t type_oids[] = {TYPE_INT4, TYPE_TEXT, TYPE_BYTEA,
										 TYPE_BOOL};
	static const Penstock__Encoding encodings[] = {
		PENSTOCK__ENCODING__ENCODING_INTEGER,
		PENSTOCK__ENCODING__ENCODING_TEXT,
		PENSTOCK__ENCODING__ENCODING_BINARY,
		PENSTOCK__ENCODING__ENCODING_INTEGER,
	};

	for (int i = 0; i < DRAFT_COLUMNS; i++)
	{
		Penstock__Column *column = &draft->columns[i];

		penstock__column__init(column);
		column->name = names[i];
		column->attnum = (uint32_t) i + 1;
		column->type_oid = type_oids[i];
		column->typmod = -1;
		column->type_name = types[i];
		column->key = i == 0;
		column->encoding = encodings[i];
		draft->column_list[i] = column;
	}
}

Penstock__Change *
draft_add_relation(Draft *draft)
{
	Penstock__Change *change = draft_add(draft);

	draft_columns(draft);
	penstock__relation__init(&draft->relation);
	draft->relation.number = DRAFT_RELATION;
	draft->relation.oid = 16400;
	draft->relation.schema = text_public;
	draft->relation.name = text_table;
	draft->relation.replica_identity =
		PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_DEFAULT;
	draft->relation.n_columns = DRAFT_COLUMNS;
	draft->relation.columns = draft->column_list;
	change->operation_case = PENSTOCK__CHANGE__OPERATION_RELATION;
	change->relation = &draft->relation;
	return change;
}

static Penstock__Change *
add_full_row(Draft *draft, Penstock__Change__OperationCase operation)
{
	Penstock__Change *change = draft_add(draft);

	change->operation_case = operation;
	change->insert = DRAFT_RELATION; /* they share their place */
	change->integers = integers_full;
	change->n_integers = LENGTH_OF(integers_full);
	change->values = values_full;
	change->n_values = LENGTH_OF(values_full);
	return change;
}

Penstock__Change *
draft_add_insert(Draft *draft)
{
	return add_full_row(draft, PENSTOCK__CHANGE__OPERATION_INSERT);
}

Penstock__Change *
draft_add_update(Draft *draft)
{
	return add_full_row(draft, PENSTOCK__CHANGE__OPERATION_UPDATE);
}

Penstock__Change *
draft_add_delete(Draft *draft)
{
	Penstock__Change *change = draft_add(draft);

	change->operation_case = PENSTOCK__CHANGE__OPERATION_DELETE;
	change->delete_ = DRAFT_RELATION;
	change->integers = integers_key;
	change->n_integers = LENGTH_OF(integers_key);
	return change;
}

void
draft_set_old_key(Draft *draft, Penstock__Change *change)
{
	penstock__row__init(&draft->old);
	draft->old.integers = integers_key;
	draft->old.n_integers = LENGTH_OF(integers_key);
	change->old = &draft->old;
}

Penstock__Change *
draft_add_truncate(Draft *draft)
{
	Penstock__Change *change = draft_add(draft);

	penstock__truncate__init(&draft->truncate);
	draft->truncate.relations = relations_one;
	draft->truncate.n_relations = LENGTH_OF(relations_one);
	draft->truncate.restart_identity = true;
	change->operation_case = PENSTOCK__CHANGE__OPERATION_TRUNCATE;
	change->truncate = &draft->truncate;
	return change;
}

Penstock__Change *
draft_add_message(Draft *draft, bool transactional)
{
	Penstock__Change *change = draft_add(draft);

	penstock__message__init(&draft->message);
	draft->message.transactional = transactional;
	draft->message.lsn = 0x900;
	draft->message.prefix = text_prefix;
	draft->message.content = (ProtobufCBinaryData){sizeof(bytes_data),
												   bytes_data};
	change->operation_case = PENSTOCK__CHANGE__OPERATION_MESSAGE;
	change->message = &draft->message;
	return change;
}

Penstock__Change *
draft_add_schema_change(Draft *draft)
{
	Penstock__Change *change = draft_add(draft);

	penstock__schema_change__init(&draft->schema_change);
	penstock__schema_namespace__init(&draft->namespace);
	draft->namespace.name = text_public;
	draft->schema_change.lsn = 0x900;
	draft->schema_change.oid = 2200;
	draft->schema_change
		.object_case = PENSTOCK__SCHEMA_CHANGE__OBJECT_NAMESPACE;
	draft->schema_change.namespace_ = &draft->namespace;
	change->operation_case = PENSTOCK__CHANGE__OPERATION_SCHEMA_CHANGE;
	change->schema_change = &draft->schema_change;
	return change;
}

Penstock__Change *
draft_add_rewrite(Draft *draft)
{
	Penstock__Change *change = draft_add(draft);

	change->operation_case = PENSTOCK__CHANGE__OPERATION_REWRITE;
	change->rewrite = DRAFT_RELATION;
	return change;
}

void
draft_pack(const Draft *draft, Buf *buf)
{
	size_t size = penstock__frame__get_packed_size(&draft->frame);
	char *room = buf_reserve(buf, size);

	ASSERT(room != NULL);
	penstock__frame__pack(&draft->frame, (uint8_t *) room);
	buf->length += size;
	buf->data[buf->length] = '\0';
}
