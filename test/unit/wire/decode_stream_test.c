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
#include "support/decoding.h"
#include "support/draft.h"
#include "wire/decode.h"

#define INVALID   DECODING_INVALID

#define OTHER_XID (DRAFT_XID + 1)
#define SUBXID    (DRAFT_XID + 2)

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
	decoding_accept_and_forget(decoder, &piece.draft);
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
	frame = decoding_accept(decoder, &piece.draft);
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
	decoding_accept_and_forget(decoder, &piece.draft);
	draft_init(&whole);
	draft_begin(&whole);
	(void) draft_add_insert(&whole);
	draft_commit(&whole);
	decoding_accept_and_forget(decoder, &whole);
	init_piece(&piece, DRAFT_XID, false);
	(void) draft_add_insert(&piece.draft);
	decoding_accept_and_forget(decoder, &piece.draft);

	init_commit(&piece, OTHER_XID, 2);
	frame = decoding_accept(decoder, &piece.draft);
	assert_true(frame->begins && frame->commits);
	assert_int_equal(frame->open_txn.xid, OTHER_XID);
	assert_int_equal(frame->txn.xid, OTHER_XID);
	assert_int_equal(frame->txn.end_lsn, DRAFT_END_LSN);
	frame_unref(frame);
	init_commit(&piece, DRAFT_XID, 2);
	decoding_refuse(decoder, &piece.draft,
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
	frame = decoding_accept(decoder, &piece.draft);
	assert_int_equal(frame->open_txn.xid, DRAFT_XID);
	assert_true(frame->open_txn.aborts);
	assert_int_equal(frame->open_txn.abort_subxid, SUBXID);
	frame_unref(frame);
	init_abort(&piece, DRAFT_XID, 0);
	decoding_accept_and_forget(decoder, &piece.draft);
	decoding_refuse(decoder, &piece.draft,
					INVALID "abort of a transaction that was not sent");

	/* The number may be had again. */
	init_first(&piece, DRAFT_XID);
	decoding_accept_and_forget(decoder, &piece.draft);
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
	decoding_accept_and_forget(decoder, &piece.draft);
	draft_init(&message);
	(void) draft_add_message(&message, false);
	decoding_accept_and_forget(decoder, &message);
	init_piece(&piece, DRAFT_XID, false);
	(void) draft_add_message(&piece.draft, false);
	decoding_refuse(decoder, &piece.draft,
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
	decoding_refuse(decoder, &piece.draft, message);
	init_piece(&piece, OTHER_XID, false);
	decoding_refuse(decoder, &piece.draft, message);
	init_commit(&piece, OTHER_XID, 0);
	decoding_refuse(decoder, &piece.draft, message);
	input_free(decoder);
}

static void
a_piece_needs_number_and_position(void **state UNUSED)
{
	const char *message = INVALID "open transaction cannot be read";
	Input *decoder = decoder_in_stream();
	Piece piece;

	init_piece(&piece, 0, true);
	decoding_refuse(decoder, &piece.draft, message);
	init_piece(&piece, OTHER_XID, true);
	piece.stream.decoded_lsn = 0;
	decoding_refuse(decoder, &piece.draft, message);
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
	decoding_accept_and_forget(decoder, &whole);
	init_piece(&piece, DRAFT_XID, false);
	decoding_refuse(decoder, &piece.draft,
					INVALID "piece of a transaction in the wrong place");
	init_abort(&piece, DRAFT_XID, 0);
	decoding_refuse(decoder, &piece.draft, INVALID "abort in the wrong place");
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
	decoding_refuse(decoder, &piece.draft, misplaced);
	init_commit(&piece, DRAFT_XID, 2);
	piece.draft.frame.commit = NULL;
	decoding_refuse(decoder, &piece.draft, misplaced);
	init_commit(&piece, DRAFT_XID, 2);
	piece.draft.frame.begin = NULL;
	decoding_refuse(decoder, &piece.draft, misplaced);
	init_commit(&piece, DRAFT_XID, 2);
	piece.draft.begin.xid = OTHER_XID;
	decoding_refuse(decoder, &piece.draft,
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
	decoding_refuse(decoder, &piece.draft, INVALID "abort in the wrong place");
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
	decoding_refuse(decoder, &whole,
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
