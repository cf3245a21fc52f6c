/*
 * timelines.c
 *    Reads the names of all segments, and the head of one.
 */
#include "log/timelines.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "log/segment.h"

static MUST_CHECK Rc
read_identity(int directory_fd, const char *path, const char *name,
			  SourceIdentity *identity, Error *err)
{
	Segment *segment = NULL;
	Rc rc = segment_open(&segment, directory_fd, path, name, err);

	if (rc == RC_OK)
		snprintf(identity->system_identifier,
				 sizeof(identity->system_identifier), "%" PRIu64,
				 segment_head(segment)->system_identifier);
	else if (rc == RC_END)
		rc = segment_explain_damage(segment, 0, &(LogPosition){0}, NULL, err);
	segment_close(segment);
	return rc;
}

/* A timeline ends where the first segment of the next one begins. */
static void
note_segment(SourceHistory *history, uint32_t timeline, Lsn lsn)
{
	if (history->identity.timeline != 0 &&
		history->identity.timeline != timeline)
	{
		history->ends = xrealloc_array(history->ends,
									   (size_t) history->end_count + 1,
									   sizeof(history->ends[0]));
		history->ends[history->end_count++] = (TimelineEnd){
			.timeline = history->identity.timeline, .lsn = lsn};
	}
	history->identity.timeline = timeline;
}

Rc
log_timelines_read(const char *path, SourceHistory *history, Error *err)
{
	LogNames names = {0};
	int directory_fd = -1;
	Rc rc = log_directory_open(path, false, &directory_fd, err);

	if (rc == RC_END)
		return error_set(err, ERR_CONFIG, "there is no log \"%s\"", path);
	if (rc == RC_OK)
		rc = log_directory_list(directory_fd, path, &names, err);
	if (rc == RC_OK && names.count == 0)
		rc = error_set(err, ERR_CONFIG, "log \"%s\" has no changes yet", path);
	if (rc == RC_OK)
		rc = read_identity(directory_fd, path, names.names[0],
						   &history->identity, err);
	history->identity.timeline = 0;
	for (size_t i = 0; i < names.count && rc == RC_OK; i++)
	{
		uint32_t timeline;
		Lsn lsn;

		CHECK(log_segment_name_parse(names.names[i], &timeline, &lsn));
		note_segment(history, timeline, lsn);
	}
	history->flush_lsn = UINT64_MAX;
	log_names_release(&names);
	if (directory_fd >= 0)
		close(directory_fd);
	return rc;
}
