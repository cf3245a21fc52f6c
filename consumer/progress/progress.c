/*
 * progress.c
 *    Minima over the targets.
 */
#include "progress/progress.h"

#include "base/macros.h"

void
progress_init(Progress *progress, Lsn confirmed)
{
	*progress = (Progress){confirmed, confirmed, confirmed};
}

void
progress_received(Progress *progress, Lsn lsn)
{
	progress->received = lsn_max(progress->received, lsn);
}

void
progress_update(Progress *progress, const ProgressTarget *targets,
				int target_count)
{
	Lsn durable = progress->received;
	Lsn applied = progress->received;

	/* Without a target everything would count as durable. */
	CHECK(target_count > 0);
	for (int i = 0; i < target_count; i++)
	{
		/* What is durable on a target is also applied there. */
		CHECK(targets[i].durable <= targets[i].applied);
		durable = lsn_min(durable, targets[i].durable);
		applied = lsn_min(applied, targets[i].applied);
	}
	progress->confirmed = lsn_max(progress->confirmed, durable);
	progress->applied = lsn_max(progress->applied, applied);
	CHECK(progress->confirmed <= progress->received);
	CHECK(progress->confirmed <= progress->applied);
}
