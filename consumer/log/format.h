/*
 * format.h
 *    The bytes of a log: segments, records and entries.
 *
 * consumer/doc/log.md describes the format for readers in other languages.  All
 * integers are little-endian.
 *
 * A log is a sequence of segments.  A segment has a head and then records, and
 * can be read without the segments before it: it describes each table before
 * the first change of the table.  A record has entries, compressed together.
 * An entry is either a Relation record or a frame in plain form
 * (wire/plain.h); both are serialized messages of proto/penstock.proto.  A
 * segment that is complete ends with an index: a record that says where other
 * records are.
 *
 * These functions only convert: they neither read nor write files.
 */
#ifndef PENSTOCK_LOG_FORMAT_H
#define PENSTOCK_LOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "model/lsn.h"

#define LOG_FORMAT_VERSION 1

/* Bytes of the head of a segment before the Session record, and after it. */
#define LOG_HEAD_BYTES     56
#define LOG_HEAD_END_BYTES 4

/* Largest serialized Session record. */
#define LOG_SESSION_BYTES_MAX (64 * KB)

/* Bytes of a record before its payload. */
#define LOG_RECORD_BYTES 56

/* Bytes after the index of a segment, which say where it is. */
#define LOG_TRAILER_BYTES 16

/* Bytes of one item of an index. */
#define LOG_INDEX_ITEM_BYTES 32

/* Largest payload of a record, compressed or not: one frame may be as large. */
#define LOG_PAYLOAD_BYTES_MAX ((size_t) 3 * 1024 * MB)

/* Bytes of an entry before its content. */
#define LOG_ENTRY_BYTES 5

typedef enum LogEntryKind
{
	LOG_ENTRY_RELATION = 1,
	LOG_ENTRY_FRAME = 2,
} LogEntryKind;

/* An entry of a payload; borrowed from it. */
typedef struct LogEntry
{
	LogEntryKind kind;
	const uint8_t *content;
	size_t length;
} LogEntry;

/* Flags of a record. */
enum
{
	/* The record ends inside of a transaction, which goes on in the next. */
	LOG_RECORD_INSIDE = 1,

	/* The payload has entries of kind LOG_ENTRY_RELATION. */
	LOG_RECORD_RELATIONS = 2,

	/* The payload is one frame of the zstd format. */
	LOG_RECORD_ZSTD = 4,

	/* The record is the segment's index, and the last record. */
	LOG_RECORD_INDEX = 8,
};

/* The position of a log: what it has up to some place in it. */
typedef struct LogPosition
{
	Lsn end_lsn;    /* the log has all transactions and messages up to here */
	Lsn commit_lsn; /* of the last transaction; 0: none */
	int64_t commit_time_us; /* of that transaction */
} LogPosition;

typedef struct LogRecord
{
	uint32_t flags;        /* LOG_RECORD_… */
	uint32_t stored_bytes; /* bytes of the payload in the file */
	uint32_t raw_bytes;    /* bytes of the payload without compression */
	LogPosition position;  /* position of the log after this record */
	uint32_t transactions; /* number of transactions that end in this record */
	uint32_t changes;      /* number of changes in this record */
	uint32_t payload_crc;  /* CRC-32C of the payload in the file */
} LogRecord;

/* The head of a segment. */
typedef struct LogHead
{
	uint64_t system_identifier;
	uint32_t timeline;
	LogPosition position;   /* position of the log before this segment */
	const uint8_t *session; /* serialized Session record; borrowed */
	size_t session_bytes;
} LogHead;

/* One item of an index: a record, and the position of the log before it. */
typedef struct LogIndexItem
{
	uint64_t offset; /* of the record in the file */
	Lsn end_lsn;
	int64_t commit_time_us;
	uint32_t flags; /* of the record */
} LogIndexItem;

/* Appends the head of a segment. */
void log_head_append(const LogHead *head, Buf *buf);

/*
 * Reads the head of a segment from its first `length` bytes.  *bytes is the
 * number of bytes of the head.  Returns false if it is damaged, or not
 * complete.
 */
bool log_head_read(const uint8_t *data, size_t length, LogHead *head,
				   size_t *bytes);

/*
 * Writes the first bytes of a record.  The payload's length and CRC have to be
 * set.
 */
void log_record_write(const LogRecord *record,
					  uint8_t bytes[static LOG_RECORD_BYTES]);

/* Returns false if the bytes are not the first bytes of a record. */
bool log_record_read(const uint8_t bytes[static LOG_RECORD_BYTES],
					 LogRecord *record);

/* Appends an entry to a payload that is not compressed. */
void log_entry_append(LogEntryKind kind, const void *content, size_t length,
					  Buf *buf);

/* Reads kind and length of an entry from its first LOG_ENTRY_BYTES. */
void log_entry_head(const uint8_t bytes[static LOG_ENTRY_BYTES],
					LogEntry *entry);

/*
 * Reads the entry at *offset, and moves *offset behind it.  RC_END: there is
 * none.  RC_FAIL: it is not well formed; *err is not set.
 */
Rc log_entry_next(const uint8_t *payload, size_t length, size_t *offset,
				  LogEntry *entry);

/*
 * Adds a record to an index, if it belongs there: every record with tables,
 * because who reads from the middle of a segment needs it; and of the others
 * some, each of which begins outside of a transaction.  `item` is as of the
 * record, with LOG_RECORD_INSIDE if it begins inside of a transaction.
 * *indexed is the offset of the last item that was added because it was time
 * to; 0: none.
 */
void log_index_note(const LogIndexItem *item, uint64_t *indexed, Buf *index);
void log_index_read(const uint8_t bytes[static LOG_INDEX_ITEM_BYTES],
					LogIndexItem *item);

/* Appends what follows the index, which is at `offset` in the file. */
void log_trailer_append(uint64_t offset, Buf *buf);

/* Returns false if the bytes are not those of a complete segment. */
bool log_trailer_read(const uint8_t bytes[static LOG_TRAILER_BYTES],
					  uint64_t *offset);

#endif /* PENSTOCK_LOG_FORMAT_H */
