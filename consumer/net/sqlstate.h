/*
 * sqlstate.h
 *    Tells from the SQLSTATE of an error whether the server is at fault.
 */
#ifndef PENSTOCK_NET_SQLSTATE_H
#define PENSTOCK_NET_SQLSTATE_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Whether the error concerns the session or the server as a whole, not the
 * statement that we sent: we could not connect, the connection was lost (class
 * 08), the server is starting or stopping or has terminated the session (57P),
 * or it has no room for another session (53300).  Another attempt need not
 * help: a wrong password, too, means that we could not connect.  See
 * error_is_transient().
 */
bool sqlstate_is_server_gone(const Error *err);

#endif /* PENSTOCK_NET_SQLSTATE_H */
