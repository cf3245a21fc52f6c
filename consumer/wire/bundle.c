/*
 * bundle.c
 *    Counts the references to a message.
 */
#include "wire/bundle.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "wire/reader.h"

struct Bundle
{
	WireMessage message;
	Reader rest;    /* bytes whose frames were not returned yet */
	int references; /* one of the caller of bundle_new(), and one for each frame
					 * returned */
};

Bundle *
bundle_new(const WireMessage *message)
{
	Bundle *bundle = xmalloc(sizeof(Bundle));

	ASSERT(message->memory != NULL && message->memory_free != NULL);
	bundle->message = *message;
	bundle->rest = reader_of((Span){message->data, message->length});
	bundle->references = 1;
	return bundle;
}

static void
unref(void *pointer)
{
	Bundle *bundle = pointer;

	ASSERT(bundle->references > 0);
	if (--bundle->references > 0)
		return;
	bundle->message.memory_free(bundle->message.memory);
	free(bundle);
}

void
bundle_free(Bundle *bundle)
{
	if (bundle != NULL)
		unref(bundle);
}

bool
bundle_next(Bundle *bundle, WireMessage *frame)
{
	ASSERT(bundle->references > 0);
	while (!reader_at_end(&bundle->rest))
	{
		Field field;

		CHECK(reader_field(&bundle->rest, &field));
		if (field.number != BUNDLE_FIELD)
			continue;
		bundle->references++;
		ASSERT(field.wire_type == WIRE_BYTES);
		*frame = (WireMessage){.memory = bundle,
							   .memory_free = unref,
							   .data = field.bytes.data,
							   .length = field.bytes.length};
		return true;
	}
	return false;
}
