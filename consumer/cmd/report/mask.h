/*
 * mask.h
 *    Takes values out of texts that leave the machine.
 */
#ifndef PENSTOCK_CMD_REPORT_MASK_H
#define PENSTOCK_CMD_REPORT_MASK_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Appends a text in which each part that may be a value of a row, or a secret,
 * is replaced by a question mark: what is in single quotes or, if
 * `double_quotes`, in double quotes; what stands in parentheses after =, as in
 * "Key (id)=(5)", or after "contains"; what follows "password=" and the like,
 * to the next space; the rest of a line after "row: ".  A quote or parenthesis
 * that is not closed masks the rest of its line.
 */
void mask_append(Buf *buf, const char *text, bool double_quotes);

/*
 * Appends a line of a log.  Of one that is a JSON object only those members are
 * kept that never have values: time, level, event and SQLSTATE.  A line that
 * does not begin as ours do becomes a question mark.
 */
void mask_append_log_line(Buf *buf, const char *line);

#endif /* PENSTOCK_CMD_REPORT_MASK_H */
