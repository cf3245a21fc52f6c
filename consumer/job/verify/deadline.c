/*
 * deadline.c
 *    Uses statement_timeout.
 */
#include "job/verify/deadline.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

/* query_canceled: the error when statement_timeout is over. */
#define LATE_SQLSTATE "57014"

/* Minimum of statement_timeout, because 0 would mean that there is no limit. */
#define STATEMENT_MS_MIN 1

void
deadline_append(Buf *sql, int64_t deadline_us)
{
	int64_t left_ms = (deadline_us - clock_monotonic_us()) / 1000;

	buf_printf(sql, "SET LOCAL statement_timeout = %" PRId64 ";",
			   left_ms < STATEMENT_MS_MIN ? STATEMENT_MS_MIN : left_ms);
}

Rc
deadline_check(int64_t deadline_us, Error *err)
{
	Rc rc;

	if (clock_monotonic_us() < deadline_us)
		return RC_OK;
	rc = error_set(err, ERR_SQL, "the snapshot is too old to be used");
	error_sqlstate(err, LATE_SQLSTATE);
	return rc;
}

bool
deadline_is_cause(const Error *err)
{
	return err->code == ERR_SQL && strcmp(err->sqlstate, LATE_SQLSTATE) == 0;
}
