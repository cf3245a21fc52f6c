/*
 * reader_test.c
 *    A reader waits at a torn end, and refuses damage anywhere else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "log/directory.h"
#include "log/reader.h"

static char directory[] = "/tmp/penstock_reader_XXXXXX";
static char file[sizeof(directory) + LOG_SEGMENT_NAME_SIZE];

static void
append_record(Buf *buf, uint32_t flags, Lsn end_lsn, const char *payload,
			  size_t length)
{
	LogRecord record = {.flags = flags,
						.stored_bytes = (uint32_t) length,
						.raw_bytes = (uint32_t) length,
						.position = {.end_lsn = end_lsn},
						.transactions = 1,
						.payload_crc = crc32c(payload, length)};
	uint8_t bytes[LOG_RECORD_BYTES];

	log_record_write(&record, bytes);
	buf_append(buf, bytes, sizeof(bytes));
	buf_append(buf, payload, length);
}

/*
 * Writes a log of one segment: a record, and a transaction in two records, of
 * which the second one has a damaged payload.
 */
static void
write_log(bool complete)
{
	const LogHead head = {.timeline = 1, .position = {.end_lsn = 10}};
	char name[LOG_SEGMENT_NAME_SIZE];
	uint64_t end;
	Buf buf;
	int fd;

	log_segment_name(1, 10, name);
	snprintf(file, sizeof(file), "%s/%s", directory, name);
	buf_init(&buf, MB);
	log_head_append(&head, &buf);
	append_record(&buf, 0, 20, "first", 5);
	append_record(&buf, LOG_RECORD_INSIDE, 20, "second", 6);
	append_record(&buf, 0, 30, "third", 5);
	buf.data[buf.length - 1] = '?';
	end = buf.length;
	if (complete)
	{
		append_record(&buf, LOG_RECORD_INDEX, 30, "", 0);
		log_trailer_append(end, &buf);
	}
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, buf.data, buf.length), buf.length);
	close(fd);
	buf_release(&buf);
}

static LogReader *
open_log(void)
{
	LogReader *reader = NULL;
	LogItem item;
	Error err = {0};

	assert_int_equal(log_reader_open(&reader, directory, 0, &err), RC_OK);
	assert_int_equal(log_reader_next(reader, &item, &err), RC_OK);
	assert_int_equal(item.length, 5);
	assert_memory_equal(item.payload, "first", 5);
	return reader;
}

/* No part of the transaction is returned. */
static void
a_torn_end_is_waited_at(void **state UNUSED)
{
	LogReader *reader;
	LogItem item;
	Error err = {0};

	write_log(false);
	reader = open_log();
	assert_int_equal(log_reader_next(reader, &item, &err), RC_AGAIN);
	assert_int_equal(log_reader_next(reader, &item, &err), RC_AGAIN);
	log_reader_close(reader);
}

static void
damage_in_a_complete_segment_is_refused(void **state UNUSED)
{
	LogReader *reader;
	LogItem item;
	Error err = {0};

	write_log(true);
	reader = open_log();
	assert_int_equal(log_reader_next(reader, &item, &err), RC_OK);
	assert_int_equal(log_reader_next(reader, &item, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_IO);
	error_reset(&err);
	log_reader_close(reader);
}

static int
make_directory(void **state UNUSED)
{
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
remove_directory(void **state UNUSED)
{
	unlink(file);
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_torn_end_is_waited_at),
		cmocka_unit_test(damage_in_a_complete_segment_is_refused),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
