/*
 * bundle_test.c
 *    Several transactions in a message: what comes of them, who frees the
 *    message, when positions of keepalives count, and what must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "support/decoding.h"
#include "support/draft.h"
#include "wire/decode.h"

#define PACKED_MAX DECODING_PACKED_MAX
#define INVALID    DECODING_INVALID

#define BEGINS     PENSTOCK__HOLDING__HOLDING_BEGINS
#define ENDS       PENSTOCK__HOLDING__HOLDING_ENDS

/* Transactions in the bundles here. */
#define TRANSACTIONS 3

/* A transaction with an insert; the n-th of a bundle. */
static void
init_transaction(Draft *draft, int n)
{
	draft_init(draft);
	draft_begin(draft);
	draft->begin.xid += (uint32_t) n;
	draft->begin.commit_lsn += 0x100 * (uint64_t) n;
	draft->begin.end_lsn += 0x100 * (uint64_t) n;
	(void) draft_add_insert(draft);
	draft_commit(draft);
}

/* A decoder that has had a first transaction, with this in its frame. */
static Input *
decoder_after(Penstock__Holding holding)
{
	Input *decoder = decoder_new();
	Error err = {0};
	Frame *frame = NULL;
	Draft draft;

	draft_init(&draft);
	draft_session(&draft);
	draft_begin(&draft);
	(void) draft_add_relation(&draft);
	draft_commit(&draft);
	draft.frame.holding = holding;
	assert_int_equal(decoding_draft(decoder, &draft, &frame, &err), RC_OK);
	assert_true(frame->commits);
	frame_unref(frame);
	return decoder;
}

/* A bundle in the making; what is in it may be bent. */
typedef struct BundleDraft
{
	Draft inner[TRANSACTIONS];
	Buf packed[TRANSACTIONS];
	ProtobufCBinaryData list[TRANSACTIONS];
	Draft outer;
} BundleDraft;

static void
init_bundle(BundleDraft *bundle, Penstock__Holding holding)
{
	for (int i = 0; i < TRANSACTIONS; i++)
	{
		init_transaction(&bundle->inner[i], i + 1);
		buf_init(&bundle->packed[i], PACKED_MAX);
	}
	draft_init(&bundle->outer);
	bundle->outer.frame.n_bundle = TRANSACTIONS;
	bundle->outer.frame.bundle = bundle->list;
	bundle->outer.frame.holding = holding;
}

static void
pack_inner(BundleDraft *bundle)
{
	for (int i = 0; i < TRANSACTIONS; i++)
	{
		if (bundle->packed[i].length == 0)
			draft_pack(&bundle->inner[i], &bundle->packed[i]);
		bundle->list[i].data = (uint8_t *) bundle->packed[i].data;
		bundle->list[i].len = bundle->packed[i].length;
	}
}

static void
release_bundle(BundleDraft *bundle)
{
	for (int i = 0; i < TRANSACTIONS; i++)
		buf_release(&bundle->packed[i]);
}

static Rc
decode_bundle(Input *decoder, BundleDraft *bundle, Frame **frame, Error *err)
{
	Rc rc;

	pack_inner(bundle);
	rc = decoding_draft(decoder, &bundle->outer, frame, err);
	release_bundle(bundle);
	return rc;
}

/* Refuses it, at once or at the first frame. */
static void
refuse_bundle(Penstock__Holding before, BundleDraft *bundle, const char *words)
{
	Input *decoder = decoder_after(before);
	Error err = {0};
	Frame *frame = NULL;

	decoding_check_refused(decode_bundle(decoder, bundle, &frame, &err), NULL,
						   &err, words);
	assert_null(frame);
	input_free(decoder);
	decoding_check_memory();
}

static void
refuse_draft(Penstock__Holding before, const Draft *draft, const char *words)
{
	Input *decoder = decoder_after(before);
	Error err = {0};
	Frame *frame = NULL;

	decoding_check_refused(decoding_draft(decoder, draft, &frame, &err), NULL,
						   &err, words);
	input_free(decoder);
	decoding_check_memory();
}

/* Takes the frames of a bundle, of which the first is there. */
static void
take_frames(Input *decoder, Frame *frames[TRANSACTIONS])
{
	Error err = {0};

	for (int i = 1; i < TRANSACTIONS; i++)
		assert_int_equal(input_next(decoder, &frames[i], &err), RC_OK);
	for (int i = 0; i < TRANSACTIONS; i++)
	{
		assert_true(frames[i]->begins && frames[i]->commits);
		assert_int_equal(frames[i]->txn.xid, DRAFT_XID + 1 + i);
		assert_int_equal(frames[i]->txn.end_lsn,
						 DRAFT_END_LSN + 0x100 * (i + 1));
		assert_int_equal(frames[i]->change_count, 1);
		assert_int_equal(frames[i]->changes[0].kind, CHANGE_INSERT);
		assert_true(frame_bytes(frames[i]) > 0);
	}
}

/* ---- what is good ------------------------------------------------------- */

static void
frames_of_a_bundle_come_one_by_one(void **state UNUSED)
{
	Input *decoder = decoder_after(BEGINS);
	Frame *frames[TRANSACTIONS] = {0};
	Frame *none = NULL;
	Error err = {0};
	BundleDraft bundle;

	init_bundle(&bundle, 0);
	assert_int_equal(decode_bundle(decoder, &bundle, &frames[0], &err), RC_OK);
	take_frames(decoder, frames);
	assert_int_equal(input_next(decoder, &none, &err), RC_AGAIN);
	assert_int_equal(input_next(decoder, &none, &err), RC_AGAIN);
	assert_null(none);
	for (int i = 0; i < TRANSACTIONS; i++)
		frame_unref(frames[i]);
	input_free(decoder);
	decoding_check_memory();
}

/* Each has its own part of the message, from which it can be made again. */
static void
frames_keep_their_parts(void **state UNUSED)
{
	Input *decoder = decoder_after(BEGINS);
	Input *again = decoder_after(0);
	Frame *frames[TRANSACTIONS] = {0};
	Frame *none = NULL;
	Error err = {0};
	BundleDraft bundle;

	input_keep_bytes(decoder);
	init_bundle(&bundle, ENDS);
	assert_int_equal(decode_bundle(decoder, &bundle, &frames[0], &err), RC_OK);
	take_frames(decoder, frames);
	assert_int_equal(input_next(decoder, &none, &err), RC_AGAIN);
	input_free(decoder);
	for (int i = 0; i < TRANSACTIONS; i++)
	{
		Frame *copy = NULL;

		assert_int_equal(decoding_bytes(again, frames[i]->bytes,
										frames[i]->byte_count, &copy, &err),
						 RC_OK);
		assert_int_equal(copy->txn.end_lsn, frames[i]->txn.end_lsn);
		assert_null(copy->bytes); /* nobody asked this one */
		frame_unref(copy);
		frame_unref(frames[i]);
	}
	input_free(again);
	decoding_check_memory();
}

/* The last frame that is kept has the message freed, whichever it is. */
static void
frames_share_the_message(void **state UNUSED)
{
	Input *decoder = decoder_after(BEGINS);
	Frame *frames[TRANSACTIONS] = {0};
	Frame *none = NULL;
	Error err = {0};
	BundleDraft bundle;

	init_bundle(&bundle, ENDS);
	assert_int_equal(decode_bundle(decoder, &bundle, &frames[0], &err), RC_OK);
	take_frames(decoder, frames);
	assert_int_equal(input_next(decoder, &none, &err), RC_AGAIN);
	input_free(decoder);
	frame_unref(frames[2]);
	frame_unref(frames[0]);
	assert_int_equal(decoding_messages_held(), 1);
	assert_memory_equal(frames[1]->changes[0].new_row[1].bytes, "note", 4);
	frame_unref(frames[1]);
	decoding_check_memory();
}

static void
the_rest_may_be_left(void **state UNUSED)
{
	Input *decoder = decoder_after(BEGINS);
	Frame *frame = NULL;
	Error err = {0};
	BundleDraft bundle;

	init_bundle(&bundle, 0);
	assert_int_equal(decode_bundle(decoder, &bundle, &frame, &err), RC_OK);
	frame_unref(frame);
	input_free(decoder);
	decoding_check_memory();
}

/* Positions count again when the last frame is handed out, not before. */
static void
holding_begins_and_ends(void **state UNUSED)
{
	Input *decoder = decoder_after(0);
	Frame *frames[TRANSACTIONS] = {0};
	Frame *frame = NULL;
	Error err = {0};
	BundleDraft bundle;
	Draft draft;

	assert_false(input_is_holding(decoder));
	init_transaction(&draft, 0);
	draft.frame.holding = BEGINS;
	assert_int_equal(decoding_draft(decoder, &draft, &frame, &err), RC_OK);
	assert_true(input_is_holding(decoder));
	frame_unref(frame);
	frame = NULL;

	init_bundle(&bundle, ENDS);
	assert_int_equal(decode_bundle(decoder, &bundle, &frames[0], &err), RC_OK);
	take_frames(decoder, frames);
	assert_true(input_is_holding(decoder));
	assert_int_equal(input_next(decoder, &frame, &err), RC_AGAIN);
	assert_false(input_is_holding(decoder));
	for (int i = 0; i < TRANSACTIONS; i++)
		frame_unref(frames[i]);

	/* What is not held back comes as ever. */
	init_transaction(&draft, TRANSACTIONS + 1);
	assert_int_equal(decoding_draft(decoder, &draft, &frame, &err), RC_OK);
	frame_unref(frame);
	input_free(decoder);
}

static void
end_with_nothing_held(void **state UNUSED)
{
	Input *decoder = decoder_after(BEGINS);
	Frame *frame = NULL;
	Error err = {0};
	Draft draft;

	draft_init(&draft);
	draft.frame.holding = ENDS;
	assert_int_equal(decoding_draft(decoder, &draft, &frame, &err), RC_AGAIN);
	assert_null(frame);
	assert_false(input_is_holding(decoder));
	input_free(decoder);
	decoding_check_memory();
}

static void
a_bundle_may_be_compressed(void **state UNUSED)
{
	Input *decoder = decoder_after(BEGINS);
	Frame *frames[TRANSACTIONS] = {0};
	char compressed[1024];
	size_t bytes;
	Error err = {0};
	BundleDraft bundle;
	Buf packed;
	Buf message;

	init_bundle(&bundle, 0);
	pack_inner(&bundle);
	buf_init(&packed, PACKED_MAX);
	draft_pack(&bundle.outer, &packed);
	release_bundle(&bundle);
	bytes = ZSTD_compress(compressed, sizeof(compressed), packed.data,
						  packed.length, 3);
	assert_false(ZSTD_isError(bytes));
	buf_release(&packed);

	/* Field 5 of a Frame. */
	buf_init(&message, PACKED_MAX);
	buf_append_char(&message, 0x2a);
	for (size_t left = bytes;; left >>= 7)
	{
		buf_append_char(&message, (char) (left < 0x80 ? left : left | 0x80));
		if (left < 0x80)
			break;
	}
	buf_append(&message, compressed, bytes);
	assert_int_equal(
		decoding_bytes(decoder, message.data, message.length, &frames[0], &err),
		RC_OK);
	take_frames(decoder, frames);
	for (int i = 0; i < TRANSACTIONS; i++)
		frame_unref(frames[i]);
	buf_release(&message);
	input_free(decoder);
	decoding_check_memory();
}

/* ---- what is not -------------------------------------------------------- */

static void
only_while_held_back(void **state UNUSED)
{
	BundleDraft bundle;
	Draft draft;

	init_bundle(&bundle, 0);
	refuse_bundle(0, &bundle, INVALID "bundle while nothing is held back");
	init_bundle(&bundle, ENDS);
	refuse_bundle(0, &bundle, INVALID "bundle while nothing is held back");
	draft_init(&draft);
	draft.frame.holding = ENDS;
	refuse_draft(0, &draft, INVALID "bundle while nothing is held back");
}

static void
nothing_else_meanwhile(void **state UNUSED)
{
	static const char words[] = INVALID
		"something else than a bundle while transactions are held back";
	Draft draft;

	init_transaction(&draft, 1);
	refuse_draft(BEGINS, &draft, words);
	draft.frame.holding = BEGINS;
	refuse_draft(BEGINS, &draft, words);
}

static void
begins_with_a_whole_transaction(void **state UNUSED)
{
	static const char words[] = INVALID
		"transactions are held back in a wrong place";
	Draft draft;

	draft_init(&draft);
	draft.frame.holding = BEGINS;
	refuse_draft(0, &draft, words);
	draft_begin(&draft);
	refuse_draft(0, &draft, words);
}

static void
nothing_beside_it(void **state UNUSED)
{
	static const char words[] = INVALID "bundle with something beside it";
	BundleDraft bundle;

	init_bundle(&bundle, 0);
	draft_begin(&bundle.outer);
	draft_commit(&bundle.outer);
	refuse_bundle(BEGINS, &bundle, words);
	init_bundle(&bundle, 0);
	(void) draft_add_insert(&bundle.outer);
	refuse_bundle(BEGINS, &bundle, words);
	init_bundle(&bundle, BEGINS);
	refuse_bundle(BEGINS, &bundle, words);
	init_bundle(&bundle, ENDS);
	draft_session(&bundle.outer);
	refuse_bundle(BEGINS, &bundle, words);
}

static void
whole_transactions_in_it(void **state UNUSED)
{
	static const char words[] = INVALID
		"bundle of something else than transactions";
	Penstock__Stream stream;
	BundleDraft bundle;

	init_bundle(&bundle, 0);
	bundle.inner[0].frame.commit = NULL;
	refuse_bundle(BEGINS, &bundle, words);
	init_bundle(&bundle, 0);
	bundle.inner[0].frame.begin = NULL;
	refuse_bundle(BEGINS, &bundle, words);
	init_bundle(&bundle, 0);
	draft_session(&bundle.inner[0]);
	refuse_bundle(BEGINS, &bundle, words);
	init_bundle(&bundle, 0);
	bundle.inner[0].frame.holding = ENDS;
	refuse_bundle(BEGINS, &bundle, words);
	init_bundle(&bundle, 0);
	penstock__stream__init(&stream);
	bundle.inner[0].frame.stream = &stream;
	refuse_bundle(BEGINS, &bundle, words);
}

static void
no_bundle_in_it(void **state UNUSED)
{
	BundleDraft bundle;
	ProtobufCBinaryData nothing = {0};

	init_bundle(&bundle, 0);
	bundle.inner[0].frame.n_bundle = 1;
	bundle.inner[0].frame.bundle = &nothing;
	refuse_bundle(BEGINS, &bundle,
				  INVALID "bundle of something else than transactions");
}

static void
damage_inside_is_refused(void **state UNUSED)
{
	static const char zstd[] = {0x2a, 0x01, 0x00};
	BundleDraft bundle;

	init_bundle(&bundle, 0);
	buf_append(&bundle.packed[0], "\x12\x7f", 2);
	refuse_bundle(BEGINS, &bundle, INVALID "it is cut short or damaged");
	init_bundle(&bundle, 0);
	buf_append(&bundle.packed[0], zstd, sizeof(zstd));
	refuse_bundle(BEGINS, &bundle,
				  INVALID "compressed content where there must be none");
	init_bundle(&bundle, 0);
	bundle.inner[0].commit.change_count = 7;
	refuse_bundle(BEGINS, &bundle,
				  INVALID "transaction has not as many changes as it says");
}

/* Damage that comes late: what was good before was handed out. */
static void
damage_behind_good_frames(void **state UNUSED)
{
	Input *decoder = decoder_after(BEGINS);
	Frame *frame = NULL;
	Frame *none = NULL;
	Error err = {0};
	BundleDraft bundle;

	init_bundle(&bundle, 0);
	bundle.inner[1].begin.end_lsn = 0;
	assert_int_equal(decode_bundle(decoder, &bundle, &frame, &err), RC_OK);
	decoding_check_refused(input_next(decoder, &none, &err), NULL, &err,
						   INVALID "transaction without valid positions");
	assert_null(none);
	frame_unref(frame);
	input_free(decoder);
	decoding_check_memory();
}

static void
only_known_values_of_holding(void **state UNUSED)
{
	static const char unknown[] = {0x48, 0x03};
	static const char twice[] = {0x48, 0x02, 0x48, 0x02};
	static const char bytes[] = {0x4a, 0x00};
	static const struct
	{
		const char *data;
		size_t length;
	} cases[] = {{unknown, sizeof(unknown)},
				 {twice, sizeof(twice)},
				 {bytes, sizeof(bytes)}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Input *decoder = decoder_after(BEGINS);
		Frame *frame = NULL;
		Error err = {0};

		decoding_check_refused(decoding_bytes(decoder, cases[i].data,
											  cases[i].length, &frame, &err),
							   NULL, &err, INVALID "it is damaged");
		input_free(decoder);
	}
	decoding_check_memory();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_a_bundle_come_one_by_one),
		cmocka_unit_test(frames_keep_their_parts),
		cmocka_unit_test(frames_share_the_message),
		cmocka_unit_test(the_rest_may_be_left),
		cmocka_unit_test(holding_begins_and_ends),
		cmocka_unit_test(end_with_nothing_held),
		cmocka_unit_test(a_bundle_may_be_compressed),
		cmocka_unit_test(only_while_held_back),
		cmocka_unit_test(nothing_else_meanwhile),
		cmocka_unit_test(begins_with_a_whole_transaction),
		cmocka_unit_test(nothing_beside_it),
		cmocka_unit_test(whole_transactions_in_it),
		cmocka_unit_test(no_bundle_in_it),
		cmocka_unit_test(damage_inside_is_refused),
		cmocka_unit_test(damage_behind_good_frames),
		cmocka_unit_test(only_known_values_of_holding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
