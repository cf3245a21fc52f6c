/*
 * manual.h
 *    The manual page.
 *
 * It is written from the tables of commands and options: "penstock config
 * manual" prints it, and "make install" installs it.
 */
#ifndef PENSTOCK_CMD_MANUAL_H
#define PENSTOCK_CMD_MANUAL_H

#include "base/buf.h"

/* Appends the manual page penstock(1) in troff. */
void manual_page(Buf *buf);

#endif /* PENSTOCK_CMD_MANUAL_H */
