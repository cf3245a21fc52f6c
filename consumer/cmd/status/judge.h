/*
 * judge.h
 *    What the state of a pipeline means: what is in order, and what is not.
 *
 * Strings that are returned are borrowed as long as the status is used.
 */
#ifndef PENSTOCK_CMD_STATUS_JUDGE_H
#define PENSTOCK_CMD_STATUS_JUDGE_H

#include "cmd/status/sample.h"

/*
 * Returns the reason why the slot cannot be used, or NULL if it can.  The text
 * is freed with `err`.
 */
const char *status_slot_problem(const PipelineStatus *status,
								const Config *config, Error *err);

/* Returns the reason why a target's positions are not shown, or NULL. */
const char *status_target_problem(const SourceStatus *source,
								  const TargetStatus *target);

/* Returns the last report of the follower on any target; never NULL. */
const FollowerRow *status_last_report(const PipelineStatus *status);

/* Whether a fence holds the follower. */
bool status_is_held(const PipelineStatus *status);

/* Whether a clone is running. */
bool status_is_being_cloned(const PipelineStatus *status);

/*
 * Whether nobody is needed: see status.c.  `problem` is that of the slot, or
 * NULL.
 */
bool status_is_in_order(const PipelineStatus *status, const char *problem);

/* Returns the size of the WAL that the source keeps for the slot. */
uint64_t status_retained_bytes(const SourceSample *source);

/*
 * Returns the options that the pipeline stores, with the highest revision of
 * all targets; never NULL.
 */
const PipelineMemory *status_newest_memory(const PipelineStatus *status);

#endif /* PENSTOCK_CMD_STATUS_JUDGE_H */
