/*
 * json_line.h
 *    Formats changes as lines of JSON.
 *
 * Each line is one JSON object (RFC 8259) without a line break in it:
 *
 *     time       commit time of the transaction, by the source's clock:
 *                "2026-01-31T12:00:00.000000Z"
 *     lsn        LSN of its commit record: "0/16B3748"
 *     xid        its transaction ID
 *     seq        number of the line in the transaction, from 1; no two lines
 *                have the same (lsn, seq)
 *     origin     name of the replication origin, if another server's changes
 *                were applied to the source by the transaction
 *     operation  insert, update, delete, truncate, message, schema or rewrite
 *     schema, table
 *     key        the replica identity's columns before the change; missing if
 *                the table has REPLICA IDENTITY FULL or no replica identity
 *     new        the row after an insert or update
 *     old        the row before an update or delete, as far as the WAL has it:
 *                the whole row with REPLICA IDENTITY FULL; else its key, for an
 *                update only if the key has changed
 *     unchanged  names of the columns that are missing in `new`, because the
 *                update did not change their TOAST values
 *
 * A TRUNCATE makes a line for each of its tables, with `cascade` and
 * `restart_identity` instead of rows.  A logical message has `transactional`,
 * `prefix`, `message_lsn`, and `content`, or `content_hex` if its content is
 * not UTF-8.  If it is not transactional, `time`, `xid` and `seq` are missing,
 * and `lsn` is the LSN of the message.
 *
 * A change of the schema has its LSN as `change_lsn`, and one of these:
 *
 *     defined       the definition of the object after the change, as
 *                   ddl/json.h formats it: `kind`, `oid`, `schema`, `name`, …
 *     gone          `catalog`, which is pg_namespace, pg_class or pg_type, and
 *                   `oid` of an object that was dropped
 *     untranslated  a change for which we have no definition: `catalog`, `oid`
 *                   and `identity` of the object, of which the last is null if
 *                   it is unknown; `part`, such as owner, privileges or
 *                   comment, if only that was changed; and `gone`, true if the
 *                   object was dropped
 *
 * A rewrite has only `schema` and `table`: the rows of the inserts that follow
 * replace all rows of the table.
 *
 * Format of values, by the type of the column:
 *
 *     smallint, integer, bigint, oid   a number, with all its digits
 *     numeric, real, double precision  a number as PostgreSQL prints it, with
 *                                      all its digits; a string for NaN and the
 *                                      infinities, which JSON does not have
 *     boolean                          true or false
 *     json, jsonb                      the value itself; line breaks in it
 *                                      become blanks
 *     all others, arrays and domains   a string as PostgreSQL prints the value,
 *       included                       with DateStyle ISO, TimeZone UTC, and
 *                                      bytea_output hex
 *
 * Numbers are exact in the line; a reader that stores them as doubles rounds
 * them.
 */
#ifndef PENSTOCK_SINK_JSON_JSON_LINE_H
#define PENSTOCK_SINK_JSON_JSON_LINE_H

#include "base/buf.h"
#include "model/change.h"

/* Size of a buffer for a time, "2026-01-31T12:00:00.000000Z", with any int
 * values as its numbers. */
#define JSON_LINE_TIME_SIZE 96

/* Fields that all lines of a transaction share. */
typedef struct JsonLineTxn
{
	char time[JSON_LINE_TIME_SIZE];
	Lsn commit_lsn;
	uint32_t xid;
	char *origin; /* owned by the caller; NULL: there is none */
} JsonLineTxn;

/* Formats a time in microseconds since 2000-01-01 UTC as described above. */
void json_line_format_time(char time[JSON_LINE_TIME_SIZE], int64_t time_us);

/* Returns the number of lines that a change makes. */
int json_line_count(const Change *change);

/*
 * Appends line `part` of a change, from 0 to json_line_count() - 1, with its
 * line feed.  `txn` is NULL for a message that is not transactional.
 */
void json_line_append(Buf *buf, const JsonLineTxn *txn, int64_t seq,
					  const Change *change, int part);

#endif /* PENSTOCK_SINK_JSON_JSON_LINE_H */
