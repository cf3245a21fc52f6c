/*
 * json_line.h
 *    Changes as lines of JSON.
 *
 * One line is one JSON object (RFC 8259) without a line break in it:
 *
 *     time       when the transaction committed, by the source's clock:
 *                "2026-01-31T12:00:00.000000Z"
 *     lsn        position of its commit: "0/16B3748"
 *     xid        its number
 *     seq        of the line in the transaction, from 1: (lsn, seq) tells
 *                every line from all others
 *     origin     of a transaction that came to the source from elsewhere: the
 *                name of the replication origin
 *     operation  insert, update, delete, truncate, message, schema or rewrite
 *     schema, table
 *     key        the replica identity's columns as they were before the change;
 *                not under REPLICA IDENTITY FULL or where there is none
 *     new        the row after an insert or update
 *     old        the row before an update or delete, as far as it is known:
 *                under REPLICA IDENTITY FULL all of it, else the key, and of an
 *                update that only if the key changed
 *     unchanged  of an update: columns that are left out of `new`, because they
 *                hold a large value that the update did not touch
 *
 * A TRUNCATE is a line for each of its tables, with `cascade` and
 * `restart_identity` instead of rows.  A message has `transactional`, `prefix`,
 * `message_lsn`, and `content`, or `content_hex` if that is not UTF-8; where it
 * is not transactional, `time`, `xid` and `seq` are missing and `lsn` is its
 * own.
 *
 * A change of the schema has `change_lsn`, its position, and one of these:
 *
 *     defined       what the object is from there on, as ddl/json.h writes it:
 *                   with `kind`, `oid`, `schema`, `name` and the rest
 *     gone          the object is not there any more: its `catalog`, which is
 *                   pg_namespace, pg_class or pg_type, and its `oid`
 *     untranslated  something else changed: its `catalog`, `oid` and
 *                   `identity`, which is null if it cannot be told; `part` if
 *                   it is only that of it, such as owner, privileges or
 *                   comment; and `gone`, true if it is not there any more
 *
 * A rewrite has `schema` and `table` only: all rows of the table are replaced
 * by those of the inserts that follow.
 *
 * Values by the type of their column:
 *
 *     smallint, integer, bigint, oid   a number, with all its digits
 *     numeric, real, double precision  a number as PostgreSQL prints it, with
 *                                      all its digits; NaN and the infinities,
 *                                      which JSON does not have, are strings
 *     boolean                          true or false
 *     json, jsonb                      the value itself; line breaks in it
 *                                      become blanks
 *     all others, arrays and domains   a string as PostgreSQL prints it, with
 *       included                       DateStyle ISO, TimeZone UTC, and bytea
 *                                      in hex
 *
 * Numbers are exact here; readers that keep them as doubles round them.
 */
#ifndef PENSTOCK_SINK_JSON_JSON_LINE_H
#define PENSTOCK_SINK_JSON_JSON_LINE_H

#include "base/buf.h"
#include "model/change.h"

/* Room for "2026-01-31T12:00:00.000000Z" with any numbers in it. */
#define JSON_LINE_TIME_SIZE 96

/* What the lines of one transaction have in common. */
typedef struct JsonLineTxn
{
	char time[JSON_LINE_TIME_SIZE];
	Lsn commit_lsn;
	uint32_t xid;
	char *origin; /* or NULL; owned by whoever filled it in */
} JsonLineTxn;

/* Writes a time of the source, microseconds since 2000, as above. */
void json_line_format_time(char time[JSON_LINE_TIME_SIZE], int64_t time_us);

/* How many lines a change makes. */
int json_line_count(const Change *change);

/*
 * Appends one line of a change, its line feed included.  `txn` is NULL for a
 * message outside a transaction; `part` is from 0 to json_line_count() - 1.
 */
void json_line_append(Buf *buf, const JsonLineTxn *txn, int64_t seq,
					  const Change *change, int part);

#endif /* PENSTOCK_SINK_JSON_JSON_LINE_H */
