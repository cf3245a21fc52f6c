/*
 * decode_stream_test.c
 *    Open transactions: what may follow what, and what is kept apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "support/draft.h"
#include "wire/decode.h"

#define PACKED_MAX (64 * KB)
#define INVALID    "invalid frame from source: "

#define OTHER_XID  (DRAFT_XID + 1)
#define SUBXID     (DRAFT_XID + 2)

static Rc
decode_draft(Input *decoder, const Draft *draft, Frame **frame, Error *err)
{
	WireMessage message = {.memory_free = free};
	Buf packed;

	buf_init(&packed, PACKED_MAX);
	draft_pack(draft, &packed);
	message.memory = xmalloc(packed.length + 1);
	memcpy(message.memory, packed.data, packed.length);
	message.data = message.memory;
	message.length = packed.length;
	buf_release(&packed);
	return input_decode(decoder, &message, frame, err);
}

static Frame *
accept_draft(Input *decoder, const Draft *draft)
{
	Error err = {0};
	Frame *frame = NULL;
	Rc rc = decode_draft(decoder, draft, &frame, &err);

	if (rc != RC_OK)
		fail_msg("refused: %s", err.message);
	return frame;
}

static void
accept_and_forget(Input *decoder, const Draft *draft)
{
	frame_unref(accept_draft(decoder, draft));
}

static void
refuse_draft(Input *decoder, const Draft *draft, const char *message)
{
	Error err = {0};
	Frame *frame = NULL;

	assert_int_equal(decode_draft(decoder, draft, &frame, &err), RC_FAIL);
	assert_null(frame);
	assert_int_equal(err.code, ERR_PROTOCOL);
	assert_string_equal(err.message, message);
	error_reset(&err);
}

/* ---- frames ------------------------------------------------------------- */

typedef struct Piece
{
	Draft draft;
	Penstock__Stream stream;
	Penstock__StreamAbort abort;
} Piece;

static void
init_piece(Piece *piece, uint32_t xid, bool first)
{
	draft_init(&piece->draft);
	penstock__stream__init(&piece->stream);
	piece->stream.xid = xid;
	piece->stream.first = first;
	piece->stream.decoded_lsn = DRAFT_COMMIT_LSN;
	piece->draft.frame.stream = &piece->stream;
}

/* The first piece of a transaction, with a relation and an insert. */
static void
init_first(Piece *piece, uint32_t xid)
{
	init_piece(piece, xid, true);
	(void) draft_add_relation(&piece->draft);
	(void) draft_add_insert(&piece->draft);
}

static void
init_commit(Piece *piece, uint32_t xid, uint64_t change_count)
{
	init_piece(piece, xid, false);
	draft_begin(&piece->draft);
	piece->draft.begin.xid = xid;
	draft_commit(&piece->draft);
	piece->draft.commit.change_count = change_count;
}

static void
init_abort(Piece *piece, uint32_t xid, uint32_t subxid)
{
	draft_init(&piece->draft);
	penstock__stream_abort__init(&piece->abort);
	piece->abort.xid = xid;
	piece->abort.subxid = subxid;
	piece->draft.frame.stream_abort = &piece->abort;
}

/* A decoder that has had the first piece of a transaction. */
static Input *
decoder_in_stream(void)
{
	Input *decoder = decoder_new();
	Piece piece;

	init_first(&piece, DRAFT_XID);
	draft_session(&piece.draft);
	accept_and_forget(decoder, &piece.draft);
	return decoder;
}

/* ---- what is good ------------------------------------------------------- */

static void
a_piece_says_whose_it_is(void **state UNUSED)
{
	Input *decoder = decoder_in_stream();
	Piece piece;
	Frame *frame;

	init_piece(&piece, DRAFT_XID, false);
	draft_add_insert(&piece.draft)->subxid = SUBXID;
	(void) draft_add_insert(&piece.draft);
	frame = accept_draft(decoder, &piece.draft);
	assert_int_equal(frame->open_txn.xid, DRAFT_XID);
	assert_false(frame->open_txn.first);
	assert_int_equal(frame->open_txn.decoded_lsn, DRAFT_COMMIT_LSN);
	assert_false(frame->begins || frame->commits || frame->open_txn.aborts);
	assert_int_equal(frame->change_count, 2);
	assert_int_equal(frame->changes[0].subxid, SUBXID);
	assert_int_equal(frame->changes[1].subxid, 0);
	assert_false(input_in_transaction(decoder));
	frame_unref(frame);
	input_free(decoder);
}

static void
changes_are_counted_for_each_transaction(void **state UNUSED)
{
	Input *decoder = decoder_in_stream();
	Piece piece;
	Draft whole;
	Frame *frame;

	init_first(&piece, OTHER_XID);
	accept_and_forget(decoder, &piece.draft);
	draft_init(&whole);
	draft_begin(&whole);
	(void) draft_add_insert(&whole);
	draft_commit(&whole);
	accept_and_forget(decoder, &whole);
	init_piece(&piece, DRAFT_XID, false);
	(void) draft_add_insert(&piece.draft);
	accept_and_forget(decoder, &piece.draft);

	init_commit(&piece, OTHER_XID, 2);
	frame = accept_draft(decoder, &piece.draft);
	assert_true(frame->begins && frame->commits);
	assert_int_equal(frame->open_txn.xid, OTHER_XID);
	assert_int_equal(frame->txn.xid, OTHER_XID);
	assert_int_equal(frame->txn.end_lsn, DRAFT_END_LSN);
	frame_unref(frame);
	init_commit(&piece, DRAFT_XID, 2);
	refuse_draft(decoder, &piece.draft,
				 INVALID "transaction has not as many changes as it says");
	input_free(decoder);
}

static void
an_abort_ends_a_transaction_or_a_part_of_it(void **state UNUSED)
{
	Input *decoder = decoder_in_stream();
	Piece piece;
	Frame *frame;

	init_abort(&piece, DRAFT_XID, SUBXID);
	frame = accept_draft(decoder, &piece.draft);
	assert_int_equal(frame->open_txn.xid, DRAFT_XID);
	assert_true(frame->open_txn.aborts);
	assert_int_equal(frame->open_txn.abort_subxid, SUBXID);
	frame_unref(frame);
	init_abort(&piece, DRAFT_XID, 0);
	accept_and_forget(decoder, &piece.draft);
	refuse_draft(decoder, &piece.draft,
				 INVALID "abort of a transaction that was not sent");

	/* The number may be had again. */
	init_first(&piece, DRAFT_XID);
	accept_and_forget(decoder, &piece.draft);
	input_free(decoder);
}

static void
messages_may_be_in_it_and_beside_it(void **state UNUSED)
{
	Input *decoder = decoder_in_stream();
	Piece piece;
	Draft message;

	init_piece(&piece, DRAFT_XID, false);
	(void) draft_add_message(&piece.draft, true);
	accept_and_forget(decoder, &piece.draft);
	draft_init(&message);
	(void) draft_add_message(&message, false);
	accept_and_forget(decoder, &message);
	init_piece(&piece, DRAFT_XID, false);
	(void) draft_add_message(&piece.draft, false);
	refuse_draft(decoder, &piece.draft,
				 INVALID "message on the wrong side of a transaction");
	input_free(decoder);
}

/* ---- what is refused ---------------------------------------------------- */

static void
the_first_piece_says_so_and_no_other(void **state UNUSED)
{
	const char *message = INVALID
		"first piece of a transaction is not the first";
	Input *decoder = decoder_in_stream();
	Piece piece;

	init_piece(&piece, DRAFT_XID, true);
	refuse_draft(decoder, &piece.draft, message);
	init_piece(&piece, OTHER_XID, false);
	refuse_draft(decoder, &piece.draft, message);
	init_commit(&piece, OTHER_XID, 0);
	refuse_draft(decoder, &piece.draft, message);
	input_free(decoder);
}

static void
a_piece_needs_number_and_position(void **state UNUSED)
{
	const char *message = INVALID "open transaction cannot be read";
	Input *decoder = decoder_in_stream();
	Piece piece;

	init_piece(&piece, 0, true);
	refuse_draft(decoder, &piece.draft, message);
	init_piece(&piece, OTHER_XID, true);
	piece.stream.decoded_lsn = 0;
	refuse_draft(decoder, &piece.draft, message);
	input_free(decoder);
}

static void
a_piece_is_not_inside_of_another_transaction(void **state UNUSED)
{
	Input *decoder = decoder_in_stream();
	Piece piece;
	Draft whole;

	draft_init(&whole);
	draft_begin(&whole);
	(void) draft_add_insert(&whole);
	accept_and_forget(decoder, &whole);
	init_piece(&piece, DRAFT_XID, false);
	refuse_draft(decoder, &piece.draft,
				 INVALID "piece of a transaction in the wrong place");
	init_abort(&piece, DRAFT_XID, 0);
	refuse_draft(decoder, &piece.draft, INVALID "abort in the wrong place");
	input_free(decoder);
}

static void
a_commit_has_its_transaction_and_no_changes(void **state UNUSED)
{
	const char *misplaced = INVALID "piece of a transaction in the wrong place";
	Input *decoder = decoder_in_stream();
	Piece piece;

	init_commit(&piece, DRAFT_XID, 3);
	(void) draft_add_insert(&piece.draft);
	refuse_draft(decoder, &piece.draft, misplaced);
	init_commit(&piece, DRAFT_XID, 2);
	piece.draft.frame.commit = NULL;
	refuse_draft(decoder, &piece.draft, misplaced);
	init_commit(&piece, DRAFT_XID, 2);
	piece.draft.frame.begin = NULL;
	refuse_draft(decoder, &piece.draft, misplaced);
	init_commit(&piece, DRAFT_XID, 2);
	piece.draft.begin.xid = OTHER_XID;
	refuse_draft(decoder, &piece.draft,
				 INVALID "commit of another transaction than it says");
	input_free(decoder);
}

static void
an_abort_stands_alone(void **state UNUSED)
{
	Input *decoder = decoder_in_stream();
	Piece piece;

	init_abort(&piece, DRAFT_XID, 0);
	(void) draft_add_message(&piece.draft, false);
	refuse_draft(decoder, &piece.draft, INVALID "abort in the wrong place");
	input_free(decoder);
}

static void
a_subtransaction_belongs_to_a_open_transaction(void **state UNUSED)
{
	Input *decoder = decoder_in_stream();
	Draft whole;

	draft_init(&whole);
	draft_begin(&whole);
	draft_add_insert(&whole)->subxid = SUBXID;
	refuse_draft(decoder, &whole,
				 INVALID "subtransaction of no open transaction");
	input_free(decoder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_piece_says_whose_it_is),
		cmocka_unit_test(changes_are_counted_for_each_transaction),
		cmocka_unit_test(an_abort_ends_a_transaction_or_a_part_of_it),
		cmocka_unit_test(messages_may_be_in_it_and_beside_it),
		cmocka_unit_test(the_first_piece_says_so_and_no_other),
		cmocka_unit_test(a_piece_needs_number_and_position),
		cmocka_unit_test(a_piece_is_not_inside_of_another_transaction),
		cmocka_unit_test(a_commit_has_its_transaction_and_no_changes),
		cmocka_unit_test(an_abort_stands_alone),
		cmocka_unit_test(a_subtransaction_belongs_to_a_open_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
