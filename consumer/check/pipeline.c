/*
 * pipeline.c
 *    Checks that slot and progress exist both, or neither.
 *
 * The changes of a slot can only be applied to the copy that was made with it,
 * so a target without progress cannot use the slot.  If a target has progress
 * but there is no slot, or the slot's confirmed_flush_lsn is after the
 * progress, the changes between them cannot be decoded any more.  In each case
 * the target has to be copied again.
 */
#include "check/pipeline.h"

#include <stdlib.h>

#include "base/own_command.h"
#include "copy/schema/programs.h"
#include "net/target_name.h"

/* Progress of the pipeline on those of its targets that could be queried. */
typedef struct ProgressCount
{
	int there;         /* number of targets with progress */
	int missing;       /* number of targets without progress */
	int missing_first; /* index of the first target without progress */
	int passed;        /* number of targets whose progress is before the slot's
						* confirmed_flush_lsn */
	int passed_first;  /* index of the first such target */
} ProgressCount;

/*
 * Whether a target's progress is before the slot's confirmed_flush_lsn.  A
 * follower does not cause that: it confirms only what is durable on every
 * target, and we have read the slot before the target.
 */
static bool
is_passed(const CheckContext *context, int index)
{
	return context->slot_known && context->slot.exists &&
		   context->progress[index].end_lsn < context->slot.confirmed_lsn;
}

static ProgressCount
count_progress(const CheckContext *context)
{
	ProgressCount count = {0};

	for (int i = 0; i < context->config->target_count; i++)
	{
		if (!context->progress_known[i])
			continue;
		if (context->progress[i].exists)
		{
			count.there++;
			if (is_passed(context, i) && count.passed++ == 0)
				count.passed_first = i;
		}
		else if (count.missing++ == 0)
			count.missing_first = i;
	}
	return count;
}

static void
add_finding(CheckContext *context, FindingLevel level, const char *code,
			const char *message, const char *fix)
{
	Arena *arena = findings_arena(context->findings);
	const char *name = context->config->name;

	findings_add(context->findings,
				 &(Finding){
					 .level = level,
					 .code = code,
					 .server = arena_printf(arena, "pipeline \"%s\"", name),
					 .object = arena_printf(arena, "replication slot %s", name),
					 .message = message,
					 .fix = fix,
				 });
}

/* Returns the fix: remove slot and progress, and clone again. */
static const char *
fix_again(CheckContext *context)
{
	return arena_printf(findings_arena(context->findings),
						"%s\n"
						"-- empty or drop the tables on the target, then:\n"
						"%s",
						OWN_COMMAND("drop"), OWN_COMMAND("clone"));
}

static void
add_unusable(CheckContext *context, Error *err)
{
	const char *name = context->config->name;
	Arena *arena = findings_arena(context->findings);
	Finding finding = {
		.level = FINDING_ERROR,
		.code = "slot",
		.server = arena_printf(arena, "pipeline \"%s\"", name),
		.object = arena_printf(arena, "replication slot %s", name),
	};

	if (context->slot.lost)
		finding.fix = fix_again(context);
	findings_add_error(context->findings, &finding, err);
}

static void
add_without_progress(CheckContext *context, const ProgressCount *count)
{
	char *target = target_name(context->config->targets[count->missing_first]);

	add_finding(context, FINDING_ERROR, "slot",
				arena_printf(findings_arena(context->findings),
							 "the slot is there, but %s has no progress of the "
							 "pipeline: it lacks the data that the slot's "
							 "changes build on",
							 target),
				fix_again(context));
	free(target);
}

static void
add_passed(CheckContext *context, const ProgressCount *count)
{
	int index = count->passed_first;
	char *target = target_name(context->config->targets[index]);

	add_finding(context, FINDING_ERROR, "slot",
				arena_printf(findings_arena(context->findings),
							 "the slot is at " LSN_FORMAT ", and %s has only "
							 "what is before " LSN_FORMAT ": changes between "
							 "are gone, because the target was restored or the "
							 "slot was read by another program",
							 LSN_ARGS(context->slot.confirmed_lsn), target,
							 LSN_ARGS(context->progress[index].end_lsn)),
				fix_again(context));
	free(target);
}

static void
add_going_on(CheckContext *context, const ProgressCount *count)
{
	const SlotInfo *slot = &context->slot;
	Arena *arena = findings_arena(context->findings);

	if (slot->active_pid != 0)
		add_finding(context, FINDING_INFO, "slot",
					arena_printf(arena,
								 "the slot is in use by PID %d of the source: "
								 "a follower is running",
								 slot->active_pid),
					NULL);
	if (count->missing > 0)
		add_without_progress(context, count);
	else if (count->passed > 0)
		add_passed(context, count);
	else if (count->there > 0)
		add_finding(context, FINDING_OK, "slot",
					arena_printf(arena,
								 "slot and progress are there: \"penstock "
								 "follow\" goes on from " LSN_FORMAT,
								 LSN_ARGS(slot->confirmed_lsn)),
					NULL);
	else
		add_finding(context, FINDING_OK, "slot",
					arena_printf(arena, "the slot is there, at " LSN_FORMAT,
								 LSN_ARGS(slot->confirmed_lsn)),
					NULL);
}

/* Whether a target has taken the source's place.  What it has then must not be
 * copied again. */
static bool
is_over(const CheckContext *context)
{
	for (int i = 0; i < context->config->target_count; i++)
		if (progress_is_switched(&context->progress[i]) ||
			progress_is_promoted(&context->progress[i]))
			return true;
	return false;
}

static void
check_slot(CheckContext *context, const ProgressCount *count)
{
	Error err = {0};

	if (is_over(context))
		add_finding(context, FINDING_INFO, "slot",
					"a target has taken the source's place: nothing is "
					"followed to there any more",
					NULL);
	else if (!context->slot.exists && count->there > 0)
		add_finding(context, FINDING_ERROR, "slot",
					"a target has progress of the pipeline, but its slot is "
					"gone, and with it the changes since then",
					fix_again(context));
	else if (!context->slot.exists)
		add_finding(context, FINDING_OK, "slot",
					"there is neither slot nor progress yet: \"penstock "
					"clone\" makes both",
					NULL);
	else if (slot_require_usable(&context->slot, context->config->name, &err) !=
			 RC_OK)
		add_unusable(context, &err);
	else
		add_going_on(context, count);
}

/* Adds a finding about pg_dump, which a clone needs. */
static Rc
check_programs(CheckContext *context, Error *err)
{
	Arena *arena = findings_arena(context->findings);
	Programs programs;
	Rc rc = programs_find(&programs, context->config->pg_bindir,
						  context->newest_major, arena, err);
	Finding finding = {
		.level = FINDING_WARNING,
		.code = "programs",
		.server = arena_printf(arena, "pipeline \"%s\"", context->config->name),
		.object = "program pg_dump",
	};

	if (rc == RC_FAIL && err->code == ERR_INTERRUPTED)
		return rc;
	if (rc == RC_FAIL)
		findings_add_error(context->findings, &finding, err);
	else
		add_finding(context, FINDING_OK, "programs",
					arena_printf(arena, "pg_dump of version %d is there",
								 programs.major),
					NULL);
	return RC_OK;
}

Rc
check_pipeline(CheckContext *context, Error *err)
{
	ProgressCount count = count_progress(context);

	if (context->slot_known)
		check_slot(context, &count);
	if (context->source.known && count.missing > 0)
		return check_programs(context, err);
	return RC_OK;
}
