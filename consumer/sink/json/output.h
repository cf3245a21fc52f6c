/*
 * output.h
 *    Writes text to standard output, which may be a file, a pipe, a terminal or
 *    a socket, without blocking.
 *
 * The caller appends text to a buffer, and output_write() writes it as fast as
 * the other side accepts it.  We open a terminal or pipe a second time, with
 * O_NONBLOCK, so that the flag is not set for other processes that have it
 * open.  If that is not possible (a socket, a terminal of another user), we
 * write in pieces that are small enough not to block if poll(2) reports the
 * descriptor as writable.  Writes to a file do not wait for the disk; its bytes
 * are safe only after output_sync(), which does.
 *
 * Bytes that were written to a pipe are lost if its reader exits without having
 * read them, or without having used them: "head -n 3" reads a block, prints
 * three lines of it, and exits.  We can see how many bytes the reader has not
 * read, but not how many it has used.  So bytes that were read count as safe
 * only if the reader still has the pipe open a moment later.  This does not
 * help if the reader exits after that, in the middle of its work.
 *
 * Each line is complete.  If only a part of a line could be written to a file,
 * because the disk is full or we have to stop, we truncate the file before that
 * line.  If the file already ends with an incomplete line of another program,
 * we write a line feed first.
 *
 * Invariant: the numbers of bytes since the start are appended >= written >=
 * read >= synced; `read` counts only for a pipe.
 */
#ifndef PENSTOCK_SINK_JSON_OUTPUT_H
#define PENSTOCK_SINK_JSON_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Maximum size of text that is not written yet: more than the line of the
 * largest change. */
#define OUTPUT_BYTES_MAX (4096 * MB)

/* How long a reader must have a pipe open after it has read bytes for these to
 * be safe; also the minimum time between calls of output_sync(). */
#define OUTPUT_READER_MS 200

typedef struct Output
{
	Buf buf;          /* text to write; the caller appends to it */
	int fd;           /* descriptor that we write to */
	bool owns_fd;     /* whether output_open() has opened the descriptor */
	bool is_file;     /* whether `fd` is a regular file */
	bool is_pipe;     /* whether `fd` is a pipe */
	bool nonblocks;   /* whether writing to `fd` never blocks */
	size_t taken;     /* number of bytes of `buf` that are written already */
	size_t cut_bytes; /* number of written bytes since the last line feed */
	uint64_t written; /* number of bytes written since the start */
	uint64_t read;    /* number of bytes that the reader of a pipe had read at
					   * the last output_sync() */
	uint64_t synced;  /* number of bytes that are safe: for a file those flushed
					   * to disk, for a pipe those that its reader has read (see
					   * above), otherwise those written */
} Output;

/* Prepares to write to a descriptor, which is borrowed. */
void output_open(Output *output, int fd);

/*
 * Closes what output_open() opened, and truncates a file to remove a last line
 * that was written only in part.  Accepts a zeroed Output.
 */
void output_close(Output *output);

/* Returns the number of bytes that are appended and not yet written. */
static inline size_t
output_pending(const Output *output)
{
	return output->buf.length - output->taken;
}

/* Returns the number of bytes that were appended since the start. */
static inline uint64_t
output_appended(const Output *output)
{
	return output->written + output_pending(output);
}

/*
 * Writes as much as it can without blocking, but not more than a fixed number
 * of bytes.  Returns RC_OK if all is written; RC_AGAIN if the caller has to
 * call again after POLLOUT; RC_END if the reader has closed the pipe, also if
 * there was nothing to write; RC_FAIL with ERR_IO.
 */
MUST_CHECK Rc output_write(Output *output, Error *err);

/*
 * Updates `synced`: flushes a file to disk, for which it blocks; checks how
 * much the reader of a pipe has read.  Returns RC_END if the reader has closed
 * the pipe; then `synced` stays as it is.
 */
MUST_CHECK Rc output_sync(Output *output, Error *err);

#endif /* PENSTOCK_SINK_JSON_OUTPUT_H */
