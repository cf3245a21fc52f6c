/*
 * blocked.h
 *    Finds out what our sessions with a server wait for there, and who makes
 *    them wait.
 */
#ifndef PENSTOCK_NET_BLOCKED_H
#define PENSTOCK_NET_BLOCKED_H

#include "base/buf.h"
#include "base/error.h"
#include "net/pgconn.h"

/*
 * Appends sentences about the sessions of this program in the database of
 * `conn`: those that wait for a lock, for which lock, since when, and who holds
 * it; if none does, what the one does that has worked longest.  Nothing if all
 * are idle.  Ends with a blank if anything was appended.
 *
 * Statements of others are shortened, and without the values in them.  `conn`
 * is an ordinary session of the same role.  Waits.
 */
MUST_CHECK Rc blocked_describe(PgConn *conn, Buf *text, Error *err);

/*
 * Appends a statement without its values: numbers and texts in quotes become
 * "?".  From where it is not certain what is a value, such as in a comment, the
 * rest is left out: "…".  At most `length_max` bytes are appended, and the
 * ellipsis, in one line.
 */
void blocked_append_statement(Buf *text, const char *statement,
							  size_t length_max);

#endif /* PENSTOCK_NET_BLOCKED_H */
