/*
 * log_source_test.c
 *    Where a timeline begins that the receiver does not know, the stream ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "log/directory.h"
#include "log/format.h"
#include "source/log/log_source.h"

static char directory[] = "/tmp/penstock_source_XXXXXX";

/* Writes a segment with one record, which has no changes. */
static void
write_segment(uint32_t timeline, Lsn first, Lsn last)
{
	const LogHead head = {.timeline = timeline, .position = {.end_lsn = first}};
	LogRecord record = {.position = {.end_lsn = last},
						.payload_crc = crc32c("", 0)};
	char name[LOG_SEGMENT_NAME_SIZE];
	char file[sizeof(directory) + LOG_SEGMENT_NAME_SIZE];
	uint8_t bytes[LOG_RECORD_BYTES];
	uint64_t end;
	Buf buf;
	int fd;

	log_segment_name(timeline, first, name);
	snprintf(file, sizeof(file), "%s/%s", directory, name);
	buf_init(&buf, MB);
	log_head_append(&head, &buf);
	log_record_write(&record, bytes);
	buf_append(&buf, bytes, sizeof(bytes));
	end = buf.length;
	record.flags = LOG_RECORD_INDEX;
	log_record_write(&record, bytes);
	buf_append(&buf, bytes, sizeof(bytes));
	log_trailer_append(end, &buf);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, buf.data, buf.length), buf.length);
	close(fd);
	buf_release(&buf);
}

static Source *
open_source(uint32_t timeline)
{
	Source *source = NULL;
	SourceMessage message;
	Error err = {0};

	assert_int_equal(log_source_open(&source,
									 &(LogSourceOptions){.path = directory,
														 .from = 10,
														 .timeline = timeline},
									 &err),
					 RC_OK);
	assert_int_equal(source_receive(source, &message, &err), RC_OK);
	assert_int_equal(message.kind, SOURCE_KEEPALIVE);
	assert_int_equal(message.lsn, 20);
	return source;
}

static void
a_new_timeline_ends_the_stream(void **state UNUSED)
{
	Source *source = open_source(1);
	SourceMessage message;
	Error err = {0};

	assert_int_equal(source_receive(source, &message, &err), RC_FAIL);
	assert_int_equal(err.code, ERR_CONNECT);
	assert_true(error_is_transient(&err));
	assert_string_equal(
		err.message,
		"the log goes on with timeline 2 of the source, from LSN 0/14 on");
	error_reset(&err);
	source_close(source);
}

static void
one_that_is_known_does_not(void **state UNUSED)
{
	Source *source = open_source(2);
	SourceMessage message;
	Error err = {0};

	assert_int_equal(source_receive(source, &message, &err), RC_OK);
	assert_int_equal(message.lsn, 30);
	assert_int_equal(source_receive(source, &message, &err), RC_AGAIN);
	source_close(source);
}

static int
make_log(void **state UNUSED)
{
	if (mkdtemp(directory) == NULL)
		return -1;
	write_segment(1, 10, 20);
	write_segment(2, 20, 30);
	return 0;
}

static int
remove_log(void **state UNUSED)
{
	char name[LOG_SEGMENT_NAME_SIZE];
	char file[sizeof(directory) + LOG_SEGMENT_NAME_SIZE];

	for (uint32_t timeline = 1; timeline <= 2; timeline++)
	{
		log_segment_name(timeline, timeline * 10, name);
		snprintf(file, sizeof(file), "%s/%s", directory, name);
		unlink(file);
	}
	return rmdir(directory);
}

static void
a_log_that_ends_before_the_receiver_ends_the_stream(void **state UNUSED)
{
	const LogSourceOptions options = {
		.path = directory, .from = 10, .reached = 1000, .timeline = 2};
	Source *source = NULL;
	SourceMessage message;
	Error err = {0};
	Rc rc;

	assert_int_equal(log_source_open(&source, &options, &err), RC_OK);
	do
		rc = source_receive(source, &message, &err);
	while (rc == RC_OK);
	assert_int_equal(rc, RC_FAIL);
	assert_int_equal(err.code, ERR_CONNECT);
	assert_true(error_is_transient(&err));
	assert_non_null(strstr(err.detail, "the target is at 0/3E8"));
	error_reset(&err);
	source_close(source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_timeline_ends_the_stream),
		cmocka_unit_test(a_log_that_ends_before_the_receiver_ends_the_stream),
		cmocka_unit_test(one_that_is_known_does_not),
	};

	return cmocka_run_group_tests(tests, make_log, remove_log);
}
