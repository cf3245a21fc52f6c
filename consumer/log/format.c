/*
 * format.c
 *    Converts between structs and bytes.
 */
#include "log/format.h"

#include <endian.h>
#include <string.h>

#include "base/crc32c.h"

/* Bytes of a segment between two items of its index. */
#define INDEX_INTERVAL (64 * KB)

static const char head_magic[] = "PENSTLOG";
static const char trailer_magic[] = "PENSTEND";

#define MAGIC_BYTES  8
#define RECORD_MAGIC 0x4C4E4550U /* "PENL" */

static void
put32(uint8_t *at, uint32_t number)
{
	number = htole32(number);
	memcpy(at, &number, sizeof(number));
}

static void
put64(uint8_t *at, uint64_t number)
{
	number = htole64(number);
	memcpy(at, &number, sizeof(number));
}

static uint32_t
get32(const uint8_t *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return le32toh(number);
}

static uint64_t
get64(const uint8_t *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return le64toh(number);
}

static void
put_position(uint8_t *at, const LogPosition *position)
{
	put64(at, position->end_lsn);
	put64(at + 8, position->commit_lsn);
	put64(at + 16, (uint64_t) position->commit_time_us);
}

static LogPosition
get_position(const uint8_t *at)
{
	return (LogPosition){.end_lsn = get64(at),
						 .commit_lsn = get64(at + 8),
						 .commit_time_us = (int64_t) get64(at + 16)};
}

/* ---- the head ----------------------------------------------------------- */

void
log_head_append(const LogHead *head, Buf *buf)
{
	size_t start = buf->length;
	uint8_t bytes[LOG_HEAD_BYTES];
	uint8_t crc[LOG_HEAD_END_BYTES];

	ASSERT(head->session_bytes <= LOG_SESSION_BYTES_MAX);
	memcpy(bytes, head_magic, MAGIC_BYTES);
	put32(bytes + 8, LOG_FORMAT_VERSION);
	put32(bytes + 12, head->timeline);
	put64(bytes + 16, head->system_identifier);
	put_position(bytes + 24, &head->position);
	put32(bytes + 48, (uint32_t) head->session_bytes);
	put32(bytes + 52, 0);
	buf_append(buf, bytes, sizeof(bytes));
	buf_append(buf, head->session, head->session_bytes);
	put32(crc, crc32c(buf->data + start, buf->length - start));
	buf_append(buf, crc, sizeof(crc));
}

bool
log_head_read(const uint8_t *data, size_t length, LogHead *head, size_t *bytes)
{
	if (length < LOG_HEAD_BYTES || memcmp(data, head_magic, MAGIC_BYTES) != 0 ||
		get32(data + 8) != LOG_FORMAT_VERSION)
		return false;
	*head = (LogHead){.timeline = get32(data + 12),
					  .system_identifier = get64(data + 16),
					  .position = get_position(data + 24),
					  .session = data + LOG_HEAD_BYTES,
					  .session_bytes = get32(data + 48)};
	if (head->session_bytes > LOG_SESSION_BYTES_MAX ||
		length < LOG_HEAD_BYTES + head->session_bytes + LOG_HEAD_END_BYTES)
		return false;
	*bytes = LOG_HEAD_BYTES + head->session_bytes;
	if (get32(data + *bytes) != crc32c(data, *bytes))
		return false;
	*bytes += LOG_HEAD_END_BYTES;
	return true;
}

/* ---- records ------------------------------------------------------------ */

void
log_record_write(const LogRecord *record,
				 uint8_t bytes[static LOG_RECORD_BYTES])
{
	put32(bytes, RECORD_MAGIC);
	put32(bytes + 4, record->flags);
	put32(bytes + 8, record->stored_bytes);
	put32(bytes + 12, record->raw_bytes);
	put_position(bytes + 16, &record->position);
	put32(bytes + 40, record->transactions);
	put32(bytes + 44, record->changes);
	put32(bytes + 48, record->payload_crc);
	put32(bytes + 52, crc32c(bytes, 52));
}

bool
log_record_read(const uint8_t bytes[static LOG_RECORD_BYTES], LogRecord *record)
{
	if (get32(bytes) != RECORD_MAGIC || get32(bytes + 52) != crc32c(bytes, 52))
		return false;
	*record = (LogRecord){.flags = get32(bytes + 4),
						  .stored_bytes = get32(bytes + 8),
						  .raw_bytes = get32(bytes + 12),
						  .position = get_position(bytes + 16),
						  .transactions = get32(bytes + 40),
						  .changes = get32(bytes + 44),
						  .payload_crc = get32(bytes + 48)};
	return record->stored_bytes <= LOG_PAYLOAD_BYTES_MAX &&
		   record->raw_bytes <= LOG_PAYLOAD_BYTES_MAX;
}

/* ---- entries ------------------------------------------------------------ */

void
log_entry_append(LogEntryKind kind, const void *content, size_t length,
				 Buf *buf)
{
	uint8_t head[LOG_ENTRY_BYTES];

	ASSERT(length <= LOG_PAYLOAD_BYTES_MAX);
	head[0] = (uint8_t) kind;
	put32(head + 1, (uint32_t) length);
	buf_append(buf, head, sizeof(head));
	buf_append(buf, content, length);
}

void
log_entry_head(const uint8_t bytes[static LOG_ENTRY_BYTES], LogEntry *entry)
{
	*entry = (LogEntry){.kind = (LogEntryKind) bytes[0],
						.content = bytes + LOG_ENTRY_BYTES,
						.length = get32(bytes + 1)};
}

Rc
log_entry_next(const uint8_t *payload, size_t length, size_t *offset,
			   LogEntry *entry)
{
	const uint8_t *at = payload + *offset;
	size_t left = length - *offset;

	ASSERT(*offset <= length);
	if (left == 0)
		return RC_END;
	if (left < LOG_ENTRY_BYTES)
		return RC_FAIL;
	log_entry_head(at, entry);
	if (entry->length > left - LOG_ENTRY_BYTES ||
		(entry->kind != LOG_ENTRY_RELATION && entry->kind != LOG_ENTRY_FRAME))
		return RC_FAIL;
	*offset += LOG_ENTRY_BYTES + entry->length;
	return RC_OK;
}

/* ---- the index ---------------------------------------------------------- */

static void
log_index_append(const LogIndexItem *item, Buf *buf)
{
	uint8_t bytes[LOG_INDEX_ITEM_BYTES];

	put64(bytes, item->offset);
	put64(bytes + 8, item->end_lsn);
	put64(bytes + 16, (uint64_t) item->commit_time_us);
	put32(bytes + 24, item->flags);
	put32(bytes + 28, 0);
	buf_append(buf, bytes, sizeof(bytes));
}

void
log_index_note(const LogIndexItem *item, uint64_t *indexed, Buf *index)
{
	bool is_due = (item->flags & LOG_RECORD_INSIDE) == 0 &&
				  (*indexed == 0 || item->offset - *indexed >= INDEX_INTERVAL);

	if (!is_due && (item->flags & LOG_RECORD_RELATIONS) == 0)
		return;
	log_index_append(item, index);
	if (is_due)
		*indexed = item->offset;
}

void
log_index_read(const uint8_t bytes[static LOG_INDEX_ITEM_BYTES],
			   LogIndexItem *item)
{
	*item = (LogIndexItem){.offset = get64(bytes),
						   .end_lsn = get64(bytes + 8),
						   .commit_time_us = (int64_t) get64(bytes + 16),
						   .flags = get32(bytes + 24)};
}

void
log_trailer_append(uint64_t offset, Buf *buf)
{
	uint8_t bytes[LOG_TRAILER_BYTES];

	put64(bytes, offset);
	memcpy(bytes + 8, trailer_magic, MAGIC_BYTES);
	buf_append(buf, bytes, sizeof(bytes));
}

bool
log_trailer_read(const uint8_t bytes[static LOG_TRAILER_BYTES],
				 uint64_t *offset)
{
	*offset = get64(bytes);
	return memcmp(bytes + 8, trailer_magic, MAGIC_BYTES) == 0;
}
