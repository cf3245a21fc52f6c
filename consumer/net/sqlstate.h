/*
 * sqlstate.h
 *    What the SQLSTATE of a failure says about the server.
 */
#ifndef PENSTOCK_NET_SQLSTATE_H
#define PENSTOCK_NET_SQLSTATE_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Whether a failure is about the session or the server as a whole rather than
 * about what was asked of it: no connection could be made, or it was lost
 * (class 08), the server starts, stops or ended the session (57P), or it has no
 * room for another session (53300).  Ask error_is_transient() whether it may be
 * better later: a password that is wrong is no server, too.
 */
bool sqlstate_is_server_gone(const Error *err);

#endif /* PENSTOCK_NET_SQLSTATE_H */
