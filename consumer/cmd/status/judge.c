/*
 * judge.c
 *    Looks at what the servers have said.
 */
#include "cmd/status/judge.h"

const char *
status_slot_problem(const PipelineStatus *status, const Config *config,
					Error *err)
{
	Rc rc = slot_require_usable(&status->source.sample.slot, config->name, err);

	for (int i = 0; i < status->target_count; i++)
		if (progress_is_switched(&status->targets[i].second.progress))
			return "not needed: the writes were moved to the target";
	return rc == RC_OK ? NULL : err->message;
}

const char *
status_target_problem(const SourceStatus *source, const TargetStatus *target)
{
	if (!target->reached)
		return target->failure.message;
	if (target->second.clone.exists)
		return target->second.clone_text;
	if (!target->second.progress.exists)
		return "has no progress of the pipeline";
	if (status_is_foreign(source, target))
		return "has progress of another source";
	if (target->mismatch.message != NULL)
		return target->mismatch_text;
	if (status_is_passed(source, target))
		return "lacks changes that the slot has no more";
	return NULL;
}

const FollowerRow *
status_last_report(const PipelineStatus *status)
{
	static const FollowerRow nothing = {0};
	const FollowerRow *last = &nothing;

	for (int i = 0; i < status->target_count; i++)
	{
		const FollowerRow *row = &status->targets[i].follower;

		if (row->exists && (!last->exists || row->age_s < last->age_s))
			last = row;
	}
	return last;
}

bool
status_is_held(const PipelineStatus *status)
{
	for (int i = 0; i < status->target_count; i++)
		if (status->targets[i].held)
			return status_last_report(status)->state == FOLLOWER_HELD;
	return false;
}

bool
status_is_in_order(const PipelineStatus *status, const char *problem)
{
	if (!status->source.reached || problem != NULL)
		return false;
	/* Nobody can write until the switch is completed. */
	if (status->source.move.state == SWITCH_SWITCHED)
		return false;
	if (status->target_count > 0 && !status->source.sample.following &&
		!status_is_held(status))
		return false;
	for (int i = 0; i < status->target_count; i++)
		if (status_target_problem(&status->source, &status->targets[i]) != NULL)
			return false;
	return true;
}

uint64_t
status_retained_bytes(const SourceSample *source)
{
	Lsn restart_lsn = source->slot.restart_lsn;

	return restart_lsn != 0 && restart_lsn < source->lsn
			   ? source->lsn - restart_lsn
			   : 0;
}

const PipelineMemory *
status_newest_memory(const PipelineStatus *status)
{
	static const PipelineMemory nothing = {0};
	const PipelineMemory *newest = &nothing;

	for (int i = 0; i < status->target_count; i++)
		if (status->targets[i].memory.revision > newest->revision)
			newest = &status->targets[i].memory;
	return newest;
}

bool
status_is_being_cloned(const PipelineStatus *status)
{
	for (int i = 0; i < status->target_count; i++)
		if (status->targets[i].second.clone_running != NULL)
			return true;
	return false;
}
