/*
 * output.h
 *    Bytes on their way to standard output, whatever that is.
 *
 * Text is appended without waiting and written as fast as the other side takes
 * it.  A terminal or pipe is opened once more for this, without blocking, so
 * that nothing changes for others who have it open; where that cannot be done
 * (a socket, a terminal of another user) writes are so small that a descriptor
 * which poll(2) calls writable takes them at once.  A file takes everything at
 * once; what it was given is only safe after output_sync(), which waits for the
 * disk.
 *
 * What a pipe was given is lost if its reader goes without having read it, and
 * so is what the reader has read and not used: "head -n 3" reads a block,
 * prints three lines of it, and goes.  The first can be seen, as the bytes that
 * are left in the pipe; the second cannot.  So what was read counts as taken
 * when the reader is still there a moment later, or not at all.  That proves
 * nothing of a reader that goes later, in the middle of its work.
 *
 * Each line stands on its own, also after one that was interrupted: a line that
 * a file did not take as a whole, because its disk is full or we have to stop,
 * is taken back; and where somebody else left one, a new line is begun.
 *
 * Invariant: bytes are counted from the start, appended >= written >= read >=
 * synced, but for `read` of what is no pipe.
 */
#ifndef PENSTOCK_SINK_JSON_OUTPUT_H
#define PENSTOCK_SINK_JSON_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Text that can be waiting: more than one change of the largest size. */
#define OUTPUT_BYTES_MAX (4096 * MB)

/* How long the reader of a pipe has to stay with what it has read; also how
 * long output_sync() is not to be called again. */
#define OUTPUT_READER_MS 200

typedef struct Output
{
	Buf buf;        /* append here; offset `taken` of it is written already */
	int fd;         /* to write to */
	bool owns_fd;   /* it is our own descriptor, to be closed */
	bool is_file;   /* a regular file */
	bool is_pipe;   /* it can be seen what the other side has read */
	bool nonblocks; /* writing to it never waits */
	size_t taken;
	size_t cut_bytes; /* at the end of `written`, of a line that goes on */
	uint64_t written; /* bytes that were written */
	uint64_t read;    /* of a pipe: bytes that were read when last looked at */
	uint64_t synced;  /* bytes that survive a crash, of a file; that the reader
						 of a pipe took; else written */
} Output;

/* Gets ready to write to a descriptor, which is borrowed. */
void output_open(Output *output, int fd);

/*
 * Closes what output_open() opened, and takes back a line that was cut. Accepts
 * a zeroed Output.
 */
void output_close(Output *output);

/* Bytes that are appended and not written. */
static inline size_t
output_pending(const Output *output)
{
	return output->buf.length - output->taken;
}

/* Bytes that were appended since the start. */
static inline uint64_t
output_appended(const Output *output)
{
	return output->written + output_pending(output);
}

/*
 * Writes as much as is taken without waiting, up to a turn's worth.  RC_OK:
 * written, or nothing to write; RC_AGAIN: there is more, wait for POLLOUT;
 * RC_END: the reader has gone, also when there was nothing to write; RC_FAIL:
 * ERR_IO.
 */
MUST_CHECK Rc output_write(Output *output, Error *err);

/*
 * Makes what is written to a file safe; looks what the reader of a pipe has
 * taken; nothing to do for anything else.  RC_END: the reader has gone, and
 * nothing more counts as taken.
 */
MUST_CHECK Rc output_sync(Output *output, Error *err);

#endif /* PENSTOCK_SINK_JSON_OUTPUT_H */
