/*
 * verify.h
 *    Compares the tables of a pipeline, the schemas and the sequences on source
 *    and targets, while both are written to.
 *
 * Tables are compared as of one LSN of the source (see anchor.h).  Those that
 * cannot be compared as of that LSN, because they were rewritten since or the
 * time was over, are compared as of a later LSN.
 */
#ifndef PENSTOCK_JOB_VERIFY_VERIFY_H
#define PENSTOCK_JOB_VERIFY_VERIFY_H

#include "base/error.h"
#include "config/config.h"
#include "verify/verdict.h"

/* Compares the pipeline's tables, schemas and sequences, repairs rows that
 * differ if config->repair is set (see repair.h), and adds the results
 * to *verdict, which must be empty; blocks.  After a failure, *verdict has the
 * results so far. */
MUST_CHECK Rc verify_run(const Config *config, Verdict *verdict, Error *err);

#endif /* PENSTOCK_JOB_VERIFY_VERIFY_H */
