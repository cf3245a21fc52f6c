/*
 * format_test.c
 *    What is written is read back, and damage is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "log/format.h"

static const LogPosition position = {
	.end_lsn = 0x100000002, .commit_lsn = 0x100000001, .commit_time_us = -3};

static void
append_head(Buf *buf)
{
	const LogHead head = {.system_identifier = 7,
						  .timeline = 2,
						  .position = position,
						  .session = (const uint8_t *) "session",
						  .session_bytes = 7};

	buf_init(buf, MB);
	log_head_append(&head, buf);
}

static void
a_head_is_read_back(void **state UNUSED)
{
	LogHead head;
	size_t bytes;
	Buf buf;

	append_head(&buf);
	assert_true(
		log_head_read((const uint8_t *) buf.data, buf.length, &head, &bytes));
	assert_int_equal(bytes, buf.length);
	assert_int_equal(head.system_identifier, 7);
	assert_int_equal(head.timeline, 2);
	assert_memory_equal(&head.position, &position, sizeof(position));
	assert_int_equal(head.session_bytes, 7);
	assert_memory_equal(head.session, "session", 7);
	buf_release(&buf);
}

static void
a_head_with_any_bit_changed_is_damaged(void **state UNUSED)
{
	LogHead head;
	size_t bytes;
	Buf buf;

	append_head(&buf);
	for (size_t i = 0; i < buf.length * 8; i++)
	{
		buf.data[i / 8] = (char) (buf.data[i / 8] ^ 1 << i % 8);
		assert_false(log_head_read((const uint8_t *) buf.data, buf.length,
								   &head, &bytes));
		buf.data[i / 8] = (char) (buf.data[i / 8] ^ 1 << i % 8);
	}
	for (size_t i = 0; i < buf.length; i++)
		assert_false(
			log_head_read((const uint8_t *) buf.data, i, &head, &bytes));
	buf_release(&buf);
}

static void
a_record_is_read_back_unless_it_is_damaged(void **state UNUSED)
{
	const LogRecord written = {.flags = LOG_RECORD_ZSTD,
							   .stored_bytes = 10,
							   .raw_bytes = 20,
							   .position = position,
							   .transactions = 3,
							   .changes = 4,
							   .payload_crc = 5};
	uint8_t bytes[LOG_RECORD_BYTES];
	LogRecord record;

	log_record_write(&written, bytes);
	assert_true(log_record_read(bytes, &record));
	assert_int_equal(record.flags, written.flags);
	assert_int_equal(record.stored_bytes, 10);
	assert_int_equal(record.raw_bytes, 20);
	assert_memory_equal(&record.position, &position, sizeof(position));
	assert_int_equal(record.transactions, 3);
	assert_int_equal(record.changes, 4);
	assert_int_equal(record.payload_crc, 5);
	for (size_t i = 0; i < sizeof(bytes) * 8; i++)
	{
		bytes[i / 8] = (uint8_t) (bytes[i / 8] ^ 1 << i % 8);
		assert_false(log_record_read(bytes, &record));
		bytes[i / 8] = (uint8_t) (bytes[i / 8] ^ 1 << i % 8);
	}
}

static void
entries_follow_one_another(void **state UNUSED)
{
	size_t offset = 0;
	LogEntry entry;
	Buf buf;

	buf_init(&buf, MB);
	log_entry_append(LOG_ENTRY_RELATION, "table", 5, &buf);
	log_entry_append(LOG_ENTRY_FRAME, "", 0, &buf);
	assert_int_equal(
		log_entry_next((const uint8_t *) buf.data, buf.length, &offset, &entry),
		RC_OK);
	assert_int_equal(entry.kind, LOG_ENTRY_RELATION);
	assert_int_equal(entry.length, 5);
	assert_memory_equal(entry.content, "table", 5);
	assert_int_equal(
		log_entry_next((const uint8_t *) buf.data, buf.length, &offset, &entry),
		RC_OK);
	assert_int_equal(entry.kind, LOG_ENTRY_FRAME);
	assert_int_equal(entry.length, 0);
	assert_int_equal(
		log_entry_next((const uint8_t *) buf.data, buf.length, &offset, &entry),
		RC_END);
	/* One that is cut short, or of a kind that is not known. */
	offset = 0;
	assert_int_equal(
		log_entry_next((const uint8_t *) buf.data, 9, &offset, &entry),
		RC_FAIL);
	buf.data[0] = 9;
	assert_int_equal(
		log_entry_next((const uint8_t *) buf.data, buf.length, &offset, &entry),
		RC_FAIL);
	buf_release(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_read_back),
		cmocka_unit_test(a_head_with_any_bit_changed_is_damaged),
		cmocka_unit_test(a_record_is_read_back_unless_it_is_damaged),
		cmocka_unit_test(entries_follow_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
