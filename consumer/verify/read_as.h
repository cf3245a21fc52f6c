/*
 * read_as.h
 *    The source's value of a column as the target has read it, where the
 *    target's column has another type.
 */
#ifndef PENSTOCK_VERIFY_READ_AS_H
#define PENSTOCK_VERIFY_READ_AS_H

#include "base/buf.h"

/*
 * Appends an SQL expression that passes the text of `value` to the input
 * function of `type`, as the copy and the stream do: char(5) becomes char(8),
 * and 1.0 becomes 1.00.  `value` is an SQL expression, and is written twice;
 * `type` is the name of a built-in type, with its modifier.
 */
void read_as_append(Buf *sql, const char *value, const char *type);

#endif /* PENSTOCK_VERIFY_READ_AS_H */
