/*
 * compress.c
 *		Compresses frames; see compress.h.
 *
 * The library's state is made once in a session and used for every frame.  It
 * is allocated by malloc, which the server does not clean up after an error, so
 * it is tied to a memory context.
 */
#include "postgres.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "utils/memutils.h"

#include "wire/compress.h"
#include "wire/wire.h"

/* Tag and length of the field that holds the compressed frame. */
#define FIELD_HEADER_BYTES (1 + PENSTOCK_WIRE_LENGTH_ANY)

struct PenstockCompressor
{
	ZSTD_CCtx *zstd;
	MemoryContextCallback callback;
};

static void
free_zstd(void *arg)
{
	PenstockCompressor *compressor = arg;

	ZSTD_freeCCtx(compressor->zstd);
	compressor->zstd = NULL;
}

PenstockCompressor *
penstock_compressor_new(int level)
{
	PenstockCompressor *compressor = palloc0(sizeof(PenstockCompressor));

	compressor->callback.func = free_zstd;
	compressor->callback.arg = compressor;
	MemoryContextRegisterResetCallback(CurrentMemoryContext,
									   &compressor->callback);
	compressor->zstd = ZSTD_createCCtx();
	if (compressor->zstd == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
						errdetail("Failed while creating a zstd context.")));
	if (ZSTD_isError(ZSTD_CCtx_setParameter(compressor->zstd,
											ZSTD_c_compressionLevel, level)))
		elog(ERROR, "could not set zstd compression level %d", level);
	return compressor;
}

/*
 * Appends a frame in compressed form.  If that would not be smaller, leaves
 * `out` as it is and returns false.
 */
static bool
append_compressed(PenstockCompressor *compressor, StringInfo out,
				  const char *frame, Size bytes)
{
	int start = out->len;
	int mark;
	char *place;
	size_t compressed;

	if (bytes < PENSTOCK_COMPRESS_BYTES_MIN)
		return false;
	Assert(compressor->zstd != NULL && bytes > FIELD_HEADER_BYTES);
	mark = penstock_wire_begin(out, PENSTOCK_FRAME_ZSTD,
							   PENSTOCK_WIRE_LENGTH_ANY);
	place = penstock_wire_reserve(out, bytes);

	/*
	 * The compressor gets no more room than the frame takes as it is, so that
	 * it fails if it does not make it smaller.
	 */
	compressed = ZSTD_compress2(compressor->zstd, place,
								bytes - FIELD_HEADER_BYTES, frame, bytes);
	if (ZSTD_isError(compressed))
	{
		out->len = start;
		out->data[start] = '\0';
		if (ZSTD_getErrorCode(compressed) == ZSTD_error_dstSize_tooSmall)
			return false;
		elog(ERROR, "could not compress a frame: %s",
			 ZSTD_getErrorName(compressed));
	}
	Assert(compressed <= bytes - FIELD_HEADER_BYTES);
	penstock_wire_advance(out, place + compressed);
	penstock_wire_end(out, mark, PENSTOCK_WIRE_LENGTH_ANY);
	return true;
}

void
penstock_compress_append(PenstockCompressor *compressor, StringInfo out,
						 const char *frame, Size bytes)
{
	Assert(bytes > 0);
	if (compressor == NULL || !append_compressed(compressor, out, frame, bytes))
		penstock_wire_raw(out, frame, bytes);
}
