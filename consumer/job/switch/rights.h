/*
 * rights.h
 *    What the way back needs of both servers and roles.
 */
#ifndef PENSTOCK_JOB_SWITCH_RIGHTS_H
#define PENSTOCK_JOB_SWITCH_RIGHTS_H

#include "base/error.h"
#include "job/switch/state.h"

/*
 * Fails with ERR_CONFIG if the way back could not be made or followed: with all
 * that is missing on either server, and the statements for it.  Changes
 * nothing; blocks.
 */
MUST_CHECK Rc switch_check_rights(const Switch *self, Error *err);

#endif /* PENSTOCK_JOB_SWITCH_RIGHTS_H */
