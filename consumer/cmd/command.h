/*
 * command.h
 *    The functions of the commands.
 *
 * A command reads its options from the Config, does its work, and reports the
 * result.  It returns RC_OK if it did what was asked, RC_END if it worked but
 * found something that needs attention (such as a check with findings), and
 * RC_FAIL with *err set if it failed.
 *
 * Data goes to standard output, messages go to standard error.
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
MUST_CHECK Rc command_log(const Config *config, Error *err);
MUST_CHECK Rc command_promote(const Config *config, Error *err);
MUST_CHECK Rc command_record(const Config *config, Error *err);
MUST_CHECK Rc command_report(const Config *config, Error *err);
MUST_CHECK Rc command_sequences(const Config *config, Error *err);
MUST_CHECK Rc command_switch(const Config *config, Error *err);
MUST_CHECK Rc command_finish(const Config *config, Error *err);
MUST_CHECK Rc command_table(const Config *config, Error *err);
MUST_CHECK Rc command_verify(const Config *config, Error *err);

#endif /* PENSTOCK_CMD_COMMAND_H */
