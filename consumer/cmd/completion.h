/*
 * completion.h
 *    The completion of command lines in a shell.
 *
 * It is written from the tables of commands and options: "penstock config
 * completion bash" and "… zsh" print it, and "make install" installs it.
 */
#ifndef PENSTOCK_CMD_COMPLETION_H
#define PENSTOCK_CMD_COMPLETION_H

#include "base/buf.h"

/* Appends the script for bash, which is to be sourced. */
void completion_bash(Buf *buf);

/* Appends the function for zsh: a file _penstock in a directory of fpath. */
void completion_zsh(Buf *buf);

#endif /* PENSTOCK_CMD_COMPLETION_H */
