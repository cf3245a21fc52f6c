/*
 * history.c
 *    Compares timelines and LSNs.
 */
#include "model/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/own_command.h"
#include "base/xalloc.h"

/*
 * Reads the first columns of a line: a timeline and the LSN at which it ended.
 */
static bool
parse_end(const char *line, TimelineEnd *end)
{
	char lsn[LSN_TEXT_SIZE];
	char *rest;
	unsigned long timeline = strtoul(line, &rest, 10);
	size_t length;

	rest += strspn(rest, " \t");
	length = strcspn(rest, " \t\n");
	if (timeline == 0 || timeline > UINT32_MAX || length >= sizeof(lsn))
		return false;
	memcpy(lsn, rest, length);
	lsn[length] = '\0';
	end->timeline = (uint32_t) timeline;
	return lsn_parse(lsn, &end->lsn);
}

/* Adds the end of a timeline.  Timelines and LSNs must increase. */
static bool
add_end(SourceHistory *history, const char *line)
{
	TimelineEnd end;

	if (!parse_end(line, &end) || history->end_count == HISTORY_TIMELINES_MAX)
		return false;
	if (history->end_count > 0)
	{
		const TimelineEnd *last = &history->ends[history->end_count - 1];

		if (end.timeline <= last->timeline || end.lsn < last->lsn)
			return false;
	}
	history->ends = xrealloc_array(
		history->ends, (size_t) history->end_count + 1, sizeof(TimelineEnd));
	history->ends[history->end_count++] = end;
	return true;
}

Rc
history_read_ends(SourceHistory *history, const char *text, Error *err)
{
	const char *line = text;

	ASSERT(history->end_count == 0);
	while (*line != '\0')
	{
		const char *end = strchrnul(line, '\n');
		const char *content = line + strspn(line, " \t\r");

		if (content < end && *content != '#' && !add_end(history, content))
			return error_set(err, ERR_PROTOCOL,
							 "invalid line \"%.*s\" in the timeline history "
							 "of source",
							 (int) (end - line), line);
		line = *end == '\n' ? end + 1 : end;
	}
	return RC_OK;
}

void
history_release(SourceHistory *history)
{
	free(history->ends);
	*history = (SourceHistory){0};
}

static const TimelineEnd *
find_end(const SourceHistory *history, uint32_t timeline)
{
	for (int i = 0; i < history->end_count; i++)
		if (history->ends[i].timeline == timeline)
			return &history->ends[i];
	return NULL;
}

static MUST_CHECK Rc
refuse_system(const SourceHistory *history, const HistoryPoint *point,
			  Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "%s was copied from another server than the source",
					  point->label);

	error_detail(err,
				 "Its progress in pipeline \"%s\" belongs to system %s; the "
				 "source is system %s.",
				 point->pipeline, point->source->system_identifier,
				 history->identity.system_identifier);
	error_hint(err, "Connect to the server that it was copied from, or copy it "
					"again.");
	return rc;
}

/*
 * Fills `err` with the message that the functions below have in common.
 * consumer/doc/following.md quotes it.
 */
static MUST_CHECK Rc
refuse_history(const HistoryPoint *point, Error *err)
{
	Rc rc = error_set(err, ERR_CONFIG,
					  "%s has changes that are not in the source's history",
					  point->label);

	error_hint(err,
			   "Connect to the server that it has followed, if there is one.  "
			   "Else its rows differ from the source's: remove the pipeline "
			   "with \"%s\" and copy again with \"%s\".",
			   OWN_COMMAND("drop"), OWN_COMMAND("clone"));
	return rc;
}

/*
 * Fills `err`: the source's history left the target's timeline before the
 * target's LSN.
 */
static MUST_CHECK Rc
refuse_branch(const SourceHistory *history, const HistoryPoint *point,
			  const TimelineEnd *left, Error *err)
{
	bool is_last = left == &history->ends[history->end_count - 1];
	Rc rc = refuse_history(point, err);

	error_detail(err,
				 "The target is at " LSN_FORMAT
				 ", timeline %u; the source's timeline %u began at " LSN_FORMAT
				 ": the last %" PRIu64
				 " bytes of WAL that the target has followed are not the "
				 "source's.",
				 LSN_ARGS(point->lsn), point->source->timeline,
				 is_last ? history->identity.timeline : left[1].timeline,
				 LSN_ARGS(left->lsn), point->lsn - left->lsn);
	return rc;
}

static MUST_CHECK Rc
refuse_timeline(const SourceHistory *history, const HistoryPoint *point,
				Error *err)
{
	bool is_older = history->identity.timeline < point->source->timeline;
	Rc rc = refuse_history(point, err);

	error_detail(err,
				 "The target is at " LSN_FORMAT
				 ", timeline %u; the source is on timeline %u, which %s.",
				 LSN_ARGS(point->lsn), point->source->timeline,
				 history->identity.timeline,
				 is_older ? "is an earlier one: another server was promoted, "
							"and the target has followed that"
						  : "does not come from there");
	return rc;
}

/*
 * Fills `err`: the source's WAL ends before the target's LSN.  A primary never
 * loses WAL that it had, so it was restored to an earlier state.  A standby
 * that has just started may not have replayed that WAL again yet, and one that
 * lags will still receive it; so for a standby the error is transient.
 */
static MUST_CHECK Rc
refuse_end(const SourceHistory *history, const HistoryPoint *point, Error *err)
{
	Rc rc;

	if (history->is_standby)
	{
		rc = error_set(err, ERR_CONNECT,
					   "source, a standby, has not got to where %s is",
					   point->label);
		error_detail(err,
					 "It has replayed WAL up to " LSN_FORMAT
					 ", the target is at " LSN_FORMAT ".",
					 LSN_ARGS(history->flush_lsn), LSN_ARGS(point->lsn));
		return rc;
	}
	rc = refuse_history(point, err);
	error_detail(err,
				 "The target is at " LSN_FORMAT
				 ", and the source's WAL ends at " LSN_FORMAT ", %" PRIu64
				 " bytes before, on the same timeline, %u: the source was put "
				 "back to an earlier state.",
				 LSN_ARGS(point->lsn), LSN_ARGS(history->flush_lsn),
				 point->lsn - history->flush_lsn, point->source->timeline);
	return rc;
}

Rc
history_prove(const SourceHistory *history, const HistoryPoint *point,
			  Error *err)
{
	const TimelineEnd *left;

	if (strcmp(history->identity.system_identifier,
			   point->source->system_identifier) != 0)
		return refuse_system(history, point, err);
	if (history->identity.timeline != point->source->timeline)
	{
		left = find_end(history, point->source->timeline);
		if (left == NULL)
			return refuse_timeline(history, point, err);
		if (point->lsn > left->lsn)
			return refuse_branch(history, point, left, err);
	}
	return point->lsn > history->flush_lsn ? refuse_end(history, point, err)
										   : RC_OK;
}

/* Whether the ends of a standby's timelines are the first ones of the source's,
 * and its current timeline is the next one. */
static bool
is_beginning(const SourceHistory *source, const SourceHistory *standby)
{
	int count = standby->end_count;

	if (count > source->end_count)
		return false;
	for (int i = 0; i < count; i++)
		if (standby->ends[i].timeline != source->ends[i].timeline ||
			standby->ends[i].lsn != source->ends[i].lsn)
			return false;
	return standby->identity.timeline == (count < source->end_count
											  ? source->ends[count].timeline
											  : source->identity.timeline);
}

Rc
history_prove_standby(const SourceHistory *source, const SourceHistory *standby,
					  Error *err)
{
	const SourceIdentity *theirs = &standby->identity;
	Lsn shared = source->flush_lsn;
	Rc rc;

	if (strcmp(source->identity.system_identifier, theirs->system_identifier) !=
		0)
	{
		rc = error_set(err, ERR_CONFIG,
					   "the standby to copy from is not one of the source");
		error_detail(err,
					 "It is of the system with identifier %s, and the source's "
					 "is %s.",
					 theirs->system_identifier,
					 source->identity.system_identifier);
		return rc;
	}
	if (standby->end_count < source->end_count)
		shared = lsn_min(shared, source->ends[standby->end_count].lsn);
	if (is_beginning(source, standby) && standby->flush_lsn <= shared)
		return RC_OK;
	rc = error_set(err, ERR_CONFIG,
				   "the standby to copy from has WAL that is not in the "
				   "source's history");
	error_detail(err,
				 "It is at " LSN_FORMAT
				 ", timeline %u; the source is at " LSN_FORMAT
				 ", timeline %u: one of them has followed another server "
				 "since they parted.",
				 LSN_ARGS(standby->flush_lsn), theirs->timeline,
				 LSN_ARGS(source->flush_lsn), source->identity.timeline);
	error_hint(err, "Copy from a standby that follows the source.");
	return rc;
}
