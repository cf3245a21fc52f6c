/*
 * survey.h
 *    Looks at a log as a whole: what is in each segment, and what is damaged.
 */
#ifndef PENSTOCK_LOG_SURVEY_H
#define PENSTOCK_LOG_SURVEY_H

#include "log/directory.h"
#include "log/format.h"

/* What was found out about a segment. */
typedef struct SegmentSummary
{
	char name[LOG_SEGMENT_NAME_SIZE];
	uint64_t bytes;
	LogPosition first; /* position of the log before the segment */
	LogPosition last;  /* position of the log after its last complete record */
	uint64_t transactions;
	uint64_t changes;
	bool complete; /* whether it has its index */
	uint64_t rest; /* bytes after the last good record of the last segment, if
					* it has no index: being written, or `damage` */
	const Error *damage; /* what is wrong; NULL: nothing */
} SegmentSummary;

typedef void (*SurveyFunction)(void *context, const SegmentSummary *summary);

/*
 * Calls a function for each segment, in order.  `all`: reads and checks every
 * byte; otherwise only the first bytes of each record.  RC_END: something is
 * damaged, or a segment is missing.  Fails with ERR_CONFIG if there is no log.
 */
MUST_CHECK Rc log_survey(const char *path, bool all, SurveyFunction function,
						 void *context, Error *err);

#endif /* PENSTOCK_LOG_SURVEY_H */
