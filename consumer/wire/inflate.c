/*
 * inflate.c
 *    Decompresses with libzstd.
 */
#include "wire/inflate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/xalloc.h"
#include "wire/reader.h"

/*
 * A block of the zstd format decompresses to 128 kB at most and has three bytes
 * at least.
 */
#define BLOCK_CONTENT_BYTES_MAX (128 * KB)
#define BLOCK_BYTES_MIN         3

/* Tag of Frame.zstd: its field number and WIRE_BYTES. */
#define ZSTD_TAG (INFLATE_FIELD << 3 | WIRE_BYTES)

struct Inflater
{
	ZSTD_DCtx *zstd;
};

static MUST_CHECK Rc
damaged(Error *err, const char *what)
{
	Rc rc = error_set(err, ERR_PROTOCOL,
					  "invalid compressed frame from source: %s", what);

	error_hint(err, "Check that the plugin on the source and this program are "
					"of versions that go together.");
	return rc;
}

Inflater *
inflater_new(void)
{
	return xcalloc(1, sizeof(Inflater));
}

void
inflater_free(Inflater *inflater)
{
	if (inflater == NULL)
		return;
	ZSTD_freeDCtx(inflater->zstd);
	free(inflater);
}

/* Finds the compressed content of a frame, which must have no other field. */
static MUST_CHECK Rc
find_content(const WireMessage *message, Span *content, Error *err)
{
	Reader reader = reader_of((Span){message->data, message->length});
	Field field;

	ASSERT(message->length > 0);
	if (!reader_field(&reader, &field))
		return damaged(err, "it is cut short");
	if (!reader_at_end(&reader))
		return damaged(err, "there is something beside its content");
	ASSERT(field.number == INFLATE_FIELD && field.wire_type == WIRE_BYTES);
	*content = field.bytes;
	return RC_OK;
}

/*
 * Reads the size of the decompressed content, and fails if it is not possible.
 */
static MUST_CHECK Rc
read_size(Span content, size_t *bytes, Error *err)
{
	unsigned long long size = ZSTD_getFrameContentSize(content.data,
													   content.length);

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
		return damaged(err, "it does not say how large its content is");
	if (size > INFLATE_BYTES_MAX ||
		size / BLOCK_CONTENT_BYTES_MAX > content.length / BLOCK_BYTES_MIN)
	{
		Rc rc = damaged(err, "its content is too large");

		error_detail(err, "%zu bytes would become %llu.", content.length, size);
		return rc;
	}
	*bytes = (size_t) size;
	return RC_OK;
}

static MUST_CHECK Rc
decompress(Inflater *inflater, Span content, uint8_t *into, size_t bytes,
		   Error *err)
{
	size_t done;

	ASSERT(bytes <= INFLATE_BYTES_MAX);
	if (inflater->zstd == NULL)
		inflater->zstd = ZSTD_createDCtx();
	if (inflater->zstd == NULL)
		return error_set(err, ERR_LIMIT, "out of memory for zstd");
	done = ZSTD_decompressDCtx(inflater->zstd, into, bytes, content.data,
							   content.length);
	if (ZSTD_isError(done))
	{
		Rc rc = damaged(err, "its content cannot be read");

		error_detail(err, "%s.", ZSTD_getErrorName(done));
		return rc;
	}
	if (done != bytes)
		return damaged(err, "its content is not as large as it says");
	return RC_OK;
}

Rc
inflater_open_message(Inflater *inflater, const WireMessage *message,
					  WireMessage *opened, Error *err)
{
	Span content = {0};
	uint8_t *inflated;
	size_t bytes = 0;
	Rc rc;

	*opened = *message;
	if (message->length == 0 || message->data[0] != ZSTD_TAG)
		return RC_OK;
	rc = find_content(message, &content, err);
	if (rc == RC_OK)
		rc = read_size(content, &bytes, err);
	if (rc != RC_OK)
		return rc;
	inflated = xmalloc(bytes > 0 ? bytes : 1);
	rc = decompress(inflater, content, inflated, bytes, err);
	if (rc != RC_OK)
	{
		free(inflated);
		return rc;
	}
	*opened = (WireMessage){.memory = inflated,
							.memory_free = free,
							.data = inflated,
							.length = bytes};
	return RC_OK;
}
