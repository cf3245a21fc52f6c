/*
 * timelines.c
 *    Reads the names of all segments, the head of one, and the timeline history
 *    file; writes that file.
 */
#include "log/timelines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "log/segment.h"

/* Size of the name of a history file, and the most bytes that one has. */
#define NAME_SIZE   17
#define HISTORY_MAX MB

static void
name_file(uint32_t timeline, char name[static NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%08" PRIX32 ".history", timeline);
}

Rc
log_timelines_write(int directory_fd, const SourceHistory *history, Error *err)
{
	char name[NAME_SIZE];
	Buf text;
	Rc rc;

	name_file(history->identity.timeline, name);
	if (history->end_count == 0 || faccessat(directory_fd, name, F_OK, 0) == 0)
		return RC_OK;
	buf_init(&text, HISTORY_MAX);
	for (int i = 0; i < history->end_count; i++)
		buf_printf(&text, "%" PRIu32 "\t" LSN_FORMAT "\tas the source has it\n",
				   history->ends[i].timeline, LSN_ARGS(history->ends[i].lsn));
	rc = log_directory_replace(directory_fd, name, text.data, text.length, err);
	buf_release(&text);
	return rc;
}

/*
 * Reads the history file of the last timeline, in the place of what was made of
 * the names of segments; if there is one.
 */
static MUST_CHECK Rc
read_file(int directory_fd, const char *path, SourceHistory *history,
		  Error *err)
{
	char name[NAME_SIZE];
	SourceHistory written = {.identity = history->identity};
	ssize_t got;
	Buf text;
	int fd;
	Rc rc;

	name_file(history->identity.timeline, name);
	fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	buf_init(&text, HISTORY_MAX);
	got = fd >= 0
			  ? read(fd, buf_reserve(&text, HISTORY_MAX - 1), HISTORY_MAX - 1)
			  : -1;
	if (got < 0)
		rc = error_set(err, ERR_IO, "could not read file \"%s/%s\": %s", path,
					   name, strerror(errno));
	else
	{
		buf_advance(&text, (size_t) got);
		rc = history_read_ends(&written, text.data, err);
	}
	if (rc == RC_OK)
	{
		history_release(history);
		*history = written;
	}
	else
		history_release(&written);
	if (fd >= 0)
		close(fd);
	buf_release(&text);
	return rc;
}

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
log_timelines_read(const char *path, SourceHistory *history, Lsn *first_lsn,
				   Error *err)
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
		if (i == 0)
			*first_lsn = lsn;
	}
	if (rc == RC_OK)
		rc = read_file(directory_fd, path, history, err);
	history->flush_lsn = UINT64_MAX;
	log_names_release(&names);
	if (directory_fd >= 0)
		close(directory_fd);
	return rc;
}
