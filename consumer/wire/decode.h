/*
 * decode.h
 *    The input that reads what the output plugin writes: frames as
 *    proto/penstock.proto says.
 *
 * The decoder remembers the relations that the session has described and the
 * open transactions of which it had pieces, and checks that frames follow one
 * another as that file says.  Every length, number and order is checked before
 * it is used, and what is wrong is an ERR_PROTOCOL that says what.
 */
#ifndef PENSTOCK_WIRE_DECODE_H
#define PENSTOCK_WIRE_DECODE_H

#include "wire/input.h"

/* The version of the format that this decoder reads. */
#define DECODE_PROTO_VERSION 1

/* Released with input_free(). */
Input *decoder_new(void);

#endif /* PENSTOCK_WIRE_DECODE_H */
