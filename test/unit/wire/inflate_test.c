/*
 * inflate_test.c
 *    Compressed frames: what is in them, and those that must be refused.
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
#include "wire/inflate.h"

#define MESSAGE_BYTES_MAX (64 * KB)
#define INVALID           "invalid compressed frame from source: "

/* Field 5 of a Frame, as bytes. */
#define TAG 0x2a

/* A session with a transaction that has an insert. */
static void
pack_frame(Buf *packed)
{
	Draft draft;

	buf_init(packed, MESSAGE_BYTES_MAX);
	draft_init(&draft);
	draft_session(&draft);
	draft_begin(&draft);
	draft_add_relation(&draft);
	draft_add_insert(&draft);
	draft_commit(&draft);
	draft_pack(&draft, packed);
}

static void
append_field(Buf *message, const void *content, size_t length)
{
	size_t left = length;

	buf_append_char(message, TAG);
	for (; left >= 0x80; left >>= 7)
		buf_append_char(message, (char) (left | 0x80));
	buf_append_char(message, (char) left);
	buf_append(message, content, length);
}

/* A message that holds the content, compressed. */
static void
compress_into(Buf *message, const void *content, size_t length)
{
	size_t room = ZSTD_compressBound(length);
	void *compressed = xmalloc(room);
	size_t bytes = ZSTD_compress(compressed, room, content, length, 3);

	assert_false(ZSTD_isError(bytes));
	append_field(message, compressed, bytes);
	free(compressed);
}

static Rc
decode(const Buf *message, Frame **frame, Error *err)
{
	Input *decoder = decoder_new();
	Rc rc = decoding_bytes(decoder, message->data, message->length, frame, err);

	input_free(decoder);
	return rc;
}

/* It must be refused, in these words.  Releases the message. */
static void
refuse(Buf *message, const char *words)
{
	Error err = {0};
	Frame *frame = NULL;

	assert_int_equal(decode(message, &frame, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_PROTOCOL);
	assert_string_equal(err.message, words);
	assert_non_null(err.hint);
	error_reset(&err);
	buf_release(message);
}

static void
test_holds_a_frame(void **state UNUSED)
{
	Error err = {0};
	Frame *frame = NULL;
	Buf packed;
	Buf message;

	pack_frame(&packed);
	buf_init(&message, MESSAGE_BYTES_MAX);
	compress_into(&message, packed.data, packed.length);
	assert_int_equal(decode(&message, &frame, &err), RC_OK);
	assert_true(frame->begins && frame->commits);
	assert_int_equal(frame->change_count, 1);
	assert_int_equal(frame->changes[0].kind, CHANGE_INSERT);
	assert_true(frame_bytes(frame) > packed.length);
	frame_unref(frame);
	buf_release(&packed);
	buf_release(&message);
}

/* Not compressed, however it came. */
static void
test_keeps_its_bytes(void **state UNUSED)
{
	Buf messages[2];

	pack_frame(&messages[0]);
	buf_init(&messages[1], MESSAGE_BYTES_MAX);
	compress_into(&messages[1], messages[0].data, messages[0].length);
	for (size_t i = 0; i < LENGTH_OF(messages); i++)
	{
		Input *decoder = decoder_new();
		Error err = {0};
		Frame *frame = NULL;

		input_keep_bytes(decoder);
		assert_int_equal(decoding_bytes(decoder, messages[i].data,
										messages[i].length, &frame, &err),
						 RC_OK);
		assert_int_equal(frame->byte_count, messages[0].length);
		assert_memory_equal(frame->bytes, messages[0].data, messages[0].length);
		frame_unref(frame);
		assert_int_equal(decode(&messages[i], &frame, &err), RC_OK);
		assert_null(frame->bytes); /* nobody asked for them */
		frame_unref(frame);
		input_free(decoder);
	}
	for (size_t i = 0; i < LENGTH_OF(messages); i++)
		buf_release(&messages[i]);
}

static void
test_refuses_damage(void **state UNUSED)
{
	Buf packed;
	Buf message;

	pack_frame(&packed);
	buf_init(&message, MESSAGE_BYTES_MAX);
	compress_into(&message, packed.data, packed.length);
	message.length--;
	refuse(&message, INVALID "it is cut short");

	buf_init(&message, MESSAGE_BYTES_MAX);
	append_field(&message, packed.data, packed.length);
	refuse(&message, INVALID "it does not say how large its content is");

	buf_init(&message, MESSAGE_BYTES_MAX);
	compress_into(&message, packed.data, packed.length);
	message.data[message.length - 2] ^= 0x55;
	message.data[8] |= 0x06; /* a block of a type that there is not */
	refuse(&message, INVALID "its content cannot be read");
	buf_release(&packed);
}

static void
test_refuses_what_is_beside_it(void **state UNUSED)
{
	Buf packed;
	Buf message;

	pack_frame(&packed);
	buf_init(&message, MESSAGE_BYTES_MAX);
	compress_into(&message, packed.data, packed.length);
	buf_append(&message, packed.data, packed.length);
	refuse(&message, INVALID "there is something beside its content");

	buf_init(&message, MESSAGE_BYTES_MAX);
	buf_append(&message, packed.data, packed.length);
	compress_into(&message, packed.data, packed.length);
	refuse(&message, "invalid frame from source: compressed content where "
					 "there must be none");
	buf_release(&packed);
}

static void
test_refuses_another_inside(void **state UNUSED)
{
	Buf packed;
	Buf inner;
	Buf message;

	pack_frame(&packed);
	buf_init(&inner, MESSAGE_BYTES_MAX);
	compress_into(&inner, packed.data, packed.length);
	buf_init(&message, MESSAGE_BYTES_MAX);
	compress_into(&message, inner.data, inner.length);
	refuse(&message, "invalid frame from source: compressed content where "
					 "there must be none");
	buf_release(&inner);
	buf_release(&packed);
}

static void
test_refuses_emptiness(void **state UNUSED)
{
	Buf message;

	buf_init(&message, MESSAGE_BYTES_MAX);
	compress_into(&message, "", 0);
	refuse(&message, "invalid frame from source: it is empty");

	buf_init(&message, MESSAGE_BYTES_MAX);
	append_field(&message, "", 0);
	refuse(&message, INVALID "it does not say how large its content is");
}

/* A zstd frame's magic number, a descriptor (single segment, eight bytes of
 * content size), the size, and a last block of a zero. */
static void
append_claim(Buf *message, uint64_t size)
{
	uint8_t bytes[17] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0};

	for (int i = 0; i < 8; i++)
		bytes[5 + i] = (uint8_t) (size >> 8 * i);
	bytes[13] = 0x0b;
	append_field(message, bytes, sizeof(bytes));
}

static void
test_does_not_believe_sizes(void **state UNUSED)
{
	Buf message;

	buf_init(&message, MESSAGE_BYTES_MAX);
	append_claim(&message, INFLATE_BYTES_MAX + 1);
	refuse(&message, INVALID "its content is too large");

	buf_init(&message, MESSAGE_BYTES_MAX);
	append_claim(&message, 8 * MB);
	refuse(&message, INVALID "its content is too large");

	buf_init(&message, MESSAGE_BYTES_MAX);
	append_claim(&message, 1000);
	refuse(&message, INVALID "its content cannot be read");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_a_frame),
		cmocka_unit_test(test_keeps_its_bytes),
		cmocka_unit_test(test_refuses_damage),
		cmocka_unit_test(test_refuses_what_is_beside_it),
		cmocka_unit_test(test_refuses_another_inside),
		cmocka_unit_test(test_refuses_emptiness),
		cmocka_unit_test(test_does_not_believe_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
