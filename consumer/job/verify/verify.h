/*
 * verify.h
 *    Compares the tables of a pipeline, and what goes with them, on source and
 *    targets, while both are written to.
 *
 * All is compared as of one position of the source's WAL (see anchor.h).  What
 * cannot be compared there, because it was rewritten since or there was no time
 * left, is compared as of a later one.
 */
#ifndef PENSTOCK_JOB_VERIFY_VERIFY_H
#define PENSTOCK_JOB_VERIFY_VERIFY_H

#include "base/error.h"
#include "config/config.h"
#include "verify/verdict.h"

/* Adds to an empty verdict.  Waits.  What was found until a failure is in the
 * verdict, too. */
MUST_CHECK Rc verify_run(const Config *config, Verdict *verdict, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_VERIFY_H */
