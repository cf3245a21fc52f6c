/*
 * manual.h
 *    The manual page, and what a shell completes a command line with.
 *
 * Both are written from the tables of commands and of options, by "penstock
 * config manual" and "penstock config completion"; make installs what they
 * print.
 */
#ifndef PENSTOCK_CMD_MANUAL_H
#define PENSTOCK_CMD_MANUAL_H

#include "base/buf.h"

/* Appends penstock(1), for man. */
void manual_page(Buf *buf);

/* Appends a script for bash. */
void manual_completion(Buf *buf);

#endif /* PENSTOCK_CMD_MANUAL_H */
