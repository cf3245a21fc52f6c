/*
 * manual.h
 *    The manual page, and the completion of command lines in a shell.
 *
 * Both are written from the tables of commands and options: "penstock config
 * manual" and "penstock config completion" print them, and "make install"
 * installs them.
 */
#ifndef PENSTOCK_CMD_MANUAL_H
#define PENSTOCK_CMD_MANUAL_H

#include "base/buf.h"

/* Appends the manual page penstock(1) in troff. */
void manual_page(Buf *buf);

/* Appends the completion script for bash. */
void manual_completion(Buf *buf);

#endif /* PENSTOCK_CMD_MANUAL_H */
