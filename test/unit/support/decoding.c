/*
 * decoding.c
 *    See decoding.h.
 */
#include "support/decoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

/* Of a message of the stream: its kind, two positions and a time. */
#define HEADER_BYTES 25

static int memories_lent;
static int memories_freed;

static void
free_memory(void *memory)
{
	memories_freed++;
	free(memory);
}

int
decoding_messages_held(void)
{
	return memories_lent - memories_freed;
}

void
decoding_check_memory(void)
{
	assert_int_equal(memories_freed, memories_lent);
}

Rc
decoding_bytes(Input *decoder, const void *bytes, size_t length, Frame **frame,
			   Error *err)
{
	uint8_t *memory = xmalloc(HEADER_BYTES + length);
	WireMessage message = {.memory = memory,
						   .memory_free = free_memory,
						   .data = memory + HEADER_BYTES,
						   .length = length};

	if (length > 0)
		memcpy(memory + HEADER_BYTES, bytes, length);
	memories_lent++;
	return input_decode(decoder, &message, frame, err);
}

Rc
decoding_draft(Input *decoder, const Draft *draft, Frame **frame, Error *err)
{
	Buf packed;
	Rc rc;

	buf_init(&packed, DECODING_PACKED_MAX);
	draft_pack(draft, &packed);
	rc = decoding_bytes(decoder, packed.data, packed.length, frame, err);
	buf_release(&packed);
	return rc;
}

Frame *
decoding_accept(Input *decoder, const Draft *draft)
{
	Error err = {0};
	Frame *frame = NULL;
	Rc rc = decoding_draft(decoder, draft, &frame, &err);

	if (rc != RC_OK)
		fail_msg("refused: %s", err.message);
	assert_int_equal(frame->references, 1);
	assert_true(frame_bytes(frame) > 0);
	return frame;
}

void
decoding_accept_and_forget(Input *decoder, const Draft *draft)
{
	frame_unref(decoding_accept(decoder, draft));
}

void
decoding_check_refused(Rc rc, const Frame *frame, Error *err,
					   const char *message)
{
	assert_int_equal(rc, RC_FAIL);
	assert_null(frame);
	assert_int_equal(err->code, ERR_PROTOCOL);
	assert_string_equal(err->message, message);
	assert_non_null(err->hint);
	error_reset(err);
}

void
decoding_refuse(Input *decoder, const Draft *draft, const char *message)
{
	Error err = {0};
	Frame *frame = NULL;
	Rc rc = decoding_draft(decoder, draft, &frame, &err);

	decoding_check_refused(rc, frame, &err, message);
	decoding_check_memory();
}

void
decoding_refuse_bytes(Input *decoder, const void *bytes, size_t length,
					  const char *message)
{
	Error err = {0};
	Frame *frame = NULL;
	Rc rc = decoding_bytes(decoder, bytes, length, &frame, &err);

	decoding_check_refused(rc, frame, &err, message);
	decoding_check_memory();
}
