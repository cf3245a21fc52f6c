/*
 * finish.h
 *    Ends a move: removes what a switch has made and needs no more.
 *
 * That is the way back: its slot and publication on the target, its progress
 * and replication origin on the source; and on both servers what refuses
 * writes.  If the writes are at the target, the pipeline's own progress there
 * goes, too, and the tables of the source take writes again, which nothing
 * follows any more. If the writes are at the source, the pipeline stays as it
 * is.
 */
#ifndef PENSTOCK_JOB_SWITCH_FINISH_H
#define PENSTOCK_JOB_SWITCH_FINISH_H

#include "base/error.h"
#include "base/report.h"
#include "config/config.h"

/*
 * Removes it, and reports what was removed; may be repeated; blocks.  If
 * there was no switch, nothing is removed, whatever has the names.  With
 * config->dry_run only reports what would be removed.  Fails with ERR_CONFIG
 * while somebody follows the way back, or a switch is running or not complete.
 */
MUST_CHECK Rc finish_run(const Config *config, const Report *report,
						 Error *err);

#endif /* PENSTOCK_JOB_SWITCH_FINISH_H */
