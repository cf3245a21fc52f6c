/*
 * untranslated.h
 *    Changes in a set for which there is no definition, such as functions and
 *    privileges.
 *
 * They are never made on the target.
 */
#ifndef PENSTOCK_SINK_POSTGRES_APPLY_UNTRANSLATED_H
#define PENSTOCK_SINK_POSTGRES_APPLY_UNTRANSLATED_H

#include "base/error.h"
#include "model/policy.h"
#include "sink/postgres/plan/stages.h"

/*
 * Logs such changes, or fails with ERR_CONFIG if a rule says to stop at them.
 * `rules` may be NULL; `label` is the target's name in messages.
 */
MUST_CHECK Rc untranslated_check(const SchemaSet *set, const SchemaRules *rules,
								 const char *label, Error *err);

#endif /* PENSTOCK_SINK_POSTGRES_APPLY_UNTRANSLATED_H */
