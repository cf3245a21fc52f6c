/*
 * log.c
 *    penstock log: says what a log has, or checks all of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "cmd/command.h"
#include "log/description.h"
#include "log/survey.h"
#include "sink/json/json_line.h"

#define ARENA_BLOCK_BYTES (4 * KB)

typedef struct Totals
{
	bool lists; /* whether to print a line for each segment */
	uint64_t segments;
	uint64_t bytes;
	uint64_t transactions;
	uint64_t changes;
	LogPosition first;
	LogPosition last;
	uint64_t rest; /* bytes that are being written */
	uint64_t damaged;
} Totals;

static void
print_time(const char *label, const LogPosition *position)
{
	char text[JSON_LINE_TIME_SIZE];

	if (position->commit_lsn == 0)
		return;
	json_line_format_time(text, position->commit_time_us);
	printf("%s%s", label, text);
}

static void
print_segment(const SegmentSummary *summary)
{
	printf("%s  " LSN_FORMAT " - " LSN_FORMAT "  %" PRIu64 " bytes  %" PRIu64
		   " transactions  %" PRIu64 " changes",
		   summary->name, LSN_ARGS(summary->first.end_lsn),
		   LSN_ARGS(summary->last.end_lsn), summary->bytes,
		   summary->transactions, summary->changes);
	print_time("  ", &summary->last);
	printf(summary->damage != NULL ? "  damaged\n"
		   : summary->complete     ? "\n"
								   : "  not complete\n");
}

static void
take_segment(void *context, const SegmentSummary *summary)
{
	Totals *totals = context;

	if (totals->segments++ == 0)
		totals->first = summary->first;
	totals->bytes += summary->bytes;
	totals->transactions += summary->transactions;
	totals->changes += summary->changes;
	totals->last = summary->last;
	totals->rest = summary->rest;
	if (totals->lists)
		print_segment(summary);
	if (summary->damage == NULL)
		return;
	totals->rest = 0;
	totals->damaged++;
	log_error(LOG_ERROR, "log.damaged", summary->damage);
}

/* Prints what the log is of, and whether it is recorded at present. */
static MUST_CHECK Rc
print_description(const char *path, Error *err)
{
	Arena *arena = arena_new(ARENA_BLOCK_BYTES);
	LogDescription description;
	int directory_fd = -1;
	Rc rc = log_description_find(&description, path, arena, err);

	if (rc == RC_OK)
		rc = log_directory_open(path, false, &directory_fd, err);
	if (rc == RC_OK)
	{
		printf("of        slot \"%s\", publications %s", description.slot,
			   description.publications);
		if (description.database != NULL)
			printf(", database \"%s\"", description.database);
		printf("\nrecorder  %s\n",
			   log_description_is_locked(directory_fd) ? "runs" : "none runs");
	}
	if (directory_fd >= 0)
		close(directory_fd);
	arena_free(arena);
	return rc;
}

static void
print_totals(const char *path, const Totals *totals)
{
	printf("log %s\n", path);
	printf("from      " LSN_FORMAT, LSN_ARGS(totals->first.end_lsn));
	print_time(", after the commit of ", &totals->first);
	printf("\nto        " LSN_FORMAT, LSN_ARGS(totals->last.end_lsn));
	print_time(", last commit ", &totals->last);
	printf("\nsegments  %" PRIu64 ", %" PRIu64 " bytes\n", totals->segments,
		   totals->bytes);
	printf("has       %" PRIu64 " transactions, %" PRIu64 " changes\n",
		   totals->transactions, totals->changes);
	if (totals->rest > 0)
		printf("rest      %" PRIu64 " bytes after LSN " LSN_FORMAT
			   ", being written\n",
			   totals->rest, LSN_ARGS(totals->last.end_lsn));
	if (totals->damaged > 0)
		printf("damaged   %" PRIu64 " segment%s\n", totals->damaged,
			   PLURAL(totals->damaged));
}

Rc
command_log(const Config *config, Error *err)
{
	const char *verb = config->word_count > 0 ? config->words[0] : "";
	const char *path = config->word_count > 1 ? config->words[1] : config->log;
	Totals totals = {.lists = strcmp(verb, "list") == 0};
	bool verifies = strcmp(verb, "verify") == 0;
	Rc rc;

	if (!totals.lists && !verifies && strcmp(verb, "status") != 0)
		return error_set(err, ERR_USAGE,
						 "expected is \"penstock log status\", list or verify");
	if (path == NULL || config->word_count > 2 ||
		(config->word_count > 1 && config->log != NULL))
		return error_set(err, ERR_USAGE,
						 path == NULL ? "no log is given"
									  : "only one log can be given");
	rc = log_survey(path, verifies, take_segment, &totals, err);
	if (rc != RC_FAIL && !totals.lists)
		print_totals(path, &totals);
	if (rc == RC_OK && strcmp(verb, "status") == 0)
		rc = print_description(path, err);
	return rc;
}
