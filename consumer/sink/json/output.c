/*
 * output.c
 *    Writes to a descriptor without blocking.
 */
#include "sink/json/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Maximum number of bytes that one output_write() writes. */
#define TURN_BYTES_MAX (1 * MB)

/* Maximum number of bytes of one write(2).  For a descriptor that may block, it
 * is what a pipe accepts if poll(2) reports it as writable. */
#define WRITE_BYTES_MAX          (64 * KB)
#define WRITE_BLOCKING_BYTES_MAX ((size_t) PIPE_BUF)

/* Size above which an empty buffer is freed. */
#define KEEP_BYTES_MAX (1 * MB)

/*
 * Whether a file ends with an incomplete line at the place where we will write.
 * The descriptor may be for writing only, so we open the file again to read it;
 * returns false if that is not possible.
 */
static bool
follows_cut_line(int fd, const struct stat *status, const char *path)
{
	bool appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
	off_t offset = appends ? status->st_size : lseek(fd, 0, SEEK_CUR);
	int reader = open(path, O_RDONLY | O_CLOEXEC);
	char last = '\n';

	if (reader < 0)
		return false;
	if (offset > 0 && pread(reader, &last, 1, offset - 1) != 1)
		last = '\n';
	close(reader);
	return last != '\n';
}

void
output_open(Output *output, int fd)
{
	struct stat status;
	char path[32];
	int own = -1;

	*output = (Output){.fd = fd};
	buf_init(&output->buf, OUTPUT_BYTES_MAX);
	if (fstat(fd, &status) < 0 || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return; /* no error here: the first write will fail and report it */
	output->is_file = S_ISREG(status.st_mode);
	output->nonblocks = output->is_file;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (output->is_file && follows_cut_line(fd, &status, path))
		buf_append_char(&output->buf, '\n');
	output->is_pipe = S_ISFIFO(status.st_mode);
	if (output->is_pipe || S_ISCHR(status.st_mode))
		own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return;
	output->fd = own;
	output->owns_fd = true;
	output->nonblocks = true;
}

/*
 * Truncates the file before its last line, which is incomplete.  If another
 * program has written to the file after us, the line stays there; the next
 * output_open() then writes a line feed first.
 */
static void
take_back_cut_line(const Output *output)
{
	struct stat status;
	off_t end = lseek(output->fd, 0, SEEK_CUR);

	if (fstat(output->fd, &status) < 0 || status.st_size != end)
		return;
	end -= (off_t) output->cut_bytes;
	if (ftruncate(output->fd, end) == 0)
		(void) lseek(output->fd, end, SEEK_SET);
}

void
output_close(Output *output)
{
	if (output->is_file && output->cut_bytes > 0)
		take_back_cut_line(output);
	buf_release(&output->buf);
	if (output->owns_fd)
		close(output->fd);
	*output = (Output){0};
}

/* Polls the descriptor.  Returns RC_OK if it can be written to, RC_AGAIN if
 * not, and RC_END if the reader has closed the pipe. */
static MUST_CHECK Rc
look(const Output *output, Error *err)
{
	struct pollfd look = {.fd = output->fd, .events = POLLOUT};

	if (poll(&look, 1, 0) < 0 && errno != EINTR)
		return error_set(err, ERR_IO, "could not wait for output: %s",
						 strerror(errno));
	if (look.revents & (POLLERR | POLLHUP))
		return RC_END;
	return look.revents & POLLOUT ? RC_OK : RC_AGAIN;
}

/*
 * Removes the written bytes from the buffer if they are at least as many as the
 * others, so that on average not more than one byte is moved for each byte that
 * is written.
 */
static void
tidy(Output *output)
{
	size_t pending = output_pending(output);
	Buf *buf = &output->buf;

	if (output->taken < pending || output->taken == 0)
		return;
	memmove(buf->data, buf->data + output->taken, pending);
	buf->length = pending;
	output->taken = 0;
	if (pending == 0 && buf->capacity > KEEP_BYTES_MAX)
	{
		buf_release(buf);
		buf_init(buf, OUTPUT_BYTES_MAX);
	}
}

/* Updates cut_bytes after bytes were written. */
static void
note_lines(Output *output, const char *bytes, size_t length)
{
	const char *end = memrchr(bytes, '\n', length);

	if (end != NULL)
		output->cut_bytes = length - (size_t) (end + 1 - bytes);
	else
		output->cut_bytes += length;
}

static MUST_CHECK Rc
write_piece(Output *output, Error *err)
{
	size_t length = output_pending(output);
	size_t limit = output->nonblocks ? WRITE_BYTES_MAX
									 : WRITE_BLOCKING_BYTES_MAX;
	ssize_t written = write(output->fd, output->buf.data + output->taken,
							length < limit ? length : limit);

	if (written < 0 && (errno == EAGAIN || errno == EINTR))
		return RC_AGAIN;
	if (written < 0 && errno == EPIPE)
		return RC_END;
	if (written < 0)
		return error_set(err, ERR_IO, "could not write to standard output: %s",
						 strerror(errno));
	note_lines(output, output->buf.data + output->taken, (size_t) written);
	output->taken += (size_t) written;
	output->written += (uint64_t) written;
	return RC_OK;
}

Rc
output_write(Output *output, Error *err)
{
	uint64_t turn_end = output->written + TURN_BYTES_MAX;
	Rc rc = look(output, err);

	if (output_pending(output) == 0)
		return rc == RC_AGAIN ? RC_OK : rc;
	while (rc == RC_OK)
	{
		rc = write_piece(output, err);
		if (rc == RC_OK && output_pending(output) == 0)
			break;
		if (rc == RC_OK && output->written >= turn_end)
			rc = RC_AGAIN;
		if (rc == RC_OK && !output->nonblocks)
			rc = look(output, err);
	}
	if (!output->is_file && !output->is_pipe)
		output->synced = output->written;
	tidy(output);
	return rc;
}

/* Updates `synced` and `read` of a pipe.  Unread bytes that other programs have
 * written to the pipe are counted as ours. */
static MUST_CHECK Rc
look_at_reader(Output *output, Error *err)
{
	int left;
	Rc rc = look(output, err);

	if (rc != RC_OK && rc != RC_AGAIN)
		return rc;
	output->synced = output->read;
	if (ioctl(output->fd, FIONREAD, &left) < 0)
		return error_set(err, ERR_IO,
						 "could not look at the pipe of standard output: %s",
						 strerror(errno));
	if ((uint64_t) left <= output->written - output->read)
		output->read = output->written - (uint64_t) left;
	return RC_OK;
}

Rc
output_sync(Output *output, Error *err)
{
	if (output->synced == output->written)
		return RC_OK;
	if (output->is_pipe)
		return look_at_reader(output, err);
	if (output->is_file && fdatasync(output->fd) < 0)
		return error_set(err, ERR_IO, "could not flush standard output: %s",
						 strerror(errno));
	output->synced = output->written;
	return RC_OK;
}
