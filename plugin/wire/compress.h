/*
 * compress.h
 *		Compresses whole frames with zstd.
 *
 * A frame that is compressed is one that has a single field, which holds
 * another frame; see penstock.proto.  Each is compressed for itself, so that a
 * reader needs nothing of those before it.  Frames that are short, or that
 * would not become smaller, are sent as they are.
 */
#ifndef PENSTOCK_COMPRESS_H
#define PENSTOCK_COMPRESS_H

#include "lib/stringinfo.h"

/* Shorter frames are not worth the attempt. */
#define PENSTOCK_COMPRESS_BYTES_MIN 256

/* What zstd calls its levels; above them it wants a lot of memory.  Of frames
 * of 64 kB the lowest makes no more bytes than its own default, for a third
 * less. */
#define PENSTOCK_COMPRESS_LEVEL_DEFAULT 1
#define PENSTOCK_COMPRESS_LEVEL_MAX     19

typedef struct PenstockCompressor PenstockCompressor;

/*
 * Makes a compressor in the current memory context.  What the library allocates
 * is given back when the context goes away.
 */
extern PenstockCompressor *penstock_compressor_new(int level);

/*
 * Appends a frame to `out`: its compressed form, or the frame as it is if that
 * would not be smaller, or if the compressor is NULL.
 */
extern void penstock_compress_append(PenstockCompressor *compressor,
									 StringInfo out, const char *frame,
									 Size bytes);

#endif /* PENSTOCK_COMPRESS_H */
