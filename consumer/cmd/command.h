/*
 * command.h
 *    The subcommands.  Each reads what it needs from the Config, puts its
 *    pipeline together, runs it, and says how it ended.
 *
 * A command returns RC_OK when it did what was asked, RC_END when it ran well
 * but found that the answer is no (a check with findings), and RC_FAIL with
 * *err set when it could not do it.  Standard output is for data, standard
 * error for talk.
 */
#ifndef PENSTOCK_CMD_COMMAND_H
#define PENSTOCK_CMD_COMMAND_H

#include "base/error.h"
#include "config/config.h"

typedef Rc (*CommandFunction)(const Config *config, Error *err);

MUST_CHECK Rc command_check(const Config *config, Error *err);
MUST_CHECK Rc command_clone(const Config *config, Error *err);
MUST_CHECK Rc command_follow(const Config *config, Error *err);
MUST_CHECK Rc command_status(const Config *config, Error *err);
MUST_CHECK Rc command_tail(const Config *config, Error *err);
MUST_CHECK Rc command_drop(const Config *config, Error *err);
MUST_CHECK Rc command_config(const Config *config, Error *err);
MUST_CHECK Rc command_fence(const Config *config, Error *err);
MUST_CHECK Rc command_federate(const Config *config, Error *err);
MUST_CHECK Rc command_schema(const Config *config, Error *err);
MUST_CHECK Rc command_promote(const Config *config, Error *err);
MUST_CHECK Rc command_sequences(const Config *config, Error *err);
MUST_CHECK Rc command_table(const Config *config, Error *err);
MUST_CHECK Rc command_verify(const Config *config, Error *err);

#endif /* PENSTOCK_CMD_COMMAND_H */
