/*
 * decode_test.c
 *    What the decoder makes of frames, above all of those that it must refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "support/decoding.h"
#include "support/draft.h"
#include "wire/decode.h"
#include "wire/relations.h"

#define INVALID DECODING_INVALID

/* A decoder whose session is open and which knows the drafted table. */
static Input *
ready_decoder(void)
{
	Input *decoder = decoder_new();
	Draft draft;

	draft_init(&draft);
	draft_session(&draft);
	draft_begin(&draft);
	draft_add_relation(&draft);
	draft_commit(&draft);
	decoding_accept_and_forget(decoder, &draft);
	return decoder;
}

/* A draft of one transaction in one frame, to be filled. */
static void
init_transaction(Draft *draft)
{
	draft_init(draft);
	draft_begin(draft);
}

static void
finish(Input *decoder)
{
	input_free(decoder);
	decoding_check_memory();
}

/* ---- the session -------------------------------------------------------- */

static void
a_session_must_say_its_version_first(void **state UNUSED)
{
	Input *decoder = decoder_new();
	Draft draft;

	init_transaction(&draft);
	draft_commit(&draft);
	decoding_refuse(decoder, &draft,
					INVALID "session does not say its version");
	finish(decoder);
}

static void
a_session_starts_once(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;

	init_transaction(&draft);
	draft_session(&draft);
	draft_commit(&draft);
	decoding_refuse(decoder, &draft, INVALID "session starts twice");
	finish(decoder);
}

static void
both_versions_are_named_when_they_differ(void **state UNUSED)
{
	Input *decoder = decoder_new();
	Draft draft;

	init_transaction(&draft);
	draft_session(&draft);
	draft.session.proto_version = 2;
	draft_commit(&draft);
	decoding_refuse(decoder, &draft,
					"source speaks protocol version 2, this program version 1");
	draft.session.proto_version = 0;
	decoding_refuse(decoder, &draft,
					"source speaks protocol version 0, this program version 1");
	finish(decoder);
}

static void
a_session_alone_is_a_frame(void **state UNUSED)
{
	Input *decoder = decoder_new();
	Draft draft;
	Frame *frame;

	draft_init(&draft);
	draft_session(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_false(frame->begins);
	assert_false(frame->commits);
	assert_int_equal(frame->change_count, 0);
	frame_unref(frame);
	finish(decoder);
}

/* ---- the frame ---------------------------------------------------------- */

static void
an_empty_message_is_refused(void **state UNUSED)
{
	static const uint8_t unknown_only[] = {0x78, 0x01};
	Input *decoder = ready_decoder();

	decoding_refuse_bytes(decoder, NULL, 0, INVALID "it is empty");
	decoding_refuse_bytes(decoder, unknown_only, sizeof(unknown_only),
						  INVALID "it is empty");
	finish(decoder);
}

/* The first `length` bytes of a message, to a decoder of their own. */
static Rc
decode_start(const Buf *packed, size_t length)
{
	Input *decoder = decoder_new();
	Error err = {0};
	Frame *frame = NULL;
	Rc rc = decoding_bytes(decoder, packed->data, length, &frame, &err);

	assert_true(rc != RC_FAIL || err.code == ERR_PROTOCOL);
	assert_true((rc == RC_OK) == (frame != NULL));
	frame_unref(frame);
	error_reset(&err);
	finish(decoder);
	return rc;
}

/*
 * A message that ends between two parts of the frame is one that a plugin could
 * have written: what follows is then missed at the next message, not here.
 */
static void
a_message_that_is_cut_short_within_a_part_is_refused(void **state UNUSED)
{
	Draft draft;
	Buf packed;
	int accepted = 0;

	draft_init(&draft);
	draft_session(&draft);
	draft_begin(&draft);
	draft_add_relation(&draft);
	draft_add_insert(&draft);
	draft_set_old_key(&draft, draft_add_update(&draft));
	draft_add_delete(&draft);
	draft_add_truncate(&draft);
	draft_add_message(&draft, true);
	draft_commit(&draft);
	buf_init(&packed, DECODING_PACKED_MAX);
	draft_pack(&draft, &packed);
	for (size_t length = 0; length < packed.length; length++)
		accepted += decode_start(&packed, length) == RC_OK;
	/* behind the session, the begin, and each of six changes */
	assert_int_equal(accepted, 8);
	assert_int_equal(decode_start(&packed, packed.length), RC_OK);
	buf_release(&packed);
}

static void
parts_of_the_wrong_wire_type_are_refused(void **state UNUSED)
{
	Input *decoder = ready_decoder();

	for (uint8_t number = 1; number <= 4; number++)
	{
		const uint8_t bytes[] = {(uint8_t) (number << 3), 0x01};

		decoding_refuse_bytes(decoder, bytes, sizeof(bytes),
							  INVALID "it is damaged");
	}
	finish(decoder);
}

/* Packs a draft and appends one field of the frame once more. */
static void
refuse_with_more(const Draft *draft, const void *bytes, size_t length,
				 const char *message)
{
	Input *decoder = ready_decoder();
	Buf packed;

	buf_init(&packed, DECODING_PACKED_MAX);
	draft_pack(draft, &packed);
	buf_append(&packed, bytes, length);
	decoding_refuse_bytes(decoder, packed.data, packed.length, message);
	buf_release(&packed);
	finish(decoder);
}

static void
a_part_that_comes_twice_in_a_frame_is_refused(void **state UNUSED)
{
	static const uint8_t session[] = {0x0a, 0x00, 0x0a, 0x00};
	static const uint8_t begin[] = {0x12, 0x02, 0x08, 0x01};
	static const uint8_t commit[] = {0x22, 0x00};
	Draft draft;

	init_transaction(&draft);
	draft_commit(&draft);
	refuse_with_more(&draft, session, sizeof(session), INVALID "it is damaged");
	refuse_with_more(&draft, begin, sizeof(begin), INVALID "it is damaged");
	refuse_with_more(&draft, commit, sizeof(commit), INVALID "it is damaged");
}

static void
unknown_fields_are_skipped_everywhere(void **state UNUSED)
{
	/* A change with fields 16, 13, 17 and 18 of every wire type and an old
	 * row with fields 7 and 6, then a field 100 of the frame. */
	static const uint8_t more[] = {
		0x1a, 0x2c,                                           /* change */
		0x10, 0x01,                                           /* update */
		0x80, 0x01, 0x05,                                     /* varint */
		0x69, 1,    2,    3,    4,    5,    6,    7,    8,    /* fixed64 */
		0x8a, 0x01, 0x02, 'x',  'y',                          /* bytes */
		0x95, 0x01, 1,    2,    3,    4,                      /* fixed32 */
		0x3a, 0x02, 0x54, 0x02,                               /* integers */
		0x42, 0x00, 0x42, 0x00,                               /* values */
		0x5a, 0x09, 0x0a, 0x01, 0x52, 0x38, 0x01, 0x32, 0x02, /* old */
		'z',  'z',                                            /* old */
		0xa2, 0x06, 0x01, 'u',                                /* frame */
	};
	Input *decoder = ready_decoder();
	Error err = {0};
	Frame *frame = NULL;
	Draft draft;
	Buf packed;

	init_transaction(&draft);
	buf_init(&packed, DECODING_PACKED_MAX);
	draft_pack(&draft, &packed);
	buf_append(&packed, more, sizeof(more));
	assert_int_equal(
		decoding_bytes(decoder, packed.data, packed.length, &frame, &err),
		RC_OK);
	buf_release(&packed);
	assert_int_equal(frame->change_count, 1);
	assert_int_equal(frame->changes[0].kind, CHANGE_UPDATE);
	assert_int_equal(frame->changes[0].new_row[0].integer, 42);
	assert_int_equal(frame->changes[0].old_row[0].integer, 41);
	frame_unref(frame);
	finish(decoder);
}

/* ---- transactions ------------------------------------------------------- */

static void
everything_about_a_transaction_is_known_from_its_begin(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_insert(&draft);
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_true(frame->begins);
	assert_true(frame->commits);
	assert_int_equal(frame->txn.xid, DRAFT_XID);
	assert_int_equal(frame->txn.commit_lsn, DRAFT_COMMIT_LSN);
	assert_int_equal(frame->txn.end_lsn, DRAFT_END_LSN);
	assert_int_equal(frame->txn.commit_time_us, -1);
	assert_string_equal(frame->txn.origin, "elsewhere");
	assert_int_equal(frame->txn.origin_lsn, 0x77);
	frame_unref(frame);
	finish(decoder);
}

static void
a_transaction_without_origin_has_none(void **state UNUSED)
{
	static char nothing[] = "";
	Input *decoder = ready_decoder();
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft.begin.origin = nothing;
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_null(frame->txn.origin);
	frame_unref(frame);
	finish(decoder);
}

static void
a_transaction_may_span_frames(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;
	Frame *frame;

	assert_false(input_in_transaction(decoder));
	init_transaction(&draft);
	draft_add_insert(&draft);
	decoding_accept_and_forget(decoder, &draft);
	assert_true(input_in_transaction(decoder));
	draft_init(&draft);
	draft_add_insert(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_false(frame->begins);
	assert_false(frame->commits);
	frame_unref(frame);
	draft_init(&draft);
	draft_add_insert(&draft);
	draft_commit(&draft);
	draft.commit.change_count = 3;
	decoding_accept_and_forget(decoder, &draft);
	assert_false(input_in_transaction(decoder));
	finish(decoder);
}

static void
transactions_do_not_nest(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;

	init_transaction(&draft);
	decoding_accept_and_forget(decoder, &draft);
	decoding_refuse(decoder, &draft,
					INVALID "transaction starts inside another one");
	finish(decoder);
}

static void
positions_of_a_transaction_must_make_sense(void **state UNUSED)
{
	static const char message[] = INVALID "transaction without valid positions";
	Input *decoder = ready_decoder();
	Draft draft;

	init_transaction(&draft);
	draft_commit(&draft);
	draft.begin.end_lsn = draft.begin.commit_lsn;
	decoding_refuse(decoder, &draft, message);
	draft.begin.end_lsn = draft.begin.commit_lsn - 1;
	decoding_refuse(decoder, &draft, message);
	draft.begin.commit_lsn = 0;
	decoding_refuse(decoder, &draft, message);
	finish(decoder);
}

static void
a_commit_needs_a_transaction(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;

	draft_init(&draft);
	draft_commit(&draft);
	decoding_refuse(decoder, &draft, INVALID "commit without a transaction");
	finish(decoder);
}

static void
a_wrong_number_of_changes_is_lost_data(void **state UNUSED)
{
	static const char message[] = INVALID
		"transaction has not as many changes as it says";

	for (uint64_t count = 0; count <= 3; count++)
	{
		Input *decoder = ready_decoder();
		Draft draft;

		init_transaction(&draft);
		draft_add_relation(&draft);
		draft_add_insert(&draft);
		draft_commit(&draft);
		draft.commit.change_count = count;
		if (count == 2)
			decoding_accept_and_forget(decoder, &draft);
		else
			decoding_refuse(decoder, &draft, message);
		finish(decoder);
	}
}

static void
a_table_may_be_gone_when_its_transaction_commits(void **state UNUSED)
{
	for (uint32_t number = 1; number <= 2; number++)
	{
		Input *decoder = ready_decoder();
		Draft draft;
		Frame *frame;

		init_transaction(&draft);
		draft_add_relation(&draft);
		draft_add_insert(&draft);
		draft_commit(&draft);
		draft.commit.n_gone = 1;
		draft.commit.gone = &number;
		if (number == 1)
		{
			frame = decoding_accept(decoder, &draft);
			assert_true(frame->changes[0].relation->gone);
			frame_unref(frame);
		}
		else
			decoding_refuse(decoder, &draft,
							INVALID
							"relation that is gone was never described");
		finish(decoder);
	}
}

static void
changes_stand_in_transactions(void **state UNUSED)
{
	static const char message[] = INVALID "change outside a transaction";
	Input *decoder = ready_decoder();
	Draft draft;

	draft_init(&draft);
	draft_add_insert(&draft);
	decoding_refuse(decoder, &draft, message);
	draft_init(&draft);
	draft_add_delete(&draft);
	decoding_refuse(decoder, &draft, message);
	draft_init(&draft);
	draft_add_truncate(&draft);
	decoding_refuse(decoder, &draft, message);
	finish(decoder);
}

/* ---- messages ----------------------------------------------------------- */

static void
messages_stand_where_they_say(void **state UNUSED)
{
	static const char message[] = INVALID
		"message on the wrong side of a transaction";
	Input *decoder = ready_decoder();
	Draft draft;

	draft_init(&draft);
	draft_add_message(&draft, true);
	decoding_refuse(decoder, &draft, message);
	init_transaction(&draft);
	draft_add_message(&draft, false);
	draft_commit(&draft);
	decoding_refuse(decoder, &draft, message);
	finish(decoder);
}

static void
a_message_outside_a_transaction_is_a_frame(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	const MessageInfo *info;
	Draft draft;
	Frame *frame;

	draft_init(&draft);
	draft_add_message(&draft, false);
	frame = decoding_accept(decoder, &draft);
	assert_false(frame->begins);
	assert_int_equal(frame->change_count, 1);
	assert_int_equal(frame->changes[0].kind, CHANGE_MESSAGE);
	assert_null(frame->changes[0].relation);
	info = frame->changes[0].message;
	assert_false(info->transactional);
	assert_int_equal(info->lsn, 0x900);
	assert_string_equal(info->prefix, "prefix");
	assert_int_equal(info->content_length, 2);
	assert_memory_equal(info->content, "\x00\xff", 2);
	frame_unref(frame);
	finish(decoder);
}

/* ---- changes of the schema ---------------------------------------------- */

static void
changes_of_the_schema_are_changes(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_schema_change(&draft);
	draft_add_rewrite(&draft);
	draft_add_insert(&draft);
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_int_equal(frame->change_count, 3);
	assert_int_equal(frame->changes[0].kind, CHANGE_SCHEMA);
	assert_null(frame->changes[0].relation);
	assert_int_equal(frame->changes[0].schema->kind, SCHEMA_DEFINED);
	assert_int_equal(frame->changes[0].schema->oid, 2200);
	assert_int_equal(frame->changes[1].kind, CHANGE_REWRITE);
	assert_int_equal(frame->changes[1].relation->number, DRAFT_RELATION);
	assert_null(frame->changes[1].new_row);
	assert_int_equal(frame->changes[2].kind, CHANGE_INSERT);
	frame_unref(frame);
	finish(decoder);
}

static void
a_rewrite_is_of_a_table_that_was_described(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;

	init_transaction(&draft);
	draft_add_rewrite(&draft)->rewrite = 2;
	draft_commit(&draft);
	decoding_refuse(decoder, &draft,
					INVALID "rewrite of a table that was not described");
	finish(decoder);
}

static void
changes_of_the_schema_are_part_of_a_transaction(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;

	draft_init(&draft);
	draft_add_schema_change(&draft);
	decoding_refuse(decoder, &draft, INVALID "change outside a transaction");
	finish(decoder);
}

/* ---- relations ---------------------------------------------------------- */

static void
refuse_relation(const Draft *draft, const char *message)
{
	Input *decoder = ready_decoder();

	decoding_refuse(decoder, draft, message);
	finish(decoder);
}

static void
init_relation(Draft *draft)
{
	init_transaction(draft);
	draft_add_relation(draft);
	draft_commit(draft);
}

static void
relations_are_numbered_within_limits(void **state UNUSED)
{
	static const char message[] = INVALID "relation number is out of range";
	Draft draft;

	init_relation(&draft);
	draft.relation.number = 0;
	refuse_relation(&draft, message);
	draft.relation.number = RELATIONS_MAX;
	refuse_relation(&draft, message);
	draft.relation.number = UINT32_MAX;
	refuse_relation(&draft, message);
}

static void
relations_and_columns_have_names_and_types(void **state UNUSED)
{
	static char nothing[] = "";
	Draft draft;

	init_relation(&draft);
	draft.relation.schema = nothing;
	refuse_relation(&draft, INVALID "relation without a name");
	init_relation(&draft);
	draft.relation.name = nothing;
	refuse_relation(&draft, INVALID "relation without a name");
	init_relation(&draft);
	draft.columns[1].name = nothing;
	refuse_relation(&draft, INVALID "column without name or type");
	init_relation(&draft);
	draft.columns[1].type_oid = 0;
	refuse_relation(&draft, INVALID "column without name or type");
}

static void
columns_are_numbered_within_limits(void **state UNUSED)
{
	static const char message[] = INVALID "column number is out of range";
	Draft draft;

	init_relation(&draft);
	draft.columns[2].attnum = 0;
	refuse_relation(&draft, message);
	draft.columns[2].attnum = RELATION_COLUMNS_MAX + 1;
	refuse_relation(&draft, message);
}

static void
enums_that_are_unset_or_unknown_are_refused(void **state UNUSED)
{
	static const int unknown[] = {0, 5, 77, -1};
	Draft draft;

	for (size_t i = 0; i < LENGTH_OF(unknown); i++)
	{
		init_relation(&draft);
		draft.relation.replica_identity = (Penstock__ReplicaIdentity)
			unknown[i];
		refuse_relation(&draft, INVALID
						"relation with a replica identity that is not known");
		init_relation(&draft);
		draft.columns[3].encoding = (Penstock__Encoding) unknown[i];
		refuse_relation(&draft,
						INVALID "column with an encoding that is not known");
	}
}

static void
types_without_integer_form_do_not_travel_as_integers(void **state UNUSED)
{
	Draft draft;

	init_relation(&draft);
	draft.columns[1].encoding = PENSTOCK__ENCODING__ENCODING_INTEGER;
	refuse_relation(&draft,
					INVALID "column with an encoding that is not known");
}

static void
a_relation_has_no_more_columns_than_a_table(void **state UNUSED)
{
	Penstock__Column *columns[RELATION_COLUMNS_MAX + 1];
	Input *decoder = ready_decoder();
	Draft draft;

	init_relation(&draft);
	for (size_t i = 0; i < LENGTH_OF(columns); i++)
		columns[i] = &draft.columns[0];
	draft.relation.columns = columns;
	draft.relation.n_columns = LENGTH_OF(columns);
	decoding_refuse(decoder, &draft, INVALID "relation with too many columns");
	finish(decoder);
	decoder = ready_decoder();
	draft.relation.n_columns = RELATION_COLUMNS_MAX;
	decoding_accept_and_forget(decoder, &draft);
	finish(decoder);
}

static void
a_table_without_columns_has_rows(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Penstock__Change *insert;
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_relation(&draft);
	draft.relation.n_columns = 0;
	insert = draft_add_insert(&draft);
	insert->n_integers = 0;
	insert->n_values = 0;
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_int_equal(frame->change_count, 1);
	assert_non_null(frame->changes[0].new_row);
	frame_unref(frame);
	finish(decoder);
}

static void
a_relation_says_what_the_table_looks_like(void **state UNUSED)
{
	Input *decoder = decoder_new();
	const Relation *relation;
	Draft draft;
	Frame *frame;

	init_relation(&draft);
	draft_session(&draft);
	draft.columns[1].generated = true;
	draft.columns[0].identity = PENSTOCK__IDENTITY__IDENTITY_ALWAYS;
	draft.columns[3].identity = PENSTOCK__IDENTITY__IDENTITY_BY_DEFAULT;
	draft.columns[3].typmod = 12;
	draft_add_insert(&draft);
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	input_free(decoder);
	relation = frame->changes[0].relation;
	assert_int_equal(relation->number, DRAFT_RELATION);
	assert_int_equal(relation->oid, 16400);
	assert_string_equal(relation->schema, "public");
	assert_string_equal(relation->name, "item");
	assert_int_equal(relation->identity, IDENTITY_DEFAULT);
	assert_int_equal(relation->column_count, 4);
	assert_int_equal(relation->key_count, 1);
	assert_string_equal(relation->columns[2].name, "data");
	assert_string_equal(relation->columns[2].type_name, "pg_catalog.bytea");
	assert_int_equal(relation->columns[2].type_oid, TYPE_BYTEA);
	assert_int_equal(relation->columns[2].attnum, 3);
	assert_int_equal(relation->columns[2].encoding, COLUMN_BINARY);
	assert_int_equal(relation->columns[1].encoding, COLUMN_TEXT);
	assert_int_equal(relation->columns[0].encoding, COLUMN_INTEGER);
	assert_int_equal(relation->columns[0].typmod, -1);
	assert_int_equal(relation->columns[3].typmod, 12);
	assert_true(relation->columns[0].key);
	assert_false(relation->columns[1].key);
	assert_true(relation->columns[1].generated);
	assert_true(relation->columns[0].identity_always);
	assert_false(relation->columns[3].identity_always);
	frame_unref(frame);
}

static void
a_relation_that_comes_again_replaces_the_older_one(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;
	Frame *older;
	Frame *newer;

	init_transaction(&draft);
	draft_add_insert(&draft);
	draft_commit(&draft);
	older = decoding_accept(decoder, &draft);
	init_transaction(&draft);
	draft_add_relation(&draft);
	draft.relation.n_columns = 1;
	draft_add_insert(&draft)->n_values = 0;
	draft.changes[1].n_integers = 1;
	draft_commit(&draft);
	newer = decoding_accept(decoder, &draft);
	assert_ptr_not_equal(older->changes[0].relation,
						 newer->changes[0].relation);
	assert_int_equal(older->changes[0].relation->column_count, 4);
	assert_int_equal(newer->changes[0].relation->column_count, 1);
	frame_unref(older);
	frame_unref(newer);
	finish(decoder);
}

static void
many_relations_are_told_apart(void **state UNUSED)
{
	static const uint32_t numbers[] = {1, 63, 64, 1000, RELATIONS_MAX - 1};
	Input *decoder = ready_decoder();

	for (size_t i = 0; i < LENGTH_OF(numbers); i++)
	{
		Draft draft;
		Frame *frame;

		init_transaction(&draft);
		draft_add_relation(&draft);
		draft.relation.number = numbers[i];
		draft_add_insert(&draft)->insert = numbers[i];
		draft_add_insert(&draft);
		draft_commit(&draft);
		frame = decoding_accept(decoder, &draft);
		assert_int_equal(frame->changes[0].relation->number, numbers[i]);
		assert_int_equal(frame->changes[1].relation->number, DRAFT_RELATION);
		frame_unref(frame);
	}
	finish(decoder);
}

/* ---- rows --------------------------------------------------------------- */

static void
rows_need_a_table_that_was_described(void **state UNUSED)
{
	static const uint32_t unknown[] = {0, 2, 5000, UINT32_MAX};
	Input *decoder;
	Draft draft;

	for (size_t i = 0; i < LENGTH_OF(unknown); i++)
	{
		decoder = ready_decoder();
		init_transaction(&draft);
		draft_add_insert(&draft)->insert = unknown[i];
		draft_commit(&draft);
		decoding_refuse(decoder, &draft,
						INVALID "row of a table that was not described");
		finish(decoder);
	}
}

static void
a_full_row_has_every_column(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	const Value *row;
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_insert(&draft);
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_int_equal(frame->change_count, 1);
	assert_int_equal(frame->changes[0].kind, CHANGE_INSERT);
	assert_null(frame->changes[0].old_row);
	row = frame->changes[0].new_row;
	assert_int_equal(row[0].kind, VALUE_INTEGER);
	assert_int_equal(row[0].integer, 42);
	assert_int_equal(row[1].kind, VALUE_TEXT);
	assert_int_equal(row[1].length, 4);
	assert_memory_equal(row[1].bytes, "note", 4);
	assert_int_equal(row[2].kind, VALUE_BINARY);
	assert_int_equal(row[2].length, 2);
	assert_memory_equal(row[2].bytes, "\x00\xff", 2);
	assert_int_equal(row[3].kind, VALUE_INTEGER);
	assert_int_equal(row[3].integer, 1);
	frame_unref(frame);
	finish(decoder);
}

static void
a_deleted_row_has_its_key_only(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	const Value *row;
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_delete(&draft);
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_int_equal(frame->changes[0].kind, CHANGE_DELETE);
	assert_null(frame->changes[0].new_row);
	row = frame->changes[0].old_row;
	assert_int_equal(row[0].integer, 41);
	for (int i = 1; i < DRAFT_COLUMNS; i++)
		assert_int_equal(row[i].kind, VALUE_MISSING);
	frame_unref(frame);
	finish(decoder);
}

/* The router would take it for an update that moves the row. */
static void
only_an_update_has_an_old_row(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;

	init_transaction(&draft);
	draft_set_old_key(&draft, draft_add_delete(&draft));
	draft_commit(&draft);
	decoding_refuse(decoder, &draft,
					INVALID "old row of a change that is no update");
	finish(decoder);
}

static void
an_update_has_an_old_row_only_if_it_says_so(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_update(&draft);
	draft_set_old_key(&draft, draft_add_update(&draft));
	draft_add_update(&draft);
	draft_set_old_key(&draft, draft_add_update(&draft));
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_int_equal(frame->change_count, 4);
	assert_null(frame->changes[0].old_row);
	assert_int_equal(frame->changes[1].old_row[0].integer, 41);
	assert_int_equal(frame->changes[1].old_row[1].kind, VALUE_MISSING);
	assert_null(frame->changes[2].old_row);
	assert_int_equal(frame->changes[3].old_row[0].integer, 41);
	assert_ptr_equal(change_identity_row(&frame->changes[0]),
					 frame->changes[0].new_row);
	assert_ptr_equal(change_identity_row(&frame->changes[1]),
					 frame->changes[1].old_row);
	frame_unref(frame);
	finish(decoder);
}

/* A distributed relation, and in what order the columns are hashed. */
static void
draft_add_distributed(Draft *draft, uint32_t first, uint32_t second)
{
	static uint32_t distribution[2];

	distribution[0] = first;
	distribution[1] = second;
	draft_add_relation(draft);
	draft->relation.distribution = distribution;
	draft->relation.n_distribution = LENGTH_OF(distribution);
}

static void
rows_of_a_distributed_relation_have_hashes(void **state UNUSED)
{
	const uint64_t hash = 0xfedcba9876543210;
	Input *decoder = ready_decoder();
	const Relation *relation;
	Penstock__Change *moved;
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_distributed(&draft, 4, 1);
	draft_add_insert(&draft)->hash = hash;
	draft_add_update(&draft)->hash = hash;
	moved = draft_add_update(&draft);
	draft_set_old_key(&draft, moved);
	moved->hash = hash;
	draft.old.hash = 5;
	draft_add_delete(&draft)->hash = hash;
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	relation = frame->changes[0].relation;
	assert_int_equal(relation->distribution_count, 2);
	assert_int_equal(relation->distribution[0], 3);
	assert_int_equal(relation->distribution[1], 0);
	for (int i = 0; i < 4; i++)
	{
		assert_true(frame->changes[i].hash == hash);
		assert_true(frame->changes[i].old_hash == (i == 2 ? 5 : hash));
	}
	frame_unref(frame);
	finish(decoder);
}

static void
a_distribution_names_columns_that_are_there(void **state UNUSED)
{
	static uint32_t many[RELATION_DISTRIBUTION_MAX + 1];
	Input *decoder = ready_decoder();
	Draft draft;

	init_transaction(&draft);
	draft_add_distributed(&draft, 1, 5);
	decoding_refuse(decoder, &draft,
					INVALID "relation distributed by a column that it does not "
							"have");
	finish(decoder);
	decoder = ready_decoder();
	init_transaction(&draft);
	draft_add_relation(&draft);
	draft.relation.distribution = many;
	draft.relation.n_distribution = LENGTH_OF(many);
	decoding_refuse(decoder, &draft,
					INVALID "relation distributed by too many columns");
	finish(decoder);
}

/* Under replica identity full an old row has all columns. */
static void
an_old_row_is_full_under_identity_full(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Penstock__Change *insert;
	Penstock__Change *delete;
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_relation(&draft);
	draft.relation
		.replica_identity = PENSTOCK__REPLICA_IDENTITY__REPLICA_IDENTITY_FULL;
	insert = draft_add_insert(&draft);
	delete = draft_add_delete(&draft);
	delete->integers = insert->integers;
	delete->n_integers = insert->n_integers;
	delete->values = insert->values;
	delete->n_values = insert->n_values;
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_int_equal(frame->changes[1].old_row[3].integer, 1);
	frame_unref(frame);
	draft_init(&draft);
	draft_begin(&draft);
	draft_add_delete(&draft);
	draft_commit(&draft);
	decoding_refuse(decoder, &draft,
					INVALID "row has fewer values than its table columns");
	finish(decoder);
}

static void
too_few_values_are_refused(void **state UNUSED)
{
	static const char message[] = INVALID
		"row has fewer values than its table columns";

	for (int i = 0; i < 3; i++)
	{
		Input *decoder = ready_decoder();
		Penstock__Change *insert;
		Draft draft;

		init_transaction(&draft);
		insert = draft_add_insert(&draft);
		insert->n_integers = i == 0 ? 1 : 2;
		insert->n_values = i == 1 ? 1 : 2;
		if (i == 2)
			draft_add_delete(&draft)->n_integers = 0;
		draft_commit(&draft);
		decoding_refuse(decoder, &draft, message);
		finish(decoder);
	}
}

/* The columns with integers are an int4 and a bool. */
static void
numbers_beyond_their_type_are_refused(void **state UNUSED)
{
	static int64_t numbers[][2] = {
		{INT64_C(1) + INT32_MAX, 1},
		{INT64_C(-1) + INT32_MIN, 1},
		{1, 2},
		{1, -1},
	};

	for (size_t i = 0; i < LENGTH_OF(numbers); i++)
	{
		Input *decoder = ready_decoder();
		Draft draft;

		init_transaction(&draft);
		draft_add_insert(&draft)->integers = numbers[i];
		draft_commit(&draft);
		decoding_refuse(decoder, &draft,
						INVALID "number is out of the range of its type");
		finish(decoder);
	}
}

static void
too_many_values_are_refused(void **state UNUSED)
{
	static const char message[] = INVALID
		"row has more values than its table columns";
	static uint8_t nulls[] = {0x01};
	static uint8_t null_note[] = {0x02};
	static int64_t three[] = {1, 1, 1};

	for (int i = 0; i < 4; i++)
	{
		Input *decoder = ready_decoder();
		Penstock__Change *change;
		Draft draft;

		init_transaction(&draft);
		change = i != 2 ? draft_add_insert(&draft) : draft_add_delete(&draft);
		change->integers = three; /* good for either column */
		if (i == 0)
			change->nulls = (ProtobufCBinaryData){sizeof(nulls), nulls};
		else if (i == 3)
			change->nulls = (ProtobufCBinaryData){sizeof(nulls), null_note};
		else
			change->n_integers = i == 1 ? 3 : 2;
		draft_commit(&draft);
		decoding_refuse(decoder, &draft, message);
		finish(decoder);
	}
}

static void
no_row_has_more_values_than_a_table_can_have_columns(void **state UNUSED)
{
	static int64_t integers[RELATION_COLUMNS_MAX + 1];
	static ProtobufCBinaryData values[RELATION_COLUMNS_MAX + 1];
	Input *decoder = ready_decoder();
	Penstock__Change *change;
	Draft draft;

	init_transaction(&draft);
	change = draft_add_insert(&draft);
	change->integers = integers;
	change->n_integers = LENGTH_OF(integers);
	draft_commit(&draft);
	decoding_refuse(decoder, &draft, INVALID "change cannot be read");
	finish(decoder);
	decoder = ready_decoder();
	init_transaction(&draft);
	change = draft_add_insert(&draft);
	change->values = values;
	change->n_values = LENGTH_OF(values);
	draft_commit(&draft);
	decoding_refuse(decoder, &draft, INVALID "change cannot be read");
	finish(decoder);
}

static void
null_bits_count_columns_of_the_row(void **state UNUSED)
{
	/* More bytes than columns: the surplus means nothing. */
	static uint8_t nulls[] = {0xf6, 0xff, 0xff};
	Input *decoder = ready_decoder();
	const Value *row;
	Draft draft;
	Frame *frame;

	for (size_t length = 1; length <= sizeof(nulls); length++)
	{
		Penstock__Change *insert;

		init_transaction(&draft);
		insert = draft_add_insert(&draft);
		insert->nulls = (ProtobufCBinaryData){length, nulls};
		insert->n_values = 0;
		draft_commit(&draft);
		frame = decoding_accept(decoder, &draft);
		row = frame->changes[0].new_row;
		assert_int_equal(row[0].integer, 42);
		assert_int_equal(row[1].kind, VALUE_NULL);
		assert_int_equal(row[2].kind, VALUE_NULL);
		assert_int_equal(row[3].integer, 1);
		frame_unref(frame);
		nulls[0] = 0x06;
	}
	finish(decoder);
}

/* With nine columns the last bit stands in a second byte, or nowhere. */
static void
bits_beyond_a_bitmap_are_zero(void **state UNUSED)
{
	static uint8_t nulls[] = {0xfe, 0x01};
	static int64_t integers[] = {1, 9};
	Penstock__Column *columns[9];
	Input *decoder = ready_decoder();

	for (size_t length = 1; length <= 2; length++)
	{
		Penstock__Change *insert;
		Draft draft;
		Frame *frame;

		init_transaction(&draft);
		draft_add_relation(&draft);
		for (size_t i = 0; i < LENGTH_OF(columns); i++)
			columns[i] = &draft.columns[0];
		draft.relation.columns = columns;
		draft.relation.n_columns = LENGTH_OF(columns);
		insert = draft_add_insert(&draft);
		insert->nulls = (ProtobufCBinaryData){length, nulls};
		insert->integers = integers;
		insert->n_integers = length == 1 ? 2 : 1;
		insert->n_values = 0;
		draft_commit(&draft);
		frame = decoding_accept(decoder, &draft);
		assert_int_equal(frame->changes[0].new_row[7].kind, VALUE_NULL);
		assert_int_equal(frame->changes[0].new_row[8].kind,
						 length == 1 ? VALUE_INTEGER : VALUE_NULL);
		frame_unref(frame);
	}
	finish(decoder);
}

static void
unchanged_values_stand_in_updates_only(void **state UNUSED)
{
	static const char message[] = INVALID
		"unchanged value where there can be none";
	static uint8_t unchanged[] = {0x02};
	static uint8_t key[] = {0x01};
	Input *decoder = ready_decoder();
	Penstock__Change *change;
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	change = draft_add_update(&draft);
	change->unchanged = (ProtobufCBinaryData){1, unchanged};
	change->n_values = 1;
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_int_equal(frame->changes[0].new_row[1].kind, VALUE_UNCHANGED);
	assert_int_equal(frame->changes[0].new_row[2].kind, VALUE_BINARY);
	frame_unref(frame);
	change->operation_case = PENSTOCK__CHANGE__OPERATION_INSERT;
	decoding_refuse(decoder, &draft, message);
	finish(decoder);

	decoder = ready_decoder();
	init_transaction(&draft);
	change = draft_add_delete(&draft);
	change->unchanged = (ProtobufCBinaryData){1, key};
	draft_commit(&draft);
	decoding_refuse(decoder, &draft, message);
	finish(decoder);

	decoder = ready_decoder();
	init_transaction(&draft);
	draft_set_old_key(&draft, draft_add_update(&draft));
	draft.old.unchanged = (ProtobufCBinaryData){1, key};
	draft_commit(&draft);
	decoding_refuse(decoder, &draft, message);
	finish(decoder);
}

static void
null_goes_before_unchanged(void **state UNUSED)
{
	static uint8_t both[] = {0x02};
	Input *decoder = ready_decoder();
	Penstock__Change *change;
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	change = draft_add_update(&draft);
	change->nulls = (ProtobufCBinaryData){1, both};
	change->unchanged = (ProtobufCBinaryData){1, both};
	change->n_values = 1;
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	assert_int_equal(frame->changes[0].new_row[1].kind, VALUE_NULL);
	frame_unref(frame);
	finish(decoder);
}

/* A begun transaction with one change that is given in bytes. */
static Rc
decode_change_bytes(const void *bytes, size_t length, Input *decoder,
					Frame **frame, Error *err)
{
	Draft draft;
	Buf packed;
	Rc rc;

	ASSERT(length < 128);
	init_transaction(&draft);
	buf_init(&packed, DECODING_PACKED_MAX);
	draft_pack(&draft, &packed);
	buf_append_char(&packed, 0x1a);
	buf_append_char(&packed, (char) length);
	buf_append(&packed, bytes, length);
	rc = decoding_bytes(decoder, packed.data, packed.length, frame, err);
	buf_release(&packed);
	return rc;
}

static void
refuse_change_bytes(const void *bytes, size_t length, const char *message)
{
	Input *decoder = ready_decoder();
	Error err = {0};
	Frame *frame = NULL;
	Rc rc = decode_change_bytes(bytes, length, decoder, &frame, &err);

	decoding_check_refused(rc, frame, &err, message);
	finish(decoder);
}

#define REFUSE_CHANGE(literal, message)                                        \
	refuse_change_bytes((literal), sizeof(literal) - 1, (message))

static void
integers_come_packed_or_not(void **state UNUSED)
{
	/* 42 and 1 by themselves, then packed in two pieces */
	static const char unpacked[] = "\x08\x01\x38\x54\x38\x02\x42\x00\x42\x00";
	static const char pieces[] =
		"\x08\x01\x3a\x01\x54\x42\x00\x3a\x01\x02\x42\x00";
	const char *forms[] = {unpacked, pieces};
	const size_t lengths[] = {sizeof(unpacked) - 1, sizeof(pieces) - 1};

	for (size_t i = 0; i < LENGTH_OF(forms); i++)
	{
		Input *decoder = ready_decoder();
		Error err = {0};
		Frame *frame = NULL;

		assert_int_equal(
			decode_change_bytes(forms[i], lengths[i], decoder, &frame, &err),
			RC_OK);
		assert_int_equal(frame->changes[0].new_row[0].integer, 42);
		assert_int_equal(frame->changes[0].new_row[3].integer, 1);
		assert_int_equal(frame->changes[0].new_row[1].length, 0);
		frame_unref(frame);
		finish(decoder);
	}
}

static void
a_change_of_an_unknown_kind_is_refused(void **state UNUSED)
{
	static const char message[] = INVALID "change of a kind that is not known";

	REFUSE_CHANGE("", message);
	REFUSE_CHANGE("\x82\x01\x00", message); /* field 16 alone */
	REFUSE_CHANGE("\x3a\x01\x54", message); /* a row of nothing */
}

static void
a_change_with_two_operations_is_refused(void **state UNUSED)
{
	static const char message[] = INVALID "change cannot be read";

	REFUSE_CHANGE("\x08\x01\x18\x01\x3a\x01\x54", message);
	REFUSE_CHANGE("\x08\x01\x08\x01\x3a\x02\x54\x02\x42\x00\x42\x00", message);
	REFUSE_CHANGE("\x2a\x02\x08\x01\x18\x01\x3a\x01\x54", message);
}

static void
fields_of_a_change_with_the_wrong_wire_type_are_refused(void **state UNUSED)
{
	static const char message[] = INVALID "change cannot be read";

	REFUSE_CHANGE("\x0a\x00", message);         /* insert in bytes */
	REFUSE_CHANGE("\x20\x01", message);         /* relation as a number */
	REFUSE_CHANGE("\x28\x01", message);         /* truncate as a number */
	REFUSE_CHANGE("\x08\x01\x40\x01", message); /* values as a number */
	REFUSE_CHANGE("\x08\x01\x48\x01", message); /* nulls as a number */
	REFUSE_CHANGE("\x08\x01\x50\x01", message); /* unchanged as a number */
	REFUSE_CHANGE("\x10\x01\x58\x01", message); /* old as a number */
	REFUSE_CHANGE("\x10\x01\x5a\x02\x10\x01", message); /* its values */
	REFUSE_CHANGE("\x08\x01\x3d\x01\x02\x03\x04", message);
}

static void
a_change_that_is_damaged_inside_is_refused(void **state UNUSED)
{
	static const char message[] = INVALID "change cannot be read";

	REFUSE_CHANGE("\x08", message);
	REFUSE_CHANGE("\x08\x01\x3a\x05\x54", message);
	REFUSE_CHANGE("\x08\x01\x3a\x01\x80", message); /* in packed integers */
	REFUSE_CHANGE("\x10\x01\x5a\x01\x0a", message); /* in the old row */
	REFUSE_CHANGE("\x10\x01\x5a\x03\x0a\x01\x80", message);
}

static void
parts_that_protobuf_cannot_read_are_refused(void **state UNUSED)
{
	static const char session[] = "\x0a\x01\x08";
	static const char begin[] = "\x12\x01\x08";
	static const char commit[] = "\x22\x01\x08";
	Input *decoder = decoder_new();
	Draft draft;

	decoding_refuse_bytes(decoder, session, sizeof(session) - 1,
						  INVALID "session cannot be read");
	finish(decoder);
	decoder = ready_decoder();
	decoding_refuse_bytes(decoder, begin, sizeof(begin) - 1,
						  INVALID "begin cannot be read");
	init_transaction(&draft);
	decoding_accept_and_forget(decoder, &draft);
	decoding_refuse_bytes(decoder, commit, sizeof(commit) - 1,
						  INVALID "commit cannot be read");
	finish(decoder);
	REFUSE_CHANGE("\x22\x01\x08", INVALID "relation cannot be read");
	REFUSE_CHANGE("\x2a\x01\x08", INVALID "truncate cannot be read");
	REFUSE_CHANGE("\x32\x01\x08", INVALID "message cannot be read");
}

/* ---- truncate ----------------------------------------------------------- */

static void
a_truncate_names_tables_that_were_described(void **state UNUSED)
{
	static uint32_t unknown[] = {DRAFT_RELATION, 9};
	Input *decoder = ready_decoder();
	Draft draft;

	init_transaction(&draft);
	draft_add_truncate(&draft);
	draft.truncate.n_relations = 0;
	draft_commit(&draft);
	decoding_refuse(decoder, &draft, INVALID "truncate cannot be read");
	finish(decoder);
	decoder = ready_decoder();
	draft.truncate.relations = unknown;
	draft.truncate.n_relations = LENGTH_OF(unknown);
	decoding_refuse(decoder, &draft,
					INVALID "truncate of a table that was not described");
	finish(decoder);
}

static void
a_truncate_is_of_all_its_tables(void **state UNUSED)
{
	static uint32_t numbers[] = {2, 1, 2};
	Input *decoder = ready_decoder();
	const TruncateInfo *info;
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_relation(&draft);
	draft.relation.number = 2;
	draft_add_truncate(&draft);
	draft.truncate.relations = numbers;
	draft.truncate.n_relations = LENGTH_OF(numbers);
	draft_add_insert(&draft);
	draft_add_insert(&draft)->insert = 2;
	draft_add_insert(&draft);
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	input_free(decoder);
	info = frame->changes[0].truncate;
	assert_int_equal(info->relation_count, 3);
	assert_int_equal(info->relations[0]->number, 2);
	assert_int_equal(info->relations[1]->number, 1);
	assert_ptr_equal(info->relations[2], info->relations[0]);
	assert_true(info->restart_identity);
	assert_false(info->cascade);
	frame_unref(frame);
}

/* ---- memory ------------------------------------------------------------- */

static void
a_frame_outlives_its_decoder(void **state UNUSED)
{
	Input *decoder = ready_decoder();
	Draft draft;
	Frame *frame;

	init_transaction(&draft);
	draft_add_insert(&draft);
	draft_commit(&draft);
	frame = decoding_accept(decoder, &draft);
	input_free(decoder);
	frame_ref(frame);
	frame_unref(frame);
	assert_int_equal(decoding_messages_held(), 1);
	assert_memory_equal(frame->changes[0].new_row[1].bytes, "note", 4);
	assert_string_equal(frame->changes[0].relation->name, "item");
	frame_unref(frame);
	decoding_check_memory();
	frame_unref(NULL);
	input_free(NULL);
}

/* A frame of many small truncates must not cost memory by their square. */
static void
memory_of_a_frame_is_in_proportion_to_its_message(void **state UNUSED)
{
	enum
	{
		TRUNCATES = 4000,
	};
	static const char truncate[] = "\x1a\x05\x2a\x03\x0a\x01\x01";
	Input *decoder = ready_decoder();
	Error err = {0};
	Frame *frame = NULL;
	Draft draft;
	Buf packed;

	init_transaction(&draft);
	buf_init(&packed, DECODING_PACKED_MAX);
	draft_pack(&draft, &packed);
	for (int i = 0; i < TRUNCATES; i++)
		buf_append(&packed, truncate, sizeof(truncate) - 1);
	assert_false(packed.overflowed);
	assert_int_equal(
		decoding_bytes(decoder, packed.data, packed.length, &frame, &err),
		RC_OK);
	assert_int_equal(frame->change_count, TRUNCATES);
	assert_true(frame_bytes(frame) < 100 * packed.length);
	frame_unref(frame);
	buf_release(&packed);
	finish(decoder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_must_say_its_version_first),
		cmocka_unit_test(a_session_starts_once),
		cmocka_unit_test(both_versions_are_named_when_they_differ),
		cmocka_unit_test(a_session_alone_is_a_frame),
		cmocka_unit_test(an_empty_message_is_refused),
		cmocka_unit_test(a_message_that_is_cut_short_within_a_part_is_refused),
		cmocka_unit_test(parts_of_the_wrong_wire_type_are_refused),
		cmocka_unit_test(a_part_that_comes_twice_in_a_frame_is_refused),
		cmocka_unit_test(unknown_fields_are_skipped_everywhere),
		cmocka_unit_test(
			everything_about_a_transaction_is_known_from_its_begin),
		cmocka_unit_test(a_transaction_without_origin_has_none),
		cmocka_unit_test(a_transaction_may_span_frames),
		cmocka_unit_test(transactions_do_not_nest),
		cmocka_unit_test(positions_of_a_transaction_must_make_sense),
		cmocka_unit_test(a_commit_needs_a_transaction),
		cmocka_unit_test(a_wrong_number_of_changes_is_lost_data),
		cmocka_unit_test(a_table_may_be_gone_when_its_transaction_commits),
		cmocka_unit_test(changes_stand_in_transactions),
		cmocka_unit_test(messages_stand_where_they_say),
		cmocka_unit_test(a_message_outside_a_transaction_is_a_frame),
		cmocka_unit_test(changes_of_the_schema_are_changes),
		cmocka_unit_test(a_rewrite_is_of_a_table_that_was_described),
		cmocka_unit_test(changes_of_the_schema_are_part_of_a_transaction),
		cmocka_unit_test(relations_are_numbered_within_limits),
		cmocka_unit_test(relations_and_columns_have_names_and_types),
		cmocka_unit_test(columns_are_numbered_within_limits),
		cmocka_unit_test(enums_that_are_unset_or_unknown_are_refused),
		cmocka_unit_test(types_without_integer_form_do_not_travel_as_integers),
		cmocka_unit_test(a_relation_has_no_more_columns_than_a_table),
		cmocka_unit_test(a_table_without_columns_has_rows),
		cmocka_unit_test(a_relation_says_what_the_table_looks_like),
		cmocka_unit_test(a_relation_that_comes_again_replaces_the_older_one),
		cmocka_unit_test(many_relations_are_told_apart),
		cmocka_unit_test(rows_need_a_table_that_was_described),
		cmocka_unit_test(a_full_row_has_every_column),
		cmocka_unit_test(a_deleted_row_has_its_key_only),
		cmocka_unit_test(only_an_update_has_an_old_row),
		cmocka_unit_test(an_update_has_an_old_row_only_if_it_says_so),
		cmocka_unit_test(rows_of_a_distributed_relation_have_hashes),
		cmocka_unit_test(a_distribution_names_columns_that_are_there),
		cmocka_unit_test(an_old_row_is_full_under_identity_full),
		cmocka_unit_test(too_few_values_are_refused),
		cmocka_unit_test(numbers_beyond_their_type_are_refused),
		cmocka_unit_test(too_many_values_are_refused),
		cmocka_unit_test(no_row_has_more_values_than_a_table_can_have_columns),
		cmocka_unit_test(null_bits_count_columns_of_the_row),
		cmocka_unit_test(bits_beyond_a_bitmap_are_zero),
		cmocka_unit_test(unchanged_values_stand_in_updates_only),
		cmocka_unit_test(null_goes_before_unchanged),
		cmocka_unit_test(integers_come_packed_or_not),
		cmocka_unit_test(a_change_of_an_unknown_kind_is_refused),
		cmocka_unit_test(a_change_with_two_operations_is_refused),
		cmocka_unit_test(
			fields_of_a_change_with_the_wrong_wire_type_are_refused),
		cmocka_unit_test(a_change_that_is_damaged_inside_is_refused),
		cmocka_unit_test(parts_that_protobuf_cannot_read_are_refused),
		cmocka_unit_test(a_truncate_names_tables_that_were_described),
		cmocka_unit_test(a_truncate_is_of_all_its_tables),
		cmocka_unit_test(a_frame_outlives_its_decoder),
		cmocka_unit_test(memory_of_a_frame_is_in_proportion_to_its_message),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
