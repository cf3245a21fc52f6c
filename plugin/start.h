/*
 * start.h
 *		Makes a decoding session, and each of its parts.
 */
#ifndef PENSTOCK_START_H
#define PENSTOCK_START_H

#include "replication/logical.h"

#include "session/session.h"

/*
 * Makes a session for the decoding context, stores it there and returns it.
 * With `creating` a slot is being made: there are no options, and nothing will
 * be decoded.  Raises an error if the options are not valid.
 */
extern PenstockSession *penstock_session_new(LogicalDecodingContext *ctx,
											 bool creating);

#endif /* PENSTOCK_START_H */
