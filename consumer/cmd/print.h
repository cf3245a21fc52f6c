/*
 * print.h
 *    What a job reports, on standard output.
 */
#ifndef PENSTOCK_CMD_PRINT_H
#define PENSTOCK_CMD_PRINT_H

#include "base/error.h"
#include "base/report.h"

/* Prints each line. */
extern const Report print_report;

/* Fails unless all that was printed is written. */
MUST_CHECK Rc print_flush(Error *err);

#endif /* PENSTOCK_CMD_PRINT_H */
