/*
 * deadline.h
 *    The monotonic time until which the statements of a transaction may run.
 */
#ifndef PENSTOCK_JOB_VERIFY_DEADLINE_H
#define PENSTOCK_JOB_VERIFY_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Appends the statement that has the server cancel any of the statements after
 * it, in this transaction, that is still running at the deadline. */
void deadline_append(Buf *sql, int64_t deadline_us);

/* Fails, like a statement that the server has cancelled, if the deadline is
 * over. */
MUST_CHECK Rc deadline_check(int64_t deadline_us, Error *err);

/* Whether a statement, or deadline_check(), has failed because of the
 * deadline. */
bool deadline_is_cause(const Error *err);

#endif /* PENSTOCK_JOB_VERIFY_DEADLINE_H */
