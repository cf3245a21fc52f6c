/*
 * decode.h
 *    The decoder: the Input that reads the messages of the output plugin.
 *
 * A message is a Frame of proto/penstock.proto: changes of one transaction.
 *
 * The decoder keeps the tables that the session has described (Relation
 * records) and the open transactions of which it has received a part, and
 * checks that the frames are in the order that penstock.proto demands.  It
 * checks every length, number and order before it uses them.  Where one is
 * wrong, it fails with ERR_PROTOCOL and says which.
 */
#ifndef PENSTOCK_WIRE_DECODE_H
#define PENSTOCK_WIRE_DECODE_H

#include "wire/input.h"

/* Version of the format that this decoder reads. */
#define DECODE_PROTO_VERSION 1

/* Returns a new decoder, to be freed with input_free(). */
Input *decoder_new(void);

/*
 * Returns a new decoder for what a log has (source/log/log_source.h), where the
 * Relation records stand between the frames of a transaction and are not in the
 * number of changes that its Commit says.
 */
Input *decoder_new_for_log(void);

#endif /* PENSTOCK_WIRE_DECODE_H */
