/*
 * print.h
 *    Prints the report of a job on standard output.
 */
#ifndef PENSTOCK_CMD_PRINT_H
#define PENSTOCK_CMD_PRINT_H

#include "base/error.h"
#include "base/report.h"

/* A Report that prints each line; blocks if the reader of the output does. */
extern const Report print_report;

/*
 * Flushes standard output.  RC_FAIL with ERR_IO: not everything could be
 * written.
 */
MUST_CHECK Rc print_flush(Error *err);

#endif /* PENSTOCK_CMD_PRINT_H */
