/*
 * people.c
 *    Prints the state of a pipeline: each fact a line, a table of the targets.
 */
#include "cmd/status/people.h"

#include <inttypes.h>
#include <string.h>

#include "base/own_command.h"
#include "cmd/status/amount.h"
#include "cmd/status/judge.h"

/* Width of the columns for positions and for sizes. */
#define POSITION_WIDTH 11
#define AMOUNT_WIDTH   8

/* A target that is at least this far behind the first is mentioned. */
#define LAGGING_BYTES_MIN MB

/*
 * Seconds after which a report of a follower is too old to believe that it
 * still tries.  It reports every attempt; the pause between two is at most ten
 * seconds, and connecting to its servers may take about as long.
 */
#define REPORT_AGE_MAX_S 60

/* Formats a lag as an upper bound: "< 3 min". */
static const char *
format_lag(double seconds, char *text)
{
	int64_t whole = (int64_t) seconds;

	if (seconds < 0)
		return "-";
	if (seconds == 0)
		snprintf(text, AMOUNT_TEXT_SIZE, "0 s");
	else if (whole < 60)
		snprintf(text, AMOUNT_TEXT_SIZE, "< %.1f s", seconds + 0.05);
	else if (whole < 3600)
		snprintf(text, AMOUNT_TEXT_SIZE, "< %d min", (int) (whole / 60) + 1);
	else
		snprintf(text, AMOUNT_TEXT_SIZE, "< %" PRId64 " h", whole / 3600 + 1);
	return text;
}

static const char *
format_rate(double rate, char *text)
{
	if (rate < 0)
		return "-";
	snprintf(text, AMOUNT_TEXT_SIZE, "%.0f", rate);
	return text;
}

/* Prints what is known about a follower that does not use the slot. */
static void
print_last_report(FILE *out, const PipelineStatus *status)
{
	const FollowerRow *report = status_last_report(status);

	if (status_is_being_cloned(status))
		fprintf(out, "follower   a clone is at work\n");
	else if (status_is_held(status))
		fprintf(out, "follower   held by a fence since %s\n", report->said_at);
	else if (!report->exists)
		fprintf(out, "follower   not running\n");
	else if (report->state == FOLLOWER_STOPPED && report->message == NULL)
		fprintf(out, "follower   not running, stopped at %s\n",
				report->said_at);
	else if (report->state == FOLLOWER_STOPPED)
		fprintf(out, "follower   not running, failed at %s: %s\n",
				report->said_at, report->message);
	else if (report->age_s > REPORT_AGE_MAX_S)
		fprintf(out, "follower   not running, last heard of at %s%s%s\n",
				report->said_at, report->message != NULL ? ": " : "",
				report->message != NULL ? report->message : "");
	else if (report->state == FOLLOWER_RETRYING)
		fprintf(out, "follower   trying again, %.0f s ago: %s\n", report->age_s,
				report->message);
	else
		fprintf(out, "follower   not connected, last heard of %.0f s ago\n",
				report->age_s);
}

/* Prints what "penstock switch" has done of a pipeline's move. */
static void
print_move(FILE *out, const SwitchRow *move)
{
	if (move->state == SWITCH_BEGUN)
		fprintf(
			out,
			"switch     begun at %s by %s; the writes are not moved: \"%s\" "
			"begins anew\n",
			move->begun_at, move->owner, OWN_COMMAND("switch"));
	else if (move->state == SWITCH_SWITCHED)
		fprintf(out,
				"switch     not complete: the source refuses writes since %s; "
				"\"%s\" completes it\n",
				move->switched_at, OWN_COMMAND("switch"));
	else if (move->state == SWITCH_DONE)
		fprintf(out, "switch     the writes were moved to the target at %s\n",
				move->switched_at);
}

static void
print_source(FILE *out, const PipelineStatus *status, const char *problem)
{
	const SourceSample *sample = &status->source.sample;
	char text[AMOUNT_TEXT_SIZE];

	if (!status->source.reached)
	{
		fprintf(out, "source     %s\n", status->source.failure.message);
		return;
	}
	if (sample->following)
		fprintf(out, "follower   running, PID %d on the source\n",
				sample->slot.active_pid);
	else
		print_last_report(out, status);
	print_move(out, &status->source.move);
	if (problem != NULL)
		fprintf(out, "slot       %s\n", problem);
	else
		fprintf(out, "slot       in order; the source keeps %s of WAL for it\n",
				amount_bytes(status_retained_bytes(sample), text));
	fprintf(out, "source     %s\n", amount_lsn(sample->lsn, text));
	if (sample->positions_hidden)
		fprintf(out,
				"received   hidden from this role: GRANT pg_monitor on the "
				"source shows it\n");
	else if (sample->following)
		fprintf(out, "received   %s\n", amount_lsn(sample->received_lsn, text));
	if (sample->slot.exists)
		fprintf(out, "confirmed  %s\n",
				amount_lsn(sample->slot.confirmed_lsn, text));
}

static void
print_target_header(FILE *out, int name_width)
{
	fprintf(out, "\n%-*s  %-*s  %-*s  %*s  %*s  %7s  %6s\n", name_width,
			"target", POSITION_WIDTH, "applied", POSITION_WIDTH, "durable",
			AMOUNT_WIDTH, "lag", AMOUNT_WIDTH, "lag time", "rows/s", "txns/s");
}

/*
 * Prints a target's name; a name wider than the column gets a line of its own.
 */
static void
print_target_name(FILE *out, const TargetStatus *target, int name_width)
{
	const char *name = target->address[0] != '\0' ? target->address : "target";

	if ((int) strlen(name) > name_width)
	{
		fprintf(out, "%s\n", name);
		name = "";
	}
	fprintf(out, "%-*s  ", name_width, name);
}

static void
print_target(FILE *out, const SourceStatus *source, const TargetStatus *target,
			 int name_width)
{
	const char *problem = status_target_problem(source, target);
	char texts[6][AMOUNT_TEXT_SIZE];
	TargetPosition position;

	print_target_name(out, target, name_width);
	if (problem != NULL)
	{
		fprintf(out, "%s\n", problem);
		return;
	}
	position = status_position(source, target);
	fprintf(out, "%-*s  %-*s  %*s  %*s  %7s  %6s\n", POSITION_WIDTH,
			amount_lsn(position.applied_lsn, texts[0]), POSITION_WIDTH,
			amount_lsn(position.durable_lsn, texts[1]), AMOUNT_WIDTH,
			position.has_lag ? amount_bytes(position.lag_bytes, texts[2]) : "-",
			AMOUNT_WIDTH,
			position.has_lag ? format_lag(position.lag_seconds, texts[3]) : "-",
			format_rate(position.rows_per_s, texts[4]),
			format_rate(position.transactions_per_s, texts[5]));
}

/*
 * Returns the width of the column for names: that of the longest name, limited
 * so that lines remain under 80 columns.
 */
static int
name_width(const PipelineStatus *status)
{
	const int width_max = 16;
	int width = (int) strlen("target");

	for (int i = 0; i < status->target_count; i++)
	{
		int length = (int) strlen(status->targets[i].address);

		if (length > width)
			width = length < width_max ? length : width_max;
	}
	return width;
}

/* Prints which target the source keeps its WAL for, if the others are ahead. */
static void
print_most_lagging(FILE *out, const PipelineStatus *status)
{
	const TargetStatus *last = NULL;
	Lsn last_lsn = UINT64_MAX;
	Lsn first_lsn = 0;
	char text[AMOUNT_TEXT_SIZE];

	for (int i = 0; i < status->target_count; i++)
	{
		const TargetStatus *target = &status->targets[i];
		Lsn lsn;

		if (status_target_problem(&status->source, target) != NULL)
			continue;
		lsn = status_position(&status->source, target).applied_lsn;
		first_lsn = lsn_max(first_lsn, lsn);
		if (lsn >= last_lsn)
			continue;
		last_lsn = lsn;
		last = target;
	}
	if (last != NULL && first_lsn - last_lsn >= LAGGING_BYTES_MIN)
		fprintf(out,
				"\n%s lags %s behind the others, and holds them up where its "
				"share of --memory is full\n",
				last->address, amount_bytes(first_lsn - last_lsn, text));
}

/*
 * Prints details and a hint for targets that are not in the source's history.
 */
static void
print_mismatches(FILE *out, const PipelineStatus *status)
{
	for (int i = 0; i < status->target_count; i++)
	{
		const TargetStatus *target = &status->targets[i];

		if (target->mismatch.message == NULL)
			continue;
		fprintf(out, "\n%s: %s\n", target->address, target->mismatch.detail);
		if (target->mismatch.hint != NULL)
			fprintf(out, "%s\n", target->mismatch.hint);
	}
}

static void
print_options(FILE *out, const PipelineMemory *memory)
{
	for (int i = 0; i < memory->words.count; i++)
		fprintf(out, "%-11s%s\n", i == 0 ? "options" : "",
				memory->words.words[i]);
}

/* Prints the foreign keys of a target that are not valid yet. */
static void
print_keys(FILE *out, const TargetStatus *target)
{
	if (target->keys.count > 0)
		fprintf(out, "\nforeign keys that are not valid yet on %s\n",
				target->address);
	for (int i = 0; i < target->keys.count; i++)
	{
		const PostponedKey *key = &target->keys.keys[i];

		fprintf(out,
				"  %s of %s: checked by the follower from " LSN_FORMAT
				" on, with %s\n",
				key->name, key->table, LSN_ARGS(key->not_before),
				key->statement);
	}
}

/* Lists the indexes that the follower builds beside what it applies. */
static void
print_builds(FILE *out, const TargetStatus *target)
{
	if (target->builds.count > 0)
		fprintf(out, "\nindexes that the follower is building on %s\n",
				target->address);
	for (int i = 0; i < target->builds.count; i++)
		fprintf(out, "  %s\n", target->builds.builds[i].statement);
}

void
status_print(FILE *out, const PipelineStatus *status, const Config *config,
			 const char *problem, StatusGraph graph, void *context)
{
	int width = name_width(status);

	fprintf(out, "pipeline   %s\n", config->name);
	print_options(out, status_newest_memory(status));
	print_source(out, status, problem);
	if (status->target_count > 0)
		print_target_header(out, width);
	for (int i = 0; i < status->target_count; i++)
	{
		print_target(out, &status->source, &status->targets[i], width);
		if (graph != NULL)
			graph(out, context, i);
	}
	print_mismatches(out, status);
	print_most_lagging(out, status);
	for (int i = 0; i < status->target_count; i++)
		cloning_print(out, &status->targets[i].second.cloning,
					  status->targets[i].address);
	for (int i = 0; i < status->target_count; i++)
		status_tables_print(out, &status->targets[i].tables,
							status->targets[i].address,
							status->source.sample.lsn);
	for (int i = 0; i < status->target_count; i++)
		print_keys(out, &status->targets[i]);
	for (int i = 0; i < status->target_count; i++)
		print_builds(out, &status->targets[i]);
}
